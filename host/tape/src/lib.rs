//! The hash-chained tape: records, append, recovery, tree, checkpoints, content store.
//!
//! A tape is a folder with one record a line in `records.jsonl`. Each record names the one before
//! it, a Merkle tree covers them all, and the host signs its root. `docs/tape.md` gives the exact
//! bytes.
//!
//! | module | what it is about |
//! |---|---|
//! | [`kind`], [`record`] | what a record is about; its bytes out and in |
//! | [`draft`] | a record before it has its place |
//! | [`call`], [`http`], [`verdict`], [`run`], [`lease`], [`session`] | the bodies of the records of calls, of runs, of leases, and of the tape's own |
//! | [`tape`] | open, append, checkpoint, close |
//! | [`ledger`] | uses and fuel per lease, revocation lists and presentations seen, as a fold over the records |
//! | [`reader`] | a stream of records, each checked, in constant memory |
//! | [`mod@snapshot`] | a tape as it stands, for reading only |
//! | [`tree`], [`checkpoint`] | the Merkle tree and its signed head |
//! | [`store`] | bytes by digest |
//! | [`disk`] | the file operations all of it is built of |

pub mod call;
pub mod checkpoint;
mod commit;
pub mod disk;
pub mod draft;
pub mod error;
pub mod http;
pub mod kind;
pub mod lease;
pub mod ledger;
mod lock;
mod nonces;
mod opening;
mod os_disk;
mod publish;
pub mod reader;
pub mod record;
mod recovery;
pub mod run;
pub mod session;
pub mod snapshot;
mod state;
pub mod store;
mod tail;
pub mod tape;
pub mod tree;
pub mod verdict;

pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use draft::Draft;
pub use error::TapeError;
pub use http::{EffectHttp, EffectHttpAnswered};
pub use kind::Kind;
pub use lease::{KeyRotated, LeaseRevoked, LeaseVerified, ListSeen, Presented};
pub use ledger::{Account, Ledger};
pub use os_disk::OsDisk;
pub use record::{Record, RecordFault};
pub use snapshot::{Snapshot, snapshot};
pub use store::Store;
pub use tape::{Appended, Durability, HostClock, Options, Tape, TapeState};
