//! A list of files: lines `<sha256>  <path>`, sorted bytewise by path, forward slashes, LF. What the gate `manifest` checks and the command
//! `manifest-write` writes.

mod names;
mod offence;
mod parse;
mod selection;
mod tree;

pub use names::check_path;
pub use offence::Offence;
pub use parse::{Line, parse};
pub use selection::{CACHES, Selection};
pub use tree::{Tree, compare};
