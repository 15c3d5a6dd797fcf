//! What the host does for every plugin.

pub use crate::bindings::gate_plugin::leasehold::plugin::host::{Level, attach, log, progress};

/// Logs what only someone looking for a fault wants to see.
pub fn debug(message: &str) {
    log(Level::Debug, message);
}

/// Logs what happened.
pub fn info(message: &str) {
    log(Level::Info, message);
}

/// Logs something that a person may want to look at.
pub fn warn(message: &str) {
    log(Level::Warn, message);
}

/// Logs something that went wrong.
pub fn error(message: &str) {
    log(Level::Error, message);
}
