//! The files that are there, and how they compare with a list.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::{check_path, collisions};
use crate::offence::Offence;
use crate::parse::Line;
use crate::selection::Selection;

/// The files that are there, each with its SHA-256 in hexadecimal digits.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
    offences: Vec<Offence>,
    forbidden: BTreeSet<String>,
}

impl Tree {
    /// Adds a file.
    pub fn add_file(&mut self, path: &str, digest: &str) {
        if let Some((rule, message)) = check_path(path) {
            self.offences.push(Offence::of_file(rule, path, message));
        }
        self.files.insert(path.to_owned(), digest.to_owned());
    }

    /// Adds something that no list can hold: a symbolic link, or another special file.
    pub fn add_other(&mut self, path: &str, is_link: bool) {
        let (rule, what) = if is_link {
            ("symlink", "a symbolic link, which may lead anywhere")
        } else {
            ("special", "neither a file nor a directory")
        };
        self.offences
            .push(Offence::of_file(rule, path, format!("{path:?} is {what}")));
    }

    /// Adds something that must not be there. What is in a directory that must not be there is not said again.
    pub fn add_forbidden(&mut self, path: &str) {
        let mut above = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        if above.any(|directory| self.forbidden.contains(directory)) {
            return;
        }
        self.forbidden.insert(path.to_owned());
        let message = format!("{path:?} must not be there");
        self.offences
            .push(Offence::of_file("forbidden", path, message));
    }

    /// What is wrong with the files themselves, whatever a list says, sorted by path. With any of it there is no right list.
    pub fn offences(&self) -> Vec<Offence> {
        let mut offences = self.offences.clone();
        offences.extend(collisions(self.files.keys().map(String::as_str)));
        if self.files.is_empty() {
            offences.push(Offence::of_list("nothing", "there is no file to list"));
        }
        offences.sort_by(|one, other| one.path.cmp(&other.path));
        offences
    }

    /// The right list.
    pub fn render(&self) -> String {
        let line = |(path, digest): (&String, &String)| format!("{digest}  {path}\n");
        self.files.iter().map(line).collect()
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether there is this file.
    pub fn contains(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }
}

/// Where a list and the files differ: first by line, then by path.
pub fn compare(lines: &[Line], tree: &Tree, selection: &Selection) -> Vec<Offence> {
    let mut offences = Vec::new();
    for line in lines {
        let path = line.path.as_str();
        let (rule, what) = match tree.files.get(path) {
            Some(digest) if *digest == line.digest => continue,
            Some(_) => ("digest", "has another SHA-256 than listed"),
            None if selection.covers(path) => ("absent", "is listed and not there"),
            None => ("outside", "is listed, and the manifest is not about it"),
        };
        offences.push(Offence {
            path: Some(path.to_owned()),
            ..Offence::at_line(rule, line.number, format!("{path:?} {what}"))
        });
    }
    let listed: BTreeSet<&str> = lines.iter().map(|line| line.path.as_str()).collect();
    let unlisted = tree
        .files
        .keys()
        .filter(|path| !listed.contains(path.as_str()));
    offences.extend(
        unlisted.map(|path| Offence::of_file("unlisted", path, format!("{path:?} is not listed"))),
    );
    // A listed name that is not there may be another spelling of one that is.
    let there: BTreeSet<&str> = tree.files.keys().map(String::as_str).collect();
    let both = collisions(listed.iter().chain(&there).copied());
    let known = collisions(there.iter().copied());
    offences.extend(both.into_iter().filter(|offence| !known.contains(offence)));
    offences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    const A: &str = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    const B: &str = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";

    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, digest) in files {
            tree.add_file(path, digest);
        }
        tree
    }

    fn rules(list: &str, tree: &Tree) -> Vec<(&'static str, Option<u32>)> {
        let (lines, offences) = parse(list.as_bytes(), "manifest.txt");
        assert_eq!(offences, []);
        let selection = Selection::everything().unwrap();
        let offences = compare(&lines, tree, &selection);
        offences
            .iter()
            .map(|offence| (offence.rule, offence.line))
            .collect()
    }

    #[test]
    fn the_right_list_has_no_offence_and_is_sorted_by_bytes() {
        let tree = tree(&[("b", B), ("a/c", A), ("a-c", A), ("B", B)]);
        let list = tree.render();
        assert_eq!(list, format!("{B}  B\n{A}  a-c\n{A}  a/c\n{B}  b\n"));
        assert_eq!(rules(&list, &tree), []);
        // B and b are one name on some systems: that is the tree's fault.
        assert_eq!(tree.offences().len(), 1);
    }

    #[test]
    fn every_difference_has_its_rule() {
        let tree = tree(&[("a", A), ("b", B)]);
        for (list, expected) in [
            (format!("{A}  a\n{A}  b\n"), vec![("digest", Some(2))]),
            (format!("{A}  a\n"), vec![("unlisted", None)]),
            (
                format!("{A}  a\n{B}  b\n{B}  c\n"),
                vec![("absent", Some(3))],
            ),
            (
                format!("{A}  A\n{B}  b\n"),
                vec![("absent", Some(1)), ("unlisted", None), ("case", None)],
            ),
            (
                String::from(""),
                vec![("unlisted", None), ("unlisted", None)],
            ),
        ] {
            let (lines, _) = parse(list.as_bytes(), "manifest.txt");
            let found = compare(&lines, &tree, &Selection::everything().unwrap());
            let found: Vec<_> = found
                .iter()
                .map(|offence| (offence.rule, offence.line))
                .collect();
            assert_eq!(found, expected, "{list}");
        }
    }

    #[test]
    fn what_the_manifest_is_not_about_is_not_listed() {
        let mut selection = Selection::everything().unwrap();
        selection.exclude = vec![leasehold_plugin::pattern::Pattern::parse("c/**").unwrap()];
        let (lines, _) = parse(format!("{A}  a\n{A}  c/d\n").as_bytes(), "manifest.txt");
        let offences = compare(&lines, &tree(&[("a", A)]), &selection);
        assert_eq!(
            offences
                .iter()
                .map(|offence| offence.rule)
                .collect::<Vec<_>>(),
            ["outside"]
        );
    }

    #[test]
    fn what_no_list_can_hold_is_an_offence_of_the_tree() {
        let mut tree = tree(&[("a\\b", A), ("c", B)]);
        tree.add_other("link", true);
        tree.add_other("pipe", false);
        tree.add_forbidden("x");
        tree.add_forbidden("x/y/z.pyc");
        let rules: Vec<&str> = tree.offences().iter().map(|offence| offence.rule).collect();
        assert_eq!(rules, ["backslash", "symlink", "special", "forbidden"]);
        assert_eq!(Tree::default().offences()[0].rule, "nothing");
        assert_eq!(tree.len(), 2);
        assert!(tree.contains("c") && !tree.is_empty());
    }
}
