//! What is an offence. All comparisons are of exact names; letters of another case make another name.

use std::collections::{BTreeMap, BTreeSet};

use leasehold_plugin::gate::Finding;
use leasehold_plugin::workspace::{Entry, Kind};

use crate::config::Config;

const MISSING: &str = "structure-lock/missing";
const EXTRA: &str = "structure-lock/extra";
const CASE: &str = "structure-lock/case";
const SYMLINK: &str = "structure-lock/symlink";
const WRONG_KIND: &str = "structure-lock/wrong-kind";

/// One finding for each offence, sorted by path. `entries` are those at the root of the workspace.
pub(crate) fn check(config: &Config, entries: &[Entry]) -> Vec<Finding> {
    let present: BTreeSet<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let required: BTreeMap<&str, Kind> = names(&config.roots)
        .map(|name| (name, Kind::Directory))
        .chain(names(&config.files).map(|name| (name, Kind::File)))
        .collect();
    let listed: BTreeMap<String, &str> = required
        .keys()
        .copied()
        .chain(names(&config.exceptions))
        .map(|name| (name.to_lowercase(), name))
        .collect();

    let mut findings: Vec<(&str, Finding)> = Vec::new();
    let mut written_otherwise = BTreeSet::new();
    for entry in entries {
        let path = entry.path.as_str();
        let spelling = listed.get(&path.to_lowercase()).copied();
        let offence = match (spelling, entry.kind) {
            (Some(name), _) if name != path => {
                written_otherwise.insert(name);
                offence(CASE, path, format!("{path:?} must be written {name:?}"))
            }
            (Some(_) | None, Kind::Symlink) => offence(
                SYMLINK,
                path,
                format!("{path:?} is a symbolic link, which may lead anywhere"),
            ),
            (None, kind) => offence(
                EXTRA,
                path,
                format!("{path:?} ({}) is not on the list", word(kind)),
            ),
            (Some(_), kind) => match required.get(path) {
                Some(wanted) if *wanted != kind => offence(
                    WRONG_KIND,
                    path,
                    format!(
                        "{path:?} must be a {}, but it is a {}",
                        word(*wanted),
                        word(kind)
                    ),
                ),
                None if kind == Kind::Other => offence(
                    WRONG_KIND,
                    path,
                    format!(
                        "{path:?} may be a file or a directory, but it is a {}",
                        word(kind)
                    ),
                ),
                _ => continue,
            },
        };
        findings.push((path, offence));
    }
    for (name, kind) in &required {
        if !present.contains(name) && !written_otherwise.contains(name) {
            findings.push((
                name,
                offence(
                    MISSING,
                    name,
                    format!("the {} {name:?} is missing", word(*kind)),
                ),
            ));
        }
    }
    findings.sort_by(|left, right| left.0.cmp(right.0));
    findings.into_iter().map(|(_, finding)| finding).collect()
}

fn offence(rule: &str, path: &str, message: String) -> Finding {
    Finding::error(rule, message)
        .in_path(path)
        .with_fingerprint(format!("{rule}:{path}"))
}

fn names(list: &[String]) -> impl Iterator<Item = &str> {
    list.iter().map(String::as_str)
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Symlink => "symbolic link",
        Kind::Other => "special file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Config {
            roots: list(&["01_core", "02_docs"]),
            files: list(&["README.md"]),
            exceptions: list(&[".git", "NOTES"]),
            evidence: true,
        }
    }

    fn entry(path: &str, kind: Kind) -> Entry {
        Entry {
            path: path.to_owned(),
            kind,
            size: 0,
            executable: false,
            readable: false,
        }
    }

    fn good() -> Vec<Entry> {
        vec![
            entry("01_core", Kind::Directory),
            entry("02_docs", Kind::Directory),
            entry("README.md", Kind::File),
        ]
    }

    fn rules(entries: &[Entry]) -> Vec<(String, String)> {
        check(&config(), entries)
            .into_iter()
            .map(|finding| {
                (
                    finding.rule.replace("structure-lock/", ""),
                    finding.at.map(|at| at.path).unwrap_or_default(),
                )
            })
            .collect()
    }

    fn offence(rule: &str, path: &str) -> (String, String) {
        (rule.to_owned(), path.to_owned())
    }

    #[test]
    fn the_listed_entries_pass_with_and_without_exceptions() {
        assert_eq!(rules(&good()), []);
        let mut entries = good();
        entries.extend([entry(".git", Kind::Directory), entry("NOTES", Kind::File)]);
        assert_eq!(rules(&entries), []);
    }

    #[test]
    fn missing_and_extra_entries_are_offences() {
        let entries = [
            entry("01_core", Kind::Directory),
            entry("99_new", Kind::Directory),
            entry("README.md", Kind::File),
        ];
        assert_eq!(
            rules(&entries),
            [offence("missing", "02_docs"), offence("extra", "99_new")]
        );
        assert_eq!(
            rules(&[]),
            [
                offence("missing", "01_core"),
                offence("missing", "02_docs"),
                offence("missing", "README.md")
            ]
        );
    }

    #[test]
    fn another_case_is_an_offence_and_said_once() {
        let mut entries = good();
        entries[0] = entry("01_Core", Kind::Directory);
        assert_eq!(rules(&entries), [offence("case", "01_Core")]);
        entries.push(entry("01_core", Kind::Directory));
        assert_eq!(rules(&entries), [offence("case", "01_Core")]);
        entries.push(entry("notes", Kind::File));
        assert_eq!(
            rules(&entries),
            [offence("case", "01_Core"), offence("case", "notes")]
        );
    }

    #[test]
    fn a_symlink_is_an_offence_wherever_it_stands_for_something() {
        let mut entries = good();
        entries[1] = entry("02_docs", Kind::Symlink);
        entries.push(entry("NOTES", Kind::Symlink));
        entries.push(entry("elsewhere", Kind::Symlink));
        assert_eq!(
            rules(&entries),
            [
                offence("symlink", "02_docs"),
                offence("symlink", "NOTES"),
                offence("symlink", "elsewhere")
            ]
        );
    }

    #[test]
    fn a_file_is_no_directory() {
        let mut entries = good();
        entries[0] = entry("01_core", Kind::File);
        entries[2] = entry("README.md", Kind::Directory);
        entries.push(entry("NOTES", Kind::Other));
        assert_eq!(
            rules(&entries),
            [
                offence("wrong-kind", "01_core"),
                offence("wrong-kind", "NOTES"),
                offence("wrong-kind", "README.md")
            ]
        );
    }

    #[test]
    fn a_name_that_only_begins_like_a_listed_one_is_extra() {
        let mut entries = good();
        entries.push(entry("01_core2", Kind::Directory));
        entries.push(entry("READM", Kind::File));
        assert_eq!(
            rules(&entries),
            [offence("extra", "01_core2"), offence("extra", "READM")]
        );
    }
}
