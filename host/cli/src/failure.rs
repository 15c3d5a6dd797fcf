//! The error at the edge: a code, what kind of failure it is, a sentence, details and what to do next.

use std::fmt;
use std::path::Path;

use leasehold_seal::{Class, Coded};

/// Why a command did not do what it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The stable code.
    pub(crate) code: String,
    /// What kind of failure it is; the exit code follows from it.
    pub(crate) class: Class,
    /// One sentence. May contain untrusted text.
    pub(crate) sentence: String,
    /// More about it, a line each. May contain untrusted text.
    pub(crate) details: Vec<String>,
    /// What to do next.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// A failure that the command line itself finds.
    pub(crate) fn new(code: &str, class: Class, sentence: impl Into<String>) -> Self {
        Failure {
            code: code.to_owned(),
            class,
            sentence: sentence.into(),
            details: Vec::new(),
            hint: None,
        }
    }

    /// Wrong usage, found after the arguments were parsed.
    pub(crate) fn usage(code: &str, sentence: impl Into<String>) -> Self {
        Failure::new(code, Class::Usage, sentence)
    }

    /// A failure that a library found.
    pub(crate) fn of(error: &dyn Coded) -> Self {
        Failure {
            code: error.code().to_owned(),
            class: error.class(),
            sentence: error.to_string(),
            details: Vec::new(),
            hint: error.hint(),
        }
    }

    /// A file that could not be read: blocked when it is not there, a fault otherwise.
    pub(crate) fn reading(what: &str, path: &Path, error: &std::io::Error) -> Self {
        let path = path.display();
        match error.kind() {
            std::io::ErrorKind::NotFound => {
                let sentence = format!("there is no {what} at {path}");
                Failure::new("FILE-MISSING", Class::Blocked, sentence).hint("check the path")
            }
            _ => {
                let sentence = format!("the {what} {path} could not be read: {error}");
                Failure::new("FILE-UNREADABLE", Class::Blocked, sentence)
            }
        }
    }

    /// A file that could not be written.
    pub(crate) fn writing(what: &str, path: &Path, error: &std::io::Error) -> Self {
        let sentence = format!(
            "the {what} {} could not be written: {error}",
            path.display()
        );
        Failure::new("FILE-UNWRITABLE", Class::Fault, sentence)
    }

    /// The same with a hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with one more line of details.
    pub(crate) fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// The failure in an error of a command. What no place in the code has named is a fault of ours.
    pub(crate) fn from_error(error: anyhow::Error) -> Self {
        match error.downcast::<Failure>() {
            Ok(failure) => failure,
            Err(other) => Failure::new("FAULT", Class::Fault, format!("{other:#}"))
                .hint("run `leasehold doctor`; set LEASEHOLD_LOG=debug to see more"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.sentence)
    }
}

impl std::error::Error for Failure {}

/// Makes a [`Failure`] of a library's error.
pub(crate) trait OrFail<T> {
    /// The value, or the failure that the error stands for.
    fn or_fail(self) -> Result<T, Failure>;
}

impl<T, E: Coded> OrFail<T> for Result<T, E> {
    fn or_fail(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::of(&error))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn a_missing_file_blocks_and_an_unknown_error_is_our_fault() {
        let missing = Failure::reading("lease", Path::new("x"), &Error::from(ErrorKind::NotFound));
        assert_eq!(
            (missing.code.as_str(), missing.class),
            ("FILE-MISSING", Class::Blocked)
        );
        let odd = Failure::from_error(anyhow::anyhow!("odd"));
        assert_eq!((odd.code.as_str(), odd.class), ("FAULT", Class::Fault));
        let kept = Failure::from_error(missing.into());
        assert_eq!(kept.code, "FILE-MISSING");
    }
}
