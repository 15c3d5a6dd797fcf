//! Chains of leases: whatever verification accepts, no hop may do more than the one it was made from.
//!
//! The bytes are choices ([`crate::choices`]): a root lease, one or two children near their parents, a place, a time.
//! Children are signed directly, not by `sign_child`, so that nothing but verification stands between a wide child and
//! its rights.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leasehold_lease::{
    Audience, AudienceEntry, ChildDoc, ChildGrant, ChildWish, Here, Holder, HttpGrant, LeaseDoc,
    LimitsSpec, Pattern, Presentation, Revocations, Rights, RightsSpec, Target, Verified, Verifier,
    chain_to_json, inspect, parse_chain, sign_child, verify,
};
use leasehold_seal::{Coded, Digest, Envelope, PayloadType, SecretKey, canonical};

use crate::choices::{Choices, holder_key, key_id};
use crate::keys::{ISSUER, TRUST};
use crate::patterns::instance;

/// The oracle.
pub fn check(data: &[u8]) {
    children(data);
}

/// How many children were found to be within their parents, and how many of these good at the chosen place and time. An
/// oracle that never meets one would prove nothing.
pub fn children(data: &[u8]) -> (usize, usize) {
    let mut choices = Choices::new(data);
    let (mut made, mut good) = (0, 0);
    let root = choices.root();
    let Ok(envelope) = root.sign(&[&ISSUER]) else {
        return (0, 0);
    };
    let mut chain = vec![envelope];
    let mut above = root;
    for _ in 0..choices.one(&[1, 2]) {
        let Some((child, key)) = child(&mut choices, &chain[0], &above) else {
            return (made, good);
        };
        let whole = [&[child.1], &chain[..]].concat();
        // Signing is slow, so not every input does all of it.
        if choices.rarely(4) {
            everything_may_be_handed_on(&chain, &above);
            agrees(&chain, &whole, &child.0, &key);
        }
        let Ok(hops) = inspect(&whole) else {
            // The place does not matter to a chain that is none.
            assert!(look(&whole, &mut choices, &child.0.holder).is_err());
            return (made, good);
        };
        made += 1;
        terms(hops[1].document(), hops[0].document());
        above = hops[0].document().clone();
        let holder = child.0.holder;
        if let Ok(narrow) = look(&whole, &mut choices.again(), &holder) {
            let wide = look(&chain, &mut choices.again(), &hops[1].document().holder)
                .expect("the parent is good wherever its child is");
            assert_eq!(narrow.hops().len(), whole.len());
            within(&mut choices, &wide, &narrow, &child.0);
            good += 1;
        }
        chain = whole;
    }
    written(&chain);
    (made, good)
}

/// A child near its parent, signed by the parent's holder, most of the time; and the key that signed it.
fn child(
    choices: &mut Choices<'_>,
    parent: &Envelope,
    above: &LeaseDoc,
) -> Option<((ChildDoc, Envelope), SecretKey)> {
    let right = match above.holder {
        Holder::Key(key) if key == key_id(1) => 1,
        _ => 0,
    };
    let key = holder_key(if choices.rarely(16) { 1 - right } else { right });
    let mut grants: Vec<ChildGrant> = Vec::new();
    for grant in &above.grants {
        if choices.rarely(4) {
            continue;
        }
        grants.push(near(choices, ChildGrant::all_of(grant)));
    }
    if choices.rarely(4)
        && let Some(first) = above.grants.first()
    {
        let mut more = near(choices, ChildGrant::all_of(first));
        more.of = Some(more.id.clone());
        more.id = "more".to_owned();
        grants.push(more);
    }
    let document = ChildDoc {
        version: 1,
        issuer: key.public().key_id(),
        key: STANDARD.encode(key.public().spki_der()),
        holder: choices.holder(),
        audience: if choices.rarely(6) {
            choices.audience()
        } else {
            above.audience.clone()
        },
        intent: None,
        parent: if choices.rarely(16) {
            Digest::of(b"another")
        } else {
            parent.id()
        },
        depth: if choices.rarely(8) {
            choices.one(&[above.depth, 2])
        } else {
            above.depth.saturating_sub(1)
        },
        nonce: "leasehold-fuzzing".to_owned(),
        not_before: if choices.rarely(5) {
            choices.hour(&[1, 0, 2])
        } else {
            above.not_before
        },
        expires: if choices.rarely(5) {
            choices.hour(&[4, 3, 5, 2])
        } else {
            above.expires
        },
        grants,
        budget: choices.budget(),
    };
    let payload = canonical::to_vec(&document).ok()?;
    let envelope = Envelope::sign(PayloadType::LEASE, payload, &[&key]).ok()?;
    Some(((document, envelope), key))
}

