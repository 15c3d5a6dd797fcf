//! Revocation lists, presentations and requests: what the tape refuses, and its twin that it takes.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use leasehold_seal::{Class, Coded as _, Digest, KeyId, Role, SecretKey, Timestamp, canonical};
use leasehold_tape::call::Ending;
use leasehold_tape::lease::{MAX_NEW_REVOKED, MAX_PARENTS};
use leasehold_tape::{
    Draft, Durability, EffectHttp, EffectHttpAnswered, KeyRotated, Kind, LeaseRevoked,
    LeaseVerified, ListSeen, Presented, Tape, TapeError,
};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::Sha256;
use support::{
    DIR, MAC_KEY, START, SimDisk, TestClock, host_key, intent, lease, note, open, options, outcome,
    path,
};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(START + millis).unwrap()
}

fn list(number: u64, name: &str) -> ListSeen {
    ListSeen {
        list: Digest::of(name.as_bytes()),
        number,
    }
}

fn revoked(number: u64, name: &str) -> LeaseRevoked {
    LeaseRevoked {
        envelope: Digest::of(format!("envelope of {name}").as_bytes()),
        issued: at(0),
        list: list(number, name).list,
        new: vec![Digest::of(b"a lease")],
        next_update: at(60_000),
        number,
        total: 3,
    }
}

fn verified(list: Option<ListSeen>, nonce: Option<(&str, i64)>) -> LeaseVerified {
    LeaseVerified {
        presentation: nonce.map(|(nonce, expires)| Presented {
            digest: Digest::of(b"presentation"),
            expires: at(expires),
            nonce: nonce.to_owned(),
        }),
        revocations: list,
        ..LeaseVerified::new(Digest::of(b"envelope"), lease(), at(0), at(3_600_000))
    }
}

fn put(tape: &Tape, drafts: Vec<Draft>) -> Result<(), TapeError> {
    tape.append(drafts, Durability::Written).map(|_| ())
}

fn in_force(tape: &Tape, body: &LeaseRevoked) -> Result<(), TapeError> {
    put(tape, vec![Draft::new(Kind::LeaseRevoked, body)?])
}

fn verify(tape: &Tape, body: &LeaseVerified) -> Result<(), TapeError> {
    put(tape, vec![Draft::lease_verified(body)?])
}

fn code(result: Result<(), TapeError>) -> &'static str {
    let error = result.unwrap_err();
    if !matches!(error, TapeError::Body(_) | TapeError::CallUnknown(_)) {
        // Two lists of one number are no matter of rights: one of them is not what it claims to be.
        let class = match error {
            TapeError::RevocationFork { .. } => Class::Integrity,
            _ => Class::Refused,
        };
        assert_eq!(error.class(), class);
        assert!(error.hint().is_some());
    }
    error.code()
}

fn latest(tape: &Tape) -> Option<ListSeen> {
    let mut seen = None;
    tape.append_checked(
        |state| {
            seen = state.ledger.revocations().copied();
            Ok::<_, TapeError>(Vec::new())
        },
        Durability::Written,
    )
    .unwrap();
    seen
}

const NONCE: &str = "nonce-of_16-char";

#[test]
fn an_older_list_is_refused_and_a_later_one_is_not() {
    let tape = open(&SimDisk::new()).unwrap();
    assert_eq!(latest(&tape), None);
    in_force(&tape, &revoked(7, "seven")).unwrap();
    assert_eq!(code(in_force(&tape, &revoked(6, "six"))), "REVOCATION-OLD");
    // Putting it in force again changes nothing.
    in_force(&tape, &revoked(7, "seven")).unwrap();
    in_force(&tape, &revoked(9, "nine")).unwrap();
    assert_eq!(latest(&tape), Some(list(9, "nine")));
}

#[test]
fn two_lists_of_one_number_are_a_fork() {
    let tape = open(&SimDisk::new()).unwrap();
    in_force(&tape, &revoked(7, "seven")).unwrap();
    let other = revoked(7, "another seven");
    assert_eq!(code(in_force(&tape, &other)), "REVOCATION-FORK");
    let checked = verified(Some(list(7, "another seven")), None);
    assert_eq!(code(verify(&tape, &checked)), "REVOCATION-FORK");
    verify(&tape, &verified(Some(list(7, "seven")), None)).unwrap();
}

