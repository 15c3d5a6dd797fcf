//! What a Rust author of a Leasehold gate or adapter starts from.
//!
//! A gate is a crate of type `cdylib` with a manifest, a type that implements [`Gate`], and one line each to embed and to export:
//!
//! ```
//! use leasehold_plugin::gate::{Error, Subject, Verdict};
//! use leasehold_plugin::{Gate, workspace};
//!
//! struct NoEmptyFiles;
//!
//! impl Gate for NoEmptyFiles {
//!     fn check(_subject: &Subject) -> Result<Verdict, Error> {
//!         for entry in workspace::walk(&["**"])? {
//!             let entry = entry?;
//!             if entry.kind == workspace::Kind::File && entry.size == 0 {
//!                 return Ok(Verdict::fail(format!("{} is empty", entry.path), Vec::new()));
//!             }
//!         }
//!         Ok(Verdict::pass("no file is empty"))
//!     }
//! }
//!
//! leasehold_plugin::gate!(NoEmptyFiles);
//! ```
//!
//! and `leasehold_plugin::manifest!("../manifest.json");`. An adapter implements [`Adapter`] and says [`adapter!`]. A command needs
//! none of this: it is any `wasi:cli` program, and may use [`manifest!`] to say what it wants.
//!
//! The functions of [`host`] and [`workspace`] exist inside a component only. Elsewhere, in unit tests for instance, calling them
//! panics; keep the logic apart from them.

pub mod adapter;
#[doc(hidden)]
pub mod bindings;
pub mod command;
pub mod gate;
pub mod host;
pub mod manifest;
pub mod pattern;
pub mod text;
pub mod workspace;

pub use adapter::Adapter;
pub use gate::Gate;
