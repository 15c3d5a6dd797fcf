//! Results kept and used again: by what decides them and by what the calls actually read.
//!
//! An entry names the outcome it stands for; verdict and status are read from the tape, never from the entry. It counts when
//! everything the call had read is as it was: contents, listings, absences.

use std::path::Path;

use leasehold_files::{Difference, FileRules, ReadSet, Survey};
use leasehold_sandbox::{CallKey, Original, Outcome};
use leasehold_seal::{Digest, Timestamp};
use leasehold_tape::call as body;
use leasehold_tape::verdict::{GateVerdict, Verdict};
use leasehold_tape::{Appended, Kind, Store, Tape};
use serde::{Deserialize, Serialize};

use crate::kept::{Found, Kept};

/// Entries that are kept at most.
const MOST: usize = 4_096;

/// The results of one workspace.
#[derive(Clone)]
pub struct ResultCache {
    kept: Kept,
    digests: Kept,
    workspace: String,
}

/// A place on the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    leaf: Digest,
    offset: u64,
    seq: u64,
}

impl Place {
    fn appended(self) -> Appended {
        let Place { leaf, offset, seq } = self;
        Appended { seq, leaf, offset }
    }
}

/// The start of an entry; the read set follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    call: String,
    /// Where the guest's clock started, if the guest looked at it.
    clock_base: Option<Timestamp>,
    intent: Place,
    outcome: Place,
    tape: Digest,
    verdict: Option<Place>,
}

/// An earlier result that may be used again.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The call and where its outcome stands.
    pub original: Original,
    /// Where its intent stands.
    pub intent: Appended,
    /// The outcome, from the tape.
    pub outcome: body::Outcome,
    /// The gate's verdict, from tape or store.
    pub verdict: Option<Verdict>,
}

/// Why there is nothing to use again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// No call with these inputs has left a result.
    Unknown,
    /// The entry is not one that this host has written.
    Altered,
    /// The guest looked at the time of day, which is another one now.
    Clock(Timestamp),
    /// Something that the call had read is different.
    Changed(Difference),
    /// The outcome is not on this tape.
    Gone,
}

impl std::fmt::Display for Miss {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Miss::Unknown => formatter.write_str(
                "no result is kept for this plugin, engine, rights, configuration and arguments",
            ),
            Miss::Altered => {
                formatter.write_str("the entry was altered or damaged, so it does not count")
            }
            Miss::Clock(base) => write!(
                formatter,
                "the plugin looked at the time of day, which was {base} then"
            ),
            Miss::Changed(difference) => difference.fmt(formatter),
            Miss::Gone => formatter.write_str("the outcome it names is not on this tape"),
        }
    }
}

impl ResultCache {
    /// The results of a workspace, below `folder`, authenticated with a key.
    pub fn new(folder: &Path, key: [u8; 32], workspace: &Digest) -> Self {
        ResultCache {
            kept: Kept::new(&folder.join("results"), key, "leasehold results v1"),
            digests: Kept::new(&folder.join("digests"), key, "leasehold digests v1"),
            workspace: workspace.hex(),
        }
    }

    /// The name of an entry: by what decides the result and by the workspace, so that two of them do not take each other's place.
    fn name(&self, key: &CallKey) -> String {
        let both = format!("{}\n{}", key.digest, self.workspace);
        Digest::of(both.as_bytes()).hex()
    }

    /// What is known of the contents of the workspace, as it was kept.
    pub fn digests(&self) -> Option<Vec<u8>> {
        match self.digests.get(&self.workspace) {
            Found::Sound(bytes) => Some(bytes),
            Found::Missing | Found::Altered => None,
        }
    }

    /// Keeps what is known of the contents of the workspace.
    pub fn keep_digests(&self, bytes: &[u8]) {
        if let Err(error) = self.digests.put(&self.workspace, bytes) {
            tracing::warn!(%error, "digests were not kept");
        }
        self.digests.prune(64);
        self.kept.prune(MOST);
    }

