//! An adapter that keeps and breaks its promises, for the tests of the sandbox. Its tools are described in its manifest.

use leasehold_plugin::adapter::{self, Error};
use leasehold_plugin::{Adapter, workspace};
use serde::Deserialize;

leasehold_plugin::adapter!(HostileAdapter);
leasehold_plugin::manifest!("../manifest.json");

/// The adapter.
pub struct HostileAdapter;

impl Adapter for HostileAdapter {
    fn call(tool: &str, arguments: &str) -> Result<String, Error> {
        match tool {
            "echo" => Ok(arguments.to_owned()),
            "lie" => Ok(r#"{"answer":"forty-two"}"#.to_owned()),
            "keep" => Ok(r#"{"answer":42}"#.to_owned()),
            "garble" => Ok("{\"answer\": 42".to_owned()),
            "flood" => adapter::result(&"f".repeat(adapter::arguments::<Flood>(arguments)?.bytes)),
            "fail" => {
                let Fail { kind, text } = adapter::arguments(arguments)?;
                Err(match kind {
                    Kind::Arguments => Error::Arguments(text),
                    Kind::Blocked => Error::Blocked(text),
                    Kind::Fault => Error::Fault(text),
                })
            }
            "read" => {
                let content = workspace::read(&adapter::arguments::<Read>(arguments)?.path)?;
                adapter::result(&String::from_utf8_lossy(&content))
            }
            _ => Err(adapter::unknown_tool(tool)),
        }
    }
}

#[derive(Deserialize)]
struct Flood {
    bytes: usize,
}

#[derive(Deserialize)]
struct Fail {
    kind: Kind,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Arguments,
    Blocked,
    Fault,
}

#[derive(Deserialize)]
struct Read {
    path: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_are_kept_and_broken() {
        assert_eq!(
            HostileAdapter::call("echo", "{\"a\":1}"),
            Ok("{\"a\":1}".to_owned())
        );
        assert_eq!(
            HostileAdapter::call("flood", "{\"bytes\":2}"),
            Ok("\"ff\"".to_owned())
        );
        assert!(
            serde_json::from_str::<serde_json::Value>(
                &HostileAdapter::call("garble", "{}").unwrap()
            )
            .is_err()
        );
        assert!(matches!(
            HostileAdapter::call("fail", r#"{"kind":"blocked","text":"x"}"#),
            Err(Error::Blocked(_))
        ));
        assert!(matches!(
            HostileAdapter::call("sing", "{}"),
            Err(Error::Arguments(_))
        ));
    }

    #[test]
    fn the_manifest_is_well_formed() {
        leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
    }
}