#[test]
fn a_lease_is_checked_against_no_older_list_than_the_tape_has_seen() {
    let tape = open(&SimDisk::new()).unwrap();
    verify(&tape, &verified(None, None)).unwrap();
    // Such a record makes a list known, too.
    verify(&tape, &verified(Some(list(3, "three")), None)).unwrap();
    assert_eq!(
        code(verify(&tape, &verified(None, None))),
        "REVOCATION-MISSING"
    );
    let old = verified(Some(list(2, "two")), None);
    assert_eq!(code(verify(&tape, &old)), "REVOCATION-OLD");
    assert_eq!(code(in_force(&tape, &revoked(2, "two"))), "REVOCATION-OLD");
    verify(&tape, &verified(Some(list(3, "three")), None)).unwrap();
    verify(&tape, &verified(Some(list(4, "four")), None)).unwrap();
    assert_eq!(latest(&tape), Some(list(4, "four")));
}

#[test]
fn a_decision_sees_what_it_would_be_refused_for() {
    let tape = open(&SimDisk::new()).unwrap();
    let four = list(4, "four");
    verify(&tape, &verified(Some(four), Some((NONCE, 60_000)))).unwrap();
    tape.append_checked(
        |state| {
            let refused = |list: Option<ListSeen>| {
                let checked = state.ledger.check_list(list.as_ref());
                checked.map_err(|error| error.code())
            };
            assert_eq!(refused(None), Err("REVOCATION-MISSING"));
            assert_eq!(refused(Some(list(3, "three"))), Err("REVOCATION-OLD"));
            assert_eq!(refused(Some(list(4, "4"))), Err("REVOCATION-FORK"));
            assert_eq!(refused(Some(four)), Ok(()));
            assert!(state.ledger.knows_presentation(NONCE));
            assert!(!state.ledger.knows_presentation("another-nonce-16"));
            Ok::<_, TapeError>(Vec::new())
        },
        Durability::Written,
    )
    .unwrap();
}

#[test]
fn a_batch_is_held_to_its_own_records() {
    let tape = open(&SimDisk::new()).unwrap();
    let list_of = |number, name| Draft::new(Kind::LeaseRevoked, &revoked(number, name)).unwrap();
    let lease_of = |list, nonce| Draft::lease_verified(&verified(list, nonce)).unwrap();
    let refused = [
        (
            vec![list_of(7, "seven"), list_of(6, "six")],
            "REVOCATION-OLD",
        ),
        (
            vec![list_of(7, "seven"), lease_of(None, None)],
            "REVOCATION-MISSING",
        ),
        (
            vec![
                lease_of(None, Some((NONCE, 1))),
                lease_of(None, Some((NONCE, 2))),
            ],
            "PRESENTATION-REPLAYED",
        ),
    ];
    for (batch, expected) in refused {
        assert_eq!(code(put(&tape, batch)), expected);
        assert_eq!(tape.size(), 1);
    }
    put(
        &tape,
        vec![
            list_of(6, "six"),
            list_of(7, "seven"),
            lease_of(Some(list(7, "seven")), Some((NONCE, 1))),
        ],
    )
    .unwrap();
}

#[test]
fn a_presentation_serves_once_whatever_tape_handle_sees_it() {
    let disk = SimDisk::new();
    let (one, other) = (open(&disk).unwrap(), open(&disk).unwrap());
    verify(&one, &verified(None, Some((NONCE, 60_000)))).unwrap();
    // The nonce counts, not the bytes: another end, another signature do not help.
    for expires in [60_000, 60_001] {
        let again = verified(None, Some((NONCE, expires)));
        assert_eq!(code(verify(&other, &again)), "PRESENTATION-REPLAYED");
    }
    verify(&other, &verified(None, Some(("another-nonce-16", 60_000)))).unwrap();
    // A fresh state file, and none.
    other.close().unwrap();
    drop((one, other));
    for file in [true, false] {
        if !file {
            disk.remove(path("state"));
        }
        let again = open(&disk).unwrap();
        let used = verified(None, Some((NONCE, 60_000)));
        assert_eq!(code(verify(&again, &used)), "PRESENTATION-REPLAYED");
    }
}

