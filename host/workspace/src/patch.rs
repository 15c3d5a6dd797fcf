//! A difference as a patch in git's format, for people and for `git apply`.

use std::fmt::Write as _;
use std::io::Read as _;

use cap_std::fs::Dir;
use leasehold_lease::RelPath;
use leasehold_seal::Digest;
use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

use crate::difference::{Change, Difference};
use crate::disk::{Disk, open_parent};
use crate::entry::{Entry, FileEntry};
use crate::error::WorkspaceError;
use crate::os_disk::OsDisk;
use crate::quote::quoted;
use crate::step::StepTree;

/// How much of a difference a patch spells out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatchLimits {
    /// Longer files are only said to differ, in bytes. 1 MiB by default.
    pub file_bytes: u64,
    /// Files that would make the patch longer are only said to differ, in bytes. 16 MiB by default. That much is said
    /// of each file, however many there are.
    pub total_bytes: usize,
}

impl Default for PatchLimits {
    fn default() -> Self {
        Self {
            file_bytes: 1 << 20,
            total_bytes: 16 << 20,
        }
    }
}

/// A difference as text. The same difference gives the same text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// As `git diff` writes it, with three lines of context, without `index` lines and function names.
    pub text: String,
    /// Whether every changed file is spelled out, so that `git apply` makes the same files. Otherwise some are only
    /// said to differ: they are not UTF-8, contain NUL or are too long. Directories are never mentioned.
    pub whole: bool,
    /// Lines added.
    pub added: u64,
    /// Lines removed.
    pub removed: u64,
}

impl Difference {
    /// Writes the difference as a patch. The former contents are read from the workspace and must still be what the
    /// step was given, so take the patch before bringing the difference back.
    ///
    /// # Errors
    /// [`WorkspaceError::Changed`] when the workspace, [`WorkspaceError::StepChanged`] when the step tree is no longer
    /// what the difference says; those of the file system.
    pub fn patch(
        &self,
        workspace: &Dir,
        step: &StepTree,
        limits: PatchLimits,
    ) -> Result<Patch, WorkspaceError> {
        let mut writer = Writer {
            patch: Patch {
                whole: true,
                ..Patch::default()
            },
            limits,
        };
        for change in &self.changes {
            let before = side(change.before.as_ref());
            let after = side(change.after.as_ref());
            match (before, after) {
                // git shows a change of the type as two.
                (Some(old), Some(new)) if old.mode >> 12 != new.mode >> 12 => {
                    writer.change(change, Some(old), None, workspace, step)?;
                    writer.change(change, None, Some(new), workspace, step)?;
                }
                (None, None) => {}
                (old, new) => writer.change(change, old, new, workspace, step)?,
            }
        }
        Ok(writer.patch)
    }
}

/// One side of a change that git knows: a file or a link.
#[derive(Clone, Copy)]
struct Side<'a> {
    mode: u32,
    entry: &'a Entry,
}

fn side(entry: Option<&Entry>) -> Option<Side<'_>> {
    let entry = entry?;
    let mode = match entry {
        Entry::File(file) if file.executable => 0o100_755,
        Entry::File(_) => 0o100_644,
        Entry::Symlink { .. } => 0o120_000,
        Entry::Directory | Entry::Other => return None,
    };
    Some(Side { mode, entry })
}

struct Writer {
    patch: Patch,
    limits: PatchLimits,
}

impl Writer {
    fn change(
        &mut self,
        change: &Change,
        old: Option<Side<'_>>,
        new: Option<Side<'_>>,
        workspace: &Dir,
        step: &StepTree,
    ) -> Result<(), WorkspaceError> {
        let name = change.path.as_str();
        self.header(name, old, new);
        if same_content(old, new) {
            return Ok(());
        }
        let before = self.text(old, workspace, &change.path).map_err(|fault| {
            fault.or(|| WorkspaceError::changed(&change.path, "its content is another"))
        })?;
        let after = self.text(new, step.root(), &change.path).map_err(|fault| {
            fault.or(|| WorkspaceError::StepChanged {
                path: change.path.clone(),
            })
        })?;
        let from = old.map_or(DEV_NULL.to_owned(), |_| quoted("a/", name));
        let to = new.map_or(DEV_NULL.to_owned(), |_| quoted("b/", name));
        let hunks = match (before, after) {
            (Some(before), Some(after)) => Some(hunks(&before, &after)),
            _ => None,
        };
        match hunks {
            Some(hunks) if self.patch.text.len() + hunks.text.len() <= self.limits.total_bytes => {
                if !hunks.text.is_empty() {
                    // git marks the end of a name with a space in it for tools that would stop there.
                    let end = if name.contains(' ') { "\t" } else { "" };
                    let end = |label: &str| if label == DEV_NULL { "" } else { end };
                    self.line(&format!("--- {from}{}", end(&from)));
                    self.line(&format!("+++ {to}{}", end(&to)));
                    self.patch.text.push_str(&hunks.text);
                }
                self.patch.added += hunks.added;
                self.patch.removed += hunks.removed;
            }
            _ => {
                self.patch.whole = false;
                self.line(&format!("Binary files {from} and {to} differ"));
            }
        }
        Ok(())
    }

