//! Gate `large-file`: no file is larger than allowed, and all together are not either. The README has the configuration and the rules.

mod config;
mod sizes;

use leasehold_plugin::Gate;
use leasehold_plugin::gate::{Error, Subject, Verdict};
use leasehold_plugin::workspace;

use crate::config::Config;
use crate::sizes::Sizes;

leasehold_plugin::gate!(LargeFile);
leasehold_plugin::manifest!("../manifest.json");

/// The gate.
pub struct LargeFile;

impl Gate for LargeFile {
    fn check(subject: &Subject) -> Result<Verdict, Error> {
        let config = Config::from_subject(subject)?;
        let mut sizes = Sizes::new(&config);
        for entry in workspace::walk(&config.include())? {
            sizes.add(&entry?);
        }
        sizes.verdict()
    }
}