#[test]
fn lists_are_remembered_by_the_state_file_and_without_it() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    in_force(&tape, &revoked(7, "seven")).unwrap();
    tape.close().unwrap();
    drop(tape);
    for file in [true, false] {
        if !file {
            disk.remove(path("state"));
        }
        let tape = open(&disk).unwrap();
        assert_eq!(latest(&tape), Some(list(7, "seven")));
        assert_eq!(code(in_force(&tape, &revoked(6, "six"))), "REVOCATION-OLD");
    }
}

/// The state file as the version before lists and presentations wrote it, rightly MACed.
fn old_form(state: &[u8]) -> Vec<u8> {
    let json = state.split(|byte| *byte == b'\n').next().unwrap();
    let mut fields: Map<String, Value> = serde_json::from_slice(json).unwrap();
    assert!(fields.remove("list").is_some() && fields.remove("presentations").is_some());
    let mut bytes = serde_json::to_vec(&fields).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&MAC_KEY).unwrap();
    mac.update(b"leasehold/tape-state/v1\n");
    mac.update(&bytes);
    let tag = Digest::from_bytes(mac.finalize().into_bytes().into()).hex();
    bytes.extend_from_slice(format!("\n{tag}\n").as_bytes());
    bytes
}

#[test]
fn a_state_file_of_the_old_form_hides_no_list_and_no_nonce() {
    let disk = SimDisk::new();
    let tape = open(&disk).unwrap();
    let seven = Some(list(7, "seven"));
    verify(&tape, &verified(seven, Some((NONCE, 60_000)))).unwrap();
    tape.close().unwrap();
    drop(tape);
    disk.put(path("state"), &old_form(&disk.read(path("state")).unwrap()));
    let tape = open(&disk).unwrap();
    assert_eq!(latest(&tape), seven);
    let again = verified(seven, Some((NONCE, 60_000)));
    assert_eq!(code(verify(&tape, &again)), "PRESENTATION-REPLAYED");
}

#[test]
fn a_nonce_is_forgotten_once_no_record_could_carry_it_and_not_before() {
    let disk = SimDisk::new();
    let clock = TestClock::new();
    let open = || {
        let clock = Arc::clone(&clock);
        Tape::open_with(Path::new(DIR), host_key(), &MAC_KEY, clock, options(&disk)).unwrap()
    };
    let held = |tape: &Tape| {
        tape.close().unwrap();
        let state = disk.read(path("state")).unwrap();
        String::from_utf8(state).unwrap().contains(NONCE)
    };
    let tape = open();
    verify(&tape, &verified(None, Some((NONCE, 60_000)))).unwrap();
    clock.advance(59_999);
    let again = verified(None, Some((NONCE, 60_000)));
    assert_eq!(code(verify(&tape, &again)), "PRESENTATION-REPLAYED");
    clock.advance(300_001);
    put(&tape, vec![note("later")]).unwrap();
    assert!(held(&tape));
    clock.advance(1);
    put(&tape, vec![note("later still")]).unwrap();
    assert!(!held(&tape));
    drop(tape);
    let tape = open();
    // Forgotten, and refused all the same: even by a clock that was set back as far as it may be.
    clock.advance(-300_000);
    let result = verify(&tape, &again);
    assert_eq!(code(result), "PRESENTATION-EXPIRED");
}

#[test]
fn a_presentation_ends_after_its_record_and_not_long_after() {
    let tape = open(&SimDisk::new()).unwrap();
    let ends = |expires, nonce| verify(&tape, &verified(None, Some((nonce, expires))));
    assert_eq!(code(ends(0, "nonce-16-chars-0")), "PRESENTATION-EXPIRED");
    assert_eq!(code(ends(900_001, "nonce-16-chars-1")), "RECORD-BODY");
    ends(1, "nonce-16-chars-2").unwrap();
    ends(900_000, "nonce-16-chars-3").unwrap();
}

fn request(call: &str, n: u64) -> EffectHttp {
    EffectHttp {
        address: Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7))),
        call: call.to_owned(),
        host: "api.example.com".to_owned(),
        method: "GET".to_owned(),
        n,
        path: Digest::of(b"salted"),
        port: 443,
        scheme: "https".to_owned(),
        secrets: vec!["api-token".to_owned()],
    }
}

