//! Records before they have a place on the tape.

use leasehold_seal::{Digest, Timestamp, canonical};
use serde::Serialize;

use crate::call::{Charge, Intent, Outcome};
use crate::error::TapeError;
use crate::http::{EffectHttp, EffectHttpAnswered};
use crate::kind::Kind;
use crate::lease::{KeyRotated, LeaseRevoked, LeaseVerified, ListSeen};
use crate::record::{RecordFault, read_body};

/// A record to be appended: its kind and its body, already in the bytes it will have.
#[derive(Clone, Debug)]
pub struct Draft {
    kind: Kind,
    body: Vec<u8>,
    effect: Option<Effect>,
}

impl Draft {
    /// A draft of any kind but `tape.*` (the tape writes those itself) with a body that serialises
    /// to an object. Bodies of `call.intent`, `call.outcome`, `effect.http`,
    /// `effect.http-answered`, `lease.verified`, `lease.revoked` and `key.rotated` must be those of [`Intent`], [`Outcome`],
    /// [`EffectHttp`], [`EffectHttpAnswered`], [`LeaseVerified`], [`LeaseRevoked`] and [`KeyRotated`].
    ///
    /// # Errors
    /// [`TapeError::Body`].
    pub fn new<T: Serialize + ?Sized>(kind: Kind, body: &T) -> Result<Draft, TapeError> {
        Draft::of(foreign(&kind)?, body)
    }

    /// As [`Draft::new`], for a body of strings, whole numbers, lists and structs whose fields are declared in the order of their
    /// names, at every depth: several times faster, since nothing has to be sorted. Debug builds hold it to that.
    ///
    /// # Errors
    /// [`TapeError::Body`].
    pub fn sorted<T: Serialize>(kind: Kind, body: &T) -> Result<Draft, TapeError> {
        Draft::made(foreign(&kind)?, in_order(body)?)
    }

    /// The draft of a `call.intent`; faster than [`Draft::new`].
    ///
    /// # Errors
    /// [`TapeError::Body`] when a number or an id does not fit.
    pub fn intent(intent: &Intent) -> Result<Draft, TapeError> {
        intent.check()?;
        Ok(Draft {
            kind: Kind::CallIntent,
            body: in_order(intent)?,
            effect: Some(Effect::Intent {
                call: intent.call.clone(),
                charges: intent.charges.clone(),
            }),
        })
    }

    /// The draft of a `call.outcome`; faster than [`Draft::new`].
    ///
    /// # Errors
    /// [`TapeError::Body`] when a number or an id does not fit.
    pub fn outcome(outcome: &Outcome) -> Result<Draft, TapeError> {
        outcome.check()?;
        Ok(Draft {
            kind: Kind::CallOutcome,
            body: in_order(outcome)?,
            effect: Some(Effect::outcome(outcome)),
        })
    }

    /// The draft of an `effect.http`; faster than [`Draft::new`].
    ///
    /// # Errors
    /// [`TapeError::Body`] when a number or a name does not fit.
    pub fn http(request: &EffectHttp) -> Result<Draft, TapeError> {
        request.check()?;
        Ok(Draft {
            kind: Kind::EffectHttp,
            body: in_order(request)?,
            effect: Some(Effect::Http {
                call: request.call.clone(),
            }),
        })
    }

    /// The draft of an `effect.http-answered`; faster than [`Draft::new`].
    ///
    /// # Errors
    /// [`TapeError::Body`] when a number does not fit.
    pub fn http_answered(answer: &EffectHttpAnswered) -> Result<Draft, TapeError> {
        answer.check()?;
        Ok(Draft {
            kind: Kind::EffectHttpAnswered,
            body: in_order(answer)?,
            effect: Some(Effect::Http {
                call: answer.call.clone(),
            }),
        })
    }

    /// The draft of a `lease.verified`; faster than [`Draft::new`].
    ///
    /// # Errors
    /// [`TapeError::Body`] when a number, the chain or the nonce does not fit.
    pub fn lease_verified(verified: &LeaseVerified) -> Result<Draft, TapeError> {
        verified.check()?;
        Ok(Draft {
            kind: Kind::LeaseVerified,
            body: in_order(verified)?,
            effect: Some(Effect::lease(verified.clone())),
        })
    }

