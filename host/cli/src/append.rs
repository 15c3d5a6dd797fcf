//! Changing a file of the home together with the tape: under the lock of the tape, so that of two processes one comes first.

use leasehold_seal::{Class, Coded};
use leasehold_tape::{Appended, Draft, Durability, Ledger, TapeError, TapeState};

use crate::failure::Failure;
use crate::session::Session;

/// What ends the critical section without a record.
struct Undone(Failure);

impl From<TapeError> for Undone {
    fn from(error: TapeError) -> Self {
        Undone(Failure::of(&error as &dyn Coded))
    }
}

/// Lets `change` look at the tape and change files, and appends the record it returns, durably, before anybody else appends.
pub(crate) fn with_change<T>(
    session: &Session,
    change: impl FnOnce(&TapeState<'_>) -> Result<(T, Draft), Failure>,
) -> Result<(T, Appended), Failure> {
    let mut made = None;
    let decide = |state: &TapeState<'_>| {
        let (what, draft) = change(state).map_err(Undone)?;
        made = Some(what);
        Ok::<_, Undone>(vec![draft])
    };
    let appended = session
        .tape()
        .append_checked(decide, Durability::Synced)
        .map_err(|Undone(failure)| failure)?;
    match (made, appended.first()) {
        (Some(made), Some(appended)) => Ok((made, *appended)),
        _ => Err(Failure::new(
            "TAPE-FAULT",
            Class::Fault,
            "the tape took a record and gave it no place",
        )),
    }
}

/// What the tape says now, with everything that other processes appended.
pub(crate) fn on_tape<T>(session: &Session, look: impl FnOnce(&Ledger) -> T) -> Result<T, Failure> {
    let mut seen = None;
    let decide = |state: &TapeState<'_>| {
        seen = Some(look(state.ledger));
        Ok::<_, Undone>(Vec::new())
    };
    session
        .tape()
        .append_checked(decide, Durability::Written)
        .map_err(|Undone(failure)| failure)?;
    seen.ok_or_else(|| {
        Failure::new(
            "TAPE-FAULT",
            Class::Fault,
            "the tape could not be looked at",
        )
    })
}
