//! The file view: what one call may see and change of a workspace.
//!
//! A [`Tree`] is a folder that was opened and checked; a [`View`] is one call's sight of it under [`FileRules`]; a
//! [`Node`] is one open descriptor of that call. Every path is walked component by component and no symbolic link is
//! followed by the operating system; rights are decided on the resolved path; only regular files and directories are
//! ever opened. Nothing here knows of WebAssembly.
//!
//! Linux only: elsewhere [`Tree::open`] refuses with `UNSUPPORTED-PLATFORM`.

#![cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "what makes the system calls is not there")
)]

mod change;
mod changes;
mod content;
mod coverage;
mod error;
mod list;
mod look;
mod node;
mod open;
#[cfg(all(debug_assertions, target_os = "linux"))]
mod oracle;
mod protect;
mod reads;
mod resolve;
mod rules;
mod stat;
mod sys;
mod tree;
mod view;
mod walk;
mod whole;

pub use changes::{Change, ChangeLog, Content, Operation};
pub use coverage::{Coverage, Denial, Denials};
pub use error::{FsError, Kind, ViewError, Wanted};
pub use list::Entry;
pub use node::{Flags, Node};
pub use open::OpenHow;
#[cfg(all(debug_assertions, target_os = "linux"))]
pub use oracle::Verdicts;
pub use protect::{FileId, Protected};
pub use reads::{Delivered, FileRead, ReadSet};
pub use rules::{Allowed, FileRules, PatternText};
pub use stat::{Attributes, FileKind};
pub use tree::Tree;
pub use view::{Quota, Record, View};
pub use walk::{Walk, WalkEntry};