    /// Looks for a result that holds for the workspace as it is now.
    ///
    /// # Errors
    /// [`Miss`] says why there is none.
    pub fn find(
        &self,
        key: &CallKey,
        survey: &Survey,
        rules: &dyn FileRules,
        (tape, store): (&Tape, &Store),
    ) -> Result<Hit, Miss> {
        let bytes = match self.kept.get(&self.name(key)) {
            Found::Sound(bytes) => bytes,
            Found::Missing => return Err(Miss::Unknown),
            Found::Altered => return Err(Miss::Altered),
        };
        let (head, reads) = decode(&bytes).ok_or(Miss::Altered)?;
        if head.tape != *tape.id() {
            return Err(Miss::Gone);
        }
        if let Some(base) = head.clock_base
            && base != key.clock_base
        {
            return Err(Miss::Clock(base));
        }
        survey.check(&reads, rules).map_err(Miss::Changed)?;
        let (outcome, verdict) = recorded(&head, tape, store).ok_or(Miss::Gone)?;
        // What was compared is what that call read, by its own record, and that call came to a verdict.
        let verdicts = [None, Some("GATE-FAILED"), Some("GATE-SKIPPED")];
        if reads.digest() != outcome.reads
            || !verdicts.contains(&outcome.code.as_deref())
            || outcome.writes_total > 0
            || outcome.coverage.denied > 0
        {
            return Err(Miss::Altered);
        }
        Ok(Hit {
            intent: head.intent.appended(),
            original: Original {
                call: head.call,
                seq: head.outcome.seq,
                leaf: head.outcome.leaf,
                reads: outcome.reads,
            },
            outcome,
            verdict,
        })
    }

    /// Keeps the result of a call that came to a verdict, where it can be found out later whether it would come to it again.
    pub fn keep(&self, key: &CallKey, tape: &Digest, outcome: &Outcome) {
        if !is_verdict(outcome) || outcome.reads.reusable().is_err() {
            return;
        }
        let place = |appended: &Appended| Place {
            leaf: appended.leaf,
            offset: appended.offset,
            seq: appended.seq,
        };
        let head = Head {
            call: outcome.call.clone(),
            clock_base: outcome.told_time.then_some(key.clock_base),
            intent: place(&outcome.receipt.intent),
            outcome: place(&outcome.receipt.outcome),
            tape: *tape,
            verdict: outcome.receipt.verdict.as_ref().map(place),
        };
        let stored =
            encode(&head, &outcome.reads).and_then(|bytes| self.kept.put(&self.name(key), &bytes));
        if let Err(error) = stored {
            tracing::warn!(%error, "a result was not kept");
        }
    }
}

/// Only a judgement that nothing kept from being complete is used again: not errors, refusals, limits.
fn is_verdict(outcome: &Outcome) -> bool {
    let judged = matches!(
        outcome.summary.code,
        None | Some("GATE-FAILED" | "GATE-SKIPPED")
    );
    judged
        && outcome.denials.list.is_empty()
        && outcome.refused_imports.is_empty()
        && outcome.changes.list.is_empty()
}

fn encode(head: &Head, reads: &ReadSet) -> std::io::Result<Vec<u8>> {
    let head = serde_json::to_vec(head)?;
    let length = u32::try_from(head.len()).map_err(std::io::Error::other)?;
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(&reads.encode());
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Option<(Head, ReadSet)> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (head, reads) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((
        serde_json::from_slice(head).ok()?,
        ReadSet::decode(reads).ok()?,
    ))
}

/// What the tape says of the call that the entry names.
fn recorded(head: &Head, tape: &Tape, store: &Store) -> Option<(body::Outcome, Option<Verdict>)> {
    let read = |place: &Place, kind: Kind| {
        let record = tape.read(&place.appended()).ok()?;
        (record.kind == kind).then_some(record)
    };
    let outcome: body::Outcome = read(&head.outcome, Kind::CallOutcome)?.body().ok()?;
    if outcome.call != head.call {
        return None;
    }
    let Some(place) = &head.verdict else {
        return Some((outcome, None));
    };
    let said: GateVerdict = read(place, Kind::GateVerdict)?.body().ok()?;
    if said.call != head.call || Some(said.digest) != outcome.result {
        return None;
    }
    let verdict = match said.verdict {
        Some(verdict) => verdict,
        None => serde_json::from_slice(&store.get(&said.digest).ok()?).ok()?,
    };
    Some((outcome, Some(verdict)))
}
