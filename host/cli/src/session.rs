//! One command's hold on the home: trust, host key, tape and store, and the engine where it is needed.

use std::sync::Arc;

use leasehold_lease::Here;
use leasehold_sandbox::{CodeCache, Compiler, Engine, Instances, Recorder, Standing};
use leasehold_seal::{Class, Digest, KeyId, Timestamp, Trust};
use leasehold_tape::{Appended, Draft, Durability, Kind, Store, Tape};
use serde::Serialize;

use crate::ambient::{self, Ambient};
use crate::failure::{Failure, OrFail};
use crate::home::{Home, HomeSecrets, Secret};
use crate::standing::HomeStanding;

/// The argument on which this program becomes the compiling child.
pub(crate) const COMPILE_WORKER: &str = "compile-worker";

/// The home in use, with its tape open.
pub(crate) struct Session {
    pub(crate) home: Home,
    pub(crate) trust: Trust,
    pub(crate) host: KeyId,
    pub(crate) recorder: Recorder,
    pub(crate) standing: Arc<HomeStanding>,
}

/// Body of `lease.denied`: the same as the sandbox writes at admission.
#[derive(Serialize)]
struct LeaseDenied<'a> {
    code: &'a str,
    grant: &'a str,
    lease: &'a [Digest],
    message: &'a str,
    plugin: Digest,
}

impl Session {
    /// Opens home, tape and store.
    pub(crate) fn open(ambient: &Ambient) -> Result<Self, Failure> {
        Session::of_home(ambient, Home::open(ambient)?)
    }

    /// Opens tape and store of a home.
    pub(crate) fn of_home(ambient: &Ambient, home: Home) -> Result<Self, Failure> {
        let trust = home.trust()?;
        let host = home.host_key(&trust, ambient.now())?;
        let id = host.public().key_id();
        let state_key = home.secret(Secret::State)?;
        let tape =
            Tape::open(&home.tape(), host, &state_key, Arc::clone(ambient.clock())).or_fail()?;
        let standing = Arc::new(HomeStanding::new(&home, trust.clone()));
        let recorder = Recorder {
            tape: Arc::new(tape),
            store: Arc::new(Store::open(&home.store()).or_fail()?),
            clock: Arc::clone(ambient.clock()),
            random: ambient::random,
            standing: Arc::clone(&standing) as Arc<dyn Standing>,
            secrets: Arc::new(HomeSecrets::new(&home, ambient)),
            salt_key: *home.secret(Secret::Salt)?,
        };
        Ok(Session {
            home,
            trust,
            host: id,
            recorder,
            standing,
        })
    }

    /// Lets the revokers of this trust file say what is revoked, where it asks for a list; otherwise those of the home go on to.
    pub(crate) fn go_by(&mut self, trust: &Trust) {
        if trust.revocation().required {
            let standing = Arc::new(HomeStanding::new(&self.home, trust.clone()));
            self.standing = Arc::clone(&standing);
            self.recorder.standing = standing;
        }
    }

    /// Where and when a lease would be used.
    pub(crate) fn here(&self, now: Timestamp) -> Here<'static> {
        Here::new(self.host, now).on(Some(*self.tape().id()))
    }

    /// The tape.
    pub(crate) fn tape(&self) -> &Tape {
        &self.recorder.tape
    }

    /// The store.
    pub(crate) fn store(&self) -> &Store {
        &self.recorder.store
    }

    /// Appends one record.
    pub(crate) fn record(
        &self,
        kind: Kind,
        body: &impl Serialize,
        durability: Durability,
    ) -> Result<Appended, Failure> {
        let draft = Draft::new(kind, body).or_fail()?;
        let appended = self.tape().append(vec![draft], durability).or_fail()?;
        appended.first().copied().ok_or_else(|| {
            Failure::new(
                "TAPE-FAULT",
                Class::Fault,
                "the tape took a record and gave it no place",
            )
        })
    }

    /// Records that a lease was refused before admission saw it.
    pub(crate) fn record_refusal(
        &self,
        lease: &[Digest],
        plugin: Digest,
        failure: &Failure,
    ) -> Result<(), Failure> {
        let body = LeaseDenied {
            code: &failure.code,
            grant: "",
            lease,
            message: &failure.sentence,
            plugin,
        };
        self.record(Kind::LeaseDenied, &body, Durability::Synced)
            .map(|_appended| ())
    }

    /// Ends the session on the tape: `tape.closed` and a signed checkpoint over it.
    pub(crate) fn close(&self) -> Result<(), Failure> {
        self.tape().close().or_fail().map(|_checkpoint| ())
    }
}

/// The engine for a process that makes one call, with the compiled code of this home.
pub(crate) fn engine(ambient: &Ambient, home: &Home) -> Result<Engine, Failure> {
    let compiler = Compiler {
        program: ambient.program().to_owned(),
        args: vec![COMPILE_WORKER.into()],
    };
    let cache = CodeCache::new(&home.cache(), *home.secret(Secret::Cache)?);
    Engine::new(Instances::OnDemand, compiler, cache).or_fail()
}
