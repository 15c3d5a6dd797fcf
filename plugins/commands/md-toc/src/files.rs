//! The files: finding, reading and writing them. Paths are relative to the workspace, as the arguments write them.

use std::fs;
use std::path::Path;

use crate::toc;

/// A file with a table of contents.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) path: String,
    old: String,
    /// The content with its table of contents up to date.
    pub(crate) new: String,
}

/// The files that the paths name, and the Markdown files in the folders that they name, sorted, each once. Symbolic links in folders
/// are passed over.
pub(crate) fn find(root: &Path, paths: &[String]) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for path in paths {
        let metadata = fs::metadata(root.join(path)).map_err(|error| format!("{path}: {error}"))?;
        if metadata.is_dir() {
            let path = path.trim_end_matches('/');
            descend(root, if path == "." { "" } else { path }, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn descend(root: &Path, folder: &str, found: &mut Vec<String>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{folder}: {error}");
    for entry in fs::read_dir(root.join(folder)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        // Names that are not UTF-8 cannot be named in a report, nor in a lease.
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let path = if folder.is_empty() {
            name.to_owned()
        } else {
            format!("{folder}/{name}")
        };
        if kind.is_dir() {
            descend(root, &path, found)?;
        } else if kind.is_file() && name.ends_with(".md") {
            found.push(path);
        }
    }
    Ok(())
}

impl Page {
    /// Reads a file and works out its table of contents; none where the file has no markers.
    pub(crate) fn read(root: &Path, path: String, max_depth: u8) -> Result<Option<Self>, String> {
        let bytes = fs::read(root.join(&path)).map_err(|error| format!("{path}: {error}"))?;
        let old = match String::from_utf8(bytes) {
            Ok(text) => text,
            // A file in another encoding is left alone as long as it asks for nothing.
            Err(error) => {
                return match toc::update(&String::from_utf8_lossy(error.as_bytes()), max_depth) {
                    Ok(None) => Ok(None),
                    _ => Err(format!("{path}: the file is not UTF-8")),
                };
            }
        };
        let updated = toc::update(&old, max_depth);
        let updated = updated.map_err(|(line, reason)| format!("{path}:{line}: {reason}"))?;
        Ok(updated.map(|new| Self { path, old, new }))
    }

    /// Whether the table of contents was out of date.
    pub(crate) fn changed(&self) -> bool {
        self.old != self.new
    }

    /// Replaces the content of the file.
    pub(crate) fn write(&self, root: &Path) -> Result<(), String> {
        fs::write(root.join(&self.path), &self.new)
            .map_err(|error| format!("{}: {error}", self.path))
    }
}
