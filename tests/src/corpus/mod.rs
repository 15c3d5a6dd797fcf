//! The hostile corpus: every guest that tries what it must not, and every document that is not what it claims, each with the code
//! it has to be stopped with and a twin that gets through. `make hostile` runs it and prints a table.
//!
//! | module | what it is about |
//! |---|---|
//! | `guests`, `workspace`, `tools` | acts of programs against limits, and on files; gates and adapters |
//! | `loading` | bytes that are not loaded |
//! | `network` | acts of guests with HTTP, against [`server`] |
//! | `documents` | the numbered vectors of `fixtures` |
//! | `hosts` | the host that the guests run on |
//! | [`rules`] | which rule each of them attacks, and what enforces it: the table of `docs/security.md` |
//! | [`table`] | how results are printed |

mod documents;
mod guests;
mod hosts;
mod loading;
mod network;
pub mod rules;
pub mod server;
pub mod table;
mod tools;
mod workspace;

use hosts::Hosts;

use crate::rig::Fault;

/// What is hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A plugin: it is loaded, admitted and called.
    Guest,
    /// A lease, tape, policy, trust file, envelope, note or other JSON: it is verified, audited or read.
    Document,
}

/// One attack and its twin.
pub struct Entry {
    /// A name of its own: `probe/spin`, `lease/wider-read`.
    pub name: String,
    /// What is hostile.
    pub kind: Kind,
    /// What it tries.
    pub attacks: String,
    /// The code it is stopped with.
    pub expected: String,
    /// Tries it, and then the twin, which ends as [`Got::twin`] says.
    run: Attempt,
}

/// An attack and its twin, to be tried on these hosts.
type Attempt = Box<dyn Fn(&mut Hosts) -> Result<Got, Fault>>;

/// What came of an attack and of its twin.
struct Got {
    /// The code it was stopped with; [`THROUGH`] where it was not.
    code: String,
    /// The same of the twin.
    twin: String,
}

/// What stands in the place of a code when nothing was stopped.
pub const THROUGH: &str = "PASS";

/// One line of the table.
pub struct Row {
    /// [`Entry::name`].
    pub name: String,
    /// [`Entry::attacks`].
    pub attacks: String,
    /// [`Entry::expected`].
    pub expected: String,
    /// The code it was stopped with, or why it could not be tried.
    pub got: String,
    /// What came of the twin; [`THROUGH`] when it got through, as it has to.
    pub twin: String,
}

impl Row {
    /// Whether the attack was stopped for its reason, and the twin was not.
    pub fn ok(&self) -> bool {
        self.got == self.expected && self.twin == THROUGH
    }
}

/// The whole corpus, in order of its parts.
///
/// # Errors
/// When the fixtures cannot be read.
pub fn entries() -> Result<Vec<Entry>, Fault> {
    let mut entries = guests::entries();
    entries.extend(workspace::entries());
    entries.extend(tools::entries());
    entries.extend(loading::entries());
    entries.extend(network::entries());
    entries.extend(documents::entries()?);
    Ok(entries)
}

/// Tries all of these, one after the other; `each` is told of every line as it comes.
///
/// # Errors
/// What `each` says.
pub fn run(
    entries: &[Entry],
    mut each: impl FnMut(&Row) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut hosts = Hosts::default();
    entries.iter().try_for_each(|entry| {
        let got = (entry.run)(&mut hosts).unwrap_or_else(|fault| Got {
            code: format!("not tried: {fault}"),
            twin: String::new(),
        });
        each(&Row {
            name: entry.name.clone(),
            attacks: entry.attacks.clone(),
            expected: entry.expected.clone(),
            got: got.code,
            twin: got.twin,
        })
    })
}
