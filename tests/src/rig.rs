//! A whole host in a temporary folder, without the command line.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use leasehold_files::{Protected, Tree};
use leasehold_http::Secret;
use leasehold_lease::{
    Audience, AudienceEntry, Clock, EnvGrant, FileGrant, Grant, Here, Holder, Kind, LeaseDoc,
    Limits, Random, Revocations, Rights, verify,
};
use leasehold_sandbox::{
    AdmitError, CallSpec, CodeCache, Compiler, Engine, Instances, LoadError, Objection, Outcome,
    Plugin, Recorder, Secrets, admit,
};
use leasehold_seal::trust::{Role, Trust, TrustedKey};
use leasehold_seal::{Class, SecretKey, Timestamp};
use leasehold_tape::{HostClock, Store, Tape};
use tempfile::TempDir;

/// The folder of the repository.
pub fn repository() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        tests.ancestors().nth(1).unwrap_or(tests).to_owned()
    })
}

/// The binary under test: beside the folder of this test's own executable.
///
/// # Errors
/// When it has not been built: `make test` does so first.
pub fn binary() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let found = own.ancestors().map(|folder| folder.join("leasehold"));
    found
        .skip(1)
        .take(3)
        .find(|path| path.is_file())
        .ok_or_else(|| "the binary is not built: run `make test`, or `make build` first".into())
}

/// A prebuilt plugin, `structure-lock` or `hostile/probe` for instance.
///
/// # Errors
/// When there is none of that name.
pub fn plugin_bytes(name: &str) -> Result<Vec<u8>, String> {
    let path = repository().join(format!("plugins/prebuilt/{name}.wasm"));
    fs::read(&path).map_err(|error| format!("{name}: {error}"))
}

/// How long a lease of the rig is valid. Less than the 300 s by which a call's id may be off the tape's clock, so that tests can
/// stop the host's clock anywhere in the window.
const LEASE_MS: i64 = 240_000;

struct SystemClock(Instant);

impl HostClock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = now.map_or(0, |now| now.as_millis());
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(0)).unwrap_or(Timestamp::MIN)
    }

    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn boot_id(&self) -> String {
        "test".into()
    }
}

/// Secrets that a test made up.
#[derive(Default)]
struct KnownSecrets(Mutex<BTreeMap<String, String>>);

impl Secrets for KnownSecrets {
    fn secret(&self, name: &str) -> Result<Secret, Objection> {
        let missing = |sentence: String| Objection {
            code: "SECRET-MISSING",
            class: Class::Blocked,
            sentence,
            hint: None,
        };
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = known
            .get(name)
            .ok_or_else(|| missing(format!("no secret {name}")))?;
        Secret::new(name, value.as_bytes()).map_err(|error| missing(error.to_string()))
    }
}

/// A host: keys, trust, tape, store, engine, and an empty workspace.
pub struct Rig {
    folder: TempDir,
    issuer: SecretKey,
    host: Arc<SecretKey>,
    trust: Trust,
    secrets: Arc<KnownSecrets>,
    /// Where calls are recorded.
    pub recorder: Recorder,
    /// What runs them.
    pub engine: Engine,
}

/// Whatever went wrong, for a test that only hands it on.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

impl Rig {
    /// A host for a process that makes one call at a time.
    ///
    /// # Errors
    /// Whatever keeps it from being made.
    pub fn new() -> Result<Rig, Fault> {
        Rig::with(Instances::OnDemand, &std::env::temp_dir())
    }

    /// A host with its home below `place`.
    ///
    /// # Errors
    /// Whatever keeps it from being made.
    pub fn with(instances: Instances, place: &Path) -> Result<Rig, Fault> {
        let folder = tempfile::Builder::new()
            .prefix("leasehold-")
            .tempdir_in(place)?;
        let home = folder.path().join("home");
        fs::create_dir_all(&home)?;
        fs::create_dir_all(folder.path().join("workspace"))?;
        let issuer = SecretKey::from_seed([1; 32]);
        let host = Arc::new(SecretKey::from_seed([2; 32]));
        let trust = Trust::new(
            vec![
                TrustedKey::new("issuer", issuer.public(), [Role::Issuer]),
                TrustedKey::new("host", host.public(), [Role::Host]),
            ],
            1,
        )?;
        let clock: Arc<dyn HostClock> = Arc::new(SystemClock(Instant::now()));
        let tape = Tape::open(
            &home.join("tape"),
            Arc::clone(&host),
            &[3; 32],
            Arc::clone(&clock),
        )?;
        let secrets = Arc::new(KnownSecrets::default());
        let recorder = Recorder {
            tape: Arc::new(tape),
            store: Arc::new(Store::open(&home.join("store"))?),
            clock,
            random: |bytes| getrandom::fill(bytes).map_err(std::io::Error::other),
            standing: Arc::new((trust.clone(), Revocations::none())),
            secrets: Arc::clone(&secrets) as Arc<dyn Secrets>,
            salt_key: [4; 32],
        };
        let binary = binary()?;
        // Compiled code is shared between tests: its entries are bound to the plugin and the engine.
        let cache = binary.with_file_name("test-code-cache");
        let compiler = Compiler {
            program: binary,
            args: vec!["compile-worker".into()],
        };
        let engine = Engine::new(instances, compiler, CodeCache::new(&cache, [5; 32]))?;
        Ok(Rig {
            folder,
            issuer,
            host,
            trust,
            secrets,
            recorder,
            engine,
        })
    }

