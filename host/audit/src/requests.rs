//! Requests of a call: in order, under its grant, answered once.

use std::collections::BTreeSet;

use leasehold_lease::{Host, HttpGrant, Rights, SecretGrant};
use leasehold_tape::{EffectHttp, EffectHttpAnswered, RecordFault};

/// What one open call sent.
#[derive(Debug)]
pub(crate) struct Requests {
    /// Whether its intent says that it can have effects, and so was durable before it.
    effects: bool,
    /// The rights of its grant, where they are known.
    pub(crate) rights: Option<Rights>,
    next: u64,
    unanswered: BTreeSet<u64>,
}

impl Requests {
    /// None yet, of a call whose intent says this of effects.
    pub(crate) fn new(effects: bool) -> Self {
        Self {
            effects,
            rights: None,
            next: 0,
            unanswered: BTreeSet::new(),
        }
    }

    /// Takes an `effect.http` record; `false` when the call's grant is not known, so that nothing shows that it allows it.
    ///
    /// A grant has to have an entry for method, scheme, host and port. The path is on the tape as a salted digest only,
    /// and whether the address is one the entry allows depends on how the host sorts addresses: neither is checked.
    pub(crate) fn send(&mut self, request: &EffectHttp) -> Result<bool, RecordFault> {
        if request.n != self.next {
            return Err(wrong(
                request.n,
                &request.call,
                &format!("is not number {}", self.next),
            ));
        }
        if !self.effects {
            let what = "belongs to a call whose intent says that it has no effects";
            return Err(wrong(request.n, &request.call, what));
        }
        if let Some(rights) = &self.rights {
            check_grant(request, rights)?;
        }
        self.next += 1;
        self.unanswered.insert(request.n);
        Ok(self.rights.is_some())
    }

    /// Takes an `effect.http-answered` record.
    pub(crate) fn answer(&mut self, answer: &EffectHttpAnswered) -> Result<(), RecordFault> {
        if self.unanswered.remove(&answer.n) {
            return Ok(());
        }
        let what = "was not sent, or is answered already";
        Err(wrong(answer.n, &answer.call, what))
    }
}

fn check_grant(request: &EffectHttp, rights: &Rights) -> Result<(), RecordFault> {
    let host: Host = (request.host.parse())
        .map_err(|_| wrong(request.n, &request.call, "names a host that cannot be"))?;
    if !rights
        .http()
        .iter()
        .any(|entry| allows(entry, request, &host))
    {
        let what = format!(
            "goes by {} to {}://{host}:{}, which the grant {:?} does not allow",
            request.method,
            request.scheme,
            request.port,
            rights.grant()
        );
        return Err(wrong(request.n, &request.call, &what));
    }
    let placed = |name: &String| {
        let mut secrets = rights.secrets().iter();
        secrets.any(|secret| goes_to(secret, name, &host, request.port))
    };
    match request.secrets.iter().find(|name| !placed(name)) {
        None => Ok(()),
        Some(name) => {
            let what = format!(
                "carries the secret {name:?}, which the grant {:?} does not put there",
                rights.grant()
            );
            Err(wrong(request.n, &request.call, &what))
        }
    }
}

/// Whether an entry allows the request, its path aside.
fn allows(entry: &HttpGrant, request: &EffectHttp, host: &Host) -> bool {
    let mut methods = entry.methods.iter();
    methods.any(|method| method.as_str() == request.method)
        && entry.scheme.as_str() == request.scheme
        && entry.host.matches(host)
        && entry.port == request.port
}

/// Whether the host puts the secret of this name into requests to this place.
fn goes_to(secret: &SecretGrant, name: &str, host: &Host, port: u16) -> bool {
    let inject = secret.inject.as_ref();
    secret.name == name && inject.is_some_and(|to| to.host == *host && to.port == port)
}

fn wrong(n: u64, call: &str, what: &str) -> RecordFault {
    RecordFault::new("AUDIT-EFFECT", format!("request {n} of call {call} {what}"))
}
