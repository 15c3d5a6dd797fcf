//! The way through the records.

use std::io::Read;

use leasehold_seal::{Class, Coded, Digest, KeyId, Role, Timestamp, Trust};
use leasehold_tape::reader::{Chain, ReadError, Records};
use leasehold_tape::session::{Closed, Recovered};
use leasehold_tape::{Kind, Ledger, Record, RecordFault};

use crate::calls::Calls;
use crate::heads::Heads;
use crate::leases::Leases;
use crate::report::{Charged, Finding, Missing, Report};
use crate::stored::Stored;

/// What the one who checks knows from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// A signed checkpoint seen earlier: the tape must hold at least its records, and the same.
    pub at_least: Option<Vec<u8>>,
    /// The tape must hold so many records.
    pub min_records: u64,
    /// The tape must be closed.
    pub closed: bool,
}

/// The check itself could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tape cannot be read: {0}")]
pub struct AuditError(String);

impl Coded for AuditError {
    fn code(&self) -> &'static str {
        "AUDIT-IO"
    }

    fn class(&self) -> Class {
        Class::Blocked
    }

    fn hint(&self) -> Option<String> {
        None
    }
}

/// Checks a tape. `records` is `records.jsonl`, `checkpoint` the file beside it; the host's key comes
/// from `trust` alone.
///
/// Memory does not grow with the number of records, only with leases, with calls without outcome and their requests
/// without answer.
///
/// # Errors
/// Only when the stream cannot be read; a bad tape is a [`Finding`].
pub fn check(
    records: impl Read,
    checkpoint: Option<&[u8]>,
    trust: &Trust,
    expect: &Expect,
) -> Result<Report, AuditError> {
    check_with_leases(records, checkpoint, trust, expect, &|_| None)
}

/// [`check`] with the envelopes: `stored` gives the bytes with a digest, from the content store for instance: of leases and
/// those they descend from, of presentations, of revocation lists, and of other trust files that leases were verified under.
/// Each lease and list found is verified as of the moment the tape says it was; [`Report::missing`] counts what was not found.
///
/// # Errors
/// As [`check`].
pub fn check_with_leases(
    records: impl Read,
    checkpoint: Option<&[u8]>,
    trust: &Trust,
    expect: &Expect,
    stored: &dyn Fn(&Digest) -> Option<Vec<u8>>,
) -> Result<Report, AuditError> {
    let mut audit = Audit {
        trust,
        heads: Heads::new(checkpoint, expect.at_least.as_deref()),
        ledger: Ledger::new(),
        calls: Calls::default(),
        leases: Leases::new(trust, Stored::new(stored)),
        intents: 0,
        requests: 0,
        unshown_requests: 0,
        recovered: 0,
        closed: false,
    };
    let mut records = Records::new(records);
    let mut fault = None;
    while fault.is_none() {
        match records.next() {
            None => break,
            Some(Ok(record)) => {
                if let Err(bad) = audit.take(&record, records.position()) {
                    fault = Some((record.seq, bad));
                }
            }
            Some(Err(ReadError::Bad {
                seq, fault: bad, ..
            })) => fault = Some((seq, bad)),
            Some(Err(ReadError::Io(error))) => return Err(AuditError(error.to_string())),
        }
    }
    let chain = records.position();
    // A record the chain took and the audit refused does not count as good.
    let good = fault.as_ref().map_or(chain.next, |(seq, _)| *seq);
    let (finding, proven) = match fault {
        Some((seq, fault)) => (broken(seq, fault), audit.heads.proven().min(good)),
        None => audit.finish(chain, expect),
    };
    Ok(audit.report(finding, chain, good, proven))
}

struct Audit<'a> {
    trust: &'a Trust,
    heads: Heads<'a>,
    ledger: Ledger,
    calls: Calls,
    leases: Leases<'a>,
    intents: u64,
    requests: u64,
    unshown_requests: u64,
    recovered: u64,
    closed: bool,
}

