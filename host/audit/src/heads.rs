//! Signed checkpoints against the records.

use leasehold_seal::{Coded as _, Digest, KeyId, PublicKey, Role, Trust};
use leasehold_tape::tree::Frontier;
use leasehold_tape::{Checkpoint, Record, RecordFault};

/// The tree so far, and the checkpoints it has to agree with.
pub(crate) struct Heads<'a> {
    frontier: Frontier,
    own: Head<'a>,
    at_least: Head<'a>,
}

struct Head<'a> {
    name: &'static str,
    root_code: &'static str,
    bytes: Option<&'a [u8]>,
    signed: Option<Result<Checkpoint, RecordFault>>,
}

impl<'a> Heads<'a> {
    pub(crate) fn new(own: Option<&'a [u8]>, at_least: Option<&'a [u8]>) -> Self {
        let head = |name, root_code, bytes| Head {
            name,
            root_code,
            bytes,
            signed: None,
        };
        Self {
            frontier: Frontier::new(),
            own: head("checkpoint", "CHECKPOINT-ROOT", own),
            at_least: head("earlier checkpoint", "AUDIT-FORK", at_least),
        }
    }

    /// Verifies the signatures, now that tape and host are known. What is wrong with a checkpoint is
    /// told at the end: a bad record goes first.
    pub(crate) fn begin(&mut self, tape: &Digest, host: PublicKey) {
        for head in [&mut self.own, &mut self.at_least] {
            let name = head.name;
            head.signed = head.bytes.map(|bytes| {
                Checkpoint::open(bytes, tape, &[&host])
                    .map(|signed| signed.checkpoint)
                    .map_err(|error| {
                        RecordFault::new(error.code(), format!("the {name} is wrong: {error}"))
                    })
            });
        }
    }

    /// Takes the next record into the tree; compares where a checkpoint ends with it.
    pub(crate) fn take(
        &mut self,
        record: &Record,
        trust: &Trust,
        host: &KeyId,
    ) -> Result<(), RecordFault> {
        self.frontier.append(record.leaf());
        for head in [&self.own, &self.at_least] {
            let Some(Ok(signed)) = &head.signed else {
                continue;
            };
            if signed.size != self.frontier.size() {
                continue;
            }
            if signed.root != self.frontier.root() {
                return Err(RecordFault::new(
                    head.root_code,
                    format!(
                        "the records up to here are not those the {} was signed over",
                        head.name
                    ),
                ));
            }
            let mut hosts = trust.keys(Role::Host, record.time);
            if !hosts.any(|key| key.id() == *host) {
                return Err(RecordFault::new(
                    "KEY-UNTRUSTED",
                    format!(
                        "the {} ends at a time when its key is not trusted as a host",
                        head.name
                    ),
                ));
            }
        }
        Ok(())
    }

    /// How many records the tape's own checkpoint covers, if it is good.
    pub(crate) fn proven(&self) -> u64 {
        match &self.own.signed {
            Some(Ok(signed)) => signed.size,
            _ => 0,
        }
    }

    /// What is wrong with the checkpoints after all records.
    pub(crate) fn finish(&self, records: u64) -> Result<(), RecordFault> {
        for head in [&self.own, &self.at_least] {
            match &head.signed {
                Some(Err(fault)) => return Err(fault.clone()),
                Some(Ok(signed)) if signed.size > records => {
                    return Err(RecordFault::new(
                        "TAPE-TRUNCATED",
                        format!(
                            "the tape has {records} records, the {} was signed over {}",
                            head.name, signed.size
                        ),
                    ));
                }
                Some(Ok(signed)) if signed.size == 0 => {
                    return Err(RecordFault::new(
                        head.root_code,
                        format!("the {} is over no records", head.name),
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