/// The grant, changed in a few places.
fn near(choices: &mut Choices<'_>, mut grant: ChildGrant) -> ChildGrant {
    for list in [
        &mut grant.files.list,
        &mut grant.files.read,
        &mut grant.files.write,
    ] {
        if choices.rarely(2) {
            continue;
        }
        *list = choices
            .some(list)
            .iter()
            .map(|pattern| choices.near(pattern))
            .collect();
    }
    if choices.rarely(8) {
        grant.files.deny = choices.some(&grant.files.deny);
    }
    if choices.rarely(3) {
        let more = choices.pattern();
        grant.files.deny.push(more);
    }
    if choices.rarely(6) {
        let wild = choices.grant(&grant.id);
        match choices.one(&[0, 1, 2, 3, 4, 5, 6]) {
            0 => grant.plugin = wild.plugin,
            1 => grant.kind = wild.kind,
            2 => grant.config = wild.config,
            3 => grant.args = wild.args,
            4 => grant.env = wild.env,
            5 => grant.http = wild.http,
            _ => grant.secrets = wild.secrets,
        }
    }
    grant.args = choices.some(&grant.args);
    grant.env.pass = choices.some(&grant.env.pass);
    if choices.rarely(8) {
        let other = choices.one(&["1", "2"]).to_owned();
        grant.env.set.insert("C".to_owned(), other);
    }
    grant.secrets = choices.some(&grant.secrets);
    if choices.rarely(6) {
        for injection in grant
            .secrets
            .iter_mut()
            .filter_map(|secret| secret.inject.as_mut())
        {
            injection.prefix = choices.one(&["Bearer ", ""]).to_owned();
        }
    }
    if choices.rarely(3) {
        grant.http = choices
            .some(&grant.http)
            .into_iter()
            .map(|entry| near_entry(choices, entry))
            .collect();
    }
    if choices.rarely(3) {
        grant.limits = choices.some_limits();
    }
    grant
}

fn near_entry(choices: &mut Choices<'_>, mut entry: HttpGrant) -> HttpGrant {
    let wild = choices.http();
    match choices.one(&[0, 1, 2, 3, 4, 5, 6, 7]) {
        7 => entry.methods.truncate(1),
        1 => entry.methods = wild.methods,
        2 => entry.scheme = wild.scheme,
        3 => entry.host = wild.host,
        4 => entry.port = wild.port,
        5 => entry.path = wild.path,
        6 => entry.addresses = wild.addresses,
        _ => {}
    }
    entry
}

/// `sign_child` makes exactly those children that are accepted.
fn agrees(chain: &[Envelope], whole: &[Envelope], child: &ChildDoc, key: &SecretKey) {
    let wish = ChildWish {
        holder: child.holder,
        nonce: child.nonce.clone(),
        audience: Some(child.audience.clone()),
        intent: child.intent.clone(),
        depth: Some(child.depth),
        not_before: Some(child.not_before),
        expires: Some(child.expires),
        grants: Some(child.grants.clone()),
        budget: child.budget,
    };
    let signed = sign_child(chain, key, &wish);
    if child.parent == chain[0].id() {
        let read = inspect(whole);
        assert_eq!(signed.is_ok(), read.is_ok(), "{signed:?} {read:?}");
    }
    if let Ok(signed) = signed {
        assert_eq!(signed.len(), whole.len());
        inspect(&signed).expect("what is signed is good");
    }
}