fn answer(call: &str, n: u64) -> EffectHttpAnswered {
    EffectHttpAnswered {
        call: call.to_owned(),
        code: None,
        n,
        received: 12,
        sent: 0,
        status: Some(200),
    }
}

#[test]
fn a_request_has_an_open_call() {
    let tape = open(&SimDisk::new()).unwrap();
    let send = |call: &str| put(&tape, vec![Draft::http(&request(call, 0))?]);
    let answered = |call: &str| put(&tape, vec![Draft::http_answered(&answer(call, 0))?]);
    assert_eq!(code(send("c1")), "CALL-UNKNOWN");
    put(&tape, vec![Draft::intent(&intent("c1", 10)).unwrap()]).unwrap();
    send("c1").unwrap();
    assert_eq!(code(send("c2")), "CALL-UNKNOWN");
    answered("c1").unwrap();
    let end = Draft::outcome(&outcome("c1", Ending::Returned, 1)).unwrap();
    // What an abandoned call still wants to send.
    let late = vec![end.clone(), Draft::http(&request("c1", 1)).unwrap()];
    assert_eq!(code(put(&tape, late)), "CALL-UNKNOWN");
    put(&tape, vec![end]).unwrap();
    assert_eq!(code(send("c1")), "CALL-UNKNOWN");
    assert_eq!(code(answered("c1")), "CALL-UNKNOWN");
}

/// The same record by the fast way and by the one that sorts and reads it again.
fn same(kind: Kind, body: &impl Serialize, fast: Draft) {
    let slow = Draft::new(kind, body).unwrap();
    assert_eq!(fast.kind(), slow.kind());
    assert_eq!(fast.body(), slow.body());
    assert_eq!(fast.body(), canonical::to_vec(body).unwrap());
}

#[test]
fn the_fast_way_of_writing_these_bodies_is_canonical() {
    let mut whole = verified(Some(list(1, "one")), Some((NONCE, 1)));
    whole.chain = vec![Digest::of(b"parent"), Digest::of(b"root")];
    whole.trust = Some(Digest::of(b"trust"));
    for body in [whole, verified(None, None)] {
        same(
            Kind::LeaseVerified,
            &body,
            Draft::lease_verified(&body).unwrap(),
        );
    }
    let mut bare = request("c1", 0);
    (bare.address, bare.secrets) = (None, Vec::new());
    for body in [request("c1", 0), bare] {
        same(Kind::EffectHttp, &body, Draft::http(&body).unwrap());
    }
    let body = answer("c1", 3);
    same(
        Kind::EffectHttpAnswered,
        &body,
        Draft::http_answered(&body).unwrap(),
    );
    let body = revoked(1, "one");
    let sorted = Draft::sorted(Kind::LeaseRevoked, &body).unwrap();
    same(Kind::LeaseRevoked, &body, sorted);
    let body = rotated();
    let sorted = Draft::sorted(Kind::KeyRotated, &body).unwrap();
    same(Kind::KeyRotated, &body, sorted);
}

#[test]
fn a_record_of_the_old_form_is_the_same_as_ever() {
    let body = LeaseVerified::new(Digest::of(b"e"), Digest::of(b"l"), at(0), at(1));
    let text = format!(
        "{{\"envelope\":\"{}\",\"expires\":\"2026-01-01T00:00:00.001Z\",\"lease\":\"{}\",\"not_before\":\"2026-01-01T00:00:00Z\"}}",
        body.envelope, body.lease
    );
    assert_eq!(
        Draft::lease_verified(&body).unwrap().body(),
        text.as_bytes()
    );
}

fn key(seed: u8) -> KeyId {
    SecretKey::from_seed([seed; 32]).public().key_id()
}

fn rotated() -> KeyRotated {
    KeyRotated {
        current: key(1),
        name: "release-2".to_owned(),
        previous: key(2),
        roles: vec![Role::Issuer, Role::Revoker],
        until: at(1),
    }
}

/// What is changed, in words, and how.
type Change<'a, T> = (&'a str, &'a dyn Fn(&mut T));

