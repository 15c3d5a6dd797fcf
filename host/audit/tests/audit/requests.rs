//! Cases of what a lease names beside files: the holder who presents it, and requests.

use leasehold_seal::{Digest, Envelope};
use leasehold_tape::EffectHttp;
use leasehold_tape::call::Intent;
use serde_json::{Value, json};

use crate::builder::{at, other};
use crate::cases::Case;
use crate::scene::{Made, Scene, held, root};

pub(crate) fn presented() -> Vec<Case> {
    let lease = root(held);
    let chain = [lease.clone()];
    let judged = |made: Made| {
        let mut scene = Scene::new();
        scene.presented(&lease, &made, |_| {}).call(1, &chain);
        scene
    };
    let well = Made::well;
    let again = |nonce| {
        let mut scene = judged(well());
        let second = Made {
            nonce,
            expires: 590_000,
            ..well()
        };
        scene.presented(&lease, &second, |_| {}).call(2, &chain);
        scene
    };
    let mut absent = Scene::new();
    absent.verified(&chain).call(1, &chain);
    let mut unseen = judged(well());
    unseen.lose(&well().envelope(lease.id()));
    let mut stated = Scene::new();
    stated.presented(&lease, &well(), |body| {
        "presentation-two".clone_into(&mut body.nonce)
    });
    let mut longer = Scene::new();
    longer.presented(&lease, &well(), |body| body.expires = at(600_001));
    let mut needless = Scene::new();
    needless.presented(&root(|_| {}), &well(), |_| {});
    let made = |change: &dyn Fn(&mut Made)| {
        let mut made = well();
        change(&mut made);
        judged(made)
    };
    vec![
        judged(well()).case("presented", "a lease that its holder presented", "CLOSED"),
        again("presentation-two").case(
            "presented-anew",
            "presented a second time, with a nonce of its own",
            "CLOSED",
        ),
        again("presentation-one").case(
            "presented-again",
            "presented a second time with the same nonce",
            "BROKEN 4 PRESENTATION-REPLAYED",
        ),
        absent.bad(
            "not-presented",
            "a lease that names a holder, who presented nothing",
            "BROKEN 1 AUDIT-LEASE",
            "HOLDER-MISSING",
        ),
        unseen.case(
            "presentation-not-at-hand",
            "the presentation is not at hand, which is counted",
            "CLOSED",
        ),
        stated.bad(
            "presentation-other-nonce",
            "another nonce is stated than was signed",
            "BROKEN 1 AUDIT-LEASE",
            "another presentation",
        ),
        longer.bad(
            "presentation-other-end",
            "another end is stated than was signed",
            "BROKEN 1 AUDIT-LEASE",
            "another presentation",
        ),
        needless.bad(
            "presentation-needless",
            "a presentation of a lease that names no holder",
            "BROKEN 1 AUDIT-LEASE",
            "PRESENTATION-KEY",
        ),
        made(&|made| made.lease = Some(Digest::of(b"another"))).bad(
            "presentation-of-another-lease",
            "the presentation of another lease",
            "BROKEN 1 AUDIT-LEASE",
            "PRESENTATION-LEASE",
        ),
        made(&|made| made.to = other().public().key_id()).bad(
            "presentation-to-another-host",
            "a presentation to another host",
            "BROKEN 1 AUDIT-LEASE",
            "PRESENTATION-HOST",
        ),
        made(&|made| made.by = other()).bad(
            "presentation-by-another",
            "a presentation signed by another key than the holder's",
            "BROKEN 1 AUDIT-LEASE",
            "PRESENTATION-KEY",
        ),
        made(&|made| made.expires = 1_000).case(
            "presentation-expired",
            "a presentation that ends at the moment at which it is used",
            "BROKEN 1 PRESENTATION-EXPIRED",
        ),
        made(&|made| made.expires = 1_001).case(
            "presentation-last-moment",
            "a millisecond earlier",
            "CLOSED",
        ),
        made(&|made| made.expires = 601_001).bad(
            "presentation-long",
            "a presentation for a millisecond more than ten minutes",
            "BROKEN 1 AUDIT-LEASE",
            "PRESENTATION-LONG",
        ),
    ]
}

/// May send requests to one place, with a secret put into them.
fn reaches(draft: &mut Value) {
    let grant = &mut draft["grants"][0];
    grant["http"] = json!([
        {"methods": ["GET"], "host": "api.example.com", "port": 443, "path": "/v1/**"},
        {"methods": ["POST"], "host": "*.example.com", "port": 8443, "path": "/**"},
    ]);
    grant["secrets"] = json!([
        {"name": "api-token",
         "inject": {"host": "api.example.com", "port": 443, "header": "authorization"}},
    ]);
}