impl Audit<'_> {
    /// Takes a record whose form and place in the chain are good; `chain` stands after it.
    fn take(&mut self, record: &Record, chain: &Chain) -> Result<(), RecordFault> {
        let (Some(tape), Some(host)) = (chain.tape, chain.host) else {
            return Err(RecordFault::new("RECORD-GENESIS", "the tape names no host"));
        };
        self.closed = record.kind == Kind::TapeClosed;
        // What the tape itself would not have taken goes before what the envelopes show.
        let of_leases = matches!(record.kind, Kind::LeaseVerified | Kind::LeaseRevoked);
        if of_leases {
            self.ledger.check_record(record)?;
        }
        match &record.kind {
            Kind::TapeOpened => self.heads.begin(&tape, self.host_key(&host, record.time)?),
            Kind::TapeClosed => {
                let Closed { open_calls } = record.body()?;
                if open_calls != self.ledger.open_count() {
                    return Err(RecordFault::new(
                        "AUDIT-CLOSED",
                        format!(
                            "it states {open_calls} open calls, there are {}",
                            self.ledger.open_count()
                        ),
                    ));
                }
            }
            Kind::TapeRecovered => {
                let Recovered { at, .. } = record.body()?;
                if at > record.seq {
                    return Err(RecordFault::new(
                        "AUDIT-RECOVERED",
                        format!("it states that record {at} was torn"),
                    ));
                }
                self.recovered += 1;
            }
            Kind::LeaseVerified => self.leases.learn(record, &tape, &host)?,
            Kind::LeaseRevoked => self.leases.revoke(record)?,
            Kind::CallIntent => {
                let intent = self.calls.begin(record, chain.latest)?;
                let rights = self.leases.check(&intent, record.time, &self.ledger)?;
                self.calls.requests(&intent.call)?.rights = rights;
            }
            Kind::EffectHttp => {
                let shown = self.calls.send(record)?;
                self.unshown_requests += u64::from(!shown);
            }
            Kind::EffectHttpAnswered => self.calls.answer(record)?,
            Kind::CallOutcome => self.calls.end(record, &self.ledger)?,
            _ => {}
        }
        self.ledger.apply(record)?;
        if of_leases && let Some(latest) = chain.latest {
            self.ledger.forget_presentations(latest);
        }
        self.intents += u64::from(record.kind == Kind::CallIntent);
        self.requests += u64::from(record.kind == Kind::EffectHttp);
        self.heads.take(record, self.trust, &host)
    }

    /// The host named in record 0, if the trust file has it as a host.
    fn host_key(
        &self,
        host: &KeyId,
        at: Timestamp,
    ) -> Result<leasehold_seal::PublicKey, RecordFault> {
        let mut hosts = self.trust.keys(Role::Host, at);
        match hosts.find(|key| key.id() == *host) {
            Some(key) => Ok(*key.key()),
            None => Err(RecordFault::new(
                "KEY-UNTRUSTED",
                format!(
                    "the tape names {host} as its host, which the trust file does not have as a host at that time"
                ),
            )),
        }
    }

    fn finish(&mut self, chain: &Chain, expect: &Expect) -> (Finding, u64) {
        let records = chain.next;
        let proven = self.heads.proven().min(records);
        let fault = if records == 0 {
            Some(RecordFault::new(
                "RECORD-GENESIS",
                "the tape has no records",
            ))
        } else if let Err(fault) = self.heads.finish(records) {
            Some(fault)
        } else if records < expect.min_records {
            let least = expect.min_records;
            Some(RecordFault::new(
                "AUDIT-MIN-RECORDS",
                format!("the tape has {records} records, at least {least} are expected"),
            ))
        } else {
            None
        };
        if let Some(fault) = fault {
            return (broken(records.saturating_sub(1), fault), proven);
        }
        if self.closed && proven == records {
            return (Finding::Closed, proven);
        }
        if expect.closed {
            let what = if self.closed {
                "the tape is not closed: its last record is not covered by the checkpoint"
            } else {
                "the tape is not closed: its last record is not tape.closed"
            };
            return (
                broken(records - 1, RecordFault::new("AUDIT-NOT-CLOSED", what)),
                proven,
            );
        }
        (
            Finding::Open {
                unproven_from: proven,
            },
            proven,
        )
    }

    fn report(self, finding: Finding, chain: &Chain, good: u64, proven: u64) -> Report {
        let mut open_calls: Vec<_> = self.ledger.open_calls().map(str::to_owned).collect();
        open_calls.sort_unstable();
        let charged = self.ledger.accounts().map(|(lease, account)| {
            (
                *lease,
                Charged {
                    uses: account.uses,
                    fuel: account.fuel,
                },
            )
        });
        Report {
            finding,
            tape: chain.tape,
            host: chain.host,
            records: good,
            proven,
            latest: chain.latest,
            calls: self.intents,
            open_calls,
            calls_without_lease: self.leases.without(),
            leases_verified: self.leases.verified(),
            leases_elsewhere: self.leases.elsewhere().clone(),
            recovered: self.recovered,
            charges: charged.collect(),
            budgets: self.leases.budgets().report(&self.ledger),
            requests: self.requests,
            revocations: self.ledger.revocations().copied(),
            lists_below_least: self.leases.lists().below_least(),
            revoked: self.leases.revoked(&self.ledger),
            missing: Missing {
                requests: self.unshown_requests,
                ..self.leases.missing()
            },
        }
    }
}

fn broken(seq: u64, fault: RecordFault) -> Finding {
    Finding::Broken {
        seq,
        line: seq + 1,
        code: fault.code.to_owned(),
        message: fault.message,
    }
}
