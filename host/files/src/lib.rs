//! The file view: what one call may see and change of a workspace.
//!
//! A [`Tree`] is a folder that was opened and checked; a [`View`] is one call's sight of it under [`FileRules`]; a
//! [`Node`] is one open descriptor of that call. Every path is walked component by component and no symbolic link is
//! followed by the operating system; rights are decided on the resolved path; only regular files and directories are
//! ever opened. Nothing here knows of WebAssembly.
//!
//! What a call has learned is its [`ReadSet`]; a [`Survey`] finds out later whether all of it still holds, and a
//! [`DigestMemo`] spares both from hashing a file again that has not changed.
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
mod exact;
mod hash;
mod list;
mod look;
mod memo;
mod memo_pack;
mod node;
mod now;
mod open;
#[cfg(all(debug_assertions, target_os = "linux"))]
mod oracle;
mod pack;
mod peek;
mod protect;
mod reads;
mod readset;
mod resolve;
mod rules;
mod skip;
mod stat;
mod survey;
mod sys;
mod tree;
mod view;
mod walk;
mod whole;
mod wire;

pub use changes::{Change, ChangeLog, Content, Operation};
pub use coverage::{Coverage, Denial, Denials};
pub use error::{FsError, Kind, ViewError, Wanted};
pub use list::Entry;
pub use memo::DigestMemo;
pub use node::{Flags, Node};
pub use open::OpenHow;
#[cfg(all(debug_assertions, target_os = "linux"))]
pub use oracle::Verdicts;
pub use protect::{FileId, Protected};
pub use readset::{FileSeen, Folder, Piece, ReadSet, Seen};
pub use rules::{Allowed, FileRules, PatternText};
pub use skip::Skipping;
pub use stat::{Attributes, FileKind};
pub use survey::{Difference, Survey, What};
pub use tree::Tree;
pub use view::{Quota, Record, View};
pub use walk::{Walk, WalkEntry};
pub use wire::FormatError;
