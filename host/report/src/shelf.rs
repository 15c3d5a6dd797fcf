//! The content store as a report sees it: what it gives is checked, what it lacks is noted.

use leasehold_seal::{Digest, canonical};
use serde::de::DeserializeOwned;

use crate::model::Kept;

/// Largest document that is read, in bytes: far above any plan or verdict, far below what harms.
const MAX_DOCUMENT: usize = 256 << 20;

/// Gives bytes by digest and keeps account of what was amiss.
pub(crate) struct Shelf<'a> {
    store: &'a dyn Fn(&Digest) -> Option<Vec<u8>>,
    /// What is not there.
    pub(crate) missing: Vec<String>,
    /// What is there and is something else.
    pub(crate) contradictions: Vec<String>,
}

impl<'a> Shelf<'a> {
    pub(crate) fn new(store: &'a dyn Fn(&Digest) -> Option<Vec<u8>>) -> Self {
        Shelf {
            store,
            missing: Vec::new(),
            contradictions: Vec::new(),
        }
    }

    /// The bytes with this digest; `what` they are, for the note where there is something amiss.
    pub(crate) fn bytes(&mut self, digest: &Digest, what: &str) -> (Kept, Option<Vec<u8>>) {
        match (self.store)(digest) {
            None => {
                self.missing
                    .push(format!("{what} ({digest}) is not in the content store"));
                (Kept::Missing, None)
            }
            Some(bytes) if Digest::of(&bytes) == *digest => (Kept::Present, Some(bytes)),
            Some(_) => {
                self.contradictions.push(format!(
                    "the content store has other bytes under {digest}, which is {what}"
                ));
                (Kept::Damaged, None)
            }
        }
    }

    /// The document with this digest. One of another form was not written by a host: a contradiction.
    pub(crate) fn document<T: DeserializeOwned>(
        &mut self,
        digest: &Digest,
        what: &str,
    ) -> (Kept, Option<T>) {
        let (kept, bytes) = self.bytes(digest, what);
        let Some(bytes) = bytes else {
            return (kept, None);
        };
        match canonical::from_json_limited(&bytes, MAX_DOCUMENT) {
            Ok(document) => (kept, Some(document)),
            Err(error) => {
                self.contradictions
                    .push(format!("{what} ({digest}) is not of its form: {error}"));
                (Kept::Damaged, None)
            }
        }
    }
}