    /// The kind of the record.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The body's canonical JSON.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn effect(&self) -> Option<&Effect> {
        self.effect.as_ref()
    }

    /// Also makes the tape's own records.
    pub(crate) fn of<T: Serialize + ?Sized>(kind: Kind, body: &T) -> Result<Draft, TapeError> {
        Draft::made(kind, canonical::to_vec(body)?)
    }

    fn made(kind: Kind, body: Vec<u8>) -> Result<Draft, TapeError> {
        if body.first() != Some(&b'{') {
            return Err(TapeError::Body(format!(
                "the body of {kind} is not an object"
            )));
        }
        let effect = Effect::of(&kind, &body).map_err(|fault| TapeError::Body(fault.message))?;
        Ok(Draft { kind, body, effect })
    }
}

/// A kind that others than the tape itself may write.
fn foreign(kind: &Kind) -> Result<Kind, TapeError> {
    if kind.as_str().starts_with("tape.") {
        return Err(TapeError::Body(format!(
            "{kind} records are the tape's own"
        )));
    }
    // `Other` can be built by hand, and a malformed kind must not reach the tape.
    Kind::parse(kind.as_str())
        .ok_or_else(|| TapeError::Body(format!("{:?} is not a kind", kind.as_str())))
}

/// What a record does to the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Intent {
        call: String,
        charges: Vec<Charge>,
    },
    Outcome {
        call: String,
        fuel: u64,
        settles: bool,
    },
    Lease {
        lease: Digest,
        expires: Timestamp,
        /// Nonce of the presentation, and when it ends.
        presentation: Option<(String, Timestamp)>,
        /// The revocation list it was checked against.
        list: Option<ListSeen>,
    },
    /// A revocation list was put in force.
    List(ListSeen),
    /// A request, or its answer.
    Http {
        call: String,
    },
}

impl Effect {
    /// Reads the effect of a record, if its kind has one.
    pub(crate) fn of(kind: &Kind, body: &[u8]) -> Result<Option<Effect>, RecordFault> {
        let check = |result: Result<(), TapeError>| {
            result.map_err(|error| RecordFault::new("RECORD-BODY", error.to_string()))
        };
        Ok(match kind {
            Kind::CallIntent => {
                let intent: Intent = read_body(kind, body)?;
                check(intent.check())?;
                Some(Effect::Intent {
                    call: intent.call,
                    charges: intent.charges,
                })
            }
            Kind::CallOutcome => {
                let outcome: Outcome = read_body(kind, body)?;
                check(outcome.check())?;
                Some(Effect::outcome(&outcome))
            }
            Kind::LeaseVerified => {
                let verified: LeaseVerified = read_body(kind, body)?;
                check(verified.check())?;
                Some(Effect::lease(verified))
            }
            Kind::LeaseRevoked => {
                let revoked: LeaseRevoked = read_body(kind, body)?;
                check(revoked.check())?;
                Some(Effect::List(revoked.seen()))
            }
            Kind::KeyRotated => {
                let rotated: KeyRotated = read_body(kind, body)?;
                check(rotated.check())?;
                None
            }
            Kind::EffectHttp => {
                let request: EffectHttp = read_body(kind, body)?;
                check(request.check())?;
                Some(Effect::Http { call: request.call })
            }
            Kind::EffectHttpAnswered => {
                let answer: EffectHttpAnswered = read_body(kind, body)?;
                check(answer.check())?;
                Some(Effect::Http { call: answer.call })
            }
            _ => None,
        })
    }

    fn outcome(outcome: &Outcome) -> Effect {
        Effect::Outcome {
            call: outcome.call.clone(),
            fuel: outcome.fuel,
            settles: outcome.ending.settles(),
        }
    }

    fn lease(verified: LeaseVerified) -> Effect {
        Effect::Lease {
            lease: verified.lease,
            expires: verified.expires,
            presentation: verified
                .presentation
                .map(|presented| (presented.nonce, presented.expires)),
            list: verified.revocations,
        }
    }
}

/// Canonical JSON of a value that has only strings, whole numbers up to 2^53 − 1, lists, and structs whose fields are declared in
/// the order of their names: written as it stands it is canonical already.
fn in_order<T: Serialize>(body: &T) -> Result<Vec<u8>, TapeError> {
    let bytes = serde_json::to_vec(body).map_err(|error| TapeError::Body(error.to_string()))?;
    debug_assert_eq!(canonical::to_vec(body).as_deref(), Ok(bytes.as_slice()));
    Ok(bytes)
}
