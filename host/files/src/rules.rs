//! What the rules say about a path, before anything is looked up.

use leasehold_lease::{FileGrant, Pattern, RelPath, Rights};

use crate::error::Wanted;
use crate::protect;

/// The file rights of one grant, as questions about resolved paths.
///
/// An answer depends on the path only, never on what is there, and stays the same while a view lives.
pub trait FileRules: Send + Sync {
    /// What the call may do with this path; nothing when it is denied.
    fn at(&self, path: &RelPath) -> Allowed;
    /// Whether something strictly below this directory may be listed, read or written, and the directory is not denied.
    fn on_the_way(&self, path: &RelPath) -> bool;
    /// Whether the path is declared as not judged: for the call it is not there, as if it were denied, but what is left out
    /// so is counted apart ([`Coverage::skipped`](crate::Coverage)). Covers what is below, as a deny rule does.
    fn skipped(&self, _path: &RelPath) -> bool {
        false
    }
    /// Whether there is any deny rule, or anything skipped.
    fn has_deny(&self) -> bool;
    /// Whether every path may be read but for deny rules: `read` contains `**`.
    fn reads_everything(&self) -> bool;
    /// What holds for the path *and everything that could ever be below it*. `None` where it differs, where something
    /// could be denied, or where it is not known.
    fn subtree(&self, path: &RelPath) -> Option<Allowed>;
    /// The patterns as text, for the second opinion of debug builds. `None` when the rules are not made of patterns.
    fn patterns(&self) -> Option<PatternText> {
        None
    }
}

/// What may be done with a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Its name may be seen.
    pub list: bool,
    /// Its content may be read.
    pub read: bool,
    /// Its content may be changed; it may be made, moved and removed.
    pub write: bool,
}

/// The patterns of a grant as they stand in the lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatternText {
    /// What may be listed.
    pub list: Vec<String>,
    /// What may be read.
    pub read: Vec<String>,
    /// What may be written.
    pub write: Vec<String>,
    /// What is denied with everything below it.
    pub deny: Vec<String>,
}

/// Everything the rules say about one path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    pub(crate) list: bool,
    pub(crate) read: bool,
    pub(crate) write: bool,
    /// A directory here may be entered: it is allowed, or leads to something that is.
    pub(crate) way: bool,
    /// A component is the git folder; nothing else is set then.
    pub(crate) protected: bool,
    /// It is declared as not judged; nothing else is set then, but that the root may be entered.
    pub(crate) skipped: bool,
}

impl Sight {
    pub(crate) fn of(rules: &dyn FileRules, path: &RelPath) -> Self {
        if protect::has_protected_name(path) {
            return Self {
                protected: true,
                ..Self::default()
            };
        }
        if rules.skipped(path) {
            return Self {
                skipped: true,
                way: path.is_root(),
                ..Self::default()
            };
        }
        let Allowed { list, read, write } = rules.at(path);
        // The root is always there for whoever has a call. Where something is allowed nobody asks for more.
        let way = list || read || write || path.is_root() || rules.on_the_way(path);
        Self {
            list,
            read,
            write,
            way,
            protected: false,
            skipped: false,
        }
    }

    /// Whether the guest may know whether something is at this path.
    pub(crate) fn visible(self) -> bool {
        self.list || self.read || self.write
    }

    /// Whether a directory at this path may be entered.
    pub(crate) fn passable(self) -> bool {
        self.way
    }

    pub(crate) fn allows(self, wanted: Wanted) -> bool {
        match wanted {
            Wanted::List => self.list,
            Wanted::Read => self.read,
            Wanted::Write => self.write,
        }
    }
}

impl FileRules for Rights {
    fn at(&self, path: &RelPath) -> Allowed {
        if self.denied(path) {
            Allowed::default()
        } else {
            allowed(self.files(), path)
        }
    }

    fn on_the_way(&self, path: &RelPath) -> bool {
        Rights::on_the_way(self, path)
    }

    fn has_deny(&self) -> bool {
        Rights::has_deny(self)
    }

    fn reads_everything(&self) -> bool {
        Rights::reads_everything(self)
    }

    fn subtree(&self, path: &RelPath) -> Option<Allowed> {
        if self.may_deny_within(path) {
            None
        } else {
            below(self.files(), path)
        }
    }

    fn patterns(&self) -> Option<PatternText> {
        Some(text(self.files()))
    }
}

/// A grant's file rights alone, for whoever has no lease: the judged tree of a test, a snapshot.
impl FileRules for FileGrant {
    fn at(&self, path: &RelPath) -> Allowed {
        if self.deny.iter().any(|rule| rule.denies(path)) {
            Allowed::default()
        } else {
            allowed(self, path)
        }
    }

    fn on_the_way(&self, path: &RelPath) -> bool {
        let mut patterns = self.list.iter().chain(&self.read).chain(&self.write);
        patterns.any(|pattern| pattern.may_match_below(path))
            && !self.deny.iter().any(|rule| rule.denies(path))
    }

    fn has_deny(&self) -> bool {
        !self.deny.is_empty()
    }

    fn reads_everything(&self) -> bool {
        self.read.iter().any(Pattern::is_everything)
    }

    fn subtree(&self, path: &RelPath) -> Option<Allowed> {
        if self.deny.iter().any(|rule| rule.may_deny_within(path)) {
            None
        } else {
            below(self, path)
        }
    }

    fn patterns(&self) -> Option<PatternText> {
        Some(text(self))
    }
}

fn allowed(files: &FileGrant, path: &RelPath) -> Allowed {
    let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(path));
    Allowed {
        list: any(&files.list),
        read: any(&files.read),
        write: any(&files.write),
    }
}

/// What the allowing patterns say of everything from `path` down, where they say one thing.
fn below(files: &FileGrant, path: &RelPath) -> Option<Allowed> {
    let one = |patterns: &[Pattern]| {
        // A pattern that ends in `**` and matches a path matches whatever is below it.
        if patterns
            .iter()
            .any(|pattern| ends_at_any_depth(pattern) && pattern.matches(path))
        {
            return Some(true);
        }
        let some = patterns
            .iter()
            .any(|pattern| pattern.matches(path) || pattern.may_match_below(path));
        (!some).then_some(false)
    };
    Some(Allowed {
        list: one(&files.list)?,
        read: one(&files.read)?,
        write: one(&files.write)?,
    })
}

fn ends_at_any_depth(pattern: &Pattern) -> bool {
    pattern.as_str().rsplit('/').next() == Some("**")
}

fn text(files: &FileGrant) -> PatternText {
    let text = |patterns: &[Pattern]| {
        patterns
            .iter()
            .map(|pattern| pattern.as_str().to_owned())
            .collect()
    };
    PatternText {
        list: text(&files.list),
        read: text(&files.read),
        write: text(&files.write),
        deny: text(&files.deny),
    }
}
