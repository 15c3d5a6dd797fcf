//! What is wrong with a rules file: a code, a sentence, a hint, and the place in the file.

use std::fmt;

use leasehold_seal::{Class, Coded};

use crate::source::{Source, Span};

/// The most problems that are reported for one file; what is beyond is counted.
pub const MAX_PROBLEMS: usize = 100;

/// One problem with the rules. `Display` gives the sentence alone, [`RulesError::text`] everything.
///
/// Sentence, hint and places may hold text of the file: whoever prints them makes them safe to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct RulesError {
    code: &'static str,
    class: Class,
    sentence: String,
    hint: Option<String>,
    /// Where it is, then where else to look.
    places: Vec<Place>,
}

/// A place in a rules file. `Display` gives `leasehold.toml:4:1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of the file.
    pub file: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// The column, in Unicode scalar values from 1.
    pub column: usize,
    /// The line's text, shortened where it is long; characters that take no place or move the cursor are replaced, one
    /// for one.
    pub source: String,
    /// Spaces and carets that go below [`Place::source`].
    pub marker: String,
}

impl RulesError {
    /// Where the problem is; `None` when it is not at any one place.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.places.first()
    }

    /// Every place that has to do with it: the problem's own first.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// What goes below the sentence, a line each: for every place its position, the source line and a marker.
    #[must_use]
    pub fn details(&self) -> Vec<String> {
        let mut lines = Vec::with_capacity(3 * self.places.len());
        for place in &self.places {
            let number = place.line.to_string();
            lines.push(place.to_string());
            lines.push(format!("{number} | {}", place.source));
            lines.push(format!("{:1$} | {2}", "", number.len(), place.marker));
        }
        lines
    }

    /// The whole message as the command line shows it: code, sentence, places, hint.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("error[{}]: {}\n", self.code, self.sentence);
        for line in self.details() {
            text.push_str(&format!("  {line}\n"));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("  hint: {hint}\n"));
        }
        text
    }

    pub(crate) fn new(code: &'static str, class: Class, sentence: impl Into<String>) -> Self {
        Self {
            code,
            class,
            sentence: sentence.into(),
            hint: None,
            places: Vec::new(),
        }
    }

    pub(crate) fn usage(code: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(code, Class::Usage, sentence)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with one more place.
    pub(crate) fn at(mut self, source: &Source, span: &Span) -> Self {
        self.places.push(source.place(span));
        self
    }
}

impl Coded for RulesError {
    fn code(&self) -> &'static str {
        self.code
    }

    fn class(&self) -> Class {
        self.class
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The problems found so far, with the offsets they stand at.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<(usize, RulesError)>,
    more: usize,
}

impl Problems {
    /// Adds a problem. It is not even made when there are too many already: making one may take some time.
    pub(crate) fn add(&mut self, offset: usize, make: impl FnOnce() -> RulesError) {
        if self.found.len() < MAX_PROBLEMS {
            self.found.push((offset, make()));
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many were found, those that are not shown among them.
    pub(crate) fn count(&self) -> usize {
        self.found.len() + self.more
    }

    /// All of them in the order of the file.
    pub(crate) fn into_errors(mut self) -> Vec<RulesError> {
        self.found.sort_by_key(|(offset, _)| *offset);
        let mut errors: Vec<RulesError> = self.found.into_iter().map(|(_, error)| error).collect();
        if self.more > 0 {
            let sentence = format!("{} more problems are not shown", self.more);
            let error = RulesError::usage("PROBLEMS-MORE", sentence);
            errors.push(error.with_hint("mend those above first"));
        }
        errors
    }
}

/// `did you mean "read"?`, where one of the candidates is like the word.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let most = (word.len() / 3).clamp(1, 4);
    if word.len() > LONGEST_WORD {
        return None;
    }
    let near = candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= most)
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)?;
    Some(format!("did you mean {:?}?", near.1))
}

/// Nothing longer is compared, in bytes.
const LONGEST_WORD: usize = 64;
