//! Tapes with everything that their records name: leases with parents, presentations, revocation lists.

use leasehold_audit::{Expect, Finding, Report, check_with_leases};
use leasehold_lease::{
    ChildWish, Hop, LeaseDoc, Presentation, RevocationList, inspect, sign_child,
};
use leasehold_seal::{Digest, Envelope, KeyId, SecretKey};
use leasehold_tape::call::{Charge, Ending, Intent};
use leasehold_tape::{
    EffectHttp, EffectHttpAnswered, Kind, LeaseRevoked, LeaseVerified, Presented,
};
use serde_json::{Value, json};

use crate::builder::{Builder, FUEL, among, at, host, intent, issuer, outcome, revoker, trust};
use crate::cases::{Case, whole};

/// Holds leases and hands them on.
pub(crate) fn holder() -> SecretKey {
    SecretKey::from_seed([33; 32])
}

const NONCE: &str = "00112233445566778899aabbccddeeff";

/// A root lease for the plugin of [`intent`], good on the tape of [`Builder::new`] for ten minutes; with `change` made to it.
pub(crate) fn root(change: impl Fn(&mut Value)) -> Envelope {
    let mut draft = json!({
        "version": 1,
        "issuer": issuer().public().key_id(),
        "holder": "none",
        "audience": [{"host": host().public().key_id(), "tape": Builder::new().tape}],
        "parent": null,
        "depth": 3,
        "nonce": NONCE,
        "not_before": at(0),
        "expires": at(600_000),
        "grants": [{
            "id": "structure", "plugin": Digest::of(b"plugin"), "kind": "gate",
            "files": {"list": ["**"], "read": ["docs/**"], "write": [], "deny": []},
            "limits": {"fuel": FUEL, "memory_bytes": 67_108_864, "wall_ms": 10_000,
                       "output_bytes": 65_536, "write_bytes": 65_536, "open_files": 64}
        }]
    });
    change(&mut draft);
    let document = LeaseDoc::from_draft(draft.to_string().as_bytes()).unwrap();
    document.sign(&[&issuer()]).unwrap()
}

/// Names the holder.
pub(crate) fn held(draft: &mut Value) {
    draft["holder"] = json!(holder().public().key_id());
}

/// A lease of the holder that a call may be made under without a presentation, one generation below another.
pub(crate) fn child(parent: &[Envelope], change: impl Fn(&mut ChildWish)) -> Vec<Envelope> {
    let mut wish = ChildWish::all(leasehold_lease::Holder::None, NONCE);
    change(&mut wish);
    sign_child(parent, &holder(), &wish).unwrap()
}

