//! A look at a file for the host's own ends: to quote a line in a report.

use leasehold_lease::RelPath;

use crate::exact;
use crate::memo::is_same;
use crate::rules::Sight;
use crate::sys;
use crate::view::View;

impl View {
    /// The start of a regular file, at most `max` bytes, for the host's own ends. `None` when the call may not read the
    /// file, never saw it (in a walk, or by opening it for reading), or it was changed since, and when the view has ended.
    ///
    /// Nothing is recorded: no read, no refusal, no coverage, no fact.
    #[must_use]
    pub fn peek(&self, path: &RelPath, max: usize) -> Option<Vec<u8>> {
        let turn = self.host_turn();
        turn.shared.check_revoked().ok()?;
        let sight = Sight::of(turn.shared.rules.as_ref(), path);
        let seen = turn.state.known.get(path)?.seen?;
        let (file, meta) = exact::file(&turn.shared.tree, path).ok()?;
        if !turn.may_read(sight, &meta) || !is_same(&seen, &meta) {
            return None;
        }
        let wanted = usize::try_from(meta.size).unwrap_or(usize::MAX).min(max);
        let mut bytes = Vec::with_capacity(wanted);
        while bytes.len() < wanted {
            let at = bytes.len() as u64;
            if sys::read_at(&file, &mut bytes, at).ok()? == 0 {
                break;
            }
        }
        bytes.truncate(wanted);
        let after = sys::meta_of(&file).ok()?;
        is_same(&meta, &after).then_some(bytes)
    }
}