/// The holder may hand on all of a lease that may have children.
fn everything_may_be_handed_on(chain: &[Envelope], above: &LeaseDoc) {
    let Holder::Key(holder) = above.holder else {
        return;
    };
    let number = u8::from(holder == key_id(1));
    let wish = ChildWish::all(Holder::None, "leasehold-fuzzing-all");
    let child = sign_child(chain, &holder_key(number), &wish);
    assert_eq!(child.is_ok(), above.depth > 0, "{:?}", child.err());
}

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(TRUST.clone()));

/// Verifies at a chosen place and time, with a good presentation where one is needed; the verifier that remembers must say
/// the same.
fn look(
    chain: &[Envelope],
    choices: &mut Choices<'_>,
    holder: &Holder,
) -> Result<Verified, &'static str> {
    let (host, tape, now) = (
        choices.host(),
        choices.tape(),
        choices.hour(&[2, 1, 3, 0, 4, 5]),
    );
    let presentation = match holder {
        Holder::None => None,
        Holder::Key(key) => {
            let expires = now.checked_add_millis(60_000).expect("a moment");
            let key = holder_key(u8::from(*key == key_id(1)));
            let nonce = "leasehold-fuzzing";
            Some(
                Presentation::sign(chain[0].id(), host, nonce, expires, &key)
                    .expect("a presentation"),
            )
        }
    };
    let here = Here {
        host,
        tape,
        now,
        presentation: presentation.as_ref(),
    };
    let none = Revocations::none();
    let verified = verify(chain, &TRUST, &none, &here).map_err(|refusal| refusal.code());
    if !choices.rarely(4) {
        return verified;
    }
    let remembered = VERIFIER
        .verify(chain, &none, &here)
        .map_err(|refusal| refusal.code());
    match (&verified, &remembered) {
        (Ok(fresh), Ok(known)) => {
            for grant in &fresh.document().grants {
                let digests = [fresh, known]
                    .map(|lease| lease.rights(&grant.id).map(|rights| rights.digest()).ok());
                assert!(digests[0].is_some());
                assert_eq!(digests[0], digests[1], "memory gives other rights");
            }
        }
        (Err(fresh), Err(known)) => assert_eq!(fresh, known),
        _ => panic!(
            "memory says {:?}, a fresh look {:?}",
            remembered.err(),
            verified.err()
        ),
    }
    verified
}

/// What is said of a lease as a whole is no more than what its parent says. Every hop is asked again when the chain is
/// used, so a child that passed here would gain nothing; but it would say something that is not so.
fn terms(wide: &LeaseDoc, narrow: &LeaseDoc) {
    assert!(wide.not_before <= narrow.not_before && narrow.expires <= wide.expires);
    assert!(narrow.depth < wide.depth);
    if let Audience::Hosts(hosts) = &wide.audience {
        let Audience::Hosts(named) = &narrow.audience else {
            panic!("a child for every host of a parent for {hosts:?}");
        };
        for entry in named {
            let same = |host: &&AudienceEntry| host.host == entry.host;
            let mut of_host = hosts.iter().filter(same);
            assert!(of_host.any(|host| host.tape.is_none_or(|tape| entry.tape == Some(tape))));
        }
    }
    if let (Some(wide), Some(narrow)) = (wide.budget, narrow.budget) {
        for (most, stated) in [(wide.uses, narrow.uses), (wide.fuel, narrow.fuel)] {
            assert!(
                most.is_none() || stated <= most,
                "a budget above the parent's"
            );
        }
    }
}

/// Nothing that the narrow lease allows is refused by the wide one.
fn within(choices: &mut Choices<'_>, wide: &Verified, narrow: &Verified, child: &ChildDoc) {
    for grant in &child.grants {
        let small = narrow.rights(&grant.id).expect("it is there");
        let great = wide
            .rights(grant.of())
            .expect("it narrows a grant that is there");
        assert_eq!(small.chain().get(1..), Some(great.chain()));
        assert!(
            great
                .budgets()
                .iter()
                .all(|budget| small.budgets().contains(budget)),
            "a budget is lost"
        );
        no_wider(choices, &great, &small);
        narrowed(choices, &great, grant);
    }
}

