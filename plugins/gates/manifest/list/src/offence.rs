//! What is wrong.

/// Something that is wrong with a list or with the files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Offence {
    /// Its rule: lower-case letters and `-`.
    pub rule: &'static str,
    /// The line of the list, from 1, where it is about one.
    pub line: Option<u32>,
    /// The file, where it is about one, relative to the root of the list.
    pub path: Option<String>,
    /// One sentence for a person.
    pub message: String,
}

impl Offence {
    /// One about a line of the list.
    pub(crate) fn at_line(rule: &'static str, line: u32, message: impl Into<String>) -> Self {
        Self {
            rule,
            line: Some(line),
            path: None,
            message: message.into(),
        }
    }

    /// One about the list as a whole.
    pub fn of_list(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            rule,
            line: None,
            path: None,
            message: message.into(),
        }
    }

    /// One about a file.
    pub(crate) fn of_file(rule: &'static str, path: &str, message: impl Into<String>) -> Self {
        Self {
            rule,
            line: None,
            path: Some(path.to_owned()),
            message: message.into(),
        }
    }
}
