//! The one line that the guest prints.

use std::io::{self, Write};

use http_exchange::Fault;
use serde_json::{Map, Value};

/// What became of an act.
pub(crate) type Attempt = Result<Report, Failure>;

/// What an act that worked has to say: further members of the line.
#[derive(Debug, Default)]
pub(crate) struct Report {
    members: Map<String, Value>,
}

/// Why an act did not work.
#[derive(Debug)]
pub(crate) struct Failure {
    error: String,
    members: Map<String, Value>,
}

impl Report {
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }
}

impl Failure {
    pub(crate) fn usage() -> Self {
        Self::named("EUSAGE")
    }

    pub(crate) fn named(error: &str) -> Self {
        Self {
            error: error.to_owned(),
            members: Map::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let failure = Self::named(fault.code).with("at", fault.step.to_string());
        match fault.detail {
            Some(detail) => failure.with("detail", detail),
            None => failure,
        }
    }
}

/// Prints the line, and the name of the error on stderr, and gives the exit code.
pub(crate) fn print(operation: &str, attempt: Attempt) -> i32 {
    // Closed streams leave nobody to tell.
    let _ = writeln!(io::stdout(), "{}", line(operation, &attempt));
    match attempt {
        Ok(_) => 0,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "{}", failure.error);
            1
        }
    }
}

fn line(operation: &str, attempt: &Attempt) -> String {
    let members = match value(attempt) {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let mut line = format!(
        "{{\"op\":{},\"ok\":{}",
        Value::from(operation),
        attempt.is_ok()
    );
    for (name, value) in members {
        line.push_str(&format!(",{}:{value}", Value::from(name)));
    }
    line.push('}');
    line
}

/// What became of an act: the members of the report, or of the failure with its error.
pub(crate) fn value(attempt: &Attempt) -> Value {
    let members = match attempt {
        Ok(report) => report.members.clone(),
        Err(failure) => {
            let mut members = failure.members.clone();
            members.insert("error".to_owned(), Value::from(failure.error.as_str()));
            members
        }
    };
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_exchange::Step;

    #[test]
    fn the_line_says_what_was_tried_and_how_it_went() {
        let worked = Ok(Report::default().with("status", 200).with("bytes", 3_u64));
        assert_eq!(
            line("get", &worked),
            r#"{"op":"get","ok":true,"bytes":3,"status":200}"#
        );
        let fault = Fault {
            step: Step::Handle,
            code: "internal-error",
            detail: Some("a\"b\u{1b}".to_owned()),
        };
        let failed = Err(Failure::from(fault));
        assert_eq!(
            line("a\nb", &failed),
            "{\"op\":\"a\\nb\",\"ok\":false,\"at\":\"handle\",\"detail\":\"a\\\"b\\u001b\",\"error\":\"internal-error\"}"
        );
    }
}
