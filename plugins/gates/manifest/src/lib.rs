//! Gate `manifest`: a list of files with their SHA-256 is in good form and lists exactly the files that are there. The README has the
//! configuration and the rules.

mod config;
mod verdict;

use leasehold_plugin::gate::{Error, Subject, Verdict};
use leasehold_plugin::workspace::{self, Entry, Kind};
use leasehold_plugin::{Gate, host};
use manifest_list::Tree;

use crate::config::Config;

leasehold_plugin::gate!(Manifest);
leasehold_plugin::manifest!("../manifest.json");

/// The largest list that is attached, in bytes: what a call puts out is limited, and past the limit it has no verdict.
const ATTACHED: usize = 1 << 20;

/// The gate.
pub struct Manifest;

impl Gate for Manifest {
    fn check(subject: &Subject) -> Result<Verdict, Error> {
        let config = Config::from_subject(subject)?;
        let tree = tree(&config)?;
        let list = match workspace::read(&config.list_path()) {
            Ok(bytes) => Some(bytes),
            Err(workspace::Error::NotFound) => None,
            Err(error) => return Err(error.into()),
        };
        let offences = verdict::offences(&config, &tree, list.as_deref());
        let right = tree.render();
        let is_right = tree.offences().is_empty() && list.as_deref() != Some(right.as_bytes());
        if config.attach && is_right && right.len() <= ATTACHED {
            host::attach("manifest.txt", "text/plain", right.as_bytes()).map_err(Error::Fault)?;
        }
        verdict::verdict(&config, &tree, &offences)
    }
}

/// What is there of what the list is about.
fn tree(config: &Config) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    let patterns = config.include();
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    for entry in workspace::walk(&patterns)? {
        let entry = entry?;
        if let Some(path) = config.concerns(&entry.path) {
            add(&mut tree, config, path, &entry)?;
        }
    }
    Ok(tree)
}

fn add(tree: &mut Tree, config: &Config, path: &str, entry: &Entry) -> Result<(), Error> {
    if config.selection.forbids(path) {
        tree.add_forbidden(path);
        return Ok(());
    }
    match entry.kind {
        Kind::Directory => {}
        Kind::Symlink => tree.add_other(path, true),
        Kind::Other => tree.add_other(path, false),
        Kind::File if !entry.readable => {
            let what = format!(
                "the lease does not allow to read {}, so it has no digest",
                entry.path
            );
            return Err(Error::Blocked(what));
        }
        Kind::File => {
            let digest = workspace::digest(&entry.path)?;
            let Some(digits) = digest.strip_prefix("sha256:") else {
                return Err(Error::Fault(format!("the host says {digest} for a digest")));
            };
            tree.add_file(path, digits);
        }
    }
    Ok(())
}
