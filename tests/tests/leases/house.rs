//! A home of its own for each test, and a folder beside it with two programs: one that greets and one that does what it is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use leasehold_lease::{chain_to_json, parse_chain};
use leasehold_seal::{Digest, Envelope, PayloadType, SecretKey, Timestamp, canonical};
use leasehold_tests::{Fault, binary, repository};
use serde_json::Value;
use tempfile::TempDir;

/// What a test comes to.
pub(crate) type Test = Result<(), Fault>;

/// The secret that authenticates compiled code: the same in all homes here, so that each plugin is compiled once.
const CACHE_KEY: [u8; 32] = [6; 32];

/// A home, and a folder to work in.
pub(crate) struct House {
    folder: TempDir,
    binary: PathBuf,
}

/// What a command said, and its exit code; -1 where a signal ended it.
pub(crate) struct Said {
    pub(crate) command: String,
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl House {
    /// A home as `init` makes it, with a key `local` that issues, revokes and signs the tape.
    pub(crate) fn new() -> Result<House, Fault> {
        let house = House {
            folder: tempfile::Builder::new().prefix("leasehold-").tempdir()?,
            binary: binary()?,
        };
        for (name, file) in [("hello", "hello"), ("probe", "hostile/probe")] {
            let from = format!("plugins/prebuilt/{file}.wasm");
            fs::copy(repository().join(from), house.path(&format!("{name}.wasm")))?;
        }
        fs::create_dir(house.path("ws"))?;
        house.good(&["init"])?;
        fs::write(house.path("home/secrets/cache.key"), CACHE_KEY)?;
        copy_new(&house.shared(), &house.path("home/cache"))?;
        Ok(house)
    }

    /// Where compiled code is kept from test to test; each home checks what it takes from there.
    fn shared(&self) -> PathBuf {
        self.binary.with_file_name("test-home-code")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command of the binary, not yet started.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("LEASEHOLD_HOME", self.path("home"));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Result<Said, Fault> {
        Said::of(&mut self.command(args))
    }

    /// What has to succeed.
    pub(crate) fn good(&self, args: &[&str]) -> Result<Said, Fault> {
        self.run(args)?.exits(0)
    }

    /// What has to end with this exit code and this error, and to say what can be done about it.
    pub(crate) fn bad(&self, args: &[&str], exit: i32, code: &str) -> Result<Said, Fault> {
        let said = self.run(args)?.exits(exit)?;
        said.tells(&[&format!("error[{code}]: "), "hint: "])
    }

    /// What has to succeed, as a document.
    pub(crate) fn json(&self, args: &[&str]) -> Result<Value, Fault> {
        let said = self.good(&[&["--format", "json"], args].concat())?;
        Ok(serde_json::from_str(&said.out)?)
    }

    /// The bodies of all records of a kind, in order.
    pub(crate) fn records(&self, kind: &str) -> Result<Vec<Value>, Fault> {
        let args = ["tape", "show", "--limit", "100000", "--kind", kind];
        let said = self.good(&[&["--format", "json"], &args[..]].concat())?;
        let lines = said.out.lines().map(serde_json::from_str::<Value>);
        lines.map(|record| Ok(record?["body"].take())).collect()
    }

    /// The body of the last record of a kind.
    pub(crate) fn last(&self, kind: &str) -> Result<Value, Fault> {
        let last = self.records(kind)?.pop();
        last.ok_or_else(|| format!("no {kind} on the tape").into())
    }

    /// The tape has to be sound and closed; the audit's report.
    pub(crate) fn closed(&self) -> Result<Value, Fault> {
        let mut said = self.json(&["tape", "verify"])?;
        let report = said["report"].take();
        match report["finding"]["verdict"].as_str() {
            Some("CLOSED") => Ok(report),
            _ => Err(format!("not closed: {report}").into()),
        }
    }

    /// Issues a lease for the program that greets.
    pub(crate) fn issue(&self, out: &str, more: &[&str]) -> Result<Said, Fault> {
        self.good(&[&ISSUE[..], &["-o", out], more].concat())
    }

    /// Calls the program that greets, which has to succeed.
    pub(crate) fn greets(&self, lease: &str, more: &[&str]) -> Test {
        let said = self.good(&[&["call", "hello.wasm", "--lease", lease], more].concat())?;
        match said.out.as_str() {
            "Hello, world!\n" => Ok(()),
            other => Err(format!("{lease}: {other}").into()),
        }
    }

    /// Calls the program that greets, which has to be refused with this, on the tape as well, and nothing may run.
    pub(crate) fn refuses(
        &self,
        lease: &str,
        more: &[&str],
        exit: i32,
        code: &str,
    ) -> Result<Said, Fault> {
        let calls = self.records("call.intent")?.len();
        let refusals = self.records("lease.denied")?.len();
        let args = [&["call", "hello.wasm", "--lease", lease], more].concat();
        let said = self.bad(&args, exit, code)?;
        let now = self.records("lease.denied")?;
        assert_eq!(now.len(), refusals + 1, "{code}: one refusal on the tape");
        assert_eq!(now[refusals]["code"], code);
        assert_eq!(
            self.records("call.intent")?.len(),
            calls,
            "{code}: nothing ran"
        );
        assert!(said.out.is_empty(), "{}", said.out);
        Ok(said)
    }

    /// A secret key of the home, or one in a file beside it.
    pub(crate) fn key(&self, name: &str) -> Result<SecretKey, Fault> {
        let file = match name.ends_with(".pem") {
            true => self.path(name),
            false => self.path(&format!("home/keys/{name}.pem")),
        };
        Ok(SecretKey::from_pkcs8_pem(&fs::read_to_string(file)?)?)
    }

    /// Makes a key in a file, that nothing trusts; its id.
    pub(crate) fn stranger(&self, name: &str) -> Result<String, Fault> {
        let file = format!("{name}.pem");
        let made = self.json(&["key", "new", name, "--out", &file])?;
        text(&made["id"])
    }

    /// Changes the trust file of the home by hand.
    pub(crate) fn edit_trust(&self, change: impl FnOnce(&mut Value)) -> Test {
        let path = self.path("home/trust.json");
        let mut trust = serde_json::from_slice(&fs::read(&path)?)?;
        change(&mut trust);
        Ok(fs::write(path, trust.to_string())?)
    }

    /// The lease in a file with its parents, leaf first.
    pub(crate) fn chain(&self, file: &str) -> Result<Vec<Envelope>, Fault> {
        Ok(parse_chain(&fs::read(self.path(file))?)?)
    }

    /// Writes a lease with its parents.
    pub(crate) fn write_chain(&self, file: &str, chain: &[Envelope]) -> Test {
        Ok(fs::write(self.path(file), chain_to_json(chain)?)?)
    }

    /// Signs the lease of a file again after it was changed, with these keys, its parents as they are.
    pub(crate) fn forge(
        &self,
        from: &str,
        to: &str,
        keys: &[&SecretKey],
        change: impl FnOnce(&mut Value),
    ) -> Test {
        let mut chain = self.chain(from)?;
        let mut document = serde_json::from_slice(chain[0].unverified_payload())?;
        change(&mut document);
        let payload = canonical::to_vec(&document)?;
        chain[0] = Envelope::sign(PayloadType::LEASE, payload, keys)?;
        self.write_chain(to, &chain)
    }

    /// Copies a file to the folder of another house.
    pub(crate) fn send(&self, file: &str, to: &House) -> Test {
        fs::copy(self.path(file), to.path(file))?;
        Ok(())
    }
}

/// Issues a lease for the program that greets; what follows is up to the test.
pub(crate) const ISSUE: [&str; 6] = [
    "lease",
    "issue",
    "--plugin",
    "hello.wasm",
    "--kind",
    "command",
];

impl Drop for House {
    fn drop(&mut self) {
        // Without it the next test compiles again.
        let _ = copy_new(&self.path("home/cache"), &self.shared());
    }
}

impl Said {
    pub(crate) fn of(command: &mut Command) -> Result<Said, Fault> {
        let output = command.output()?;
        Ok(Said::told(command, &output))
    }

    pub(crate) fn told(command: &Command, output: &Output) -> Said {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said {
            command: format!("{:?}", command.get_args().collect::<Vec<_>>()),
            exit: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    pub(crate) fn exits(self, exit: i32) -> Result<Said, Fault> {
        if self.exit == exit {
            return Ok(self);
        }
        Err(format!("wanted {exit}: {self}").into())
    }

    /// Each of these texts has to be somewhere in what it said.
    pub(crate) fn tells(self, texts: &[&str]) -> Result<Said, Fault> {
        let missing = texts
            .iter()
            .find(|text| !self.out.contains(**text) && !self.err.contains(**text));
        match missing {
            None => Ok(self),
            Some(text) => Err(format!("{text:?} is not in: {self}").into()),
        }
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Said {
            command,
            exit,
            out,
            err,
        } = self;
        write!(f, "{command}: exit {exit}\n--- out\n{out}\n--- err\n{err}")
    }
}

/// A value that has to be a text.
pub(crate) fn text(value: &Value) -> Result<String, Fault> {
    let text = value.as_str().ok_or_else(|| format!("no text: {value}"))?;
    Ok(text.to_owned())
}

/// The time, so many seconds from now.
pub(crate) fn after(seconds: i64) -> Result<Timestamp, Fault> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    Ok(Timestamp::from_millis((now + seconds) * 1_000)?)
}

/// Waits for the beginning of the next second, as times in leases are whole seconds.
pub(crate) fn next_second() -> Test {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let left =
        Duration::from_secs(1).saturating_sub(Duration::from_nanos(now.subsec_nanos().into()));
    std::thread::sleep(left);
    Ok(())
}

/// The id of the first lease of a file.
pub(crate) fn id(house: &House, file: &str) -> Result<Digest, Fault> {
    Ok(house.chain(file)?[0].id())
}

/// Copies what is not there yet, each file at once.
fn copy_new(from: &Path, to: &Path) -> Result<(), Fault> {
    let Ok(entries) = fs::read_dir(from) else {
        return Ok(());
    };
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_new(&entry.path(), &target)?;
        } else if !target.exists() {
            let new = tempfile::Builder::new().tempfile_in(to)?;
            fs::copy(entry.path(), new.path())?;
            new.persist(target)?;
        }
    }
    Ok(())
}
