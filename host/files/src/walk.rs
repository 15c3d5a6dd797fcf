//! The fast way to list: the whole visible tree in ascending byte order of the paths, in batches.

use leasehold_lease::{Pattern, RelPath};
use leasehold_seal::Coded;

use crate::error::{self, FsError, Kind};
use crate::hash::Hasher;
use crate::readset::{Flaw, Seen};
use crate::stat::{Attributes, FileKind};
use crate::sys::{self, Type};
use crate::view::{Record, Turn, View};

/// One entry of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalkEntry {
    /// Path from the root.
    pub path: RelPath,
    /// Attributes; `size` is 0 for what may not be read.
    pub attributes: Attributes,
}

/// A listing under way. Holds names, no open directories.
#[derive(Debug)]
pub struct Walk {
    view: View,
    patterns: Vec<Pattern>,
    /// What is still to come, nearest last.
    ahead: Vec<Step>,
    /// What went wrong behind the entries of the last batch.
    failed: Option<FsError>,
}

#[derive(Debug)]
enum Step {
    Show(WalkEntry),
    Descend(RelPath),
}

impl View {
    /// Starts a listing of what matches any of `patterns` and the rules let the call list. The root is not an entry.
    /// No pattern matches nothing.
    #[must_use]
    pub fn walk(&self, patterns: Vec<Pattern>) -> Walk {
        let root = RelPath::root();
        let ahead = if patterns
            .iter()
            .any(|pattern| pattern.may_match_below(&root))
        {
            vec![Step::Descend(root)]
        } else {
            Vec::new()
        };
        Walk {
            view: self.clone(),
            patterns,
            ahead,
            failed: None,
        }
    }
}

impl Walk {
    /// The next entries: at most `max`, fewer only at the end, none when the listing has ended.
    ///
    /// # Errors
    /// [`Kind::Io`] and the like when the host cannot list a directory; the next call goes on behind
    /// it. A directory that goes away while the listing runs is left out.
    pub fn next(&mut self, max: usize) -> Result<Vec<WalkEntry>, FsError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut batch = Vec::with_capacity(max.min(self.ahead.len().max(64)));
        let view = self.view.clone();
        view.act(|turn| self.fill(turn, &mut batch, max))?;
        Ok(batch)
    }

    /// Fills a batch up to `max` entries.
    fn fill(
        &mut self,
        turn: &mut Turn<'_>,
        batch: &mut Vec<WalkEntry>,
        max: usize,
    ) -> Result<(), FsError> {
        while batch.len() < max {
            match self.ahead.pop() {
                None => break,
                Some(Step::Show(entry)) => batch.push(entry),
                Some(Step::Descend(directory)) => match self.descend(turn, &directory) {
                    Ok(()) => {}
                    Err(error) if batch.is_empty() => return Err(error),
                    Err(error) => {
                        self.failed = Some(error);
                        break;
                    }
                },
            }
        }
        Ok(())
    }

    /// Puts the entries of a directory ahead of everything else.
    fn descend(&mut self, turn: &mut Turn<'_>, directory: &RelPath) -> Result<(), FsError> {
        let Self {
            patterns, ahead, ..
        } = self;
        let matches = |path: &RelPath| patterns.iter().any(|pattern| pattern.matches(path));
        let leads_on =
            |path: &RelPath| patterns.iter().any(|pattern| pattern.may_match_below(path));
        let concerns =
            |path: &RelPath, kind| matches(path) || (kind == Type::Directory && leads_on(path));
        let found = match turn.entries(directory, concerns) {
            Ok(found) => found,
            Err(error) => {
                turn.state.reads.flaw(Flaw::Error);
                let gone = is_gone(&error) && !directory.is_root();
                return if gone { Ok(()) } else { Err(error) };
            }
        };
        let contents = turn.shared.record == Record::Contents;
        let mut shown = Hasher::new("leasehold/walk/2");
        let mut steps: Vec<(String, Step)> = Vec::with_capacity(found.visible.len());
        for entry in found.visible {
            if entry.kind == Type::Directory && leads_on(&entry.path) {
                // Everything below sorts as "name/…", which need not follow right behind "name": "a", "a.b", "a/c".
                steps.push((
                    format!("{}/", entry.name),
                    Step::Descend(entry.path.clone()),
                ));
            }
            if !entry.listed || !matches(&entry.path) {
                continue;
            }
            let attributes = match entry.kind {
                Type::File => {
                    let Ok(meta) = sys::meta_at(&found.dir, &entry.name) else {
                        turn.state.reads.flaw(Flaw::Changed);
                        continue;
                    };
                    if meta.kind == Type::File {
                        turn.saw(&entry.path, meta);
                    } else {
                        turn.state.reads.flaw(Flaw::Changed);
                    }
                    let mut attributes = turn.attributes(&entry.path, &meta);
                    if !attributes.readable {
                        attributes.size = 0;
                    }
                    if contents {
                        let file = turn.file_seen(&entry.path, &meta, attributes);
                        let reads = &mut turn.state.reads;
                        reads.found_in(directory, &entry.name, Seen::File(file));
                    }
                    attributes
                }
                Type::Directory => Attributes {
                    kind: FileKind::Directory,
                    readable: true,
                    ..NOTHING
                },
                other => Attributes {
                    kind: other.into(),
                    ..NOTHING
                },
            };
            if !contents {
                shown.text(&entry.name).attributes(attributes);
            }
            steps.push((
                entry.name,
                Step::Show(WalkEntry {
                    path: entry.path,
                    attributes,
                }),
            ));
        }
        let digest = if contents {
            found.digest
        } else {
            shown.digest(found.digest);
            shown.finish()
        };
        turn.state.reads.listed(directory, digest, contents);
        steps.sort_unstable_by(|one, other| other.0.as_bytes().cmp(one.0.as_bytes()));
        ahead.extend(steps.into_iter().map(|(_, step)| step));
        Ok(())
    }
}

/// Whether a directory was there when its parent was listed and is not any more, is something else now, or is one that
/// is closed, which was counted as a refusal.
fn is_gone(error: &FsError) -> bool {
    let gone = matches!(
        error.kind(),
        Kind::NoEntry | Kind::Changed | Kind::NotDirectory
    );
    gone || matches!(error.code(), error::PATH_PROTECTED | error::FILE_TYPE)
}

const NOTHING: Attributes = Attributes {
    kind: FileKind::Other,
    size: 0,
    executable: false,
    readable: false,
};
