//! Revocation lists: `leasehold_lease::RevocationList`. The bytes are the payload of a list.

use leasehold_lease::{RevocationList, Revocations};
use leasehold_seal::canonical::{self, MAX_INTEGER};
use leasehold_seal::{Coded, Digest, Envelope, PayloadType, Role, Timestamp, Trust, TrustedKey};
use serde::Deserialize;

use crate::keys::{HOST, OTHER};

/// The fields, read by serde alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    version: u64,
    number: u64,
    issued: Timestamp,
    next_update: Timestamp,
    ids: Vec<Digest>,
}

/// The oracle.
pub fn check(data: &[u8]) {
    let envelope = Envelope::sign(PayloadType::REVOCATIONS, data.to_vec(), &[&HOST]);
    let Ok(envelope) = envelope else {
        return;
    };
    let read = RevocationList::read(envelope.clone());
    let fields = canonical::from_slice::<Fields>(data).ok().filter(|fields| {
        fields.version == 1
            && (1..=MAX_INTEGER.unsigned_abs()).contains(&fields.number)
            && fields.issued < fields.next_update
            && fields.ids.windows(2).all(|pair| pair[0] < pair[1])
            && fields.ids.len() <= 65_536
    });
    assert_eq!(read.is_ok(), fields.is_some(), "{:?}", read.err());
    let other = Envelope::sign(PayloadType::LEASE, data.to_vec(), &[&HOST]).expect("an envelope");
    assert!(
        RevocationList::read(other).is_err(),
        "a list under another type"
    );
    let (Ok(list), Some(fields)) = (read, fields) else {
        return;
    };
    let (number, issued, next) = (fields.number, fields.issued, fields.next_update);
    let mut shuffled = [&fields.ids[..], &fields.ids[..]].concat();
    shuffled.reverse();
    let again = RevocationList::sign(number, issued, next, &shuffled, &[&HOST]).expect("a list");
    assert_eq!(
        again.envelope().unverified_payload(),
        data,
        "a list has one form"
    );
    assert_eq!(again.id(), list.id());
    assert_eq!(list.ids(), fields.ids);
    moments(&list);
    decisions(&list);
}

/// Fresh from five minutes before it was issued until it is to be replaced.
fn moments(list: &RevocationList) {
    let early = list.issued().checked_add_millis(-300_000);
    for bound in [early, Some(list.issued()), Some(list.next_update())]
        .into_iter()
        .flatten()
    {
        for now in [-1, 0, 1]
            .into_iter()
            .filter_map(|by| bound.checked_add_millis(by))
        {
            let expected = list.issued().millis_since(now) <= 300_000 && now < list.next_update();
            assert_eq!(list.check_time(now).is_ok(), expected, "at {now}");
        }
    }
}

/// Refused exactly the leases on it, and only a list that a revoker signed is gone by.
fn decisions(list: &RevocationList) {
    let stranger = TrustedKey::new("other", OTHER.public(), [Role::Revoker]);
    let revoker = TrustedKey::new("host", HOST.public(), [Role::Revoker]);
    let trusts = [revoker, stranger].map(|key| Trust::new(vec![key], 1).expect("a trust file"));
    let now = list.issued();
    let lists = Revocations::of(list.clone());
    let fresh = Digest::of(b"a lease that nobody revoked");
    for id in list.ids().iter().take(4).chain([&fresh]) {
        for chain in [vec![*id], vec![fresh, *id], vec![*id, fresh]] {
            let found = lists
                .check(&trusts[0], &chain, now)
                .map_err(|refusal| refusal.code());
            let revoked = chain.iter().any(|lease| list.ids().contains(lease));
            let expected = if revoked {
                Err("LEASE-REVOKED")
            } else {
                Ok(Some(list.seen()))
            };
            assert_eq!(found, expected);
            assert!(
                lists.check(&trusts[1], &chain, now).is_err(),
                "a list by nobody trusted"
            );
        }
    }
}
