//! The fast way to list: the whole visible tree in ascending byte order of the paths, in batches.

use leasehold_lease::{Pattern, RelPath};
use leasehold_seal::Coded;

use crate::error::{self, FsError, Kind};
use crate::reads::Hasher;
use crate::stat::{Attributes, FileKind};
use crate::sys::{self, Type};
use crate::view::{Turn, View};

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
        let mut turn = view.turn()?;
        while batch.len() < max {
            match self.ahead.pop() {
                None => break,
                Some(Step::Show(entry)) => batch.push(entry),
                Some(Step::Descend(directory)) => match self.descend(&mut turn, &directory) {
                    Ok(()) => {}
                    Err(error) if batch.is_empty() => return Err(error),
                    Err(error) => {
                        self.failed = Some(error);
                        break;
                    }
                },
            }
        }
        Ok(batch)
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
        let (dir, visible) = match turn.entries(directory, concerns) {
            Ok(found) => found,
            Err(error) if is_gone(&error) && !directory.is_root() => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut digest = Hasher::new("leasehold/walk/1");
        let mut steps: Vec<(String, Step)> = Vec::with_capacity(visible.len());
        for entry in visible {
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
                    let Ok(meta) = sys::meta_at(&dir, &entry.name) else {
                        continue;
                    };
                    if meta.kind == Type::File {
                        turn.saw(&entry.path, meta);
                    }
                    let mut attributes = turn.attributes(&entry.path, &meta);
                    if !attributes.readable {
                        attributes.size = 0;
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
            digest.text(&entry.name).attributes(attributes);
            steps.push((
                entry.name,
                Step::Show(WalkEntry {
                    path: entry.path,
                    attributes,
                }),
            ));
        }
        turn.state.reads.listed(directory.as_str(), digest.finish());
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
