//! Presentations: `leasehold_lease::Presentation`. The first byte chooses who signs, the others are the payload.

use std::sync::LazyLock;

use leasehold_lease::{Audience, Here, Holder, LeaseDoc, Presentation, Revocations, verify};
use leasehold_seal::canonical;
use leasehold_seal::{Coded, Envelope, PayloadType, PublicKey};

use crate::choices::{holder_key, key_id};
use crate::keys::{HOST, ISSUER, NOW, TRUST};

/// A lease for the holder of the first key, good everywhere.
pub static LEASE: LazyLock<Envelope> = LazyLock::new(|| {
    let document = LeaseDoc {
        version: 1,
        issuer: ISSUER.public().key_id(),
        holder: Holder::Key(key_id(0)),
        audience: Audience::Any,
        intent: None,
        parent: None,
        depth: 0,
        nonce: "leasehold-fuzzing".to_owned(),
        not_before: *NOW,
        expires: NOW.checked_add_millis(86_400_000).expect("a moment"),
        grants: Vec::new(),
        budget: None,
    };
    document.sign(&[&ISSUER]).expect("a lease")
});

/// The oracle.
pub fn check(data: &[u8]) {
    let Some((signer, payload)) = data.split_first() else {
        return;
    };
    let signer = signer % 2;
    let key = holder_key(signer);
    let sign = |of| Envelope::sign(of, payload.to_vec(), &[&key]);
    let (Ok(envelope), Ok(other)) = (sign(PayloadType::PRESENTATION), sign(PayloadType::LEASE))
    else {
        return;
    };
    assert!(
        Presentation::read(&other).is_err(),
        "a presentation under another type"
    );
    let read = Presentation::read(&envelope);
    if let Ok(presentation) = &read {
        assert_eq!(canonical::to_vec(presentation).expect("as read"), payload);
        assert!((16..=64).contains(&presentation.nonce.len()));
    }
    let host = HOST.public().key_id();
    for now in
        [0, 1, 599_999, 600_000, 600_001].map(|by| NOW.checked_add_millis(by).expect("a moment"))
    {
        let here = Here {
            presentation: Some(&envelope),
            ..Here::new(host, now)
        };
        let verified = verify(
            std::slice::from_ref(&*LEASE),
            &TRUST,
            &Revocations::none(),
            &here,
        );
        let expected = read.as_ref().is_ok_and(|presentation| {
            let ahead = presentation.expires.millis_since(now);
            signer == 0
                && presentation.lease == LEASE.id()
                && presentation.host == host
                && names(&presentation.key, &holder_key(0).public())
                && 0 < ahead
                && ahead <= 600_000
        });
        assert_eq!(
            verified.is_ok(),
            expected,
            "{:?}",
            verified.err().map(|refusal| refusal.code())
        );
    }
}

/// Whether a text is the one spelling of a key.
fn names(text: &str, key: &PublicKey) -> bool {
    use base64::Engine as _;
    text == base64::engine::general_purpose::STANDARD.encode(key.spki_der())
}
