//! The trust file: `leasehold_seal::Trust`.

use std::collections::BTreeSet;

use leasehold_seal::{Coded, KeyId, Role, Timestamp, Trust, canonical};

use crate::keys::NOW;

/// The oracle.
pub fn check(data: &[u8]) {
    let Ok(trust) = Trust::parse(data) else {
        return;
    };
    let keys = trust.all_keys();
    let names: BTreeSet<&str> = keys.iter().map(|key| key.name()).collect();
    assert_eq!(names.len(), keys.len());
    let seconds = || {
        keys.iter()
            .filter_map(|key| key.second())
            .map(|second| second.id())
    };
    let ids: BTreeSet<KeyId> = keys.iter().map(|key| key.id()).chain(seconds()).collect();
    assert_eq!(ids.len(), keys.len() + seconds().count(), "a key twice");
    for rule in trust.approvals() {
        let approvers = keys
            .iter()
            .filter(|key| key.has_role(Role::Approver) && rule.counts(key));
        assert!(
            rule.needed() >= 1 && rule.needed() <= approvers.count(),
            "out of reach: {rule}"
        );
    }
    for role in Role::ALL {
        assert!(trust.threshold(role) >= 1);
        let holders = trust.all_keys().iter().filter(|key| key.has_role(role));
        assert!(trust.threshold(role) <= holders.count().max(1));
        moments(&trust, role);
    }
    match trust.to_json() {
        Ok(written) => {
            assert!(canonical::from_slice::<canonical::Value>(&written).is_ok());
            let again = Trust::parse(&written).expect("what we write, we read");
            assert_eq!(again, trust);
            assert_eq!(again.to_json().as_ref(), Ok(&written));
            assert_eq!(again.digest(), trust.digest());
        }
        Err(error) => assert_eq!(error.code(), "JSON-TOO-LARGE"),
    }
}

/// A key counts exactly within its window, to the millisecond.
fn moments(trust: &Trust, role: Role) {
    for key in trust.all_keys() {
        let end = key.ends().find(|(of, _)| *of == role).map(|(_, end)| end);
        let bounds = [key.not_before(), key.not_after(), end, Some(*NOW)];
        for bound in bounds.into_iter().flatten() {
            for moment in [-1, 0, 1]
                .map(|by| bound.checked_add_millis(by))
                .into_iter()
                .flatten()
            {
                let listed = trust.keys(role, moment).any(|other| other.id() == key.id());
                let expected = key.has_role(role)
                    && within(key.not_before(), key.not_after(), moment)
                    && within(None, end, moment);
                assert_eq!(listed, expected, "{:?} as {role} at {moment}", key.name());
            }
        }
    }
}

fn within(start: Option<Timestamp>, end: Option<Timestamp>, at: Timestamp) -> bool {
    start.is_none_or(|start| start <= at) && end.is_none_or(|end| at < end)
}