/// The body is taken as it is, and refused with any of the changes.
fn refused<T: Serialize + Clone>(kind: &Kind, good: &T, changes: &[Change<'_, T>]) {
    Draft::new(kind.clone(), good).unwrap();
    for (what, change) in changes {
        let mut body = good.clone();
        change(&mut body);
        let error = Draft::new(kind.clone(), &body).unwrap_err();
        assert_eq!(error.code(), "RECORD-BODY", "{kind} with {what}");
    }
}

#[test]
fn malformed_bodies_of_leases_lists_and_keys_are_refused() {
    let digests = |count: usize| -> Vec<Digest> {
        let mut all: Vec<_> = (0..count).map(|n| Digest::of(&n.to_be_bytes())).collect();
        all.sort_unstable();
        all
    };
    let mut longest = verified(Some(list((1 << 53) - 1, "last")), Some((NONCE, 1)));
    longest.chain = digests(MAX_PARENTS);
    let envelope = longest.envelope;
    refused::<LeaseVerified>(
        &Kind::LeaseVerified,
        &longest,
        &[
            ("16 parents", &|body| body.chain = digests(MAX_PARENTS + 1)),
            ("its own parent", &|body| body.chain[3] = envelope),
            ("a parent twice", &|body| body.chain[3] = body.chain[2]),
            ("2^53", &|body| {
                body.revocations = Some(list(1 << 53, "last"))
            }),
            ("a short nonce", &|body| nonce(body, &NONCE[1..])),
            ("a long nonce", &|body| nonce(body, &"n".repeat(65))),
            ("a space in the nonce", &|body| {
                nonce(body, "nonce of 16 char")
            }),
        ],
    );
    let mut largest = revoked(1, "one");
    (largest.new, largest.total) = (digests(MAX_NEW_REVOKED), 10_000);
    refused::<LeaseRevoked>(
        &Kind::LeaseRevoked,
        &largest,
        &[
            ("257 new", &|body| body.new = digests(MAX_NEW_REVOKED + 1)),
            ("65,537", &|body| body.total += 1),
            ("more new than there are", &|body| body.total = 255),
            ("disorder", &|body| body.new.reverse()),
            ("one twice", &|body| body.new[1] = body.new[0]),
            ("no time", &|body| body.next_update = body.issued),
            ("2^53", &|body| body.number = 1 << 53),
        ],
    );
    refused::<KeyRotated>(
        &Kind::KeyRotated,
        &rotated(),
        &[
            ("itself", &|body| body.previous = body.current),
            ("no name", &|body| body.name.clear()),
            ("a long name", &|body| body.name = "n".repeat(129)),
            ("a line feed", &|body| body.name.push('\n')),
            ("no roles", &|body| body.roles.clear()),
            ("disorder", &|body| body.roles.reverse()),
            ("a role twice", &|body| body.roles[1] = body.roles[0]),
        ],
    );
}

fn nonce(body: &mut LeaseVerified, nonce: &str) {
    body.presentation.as_mut().unwrap().nonce = nonce.to_owned();
}

#[test]
fn malformed_bodies_of_requests_are_refused() {
    refused::<EffectHttp>(
        &Kind::EffectHttp,
        &request("c1", 0),
        &[
            ("no call", &|body| body.call.clear()),
            ("2^53", &|body| body.n = 1 << 53),
            ("port 0", &|body| body.port = 0),
            ("no host", &|body| body.host.clear()),
            ("a long host", &|body| body.host = "h".repeat(256)),
            ("a space in the method", &|body| body.method = "GET ".into()),
            ("ftp", &|body| body.scheme = "ftp".into()),
            ("65 secrets", &|body| body.secrets = vec!["s".into(); 65]),
            ("a capital", &|body| body.secrets = vec!["S".into()]),
        ],
    );
    refused::<EffectHttpAnswered>(
        &Kind::EffectHttpAnswered,
        &answer("c1", 0),
        &[
            ("no call", &|body| body.call.clear()),
            ("2^53 as n", &|body| body.n = 1 << 53),
            ("2^53 received", &|body| body.received = 1 << 53),
            ("2^53 sent", &|body| body.sent = 1 << 53),
        ],
    );
}