fn effects(intent: &mut Intent) {
    intent.effects = true;
}

pub(crate) fn requests() -> Vec<Case> {
    let chain = [root(reaches)];
    let begun = |lease: &[Envelope]| {
        let mut scene = Scene::new();
        scene.verified(lease).begin(1, lease, effects);
        scene
    };
    let sent = |change: &dyn Fn(&mut EffectHttp)| {
        let mut scene = begun(&chain);
        scene.send(1, 0, change).answer(1, 0).end(1);
        scene
    };
    let mut good = begun(&chain);
    good.send(1, 0, |_| {})
        .send(1, 1, |request| {
            "POST".clone_into(&mut request.method);
            "b.example.com".clone_into(&mut request.host);
            (request.port, request.address) = (8443, None);
            request.secrets.clear();
        })
        .answer(1, 1)
        .answer(1, 0)
        .send(1, 2, |_| {})
        .end(1);
    let mut early = Scene::new();
    early
        .verified(&chain)
        .send(1, 0, |_| {})
        .begin(1, &chain, effects);
    let mut late = begun(&chain);
    late.end(1).send(1, 0, |_| {});
    let mut late_answer = begun(&chain);
    late_answer.send(1, 0, |_| {}).end(1).answer(1, 0);
    let mut twice = sent(&|_| {});
    twice.tape.lines.pop();
    twice.answer(1, 0);
    let mut gap = begun(&chain);
    gap.send(1, 1, |_| {});
    let mut none = begun(&[root(|_| {})]);
    none.send(1, 0, |_| {});
    let mut unseen = none.clone();
    unseen.store.clear();
    let mut quiet = Scene::new();
    quiet
        .verified(&chain)
        .begin(1, &chain, |_| {})
        .send(1, 0, |_| {});
    vec![
        good.case(
            "requests",
            "three requests of one call under its grant, one of them without an answer",
            "CLOSED",
        ),
        early.bad(
            "request-before-its-call",
            "a request before the intent of its call",
            "BROKEN 2 AUDIT-EFFECT",
            "no intent",
        ),
        late.bad(
            "request-after-its-call",
            "a request after the outcome of its call",
            "BROKEN 4 AUDIT-EFFECT",
            "no intent",
        ),
        late_answer.bad(
            "answer-after-its-call",
            "an answer after the outcome of its call",
            "BROKEN 5 AUDIT-EFFECT",
            "no intent",
        ),
        twice.bad(
            "request-answered-twice",
            "a second answer to a request",
            "BROKEN 5 AUDIT-EFFECT",
            "answered already",
        ),
        gap.bad(
            "request-number",
            "a first request with the number 1",
            "BROKEN 3 AUDIT-EFFECT",
            "is not number 0",
        ),
        none.bad(
            "request-without-grant",
            "a request of a call whose grant allows none",
            "BROKEN 3 AUDIT-EFFECT",
            "does not allow",
        ),
        unseen.case(
            "request-grant-not-at-hand",
            "the same; no envelope is at hand, which is counted",
            "CLOSED",
        ),
        quiet.bad(
            "request-without-effects",
            "a request of a call whose intent says that it has no effects",
            "BROKEN 3 AUDIT-EFFECT",
            "no effects",
        ),
        sent(&|request| "evil-example.com".clone_into(&mut request.host)).bad(
            "request-other-host",
            "a request to a host that only ends alike",
            "BROKEN 3 AUDIT-EFFECT",
            "evil-example.com",
        ),
        sent(&|request| request.port = 8443).bad(
            "request-other-port",
            "a request to the port of another entry",
            "BROKEN 3 AUDIT-EFFECT",
            "does not allow",
        ),
        sent(&|request| "DELETE".clone_into(&mut request.method)).bad(
            "request-other-method",
            "a request by a method that is not granted",
            "BROKEN 3 AUDIT-EFFECT",
            "DELETE",
        ),
        sent(&|request| "http".clone_into(&mut request.scheme)).bad(
            "request-other-scheme",
            "a request without TLS",
            "BROKEN 3 AUDIT-EFFECT",
            "to http://",
        ),
        sent(&|request| request.secrets = vec!["other-token".into()]).bad(
            "request-other-secret",
            "a request that carries a secret of which the grant does not know",
            "BROKEN 3 AUDIT-EFFECT",
            "other-token",
        ),
        sent(&|request| {
            "POST".clone_into(&mut request.method);
            request.port = 8443;
        })
        .bad(
            "request-secret-elsewhere",
            "a request that carries a secret to a place where it is not put",
            "BROKEN 3 AUDIT-EFFECT",
            "api-token",
        ),
    ]
}
