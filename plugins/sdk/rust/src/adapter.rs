//! Adapters: plugins that offer tools.

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::bindings::adapter_plugin::exports::leasehold::plugin::adapter::Error;
use crate::workspace;

/// A plugin that offers tools. Their names and schemas stand in the manifest. [`adapter!`](crate::adapter!) exports the
/// implementing type.
pub trait Adapter {
    /// Uses the tool named `tool`. The arguments are JSON that the host has checked against the tool's input schema; the result is
    /// JSON that the host checks against the output schema. Called once for each instance.
    ///
    /// # Errors
    /// When there is no answer: the arguments make no sense, something needed is missing, or the adapter is at fault.
    fn call(tool: &str, arguments: &str) -> Result<String, Error>;
}

/// Exports a type that implements [`Adapter`] as the adapter of this component. Once in a crate, at its top.
#[macro_export]
macro_rules! adapter {
    ($adapter:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Exported;

            impl $crate::bindings::adapter_plugin::exports::leasehold::plugin::adapter::Guest for Exported {
                fn call(tool: String, arguments: String) -> Result<String, $crate::adapter::Error> {
                    <$adapter as $crate::Adapter>::call(&tool, &arguments)
                }
            }

    $crate::bindings::adapter_plugin::export_adapter_plugin!(Exported with_types_in $crate::bindings::adapter_plugin);
        };
    };
}

/// Reads the arguments of a tool into a type of one's own.
///
/// # Errors
/// [`Error::Arguments`] when they are not of that type.
pub fn arguments<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Arguments(error.to_string()))
}

/// Writes the result of a tool.
///
/// # Errors
/// [`Error::Fault`] when the value has no form in JSON, a map with keys that are no strings for instance.
pub fn result(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Fault(error.to_string()))
}

/// The answer to a name that is not among one's tools.
pub fn unknown_tool(tool: &str) -> Error {
    Error::Arguments(format!("there is no tool named {tool:?}"))
}

impl From<workspace::Error> for Error {
    fn from(error: workspace::Error) -> Self {
        match error {
            workspace::Error::Pattern(_) => Self::Arguments(workspace::sentence(&error)),
            _ => Self::Blocked(workspace::sentence(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_another_type_are_the_fault_of_the_arguments() {
        assert!(matches!(arguments::<u8>("\"x\""), Err(Error::Arguments(_))));
        assert_eq!(arguments::<u8>("7"), Ok(7));
    }
}
