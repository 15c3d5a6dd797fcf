//! Whether each intent had a lease at its time.

use std::collections::BTreeMap;

use leasehold_lease::Verified;
use leasehold_seal::{Coded, Digest, Envelope, KeyId, Timestamp, Trust};
use leasehold_tape::call::Intent;
use leasehold_tape::ledger::CLOCK_TOLERANCE_MS;
use leasehold_tape::{LeaseVerified, Record, RecordFault};

/// The leases the tape says were verified.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    known: BTreeMap<Digest, Known>,
    missing: u64,
    verified: u64,
    elsewhere: BTreeMap<Digest, u64>,
}

#[derive(Debug)]
struct Known {
    not_before: Timestamp,
    expires: Timestamp,
    /// The lease itself, where the envelope was at hand; dropped after it ended.
    lease: Option<Box<Verified>>,
}

impl Leases {
    /// Takes a `lease.verified` record; verifies the envelope as of its time, if it is at hand.
    pub(crate) fn learn(
        &mut self,
        record: &Record,
        tape: &Digest,
        host: &KeyId,
        trust: &Trust,
        envelopes: &dyn Fn(&Digest) -> Option<Vec<u8>>,
    ) -> Result<(), RecordFault> {
        let stated: LeaseVerified = record.body()?;
        let lease = match envelopes(&stated.envelope) {
            None => None,
            Some(bytes) => {
                if Digest::of(&bytes) != stated.envelope {
                    return Err(wrong("the envelope is not the one that is named"));
                }
                let envelope = Envelope::parse(&bytes).map_err(|error| refused(&error))?;
                let lease =
                    leasehold_lease::verify(&envelope, trust, host, Some(tape), record.time);
                let (lease, own) = match (lease, &stated.trust) {
                    (Ok(lease), _) => (lease, true),
                    // The host says that it went by another trust file. Whether that one is to be trusted is not for a tape to say;
                    // that the lease is good under it can be checked.
                    (Err(_), Some(digest)) => {
                        let other = other_trust(digest, envelopes)?;
                        let lease = other.map(|other| {
                            leasehold_lease::verify(
                                &envelope,
                                &other,
                                host,
                                Some(tape),
                                record.time,
                            )
                            .map_err(|error| refused(&error))
                        });
                        *self.elsewhere.entry(*digest).or_default() += 1;
                        match lease.transpose()? {
                            Some(lease) => (lease, false),
                            None => return Ok(()),
                        }
                    }
                    (Err(error), None) => return Err(refused(&error)),
                };
                let document = lease.document();
                if lease.id() != stated.lease
                    || document.not_before != stated.not_before
                    || document.expires != stated.expires
                {
                    return Err(wrong(
                        "the envelope holds another lease than the record states",
                    ));
                }
                self.verified += u64::from(own);
                Some(Box::new(lease))
            }
        };
        self.known.insert(
            stated.lease,
            Known {
                not_before: stated.not_before,
                expires: stated.expires,
                lease,
            },
        );
        Ok(())
    }

    /// Holds an intent to the leases of its chain that are known.
    pub(crate) fn check(&mut self, intent: &Intent, at: Timestamp) -> Result<(), RecordFault> {
        let mut all = true;
        for id in &intent.lease {
            let Some(known) = self.known.get_mut(id) else {
                all = false;
                continue;
            };
            if at < known.not_before || at >= known.expires {
                return Err(wrong(&format!(
                    "the intent at {at} is outside the window of its lease, {} to {}",
                    known.not_before, known.expires
                )));
            }
            if let Some(lease) = &known.lease {
                check_grant(intent, lease)?;
            }
        }
        self.missing += u64::from(!all);
        self.drop_ended(at);
        Ok(())
    }

    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    /// Leases that are not good under the trust file of this check, by the one under which the host says it verified them.
    pub(crate) fn elsewhere(&self) -> &BTreeMap<Digest, u64> {
        &self.elsewhere
    }

    pub(crate) fn verified(&self) -> u64 {
        self.verified
    }

    /// Documents are large; of a lease that ended, its window is enough.
    fn drop_ended(&mut self, at: Timestamp) {
        for known in self
            .known
            .values_mut()
            .filter(|known| known.lease.is_some())
        {
            if at.millis_since(known.expires) > CLOCK_TOLERANCE_MS {
                known.lease = None;
            }
        }
    }
}

/// The trust file with this digest, if it is at hand.
fn other_trust(
    digest: &Digest,
    stored: &dyn Fn(&Digest) -> Option<Vec<u8>>,
) -> Result<Option<Trust>, RecordFault> {
    let Some(bytes) = stored(digest) else {
        return Ok(None);
    };
    if Digest::of(&bytes) != *digest {
        return Err(wrong("the trust file is not the one that is named"));
    }
    Trust::parse(&bytes)
        .map(Some)
        .map_err(|error| refused(&error))
}

fn check_grant(intent: &Intent, lease: &Verified) -> Result<(), RecordFault> {
    let rights = lease
        .rights(&intent.grant)
        .map_err(|error| refused(&error))?;
    rights
        .check_plugin(&intent.plugin)
        .map_err(|error| refused(&error))?;
    let most = rights.limits().fuel;
    match intent.charges.iter().find(|charge| charge.fuel > most) {
        Some(charge) => Err(RecordFault::new(
            "AUDIT-CHARGE",
            format!(
                "the intent reserves {} units of fuel, its grant has {most}",
                charge.fuel
            ),
        )),
        None => Ok(()),
    }
}

fn refused(error: &dyn Coded) -> RecordFault {
    wrong(&format!(
        "the lease does not allow it: {} ({error})",
        error.code()
    ))
}

fn wrong(what: &str) -> RecordFault {
    RecordFault::new("AUDIT-LEASE", what)
}