    fn header(&mut self, name: &str, old: Option<Side<'_>>, new: Option<Side<'_>>) {
        self.line(&format!(
            "diff --git {} {}",
            quoted("a/", name),
            quoted("b/", name)
        ));
        match (old, new) {
            (None, Some(new)) => self.line(&format!("new file mode {:06o}", new.mode)),
            (Some(old), None) => self.line(&format!("deleted file mode {:06o}", old.mode)),
            (Some(old), Some(new)) if old.mode != new.mode => {
                self.line(&format!("old mode {:06o}", old.mode));
                self.line(&format!("new mode {:06o}", new.mode));
            }
            _ => {}
        }
    }

    fn line(&mut self, line: &str) {
        self.patch.text.push_str(line);
        self.patch.text.push('\n');
    }

    /// The content as text; `None` where it is not text, or too long.
    fn text(
        &self,
        side: Option<Side<'_>>,
        root: &Dir,
        path: &RelPath,
    ) -> Result<Option<String>, Fault> {
        match side.map(|side| side.entry) {
            None => Ok(Some(String::new())),
            Some(Entry::Symlink { target }) => Ok(Some(target.clone())),
            Some(Entry::File(file)) if file.size <= self.limits.file_bytes => {
                let bytes = content(root, path, file)?;
                let text = String::from_utf8(bytes).ok();
                Ok(text.filter(|text| !text.contains('\0')))
            }
            Some(_) => Ok(None),
        }
    }
}

fn same_content(old: Option<Side<'_>>, new: Option<Side<'_>>) -> bool {
    match (old.map(|side| side.entry), new.map(|side| side.entry)) {
        (Some(Entry::File(old)), Some(Entry::File(new))) => {
            old.digest.is_some() && old.digest == new.digest
        }
        _ => false,
    }
}

/// Why a content is not at hand: another one is there, or the file system failed.
enum Fault {
    Differs,
    Failed(WorkspaceError),
}

impl Fault {
    fn or(self, differs: impl FnOnce() -> WorkspaceError) -> WorkspaceError {
        match self {
            Fault::Differs => differs(),
            Fault::Failed(error) => error,
        }
    }
}

/// Reads a file that must be what its entry says.
fn content(root: &Dir, path: &RelPath, wanted: &FileEntry) -> Result<Vec<u8>, Fault> {
    let failed = |cause| Fault::Failed(WorkspaceError::io("read", path, cause));
    let Some((dir, name)) = open_parent(&OsDisk, root, path).map_err(failed)? else {
        return Err(Fault::Differs);
    };
    let Some(meta) = OsDisk.look(&dir, name).map_err(failed)? else {
        return Err(Fault::Differs);
    };
    let file = crate::disk::open_seen(&OsDisk, &dir, name, &meta).map_err(failed)?;
    let mut bytes = Vec::new();
    file.ok_or(Fault::Differs)?
        .take(wanted.size + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if wanted.digest == Some(Digest::of(&bytes)) {
        Ok(bytes)
    } else {
        Err(Fault::Differs)
    }
}

#[derive(Default)]
struct Hunks {
    text: String,
    added: u64,
    removed: u64,
}

fn hunks(before: &str, after: &str) -> Hunks {
    // Lines end at line feeds and nowhere else, as git has it.
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let mut hunks = Hunks::default();
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    for group in group_diff_ops(ops, CONTEXT) {
        hunks.group(&group, &old, &new);
    }
    hunks
}

impl Hunks {
    fn group(&mut self, group: &[DiffOp], old: &[&str], new: &[&str]) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            return;
        };
        let old_span = span(first.old_range().start, last.old_range().end);
        let new_span = span(first.new_range().start, last.new_range().end);
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "@@ -{old_span} +{new_span} @@");
        for op in group {
            let (tag, old_range, new_range) = op.as_tag_tuple();
            let old = old.get(old_range).unwrap_or_default();
            let new = new.get(new_range).unwrap_or_default();
            if tag == DiffTag::Equal {
                self.lines(' ', old);
            } else {
                self.lines('-', old);
                self.lines('+', new);
                self.removed += old.len() as u64;
                self.added += new.len() as u64;
            }
        }
    }

    fn lines(&mut self, sign: char, lines: &[&str]) {
        for line in lines {
            self.text.push(sign);
            self.text.push_str(line);
            if !line.ends_with('\n') {
                self.text.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
}

/// Where a hunk starts (from 1; the line before where it is empty) and how many lines it has.
fn span(start: usize, end: usize) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        lines => format!("{},{lines}", start + 1),
    }
}

/// Lines around a change.
const CONTEXT: usize = 3;

const DEV_NULL: &str = "/dev/null";
