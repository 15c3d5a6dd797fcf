//! The paths of operations: from a text to a path inside the workspace, or not at all.

use leasehold_lease::{Pattern, RelPath, is_protected_name};

/// What a look at the tree says about a path that an operation names. Whoever knows the tree says it; it has to be looked
/// at again right before the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFact {
    /// A file or nothing; neither the path nor a folder above it is a symbolic link, and no protected file has this as
    /// another name.
    Plain,
    /// A folder that is reached without a symbolic link: what is done to it is done to everything in it.
    Folder,
    /// The path or a folder above it is a symbolic link.
    Linked,
    /// It is the same file as a protected one: a hard link, or another spelling on this file system.
    Protected,
}

/// The path that a text names, inside the workspace by its text. `.` and repeated slashes are taken out; a text with
/// `..` names none, even where it would come back: what it means depends on links.
///
/// # Errors
/// Why it is no such path: the rest of a sentence that begins with it.
pub(super) fn inside(text: &str) -> Result<RelPath, &'static str> {
    if text.is_empty() {
        return Err("is empty");
    }
    if text.starts_with('/') {
        return Err("is absolute");
    }
    if text.contains('\\') {
        return Err("contains a backslash");
    }
    if text.chars().any(char::is_control) {
        return Err("contains a control character");
    }
    let parts: Vec<&str> = text
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if parts.contains(&"..") {
        return Err("leads upwards");
    }
    let drive = parts.first().is_some_and(|part| {
        let mut chars = part.chars();
        chars.next().is_some_and(|char| char.is_ascii_alphabetic()) && chars.next() == Some(':')
    });
    if drive {
        return Err("begins with a drive");
    }
    RelPath::parse(&parts.join("/")).map_err(|_| "is longer than a path may be")
}

/// Why git would not take the text as it stands; see gitglossary, "pathspec".
pub(super) fn strange_to_git(text: &str) -> Option<&'static str> {
    if text.starts_with('-') {
        Some("is an option to git")
    } else if text.starts_with(':') || text.contains(['*', '?', '[']) {
        Some("is a pattern to git")
    } else {
        None
    }
}

/// Whether no operation may touch the path, in any spelling that some file system takes for a protected name.
pub(super) fn is_protected(protected: &[Pattern], path: &RelPath) -> bool {
    path.components().any(is_protected_name) || protected.iter().any(|rule| rule.denies(path))
}

/// Whether everything in a folder, and the folder itself, lies within one of the patterns. Sound, not complete.
pub(super) fn covers_all_of(allowed: &[Pattern], folder: &RelPath) -> bool {
    let all = if folder.is_root() {
        "**".parse()
    } else {
        // A name with a wildcard in it would stand for other folders too: more has to be allowed then, not less.
        format!("{folder}/**").parse()
    };
    all.is_ok_and(|all| allowed.iter().any(|wide| wide.covers(&all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_out_is_no_path_and_what_stays_in_is() {
        for bad in [
            "",
            "/etc/x",
            "docs/../../../etc/x",
            "docs/../a",
            "..",
            "config/../config/models.yaml",
            "docs\\..\\x",
            "C:/x",
            "c:x",
            "./C:/x",
            "a\0b",
            "a\nb",
            &"a/".repeat(4_000),
        ] {
            assert!(inside(bad).is_err(), "{bad:?}");
        }
        for (text, path) in [
            ("docs/a.md", "docs/a.md"),
            ("./docs//a.md", "docs/a.md"),
            ("docs/new/", "docs/new"),
            ("docs/./a", "docs/a"),
            (".", ""),
            ("...", "..."),
            ("a/c:", "a/c:"),
        ] {
            assert_eq!(inside(text).unwrap().as_str(), path, "{text:?}");
        }
    }
}
