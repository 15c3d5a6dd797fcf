//! Nonces of presentations, for as long as one of them could be used again.

use std::collections::{BTreeSet, HashMap};

use leasehold_seal::Timestamp;

use crate::ledger::CLOCK_TOLERANCE_MS;

/// Nonces, and when their presentations end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nonces {
    known: HashMap<String, Timestamp>,
    /// The same, the earliest end first.
    ends: BTreeSet<(Timestamp, String)>,
}

impl Nonces {
    pub(crate) fn has(&self, nonce: &str) -> bool {
        self.known.contains_key(nonce)
    }

    pub(crate) fn insert(&mut self, nonce: &str, expires: Timestamp) {
        if self.known.insert(nonce.to_owned(), expires).is_none() {
            self.ends.insert((expires, nonce.to_owned()));
        }
    }

    /// Forgets what ended so long ago that no record can present it any more: a record's time is at most the tolerance
    /// before the latest, and a presentation that ended by then is refused.
    pub(crate) fn forget(&mut self, latest: Timestamp) {
        while let Some((expires, nonce)) = self.ends.first()
            && latest.millis_since(*expires) > CLOCK_TOLERANCE_MS
        {
            self.known.remove(nonce);
            self.ends.pop_first();
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        self.ends
            .iter()
            .map(|(expires, nonce)| (nonce.as_str(), *expires))
    }
}

impl FromIterator<(String, Timestamp)> for Nonces {
    fn from_iter<T: IntoIterator<Item = (String, Timestamp)>>(nonces: T) -> Self {
        let mut all = Nonces::default();
        for (nonce, expires) in nonces {
            all.insert(&nonce, expires);
        }
        all
    }
}
