//! The one line that the probe prints.

use std::io::{self, Write};

use crate::errno;

/// What an act that succeeded has to say: further members of the line, already JSON.
pub(crate) struct Report {
    members: String,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            members: String::new(),
        }
    }

    pub(crate) fn number(self, name: &str, value: u64) -> Self {
        self.raw(name, &value.to_string())
    }

    pub(crate) fn flag(self, name: &str, value: bool) -> Self {
        self.raw(name, if value { "true" } else { "false" })
    }

    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        self.raw(name, &quoted(value))
    }

    pub(crate) fn texts(self, name: &str, values: &[String]) -> Self {
        let items: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        self.raw(name, &format!("[{}]", items.join(",")))
    }

    /// Prints the line and gives the exit code.
    pub(crate) fn print(self, operation: &str) -> i32 {
        print_line(&format!(
            "{{\"op\":{},\"ok\":true{}}}",
            quoted(operation),
            self.members
        ));
        0
    }

    fn raw(mut self, name: &str, value: &str) -> Self {
        self.members.push_str(&format!(",{}:{value}", quoted(name)));
        self
    }
}

/// Why an act failed: the name of the error number.
pub(crate) struct Failure {
    name: String,
}

impl Failure {
    pub(crate) fn usage() -> Self {
        Self::named("EUSAGE")
    }

    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
        }
    }

    /// What the C library last said.
    pub(crate) fn last() -> Self {
        io::Error::last_os_error().into()
    }

    /// Prints the line, the name on stderr, and gives the exit code.
    pub(crate) fn print(self, operation: &str) -> i32 {
        print_line(&format!(
            "{{\"op\":{},\"ok\":false,\"error\":{}}}",
            quoted(operation),
            quoted(&self.name)
        ));
        // A closed stderr leaves nobody to tell.
        let _ = writeln!(io::stderr(), "{}", self.name);
        1
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self {
            name: errno::name(&error),
        }
    }
}

fn print_line(line: &str) {
    // A closed stdout leaves nobody to tell.
    let _ = writeln!(io::stdout(), "{line}");
}

/// A JSON string (RFC 8259, section 7).
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            character if (character as u32) < 0x20 => {
                out.push_str(&format!("\\u{:04x}", character as u32))
            }
            character => out.push(character),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_json_wants_it() {
        assert_eq!(quoted("a\"b\\c\n\u{1b}ü"), "\"a\\\"b\\\\c\\u000a\\u001bü\"");
    }

    #[test]
    fn members_stand_in_the_order_in_which_they_were_added() {
        let report = Report::new()
            .number("n", 3)
            .flag("f", false)
            .texts("t", &["x".to_owned()]);
        assert_eq!(report.members, ",\"n\":3,\"f\":false,\"t\":[\"x\"]");
    }
}
