//! The command line.

use std::path::PathBuf;

use leasehold_plugin::pattern::Pattern;
use manifest_list::{Selection, check_path};

const USAGE: &str = "usage: manifest-write [--check] [--root DIR] [--output FILE] [--include PATTERN]... [--exclude PATTERN]...";

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// Only compare.
    pub(crate) check: bool,
    /// The directory that the list is about.
    pub(crate) root: PathBuf,
    /// The list, relative to the root.
    pub(crate) list: String,
    pub(crate) selection: Selection,
}

impl Arguments {
    pub(crate) fn parse(words: &[String]) -> Result<Self, Vec<String>> {
        Self::read(words).map_err(|reason| vec![reason, USAGE.to_owned()])
    }

    fn read(words: &[String]) -> Result<Self, String> {
        let mut arguments = Self {
            check: false,
            root: PathBuf::from("."),
            list: "manifest.txt".to_owned(),
            selection: Selection::everything()?,
        };
        let mut include = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--check" => arguments.check = true,
                "--root" => arguments.root = PathBuf::from(value()?),
                "--output" => arguments.list.clone_from(value()?),
                "--include" => include.push(Pattern::parse(value()?)?),
                "--exclude" => arguments.selection.exclude.push(Pattern::parse(value()?)?),
                _ => return Err(format!("{word:?} is not known")),
            }
        }
        if let Some((_, reason)) = check_path(&arguments.list) {
            return Err(format!("the output is relative to the root: {reason}"));
        }
        if !include.is_empty() {
            arguments.selection.include = include;
        }
        Ok(arguments)
    }
}
