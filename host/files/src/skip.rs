//! Rules with places that are declared as not judged.

use leasehold_lease::{Pattern, RelPath};

use crate::rules::{Allowed, FileRules, PatternText};

/// Rules under which some places are left out: not judged, and counted as that.
///
/// A skip pattern covers what is below. It keeps the call out of other spellings as well, as a deny rule does
/// ([`Pattern::denies`]), but only what it matches to the letter counts as skipped: what is called so only by a file system that
/// folds names, or by a reader who does not look twice, counts as hidden.
#[derive(Clone, Debug)]
pub struct Skipping<R> {
    /// What holds for everything else.
    pub rules: R,
    /// What is not judged.
    pub skip: Vec<Pattern>,
}

impl<R: FileRules> Skipping<R> {
    fn kept_out(&self, path: &RelPath) -> bool {
        self.skip.iter().any(|pattern| pattern.denies(path)) || self.rules.skipped(path)
    }
}

impl<R: FileRules> FileRules for Skipping<R> {
    fn at(&self, path: &RelPath) -> Allowed {
        if self.kept_out(path) {
            Allowed::default()
        } else {
            self.rules.at(path)
        }
    }

    fn on_the_way(&self, path: &RelPath) -> bool {
        !self.kept_out(path) && self.rules.on_the_way(path)
    }

    fn skipped(&self, path: &RelPath) -> bool {
        let mut above = std::iter::successors(Some(path.clone()), RelPath::parent);
        above.any(|place| self.skip.iter().any(|pattern| pattern.matches(&place)))
            || self.rules.skipped(path)
    }

    /// What is skipped may have another name elsewhere, as what is denied may.
    fn has_deny(&self) -> bool {
        !self.skip.is_empty() || self.rules.has_deny()
    }

    fn reads_everything(&self) -> bool {
        self.rules.reads_everything()
    }

    fn subtree(&self, path: &RelPath) -> Option<Allowed> {
        let may_skip = (self.skip.iter()).any(|pattern| pattern.may_deny_within(path));
        if may_skip {
            None
        } else {
            self.rules.subtree(path)
        }
    }

    fn patterns(&self) -> Option<PatternText> {
        let mut text = self.rules.patterns()?;
        let skip = self.skip.iter().map(|pattern| pattern.as_str().to_owned());
        text.deny.extend(skip);
        Some(text)
    }
}
