//! The second opinion of debug builds: after each open, where the descriptor really is, and whether the lease as it is
//! written allows it there. Nothing here uses the resolver, the pattern type or the answers of the rules.

use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::PathBuf;

use leasehold_lease::RelPath;

use crate::sys::{Access, Spot};
use crate::view::Turn;

/// What the second opinion has found. Only in debug builds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// Opens that were checked.
    pub checked: u64,
    /// Opens whose descriptor is elsewhere inside the workspace: a race with the host, or a fault.
    pub moved: u64,
    /// Opens whose descriptor is outside the workspace: a fault, unless the host moved the file there.
    pub outside: u64,
    /// Opens that the patterns do not allow: a fault.
    pub not_allowed: u64,
}

impl Verdicts {
    /// Whether every open was as it should be.
    #[must_use]
    pub fn all_good(&self) -> bool {
        self.moved == 0 && self.outside == 0 && self.not_allowed == 0
    }
}

impl Turn<'_> {
    pub(crate) fn second_opinion(&mut self, path: &RelPath, file: &File, access: Access) {
        self.check_place(path, file.as_raw_fd());
        let Some(patterns) = self.shared.rules.patterns() else {
            return;
        };
        let denied = patterns.deny.iter().any(|rule| denies(rule, path.as_str()));
        let read = !access.read
            || patterns
                .read
                .iter()
                .any(|pattern| matches(pattern, path.as_str()));
        let write = !access.write
            || patterns
                .write
                .iter()
                .any(|pattern| matches(pattern, path.as_str()));
        if denied || !read || !write {
            self.state.verdicts.not_allowed += 1;
        }
    }

    pub(crate) fn second_opinion_on_dir(&mut self, path: &RelPath, spot: &Spot) {
        use std::os::fd::AsFd;
        let fd: BorrowedFd<'_> = spot.as_fd();
        self.check_place(path, fd.as_raw_fd());
        let Some(patterns) = self.shared.rules.patterns() else {
            return;
        };
        if !path.is_root() && patterns.deny.iter().any(|rule| denies(rule, path.as_str())) {
            self.state.verdicts.not_allowed += 1;
        }
    }

    fn check_place(&mut self, path: &RelPath, fd: i32) {
        let root = real_path(self.shared.tree.dir().as_raw_fd());
        let real = real_path(fd);
        self.state.verdicts.checked += 1;
        let (Some(root), Some(real)) = (root, real) else {
            return;
        };
        match real.strip_prefix(&root) {
            Ok(below) if below == std::path::Path::new(path.as_str()) => {}
            Ok(_) => self.state.verdicts.moved += 1,
            Err(_) => self.state.verdicts.outside += 1,
        }
    }
}

/// Where the kernel says a descriptor is.
fn real_path(fd: i32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{fd}")).ok()
}

/// The pattern language of the design, section 4, as plainly as it can be said.
fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts_match(&pattern, &path)
}

/// Deny rules cover what is below, and other spellings.
fn denies(rule: &str, path: &str) -> bool {
    let (rule, path) = (rule.to_lowercase(), path.to_lowercase());
    let parts: Vec<&str> = path.split('/').collect();
    (0..=parts.len()).any(|end| {
        parts
            .get(..end)
            .is_some_and(|head| matches(&rule, &head.join("/")))
    })
}

fn parts_match(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", rest @ ..], _) => {
            parts_match(rest, path)
                || matches!(path, [_, below @ ..] if parts_match(pattern, below))
        }
        ([part, rest @ ..], [name, below @ ..]) => {
            let part: Vec<char> = part.chars().collect();
            let name: Vec<char> = name.chars().collect();
            chars_match(&part, &name) && parts_match(rest, below)
        }
        _ => false,
    }
}

fn chars_match(part: &[char], name: &[char]) -> bool {
    match (part, name) {
        ([], []) => true,
        (['*', rest @ ..], _) => {
            chars_match(rest, name) || matches!(name, [_, after @ ..] if chars_match(part, after))
        }
        (['?', rest @ ..], [_, after @ ..]) => chars_match(rest, after),
        ([char, rest @ ..], [other, after @ ..]) => char == other && chars_match(rest, after),
        _ => false,
    }
}
