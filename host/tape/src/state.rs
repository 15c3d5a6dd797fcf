//! What a host remembers of its tape, so that opening does not read it from the start.
//!
//! Two lines: JSON, and the HMAC-SHA256 over `leasehold/tape-state/v2`, a line feed and that JSON,
//! in lower-case hex. The file is a cache: missing, torn, foreign, edited or of an older form means reading the tape.
//! It is only ever written over durable records.

use std::collections::HashMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use leasehold_seal::{Digest, KeyId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::call::Charge;
use crate::lease::ListSeen;
use crate::ledger::{Account, Ledger};
use crate::reader::Chain;
use crate::tail::{Head, Tail};
use crate::tree::Frontier;

/// Longest state file that is read, in bytes.
pub(crate) const MAX_STATE: u64 = 64 << 20;

const DOMAIN: &[u8] = b"leasehold/tape-state/v2\n";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    tape: Digest,
    host: KeyId,
    bytes: u64,
    records: u64,
    nodes: Vec<Digest>,
    last_leaf: Digest,
    last_line: u64,
    latest: Timestamp,
    closed: bool,
    head: Option<StoredHead>,
    accounts: Vec<(Digest, Account)>,
    open: Vec<(String, Vec<Charge>)>,
    list: Option<ListSeen>,
    presentations: Vec<(String, Timestamp)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredHead {
    size: u64,
    file: Digest,
}

/// The state file for this tail; `None` for an empty tape.
pub(crate) fn encode(tail: &Tail, key: &[u8; 32]) -> Option<Vec<u8>> {
    let mut ledger = tail.ledger.clone();
    let latest = tail.chain.latest?;
    ledger.forget_expired(latest);
    let state = State {
        tape: tail.chain.tape?,
        host: tail.chain.host?,
        bytes: tail.bytes,
        records: tail.chain.next,
        nodes: tail.frontier.nodes().to_vec(),
        last_leaf: tail.chain.last?,
        last_line: tail.last_line,
        latest,
        closed: tail.closed,
        head: tail.head.as_ref().map(|head| StoredHead {
            size: head.size,
            file: head.file,
        }),
        accounts: ledger
            .accounts()
            .map(|(lease, account)| (*lease, *account))
            .collect(),
        open: ledger
            .open_charges()
            .map(|(call, charges)| (call.to_owned(), charges.to_vec()))
            .collect(),
        list: ledger.revocations().copied(),
        presentations: ledger
            .presentations()
            .map(|(nonce, expires)| (nonce.to_owned(), expires))
            .collect(),
    };
    let mut bytes = serde_json::to_vec(&state).ok()?;
    let tag = Digest::from_bytes(mac(key, &bytes)?.finalize().into_bytes().into()).hex();
    bytes.push(b'\n');
    bytes.extend_from_slice(tag.as_bytes());
    bytes.push(b'\n');
    Some(bytes)
}

/// Reads a state file; `None` when it is not one that this host wrote.
pub(crate) fn decode(bytes: &[u8], key: &[u8; 32]) -> Option<Tail> {
    let line = bytes.strip_suffix(b"\n")?;
    let (json, tag) = line.split_at_checked(line.len().checked_sub(65)?)?;
    let tag = str::from_utf8(tag.strip_prefix(b"\n")?).ok()?;
    let tag: Digest = format!("sha256:{tag}").parse().ok()?;
    mac(key, json)?.verify_slice(tag.as_bytes()).ok()?;
    let state: State = serde_json::from_slice(json).ok()?;
    let accounts: HashMap<_, _> = state.accounts.into_iter().collect();
    let open: HashMap<_, _> = state.open.into_iter().collect();
    let nonces = state.presentations.into_iter().collect();
    Some(Tail {
        chain: Chain {
            tape: Some(state.tape),
            host: Some(state.host),
            next: state.records,
            last: Some(state.last_leaf),
            latest: Some(state.latest),
        },
        bytes: state.bytes,
        last_line: state.last_line,
        frontier: Frontier::from_parts(state.records, state.nodes)?,
        ledger: Ledger::from_parts(accounts, open, state.list, nonces),
        closed: state.closed,
        saved: state.records,
        head: state.head.map(|head| Head {
            size: head.size,
            file: head.file,
        }),
    })
}

fn mac(key: &[u8; 32], json: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(DOMAIN);
    mac.update(json);
    Some(mac)
}