/// A tape in the making, and what its records name.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) tape: Builder,
    pub(crate) store: Vec<Vec<u8>>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self {
            tape: Builder::new(),
            store: Vec::new(),
        }
    }

    pub(crate) fn keep(&mut self, envelope: &Envelope) -> Digest {
        let bytes = envelope.to_json().unwrap();
        let digest = Digest::of(&bytes);
        if !self.store.contains(&bytes) {
            self.store.push(bytes);
        }
        digest
    }

    /// The envelope is not at hand.
    pub(crate) fn lose(&mut self, envelope: &Envelope) -> &mut Self {
        let bytes = envelope.to_json().unwrap();
        self.store.retain(|stored| *stored != bytes);
        self
    }

    pub(crate) fn verified(&mut self, chain: &[Envelope]) -> &mut Self {
        self.verified_with(chain, |_| {})
    }

    /// `lease.verified`, with `change` made to what it states.
    pub(crate) fn verified_with(
        &mut self,
        chain: &[Envelope],
        change: impl Fn(&mut LeaseVerified),
    ) -> &mut Self {
        let mut digests = chain
            .iter()
            .map(|envelope| self.keep(envelope))
            .collect::<Vec<_>>();
        let leaf = digests.remove(0);
        let mut body = LeaseVerified::new(leaf, chain[0].id(), at(0), at(600_000));
        body.chain = digests;
        change(&mut body);
        self.tape.push(Kind::LeaseVerified, &body);
        self
    }

    /// `lease.verified` of a root lease with a presentation that was made so, with `change` made to what is stated.
    pub(crate) fn presented(
        &mut self,
        lease: &Envelope,
        made: &Made,
        change: impl Fn(&mut Presented),
    ) -> &mut Self {
        let envelope = made.envelope(lease.id());
        let mut presented = Presented {
            digest: self.keep(&envelope),
            expires: at(made.expires),
            nonce: made.nonce.to_owned(),
        };
        change(&mut presented);
        self.verified_with(std::slice::from_ref(lease), |body| {
            body.presentation = Some(presented.clone());
        })
    }

    /// `lease.revoked` with a list that was signed so, with `change` made to what it states.
    pub(crate) fn revoked(
        &mut self,
        list: &RevocationList,
        new: &[Digest],
        change: impl Fn(&mut LeaseRevoked),
    ) -> &mut Self {
        let mut body = LeaseRevoked {
            envelope: self.keep(list.envelope()),
            issued: list.issued(),
            list: list.id(),
            new: new.to_vec(),
            next_update: list.next_update(),
            number: list.number(),
            total: list.ids().len() as u64,
        };
        change(&mut body);
        self.tape.push(Kind::LeaseRevoked, &body);
        self
    }

    /// A call that returned, charged to every lease of the chain, as `change` leaves its intent.
    pub(crate) fn call_with(
        &mut self,
        number: u8,
        chain: &[Envelope],
        change: impl Fn(&mut Intent),
    ) -> &mut Self {
        self.begin(number, chain, change).end(number)
    }

    pub(crate) fn call(&mut self, number: u8, chain: &[Envelope]) -> &mut Self {
        self.call_with(number, chain, |_| {})
    }

    pub(crate) fn begin(
        &mut self,
        number: u8,
        chain: &[Envelope],
        change: impl Fn(&mut Intent),
    ) -> &mut Self {
        let mut body = intent(number);
        body.lease = chain.iter().map(Envelope::id).collect();
        body.charges = charges(&body.lease);
        change(&mut body);
        self.tape.push(Kind::CallIntent, &body);
        self
    }

    pub(crate) fn end(&mut self, number: u8) -> &mut Self {
        let body = outcome(number, Ending::Returned, 400);
        self.tape.push(Kind::CallOutcome, &body);
        self
    }

    pub(crate) fn send(
        &mut self,
        number: u8,
        n: u64,
        change: impl Fn(&mut EffectHttp),
    ) -> &mut Self {
        let mut body = EffectHttp {
            address: "203.0.113.7".parse().ok(),
            call: intent(number).call,
            host: "api.example.com".to_owned(),
            method: "GET".to_owned(),
            n,
            path: Digest::of(b"salted"),
            port: 443,
            scheme: "https".to_owned(),
            secrets: vec!["api-token".to_owned()],
        };
        change(&mut body);
        self.tape.push(Kind::EffectHttp, &body);
        self
    }

    pub(crate) fn answer(&mut self, number: u8, n: u64) -> &mut Self {
        let body = EffectHttpAnswered {
            call: intent(number).call,
            code: None,
            n,
            received: 12,
            sent: 0,
            status: Some(200),
        };
        self.tape.push(Kind::EffectHttpAnswered, &body);
        self
    }

    /// The tape as it stands, closed and signed.
    pub(crate) fn case(
        &mut self,
        name: &'static str,
        about: &'static str,
        verdict: &'static str,
    ) -> Case {
        let open = self.report().open_calls.len() as u64;
        self.tape.closed(open);
        let mut case = whole(name, about, &self.tape, verdict);
        case.store.clone_from(&self.store);
        case
    }

    /// [`Scene::case`] of a broken tape, whose sentence has these words.
    pub(crate) fn bad(
        &mut self,
        name: &'static str,
        about: &'static str,
        verdict: &'static str,
        words: &str,
    ) -> Case {
        let case = self.case(name, about, verdict);
        let Finding::Broken { message, .. } = self.report().finding else {
            unreachable!("{name} is not broken")
        };
        assert!(message.contains(words), "{name}: {message}");
        case
    }

    /// What the audit says of the tape as it stands.
    pub(crate) fn report(&self) -> Report {
        let stored = among(&self.store);
        let records = self.tape.records();
        let signed = self.tape.checkpoint();
        let expect = Expect::default();
        check_with_leases(
            records.as_slice(),
            Some(signed.as_bytes()),
            &trust(),
            &expect,
            &stored,
        )
        .unwrap()
    }
}

/// One use and the whole fuel for each.
pub(crate) fn charges(chain: &[Digest]) -> Vec<Charge> {
    let charge = |lease: &Digest| Charge {
        fuel: FUEL,
        lease: *lease,
        uses: 1,
    };
    chain.iter().map(charge).collect()
}

/// How a presentation is made.
pub(crate) struct Made {
    pub(crate) lease: Option<Digest>,
    pub(crate) to: KeyId,
    pub(crate) nonce: &'static str,
    pub(crate) expires: i64,
    pub(crate) by: SecretKey,
}

impl Made {
    /// Rightly, until ten minutes after the tape began.
    pub(crate) fn well() -> Self {
        Self {
            lease: None,
            to: host().public().key_id(),
            nonce: "presentation-one",
            expires: 600_000,
            by: holder(),
        }
    }

    pub(crate) fn envelope(&self, lease: Digest) -> Envelope {
        let lease = self.lease.unwrap_or(lease);
        Presentation::sign(lease, self.to, self.nonce, at(self.expires), &self.by).unwrap()
    }
}

/// A list of the revoker, good for an hour.
pub(crate) fn list(number: u64, ids: &[Digest]) -> RevocationList {
    RevocationList::sign(number, at(0), at(3_600_000), ids, &[&revoker()]).unwrap()
}

/// Ids of a chain, leaf first.
pub(crate) fn ids(chain: &[Envelope]) -> Vec<Digest> {
    let hops = inspect(chain).unwrap();
    hops.iter().map(Hop::id).collect()
}
