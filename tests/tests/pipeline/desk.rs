//! A desk of its own for each test: a home, and a tree in which the binary is run.
#![expect(unreachable_pub, reason = "`pub` is what the test files see of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use leasehold_tests::{Fault, binary, repository};
use serde_json::Value;
use tempfile::TempDir;

pub type Test = Result<(), Fault>;

/// The secret that authenticates compiled code: the same in the homes of all tests, so that each plugin is compiled once.
const CACHE_KEY: [u8; 32] = [6; 32];

/// A home and a tree.
pub struct Desk {
    folder: TempDir,
    binary: PathBuf,
}

/// What a command said, and its exit code.
#[derive(Debug)]
pub struct Said {
    pub command: String,
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Desk {
    /// A home with an issuer key, as on somebody's own machine.
    pub fn new() -> Result<Desk, Fault> {
        Desk::furnished(&[])
    }

    /// A home with these variables in the environment of `init`; with `CI` it gets no issuer key.
    pub fn furnished(env: &[(&str, &str)]) -> Result<Desk, Fault> {
        let desk = Desk {
            folder: tempfile::tempdir()?,
            binary: binary()?,
        };
        fs::create_dir(desk.tree())?;
        Said::of(desk.command(&["init"]).envs(env.iter().copied()))?.good()?;
        fs::write(desk.home().join("secrets/cache.key"), CACHE_KEY)?;
        copy_new(&desk.shared(), &desk.home().join("cache"))?;
        Ok(desk)
    }

    /// Where compiled code is kept from test to test. What is in it was authenticated by a home and is checked by the next.
    fn shared(&self) -> PathBuf {
        self.binary.with_file_name("test-home-code")
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn tree(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    /// A path beside the tree.
    pub fn outside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(args)
            .current_dir(self.tree())
            .env_clear()
            .env("LEASEHOLD_HOME", self.home());
        command
    }

    /// Runs the binary in the tree.
    pub fn run(&self, args: &[&str]) -> Result<Said, Fault> {
        Said::of(&mut self.command(args))
    }

    /// Runs it in another folder, relative to the tree.
    pub fn run_in(&self, folder: impl AsRef<Path>, args: &[&str]) -> Result<Said, Fault> {
        Said::of(self.command(args).current_dir(self.tree().join(folder)))
    }

    /// Runs what has to succeed.
    #[track_caller]
    pub fn good(&self, args: &[&str]) -> Result<Said, Fault> {
        self.run(args)?.good()
    }

    /// Runs what has to be refused with this exit code and this code, in the two formats.
    #[track_caller]
    pub fn bad(&self, args: &[&str], exit: i32, code: &str) -> Result<Said, Fault> {
        let said = self.run(args)?.bad(exit, code)?;
        let json = self.run(&[&["--format", "json"], args].concat())?;
        let document = json.json()?;
        let error = match &document["refused"] {
            Value::Null => &document["error"],
            refused => refused,
        };
        assert_eq!(error["code"], code, "{json}");
        assert!(error["hint"].is_string(), "{json}");
        assert_eq!((json.code, json.err.as_str()), (Some(exit), ""), "{json}");
        Ok(said)
    }

    /// Runs with JSON as its format.
    pub fn json(&self, args: &[&str]) -> Result<Value, Fault> {
        self.run(&[&["--format", "json"], args].concat())?.json()
    }

    /// Writes a file of the tree, and the folders above it.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Test {
        let path = self.tree().join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, content)?)
    }

    pub fn content(&self, path: &str) -> Result<String, Fault> {
        Ok(fs::read_to_string(self.tree().join(path))?)
    }

    /// Changes a text in a file of the tree; it has to be there.
    #[track_caller]
    pub fn replace(&self, path: &str, from: &str, to: &str) -> Test {
        let text = self.content(path)?;
        assert!(text.contains(from), "{from:?} is not in {path}:\n{text}");
        self.write(path, text.replace(from, to))
    }

    /// Runs git in the tree, with nothing of this machine's configuration.
    pub fn git(&self, args: &[&str]) -> Result<String, Fault> {
        self.git_in(".", args)
    }

    /// Runs git in a folder relative to the tree.
    pub fn git_in(&self, folder: impl AsRef<Path>, args: &[&str]) -> Result<String, Fault> {
        let mut command = Command::new("git");
        command
            .args(["-c", "protocol.file.allow=always"])
            .args(args)
            .current_dir(self.tree().join(folder))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs([
                ("GIT_CONFIG_NOSYSTEM", "1"),
                ("GIT_CONFIG_GLOBAL", "/dev/null"),
                ("GIT_AUTHOR_NAME", "test"),
                ("GIT_AUTHOR_EMAIL", "test@example.com"),
                ("GIT_COMMITTER_NAME", "test"),
                ("GIT_COMMITTER_EMAIL", "test@example.com"),
            ]);
        Ok(Said::of(&mut command)?.good()?.out.trim_end().to_owned())
    }

    /// The bodies of the records of one kind, in order.
    pub fn records(&self, kind: &str) -> Result<Vec<Value>, Fault> {
        let args = ["tape", "show", "--limit", "100000", "--kind", kind];
        let said = self.good(&[&["--format", "json"], &args[..]].concat())?;
        let lines = said.out.lines().map(serde_json::from_str::<Value>);
        lines.map(|record| Ok(record?["body"].take())).collect()
    }

    /// The body of the last record of a kind.
    pub fn last(&self, kind: &str) -> Result<Value, Fault> {
        let last = self.records(kind)?.pop();
        last.ok_or_else(|| format!("no {kind}").into())
    }

    /// The tape has to be sound and closed.
    #[track_caller]
    pub fn closed(&self) -> Test {
        let said = self.good(&["tape", "verify"])?;
        assert!(said.out.starts_with("CLOSED: "), "{said}");
        Ok(())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // Without it the next test compiles again.
        let _ = copy_new(&self.home().join("cache"), &self.shared());
    }
}

