//! Checks a tape from its bytes alone: closed, open or broken.
//!
//! Nothing the tape says about itself is believed: keys come from the trust file, roots, charges and
//! counts are computed again. `docs/tape.md` says what a tape alone cannot show.
//!
//! | module | what it is about |
//! |---|---|
//! | [`mod@check`] | the way through the records; [`Expect`], [`Finding`] and [`Report`] |
//! | `calls` | intents and outcomes: pairs, ids, charges |
//! | `leases` | whether each intent had a lease at its time |
//! | `heads` | signed checkpoints against the records |

mod calls;
pub mod check;
mod heads;
mod leases;

pub use check::{AuditError, Charged, Expect, Finding, Report, check, check_with_leases};
