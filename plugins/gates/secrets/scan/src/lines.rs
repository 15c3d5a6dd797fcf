//! Where in the text a secret stands, and whether a comment there allows it.

use crate::hit::{Hit, Rule};
use crate::{Found, value};

/// What a comment says that allows a secret; the name of a rule may follow, and a reason.
const ALLOW: &[u8] = b"leasehold:allow secret";

/// Adds line, column and what comments say. `found` is in ascending order.
pub(crate) fn locate(content: &[u8], found: Vec<Found>) -> Vec<Hit> {
    let mut lines = Lines::new(content);
    found
        .into_iter()
        .map(|secret| lines.locate(secret))
        .collect()
}

/// Goes through the text once, however many secrets there are in a line.
struct Lines<'a> {
    content: &'a [u8],
    /// Number and first byte of the line that was reached.
    line: u32,
    start: usize,
    /// Characters before `at` in that line.
    at: usize,
    characters: u32,
    allowed: Allowed,
}

/// What comments allow in a line.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Allowed {
    everything: bool,
    rules: Vec<&'static Rule>,
}

impl<'a> Lines<'a> {
    fn new(content: &'a [u8]) -> Self {
        let mut lines = Self {
            content,
            line: 1,
            start: 0,
            at: 0,
            characters: 0,
            allowed: Allowed::default(),
        };
        lines.allowed = lines.allowed_here();
        lines
    }

    fn locate(&mut self, secret: Found) -> Hit {
        self.go_to(secret.start);
        Hit {
            rule: secret.rule,
            start: secret.start,
            end: secret.end,
            line: self.line,
            column: self.characters.saturating_add(1),
            allowed: self.allowed.everything || self.allowed.rules.contains(&secret.rule),
        }
    }

    fn go_to(&mut self, place: usize) {
        let between = self.content.get(self.at..place).unwrap_or_default();
        let mut moved = false;
        for line_feed in memchr::memchr_iter(b'\n', between) {
            self.line = self.line.saturating_add(1);
            self.start = self.at + line_feed + 1;
            moved = true;
        }
        if moved {
            self.characters = 0;
            self.allowed = self.allowed_here();
        }
        let from = if moved { self.start } else { self.at };
        let more = self.content.get(from..place).unwrap_or_default();
        let more = more.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        self.characters = self
            .characters
            .saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        self.at = place;
    }

    /// What is allowed in the current line: by a comment in it, or by one that has the line before to itself.
    fn allowed_here(&self) -> Allowed {
        let line = self
            .content
            .get(self.start..value::line_end(self.content, self.start));
        let mut allowed = Allowed::default();
        for (_, rest) in comments(line.unwrap_or_default()) {
            allowed.add(rest);
        }
        let before = self
            .content
            .get(..self.start.saturating_sub(1))
            .unwrap_or_default();
        let before = &before[memchr::memrchr(b'\n', before).map_or(0, |at| at + 1)..];
        let mut alone = comments(before);
        if let Some((ahead, rest)) = alone.next()
            && !ahead.iter().any(u8::is_ascii_alphanumeric)
        {
            allowed.add(rest);
        }
        allowed
    }
}

impl Allowed {
    /// Adds what the text behind the mark allows: one rule when it names one, else every rule.
    fn add(&mut self, rest: &[u8]) {
        let word = rest.trim_ascii_start();
        let is_name =
            |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        let word = &word[..word.iter().take_while(|byte| is_name(byte)).count()];
        match std::str::from_utf8(word).ok().and_then(Rule::named) {
            Some(rule) => self.rules.push(rule),
            None => self.everything = true,
        }
    }
}

/// What stands before and behind each mark in a line.
fn comments(line: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    memchr::memmem::find_iter(line, ALLOW).filter_map(move |at| {
        let rest = line.get(at + ALLOW.len()..)?;
        // `secrets` is another word.
        let ends = !rest.first().is_some_and(u8::is_ascii_alphanumeric);
        ends.then_some((line.get(..at)?, rest))
    })
}