    /// The folder that everything lies in; the workspace is `workspace` in it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder that calls are about.
    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// The trust file that belongs to this host.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Loads a prebuilt plugin by name.
    ///
    /// # Errors
    /// When there is none, or it does not load.
    pub fn plugin(&self, name: &str) -> Result<Plugin, Fault> {
        Ok(self.engine.load(&plugin_bytes(name)?)?)
    }

    /// Loads a plugin from its text form.
    ///
    /// # Errors
    /// When it does not load.
    pub fn wat(&self, text: &str) -> Result<Plugin, LoadError> {
        let bytes = wat::parse_str(text).map_err(|error| LoadError::NotWasm(error.to_string()))?;
        self.engine.load(&bytes)
    }

    /// A grant of nothing but the usual limits, to be widened by the test.
    pub fn grant(plugin: &Plugin, kind: Kind) -> Grant {
        Grant {
            id: "test".into(),
            plugin: plugin.digest(),
            kind,
            config: None,
            args: Vec::new(),
            files: FileGrant::default(),
            env: EnvGrant::default(),
            http: Vec::new(),
            secrets: Vec::new(),
            clock: Clock::Virtual,
            random: Random::Seeded,
            limits: Limits {
                fuel: 1_000_000_000,
                memory_bytes: 64 << 20,
                wall_ms: 10_000,
                output_bytes: 1 << 20,
                write_bytes: 1 << 20,
                open_files: 64,
            },
        }
    }

    /// Signs a lease over this grant, valid for four minutes, and verifies it as a host would.
    ///
    /// # Errors
    /// When the lease is refused.
    pub fn rights(&self, grant: Grant) -> Result<Rights, Fault> {
        self.rights_of(grant, |_lease| {})
    }

    /// As [`Rig::rights`], of a lease that `change` has had its way with: a budget, another audience.
    ///
    /// # Errors
    /// When the lease is refused.
    pub fn rights_of(
        &self,
        grant: Grant,
        change: impl FnOnce(&mut LeaseDoc),
    ) -> Result<Rights, Fault> {
        let now = self.recorder.clock.now();
        let second = now.as_millis() - now.as_millis().rem_euclid(1000);
        let id = grant.id.clone();
        let mut lease = LeaseDoc {
            version: 1,
            issuer: self.issuer.public().key_id(),
            holder: Holder::None,
            audience: Audience::Any,
            intent: None,
            parent: None,
            depth: 0,
            nonce: "0123456789abcdef0123".into(),
            not_before: Timestamp::from_millis(second)?,
            expires: Timestamp::from_millis(second + LEASE_MS)?,
            grants: vec![grant],
            budget: None,
        };
        change(&mut lease);
        let envelope = lease.sign(&[&self.issuer])?;
        let here = Here::new(self.host.public().key_id(), now).on(Some(*self.recorder.tape.id()));
        let verified = verify(&[envelope], &self.trust, &Revocations::none(), &here)?;
        Ok(verified.rights(&id)?)
    }

    /// The audience of a lease that is counted: this host and its tape.
    pub fn this_tape(&self) -> Audience {
        Audience::Hosts(vec![AudienceEntry {
            host: self.host.public().key_id(),
            tape: Some(*self.recorder.tape.id()),
        }])
    }

    /// Lets the host know a secret.
    pub fn know(&self, name: &str, value: &str) {
        let mut known = self
            .secrets
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), value.to_owned());
    }

    /// The workspace as calls get it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn tree(&self) -> Result<Tree, Fault> {
        let dir = Dir::open_ambient_dir(self.workspace(), ambient_authority())?;
        Ok(Tree::open(dir, Protected::default())?)
    }

    /// Admits and makes one call in the workspace.
    ///
    /// # Errors
    /// When the lease or the admission refuses it, or the outcome cannot be recorded.
    pub fn call(
        &self,
        plugin: &Plugin,
        grant: Grant,
        mut spec: CallSpec,
    ) -> Result<Outcome, Fault> {
        if spec.workspace.is_none() {
            spec.workspace = Some(self.tree()?);
        }
        let ticket = admit(
            &self.engine,
            plugin,
            self.rights(grant)?,
            spec,
            &self.recorder,
        )?;
        Ok(self.engine.call(ticket, plugin)?)
    }

    /// As [`Rig::call`], for a call that is not to be admitted.
    ///
    /// # Errors
    /// Why it was not; `None` when it was.
    pub fn refused(
        &self,
        plugin: &Plugin,
        grant: Grant,
        mut spec: CallSpec,
    ) -> Result<Option<AdmitError>, Fault> {
        spec.workspace = Some(self.tree()?);
        let rights = self.rights(grant)?;
        Ok(admit(&self.engine, plugin, rights, spec, &self.recorder).err())
    }
}