/// The same within one process.
fn narrowed(choices: &mut Choices<'_>, great: &Rights, grant: &ChildGrant) {
    let wish = RightsSpec {
        files: grant.files.clone(),
        args: grant.args.clone(),
        env: grant.env.clone(),
        http: grant.http.clone(),
        secrets: grant.secrets.clone(),
        limits: grant.limits,
        expires: None,
    };
    let small = great.narrow(&wish).expect("a child lease asks for no less");
    no_wider(choices, great, &small);
    let wish = RightsSpec {
        files: near(choices, grant.clone()).files,
        limits: LimitsSpec::default(),
        ..wish
    };
    if let Ok(small) = great.narrow(&wish) {
        no_wider(choices, great, &small);
    }
}

fn no_wider(choices: &mut Choices<'_>, great: &Rights, small: &Rights) {
    assert_eq!(
        (small.plugin(), small.kind(), small.config()),
        (great.plugin(), great.kind(), great.config())
    );
    assert!(
        small.args().iter().all(|vector| great.allows_args(vector)),
        "arguments"
    );
    let host = |name: &str| Some(format!("the host's {name}"));
    let seen: BTreeMap<String, String> = great.environment(host);
    let pairs = small.environment(host);
    assert!(
        pairs
            .iter()
            .all(|(name, value)| seen.get(name) == Some(value)),
        "variables"
    );
    let limits = small
        .limits()
        .values()
        .into_iter()
        .zip(great.limits().values());
    assert!(
        limits.into_iter().all(|(small, great)| small <= great),
        "limits"
    );
    let ((start, end), (from, until)) = (small.window(), great.window());
    assert!(from <= start && end <= until, "time");
    assert!(
        small
            .secrets()
            .iter()
            .all(|secret| great.secrets().contains(secret)),
        "secrets"
    );
    for (small, great) in [
        (small.may_change_anything(), great.may_change_anything()),
        (small.has_effects(), great.has_effects()),
        (small.reads_everything(), great.reads_everything()),
        (great.has_deny(), small.has_deny()),
    ] {
        assert!(great || !small);
    }
    files(choices, great, small);
    requests(choices, great, small);
}

fn files(choices: &mut Choices<'_>, great: &Rights, small: &Rights) {
    let lists = |rights: &Rights| {
        let files = rights.files().clone();
        [files.list, files.read, files.write, files.deny].concat()
    };
    let patterns: Vec<Pattern> = [lists(small), lists(great)].concat();
    for pattern in patterns {
        let text = [choices.text(), choices.text(), choices.text()].join("|");
        let Some(path) = instance(&pattern, &text) else {
            continue;
        };
        for (small, great) in [
            (small.can_list(&path), great.can_list(&path)),
            (small.can_read(&path), great.can_read(&path)),
            (small.can_write(&path), great.can_write(&path)),
            (great.denied(&path), small.denied(&path)),
            (great.may_deny_within(&path), small.may_deny_within(&path)),
        ] {
            assert!(great || !small, "{path:?} by {pattern}");
        }
        let allowed = small.can_list(&path) || small.can_read(&path) || small.can_write(&path);
        let above = path.parent().filter(|_| allowed);
        assert!(
            above.is_none_or(|above| small.on_the_way(&above)),
            "no way to {path:?}"
        );
    }
}

fn requests(choices: &mut Choices<'_>, great: &Rights, small: &Rights) {
    for entry in [small.http(), great.http()].concat() {
        let host = entry
            .host
            .to_string()
            .replace('*', choices.one(&["a", "b", "c"]));
        let path = choices.components_of(entry.path.as_str());
        let method = choices.one(&["GET", "HEAD", "POST"]);
        let authority = format!("{host}:{}", entry.port);
        let Ok(target) = Target::parse(method, entry.scheme.as_str(), &authority, &path) else {
            continue;
        };
        let Ok(permit) = small.permit(target.clone()) else {
            continue;
        };
        let wide = great.permit(target).expect("the parent allows the request");
        for block in permit.blocks() {
            let held = wide.blocks().iter().any(|wide| wide.covers(block));
            assert!(
                held,
                "{block} is not within the parent's blocks for {authority}{path}"
            );
        }
    }
}

/// The file of a chain, written and read again.
fn written(chain: &[Envelope]) {
    let file = chain_to_json(chain).expect("envelopes");
    let again = parse_chain(&file).expect("what we write, we read");
    assert_eq!(again, chain);
}
