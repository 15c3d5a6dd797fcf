//! Gates: plugins that judge a workspace.

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::bindings::gate_plugin::exports::leasehold::plugin::gate::{
    Error, Finding, Level, Location, Outcome, Subject, Verdict,
};
use crate::workspace;

/// A plugin that judges a workspace. [`gate!`](crate::gate!) exports the implementing type.
pub trait Gate {
    /// Judges the workspace. Called once for each instance.
    ///
    /// # Errors
    /// When there is no verdict: the configuration makes no sense, something needed is missing, or the gate is at fault.
    fn check(subject: &Subject) -> Result<Verdict, Error>;
}

/// Exports a type that implements [`Gate`] as the gate of this component. Once in a crate, at its top.
#[macro_export]
macro_rules! gate {
    ($gate:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Exported;

            impl $crate::bindings::gate_plugin::exports::leasehold::plugin::gate::Guest for Exported {
                fn check(subject: $crate::gate::Subject) -> Result<$crate::gate::Verdict, $crate::gate::Error> {
                    <$gate as $crate::Gate>::check(&subject)
                }
            }

    $crate::bindings::gate_plugin::export_gate_plugin!(Exported with_types_in $crate::bindings::gate_plugin);
        };
    };
}

impl Subject {
    /// The configuration as a type of one's own. A missing configuration is JSON `null`.
    ///
    /// # Errors
    /// [`Error::Config`] when it is not of that type.
    pub fn configuration<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.config).map_err(|error| Error::Config(error.to_string()))
    }
}

impl Verdict {
    /// Everything is as it should be.
    pub fn pass(summary: impl Into<String>) -> Self {
        Self::new(Outcome::Pass, summary, Vec::new())
    }

    /// Something is not as it should be.
    pub fn fail(summary: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self::new(Outcome::Fail, summary, findings)
    }

    /// The gate does not apply to this workspace.
    pub fn skip(summary: impl Into<String>) -> Self {
        Self::new(Outcome::Skip, summary, Vec::new())
    }

    /// A verdict without code and data.
    pub fn new(outcome: Outcome, summary: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self {
            outcome,
            summary: summary.into(),
            findings,
            code: None,
            data: None,
        }
    }

    /// Adds the number by which an earlier system knew this verdict.
    pub fn with_code(self, code: u8) -> Self {
        Self {
            code: Some(code),
            ..self
        }
    }

    /// Adds JSON for machines.
    ///
    /// # Errors
    /// [`Error::Fault`] when the value has no form in JSON, a map with keys that are no strings for instance.
    pub fn with_data(self, data: &impl Serialize) -> Result<Self, Error> {
        let text = serde_json::to_string(data).map_err(|error| Error::Fault(error.to_string()))?;
        Ok(Self {
            data: Some(text),
            ..self
        })
    }
}

impl Finding {
    /// A finding at no particular place.
    pub fn new(level: Level, rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            level,
            message: message.into(),
            at: None,
            fingerprint: None,
        }
    }

    /// A finding that is a reason to fail.
    pub fn error(rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Error, rule, message)
    }

    /// A finding that is no reason to fail by itself.
    pub fn warning(rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Warning, rule, message)
    }

    /// Says which file or directory the finding is about.
    pub fn in_path(self, path: impl Into<String>) -> Self {
        Self {
            at: Some(Location {
                path: path.into(),
                line: None,
                column: None,
            }),
            ..self
        }
    }

    /// Says where in a file the finding is; line and column count from 1.
    pub fn at(self, path: impl Into<String>, line: u32, column: Option<u32>) -> Self {
        Self {
            at: Some(Location {
                path: path.into(),
                line: Some(line),
                column,
            }),
            ..self
        }
    }

    /// Adds what stays the same when the finding moves to another line.
    pub fn with_fingerprint(self, fingerprint: impl Into<String>) -> Self {
        Self {
            fingerprint: Some(fingerprint.into()),
            ..self
        }
    }
}

/// What a gate cannot see it cannot judge: most failures to look at the workspace block it.
impl From<workspace::Error> for Error {
    fn from(error: workspace::Error) -> Self {
        match error {
            workspace::Error::Pattern(_) => Self::Fault(workspace::sentence(&error)),
            _ => Self::Blocked(workspace::sentence(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_of_another_type_is_the_fault_of_the_configuration() {
        let subject = Subject {
            config: "{\"a\":1}".to_owned(),
            changed: None,
            inputs: Vec::new(),
        };
        assert!(matches!(
            subject.configuration::<Vec<u8>>(),
            Err(Error::Config(_))
        ));
        assert!(subject.configuration::<serde_json::Value>().is_ok());
    }

    #[test]
    fn what_is_denied_blocks_and_a_bad_pattern_is_a_fault() {
        assert!(matches!(
            Error::from(workspace::Error::Denied("PATH-DENIED".to_owned())),
            Error::Blocked(_)
        ));
        assert!(matches!(
            Error::from(workspace::Error::Pattern("a//b".to_owned())),
            Error::Fault(_)
        ));
    }
}
