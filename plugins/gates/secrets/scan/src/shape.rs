//! Secrets that are known by how they are written: a fixed text and runs of certain characters around it.

use crate::class::{self, Class};
use crate::hit::Rule;
use crate::prefilter::Anchor;
use crate::{Found, value};

/// A fixed text and what must follow it.
pub(crate) struct Shape {
    pub(crate) rule: &'static Rule,
    /// What stands before the text and belongs to the secret, all of it.
    pub(crate) before: Option<Run>,
    /// The text, three bytes at least; exact.
    pub(crate) text: &'static str,
    /// What follows.
    pub(crate) parts: &'static [Part],
}

/// Characters of one class, as many as there are: from `min` to `max`.
pub(crate) struct Run {
    pub(crate) class: Class,
    pub(crate) min: usize,
    pub(crate) max: usize,
}

pub(crate) enum Part {
    Run(Run),
    Text(&'static str),
}

/// A run.
pub(crate) const fn run(class: Class, min: usize, max: usize) -> Part {
    Part::Run(Run { class, min, max })
}

impl Shape {
    /// What the prefilter looks for: the text, and the classes next to it where the text is short.
    pub(crate) fn anchor(&self) -> Anchor {
        Anchor {
            before: self.before.as_ref().map(|run| run.class),
            text: self.text,
            after: match self.parts.first() {
                Some(Part::Run(run)) => Some(run.class),
                _ => None,
            },
        }
    }

    /// The secret whose text stands at `at`, if it is one.
    pub(crate) fn find(&'static self, content: &[u8], at: usize) -> Option<Found> {
        if !content.get(at..)?.starts_with(self.text.as_bytes()) {
            return None;
        }
        let start = self.start(content, at)?;
        let body = at + self.text.len();
        let mut end = body;
        for part in self.parts {
            end += match part {
                Part::Run(run) => run.length(content.get(end..)?.iter())?,
                Part::Text(text) => content
                    .get(end..)?
                    .starts_with(text.as_bytes())
                    .then_some(text.len())?,
            };
        }
        let random = content.get(body..end)?;
        (!value::is_placeholder(random)).then_some(Found {
            rule: self.rule,
            start,
            end,
        })
    }

    /// Where the secret begins. Right before it stands nothing that could belong to the same word.
    fn start(&self, content: &[u8], at: usize) -> Option<usize> {
        let ahead = content.get(..at)?;
        match &self.before {
            Some(run) => Some(at - run.length(ahead.iter().rev())?),
            None if self
                .text
                .as_bytes()
                .first()
                .is_some_and(|byte| class::word(*byte)) =>
            {
                (!ahead.last().is_some_and(|byte| class::word(*byte))).then_some(at)
            }
            None => Some(at),
        }
    }
}

impl Run {
    /// How many bytes of the class stand here, if that is a number that fits.
    fn length<'a>(&self, bytes: impl Iterator<Item = &'a u8>) -> Option<usize> {
        let length = bytes
            .take(self.max + 1)
            .take_while(|byte| (self.class)(**byte))
            .count();
        (self.min..=self.max).contains(&length).then_some(length)
    }
}
