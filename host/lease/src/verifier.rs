//! Verification with a memory: what was proven once is not proven again, what may change is looked at each time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use leasehold_seal::{Digest, Envelope, KeyId, Timestamp, Trust};

use crate::presentation::Presentation;
use crate::refusal::Refusal;
use crate::revocation::{RevocationList, Revocations};
use crate::verify::{Here, Proven, Verified};

/// How many chains, lists and presentations are remembered, each; when there are more, all are forgotten.
const MAX_REMEMBERED: usize = 1_024;

/// [`crate::verify`] for one trust file, remembering what it has verified.
///
/// Remembered are signatures, documents, narrowing and approvals, by the fingerprints of the envelopes, for as long as no
/// key of the trust file begins or ends to be valid. Time, audience, revocation and presentation are checked each time;
/// of a list and a presentation only the signatures are remembered. Refusals are not.
#[derive(Debug)]
pub struct Verifier {
    trust: Trust,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    /// By the fingerprints of the envelopes, leaf first.
    chains: HashMap<Vec<Digest>, Known<Arc<Proven>>>,
    /// By fingerprint; nothing but that enough revokers have signed.
    lists: HashMap<Digest, Known<()>>,
    /// By fingerprint and holder.
    presentations: HashMap<(Digest, KeyId), Arc<Presentation>>,
}

/// What was found out, and the time in which it stays true: `[from, until)`.
#[derive(Debug)]
struct Known<T> {
    what: T,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl<T> Known<T> {
    fn new(what: T, trust: &Trust, now: Timestamp) -> Self {
        let mut known = Self {
            what,
            from: None,
            until: None,
        };
        for change in changes(trust) {
            if change <= now {
                known.from = known.from.max(Some(change));
            } else {
                known.until = Some(known.until.map_or(change, |until| until.min(change)));
            }
        }
        known
    }

    fn at(&self, now: Timestamp) -> Option<&T> {
        let begun = self.from.is_none_or(|from| from <= now);
        let ended = self.until.is_some_and(|until| until <= now);
        (begun && !ended).then_some(&self.what)
    }
}

impl Verifier {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self {
            trust,
            memory: Mutex::default(),
        }
    }

    /// The trust file it goes by.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// As [`crate::verify`], with the same result.
    ///
    /// # Errors
    /// Those of [`crate::verify`].
    pub fn verify(
        &self,
        chain: &[Envelope],
        revocations: &Revocations,
        here: &Here<'_>,
    ) -> Result<Verified, Refusal> {
        let proven = self.proven(chain, here.now)?;
        proven.here(
            &self.trust,
            revocations,
            here,
            |list| self.check_list(list, here.now),
            |envelope, holder| self.presentation(envelope, holder),
        )
    }

    /// As [`Revocations::check`], with the same result: for asking again during a call.
    ///
    /// # Errors
    /// Those of [`Revocations::check`].
    pub fn check_revocations(
        &self,
        revocations: &Revocations,
        chain: &[Digest],
        now: Timestamp,
    ) -> Result<Option<crate::ListSeen>, Refusal> {
        revocations.check_with(&self.trust, chain, now, |list| self.check_list(list, now))
    }

    fn proven(&self, chain: &[Envelope], now: Timestamp) -> Result<Arc<Proven>, Refusal> {
        let key: Vec<Digest> = chain.iter().map(Envelope::fingerprint).collect();
        if let Some(proven) = self
            .memory()
            .chains
            .get(&key)
            .and_then(|known| known.at(now))
        {
            return Ok(Arc::clone(proven));
        }
        let proven = Arc::new(Proven::new(chain, &self.trust, now)?);
        let known = Known::new(Arc::clone(&proven), &self.trust, now);
        remember(&mut self.memory().chains, key, known);
        Ok(proven)
    }

    fn check_list(&self, list: &RevocationList, now: Timestamp) -> Result<(), Refusal> {
        let key = list.envelope().fingerprint();
        if let Some(()) = self
            .memory()
            .lists
            .get(&key)
            .and_then(|known| known.at(now))
        {
            return Ok(());
        }
        list.check_signatures(&self.trust, now)?;
        let known = Known::new((), &self.trust, now);
        remember(&mut self.memory().lists, key, known);
        Ok(())
    }

    fn presentation(
        &self,
        envelope: &Envelope,
        holder: &KeyId,
    ) -> Result<Arc<Presentation>, Refusal> {
        let key = (envelope.fingerprint(), *holder);
        if let Some(known) = self.memory().presentations.get(&key) {
            return Ok(Arc::clone(known));
        }
        let opened = Arc::new(Presentation::open(envelope, holder)?);
        remember(&mut self.memory().presentations, key, Arc::clone(&opened));
        Ok(opened)
    }

    /// Whoever panicked while holding it left nothing half done: each change is one insertion.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remember<K: Eq + Hash, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    if map.len() >= MAX_REMEMBERED {
        map.clear();
    }
    map.insert(key, value);
}

/// The moments at which a key of the trust file begins or ends to be valid, for any of its roles.
fn changes(trust: &Trust) -> impl Iterator<Item = Timestamp> + '_ {
    trust.all_keys().iter().flat_map(|key| {
        let ends = key.ends().map(|(_, end)| end);
        key.not_before()
            .into_iter()
            .chain(key.not_after())
            .chain(ends)
    })
}
