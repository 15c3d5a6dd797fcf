//! What the end to end tests stand on: a host in a temporary folder, in process ([`Rig`], with one plugin [`Stage`]) or
//! through the binary ([`binary`]).

mod agree;
pub mod corpus;
mod rig;
mod stage;

pub use agree::agree;
pub use rig::{Fault, Rig, binary, plugin_bytes, repository};
pub use stage::{Stage, answer, check, code, files, run, run_with, said, tool, tree, twins};
