//! Checks a tape from its bytes alone: closed, open or broken.
//!
//! Nothing the tape says about itself is believed: keys come from the trust file, roots, charges and
//! counts are computed again. `docs/tape.md` says what a tape alone cannot show.
//!
//! | module | what it is about |
//! |---|---|
//! | [`mod@check`] | the way through the records; [`Expect`] |
//! | [`report`] | [`Finding`] and [`Report`] |
//! | `calls`, `requests` | intents and outcomes: pairs, ids, charges; the requests between them |
//! | `leases`, `stored` | whether each intent had a lease at its time, by the envelopes of its chain |
//! | `budgets` | whether its uses and fuel were left |
//! | `lists` | revocation lists, and whether a lease was used after one that revokes it |
//! | `heads` | signed checkpoints against the records |

mod budgets;
mod calls;
pub mod check;
mod heads;
mod leases;
mod lists;
pub mod report;
mod requests;
mod stored;

pub use check::{AuditError, Expect, check, check_with_leases};
pub use report::{Budgeted, Charged, Finding, Missing, Report, Spent};