impl Said {
    fn of(command: &mut Command) -> Result<Said, Fault> {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output()?;
        Ok(Said {
            command: format!("{:?}", command.get_args().collect::<Vec<_>>()),
            code: status.code(),
            out: String::from_utf8(stdout)?,
            err: String::from_utf8(stderr)?,
        })
    }

    /// The exit code has to be 0.
    #[track_caller]
    pub fn good(self) -> Result<Said, Fault> {
        self.exits(0)
    }

    /// The exit code has to be this one.
    #[track_caller]
    pub fn exits(self, code: i32) -> Result<Said, Fault> {
        if self.code == Some(code) {
            return Ok(self);
        }
        let at = std::panic::Location::caller();
        Err(format!("{at}: wanted exit code {code}: {self}").into())
    }

    /// It has to be refused with this exit code, this code and a hint.
    #[track_caller]
    pub fn bad(self, exit: i32, code: &str) -> Result<Said, Fault> {
        let at = std::panic::Location::caller();
        let fits = self.code == Some(exit)
            && self.err.contains(&format!("error[{code}]: "))
            && self.err.contains("  hint: ");
        if fits {
            return Ok(self);
        }
        Err(format!("{at}: wanted {exit} {code} with a hint: {self}").into())
    }

    /// Standard output as one JSON document.
    pub fn json(&self) -> Result<Value, Fault> {
        serde_json::from_str(&self.out).map_err(|error| format!("{error}: {self}").into())
    }

    /// Each of these texts has to stand on standard error.
    #[track_caller]
    pub fn tells(&self, texts: &[&str]) -> &Said {
        for text in texts {
            assert!(self.err.contains(text), "{text:?} is missing: {self}");
        }
        self
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Said {
            command,
            code,
            out,
            err,
        } = self;
        write!(
            formatter,
            "{command} exited with {code:?}\n{out}\n--\n{err}"
        )
    }
}

/// A prebuilt plugin's file.
pub fn prebuilt(name: &str) -> PathBuf {
    repository().join(format!("plugins/prebuilt/{name}.wasm"))
}

/// Every file and link below a folder with its content, in order; folders end in `/`.
pub fn everything(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Fault> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            let name = path.strip_prefix(folder)?.display().to_string();
            let info = path.symlink_metadata()?;
            if info.is_dir() {
                found.push((format!("{name}/"), Vec::new()));
                open.push(path);
            } else if info.is_symlink() {
                let target = fs::read_link(&path)?;
                found.push((name, target.as_os_str().as_encoded_bytes().to_vec()));
            } else {
                found.push((name, fs::read(&path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Copies the files of one folder that another does not have; each is there whole or not at all.
fn copy_new(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_file() && !target.exists() {
            let new = tempfile::NamedTempFile::new_in(to)?;
            fs::copy(entry.path(), new.path())?;
            new.persist(target)?;
        }
    }
    Ok(())
}
