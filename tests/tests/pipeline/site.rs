//! A home and a workspace for one test, through the binary. Homes are copies of one that is made once, with its compiled plugins.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use leasehold_seal::Digest;
use leasehold_tests::{Fault, binary, plugin_bytes};
use serde_json::Value;
use tempfile::TempDir;

/// Plugins that come along in the binary.
const BUILTIN: [&str; 4] = ["conflict-markers", "file-ops", "md-toc", "secrets"];
/// Plugins from `plugins/prebuilt`, by the name they have here.
const PREBUILT: [(&str, &str); 2] = [
    ("hostile-gate", "hostile/hostile-gate"),
    ("probe", "hostile/probe"),
];

/// What a test comes to.
pub(crate) type Test = Result<(), Fault>;

/// A home and a workspace.
pub(crate) struct Desk {
    folder: TempDir,
    binary: PathBuf,
}

/// What a command came to.
pub(crate) struct Said {
    /// The exit code; -1 where a signal ended it.
    pub(crate) exit: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Desk {
    /// A workspace with these files.
    ///
    /// # Errors
    /// Whatever keeps it from being made.
    pub(crate) fn new(layout: &[(&str, &str)]) -> Result<Desk, Fault> {
        let folder = tempfile::Builder::new().prefix("leasehold-").tempdir()?;
        // So that another user can be let in.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let desk = Desk {
            folder,
            binary: binary()?,
        };
        fs::create_dir(desk.workspace())?;
        copy_tree(&prepared(&desk.binary)?, &desk.home())?;
        for (path, content) in layout {
            desk.write(path, content)?;
        }
        Ok(desk)
    }

    /// The workspace.
    pub(crate) fn workspace(&self) -> PathBuf {
        self.folder.path().join("ws")
    }

    /// The home.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Writes a file of the workspace, and the folders above it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<(), Fault> {
        write(&self.workspace().join(path), content.as_ref())
    }

    /// The content of a file of the workspace.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(&self, path: &str) -> Result<String, Fault> {
        let path = self.workspace().join(path);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()).into())
    }

    /// Writes the pipeline and a lock that knows the plugins at the top of this file.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn pipeline(&self, steps: &str) -> Result<(), Fault> {
        write_rules(&self.workspace(), steps)
    }

    /// A command of the binary in the workspace, not yet started.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        command(&self.binary, &self.workspace(), &self.home(), args)
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn run(&self, args: &[&str]) -> Result<Said, Fault> {
        Ok(said(&self.command(args).output()?))
    }

    /// Runs what has to exit with this code.
    ///
    /// # Errors
    /// When it exits with another.
    pub(crate) fn exits(&self, args: &[&str], exit: i32) -> Result<Said, Fault> {
        let said = self.run(args)?;
        if said.exit != exit {
            let Said {
                exit: got,
                out,
                err,
            } = said;
            return Err(format!(
                "{args:?}: wanted {exit}, got {got}\n--- out\n{out}\n--- err\n{err}"
            )
            .into());
        }
        Ok(said)
    }

    /// `run --format json` with these arguments more, which has to exit with this code; its document.
    ///
    /// # Errors
    /// When it exits with another, or prints no document.
    pub(crate) fn go(&self, more: &[&str], exit: i32) -> Result<Value, Fault> {
        let mut args = vec!["run", "--format", "json"];
        args.extend(more);
        let said = self.exits(&args, exit)?;
        Ok(serde_json::from_str(&said.out)?)
    }

    /// The bodies of all records of one kind, in order, as the binary shows them.
    ///
    /// # Errors
    /// When the tape cannot be shown.
    pub(crate) fn bodies(&self, kind: &str) -> Result<Vec<Value>, Fault> {
        let args = ["tape", "show", "--format", "json", "--limit", "100000"];
        let said = self.exits(&args, 0)?;
        let lines = said.out.lines().map(serde_json::from_str::<Value>);
        let records = lines.collect::<Result<Vec<_>, _>>()?;
        let records = records.into_iter();
        let of_kind = records.filter(|record| record["kind"] == kind);
        Ok(of_kind.map(|mut record| record["body"].take()).collect())
    }

    /// What the audit finds of the tape, `CLOSED` or `OPEN`, and the number of calls without an outcome.
    ///
    /// # Errors
    /// When it is broken.
    pub(crate) fn audit(&self) -> Result<(String, usize), Fault> {
        let said = self.exits(&["tape", "verify", "--format", "json"], 0)?;
        let document: Value = serde_json::from_str(&said.out)?;
        let report = &document["report"];
        let open = report["open_calls"].as_array().map_or(0, Vec::len);
        let word = report["finding"]["verdict"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok((word, open))
    }
}

/// A step with the gate that does what its configuration names, over docs; `more` follows.
pub(crate) fn gate(id: &str, config: &str, more: &str) -> String {
    format!(
        "[[step]]\nid = \"{id}\"\ngate = \"hostile-gate\"\nconfig = {{ {config} }}\nread = [\"docs/**\"]\n{more}\n"
    )
}

/// The entry of a step in the document of a run.
///
/// # Errors
/// When there is none.
pub(crate) fn step<'a>(run: &'a Value, id: &str) -> Result<&'a Value, Fault> {
    let steps = run["steps"]
        .as_array()
        .ok_or_else(|| format!("no steps in {run}"))?;
    let found = steps.iter().find(|step| step["step"] == id);
    found.ok_or_else(|| format!("no step {id} in {run}").into())
}

/// Output as text.
pub(crate) fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said {
        exit: output.status.code().unwrap_or(-1),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

fn command(binary: &Path, folder: &Path, home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("LEASEHOLD_HOME", home);
    command
}

fn write(path: &Path, content: &[u8]) -> Result<(), Fault> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, content)?)
}

fn write_rules(workspace: &Path, steps: &str) -> Result<(), Fault> {
    let mut lock = "version = 1\n".to_owned();
    let mut entry = |name: &str, digest: Digest, source: &str| {
        lock += &format!(
            "\n[[plugin]]\nname = \"{name}\"\nversion = \"1\"\ndigest = \"{digest}\"\nsource = \"{source}\"\n"
        );
    };
    for name in BUILTIN {
        entry(name, Digest::of(&plugin_bytes(name)?), "builtin");
    }
    for (name, file) in PREBUILT {
        let (bytes, place) = (plugin_bytes(file)?, format!("plugins/{name}.wasm"));
        entry(name, Digest::of(&bytes), &place);
        if steps.contains(&format!("\"{name}\"")) {
            write(&workspace.join(place), &bytes)?;
        }
    }
    // Whatever else lies among the plugins goes by the name of its file.
    let others = fs::read_dir(workspace.join("plugins"))
        .into_iter()
        .flatten();
    for other in others {
        let path = other?.path();
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .unwrap_or("");
        if PREBUILT.iter().all(|(known, _)| *known != name) {
            let place = format!("plugins/{name}.wasm");
            entry(name, Digest::of(&fs::read(&path)?), &place);
        }
    }
    write(&workspace.join("leasehold.lock"), lock.as_bytes())?;
    let pipeline = format!("version = 1\n{steps}");
    write(&workspace.join("leasehold.toml"), pipeline.as_bytes())
}

/// The home that others are copied from: as `init` makes it, and with the compiled code of the plugins above.
fn prepared(binary: &Path) -> Result<PathBuf, Fault> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pipeline-home");
    fs::create_dir_all(&place)?;
    // Every test may be a process of its own.
    let mut lock = File::options()
        .create(true)
        .append(true)
        .open(place.join("lock"))?;
    lock.lock()?;
    let info = fs::metadata(binary)?;
    let stamp = format!("{} {} {}", info.ino(), info.mtime_nsec(), info.mtime());
    let home = place.join("home");
    if fs::read_to_string(place.join("lock"))? != stamp {
        lock.set_len(0)?;
        prepare(binary, &home)?;
        lock.write_all(stamp.as_bytes())?;
    }
    Ok(home)
}

fn prepare(binary: &Path, home: &Path) -> Result<(), Fault> {
    let made = tempfile::tempdir()?;
    let (first, workspace) = (made.path().join("home"), made.path().join("ws"));
    fs::create_dir(&workspace)?;
    let plugins = BUILTIN.into_iter().chain(PREBUILT.map(|(name, _)| name));
    let steps = plugins.enumerate().map(|(at, name)| {
        let uses = match name {
            "probe" | "file-ops" | "md-toc" => "command",
            _ => "gate",
        };
        format!("[[step]]\nid = \"s{at}\"\n{uses} = \"{name}\"\nread = [\"none\"]\n")
    });
    write_rules(&workspace, &steps.collect::<String>())?;
    let run = |args: &[&str]| command(binary, &workspace, &first, args).output();
    let output = run(&["init"])?;
    if !output.status.success() {
        return Err(format!("init: {output:?}").into());
    }
    if home.exists() {
        fs::remove_dir_all(home)?;
    }
    copy_tree(&first, home)?;
    // What it comes to does not matter: each plugin is compiled.
    run(&["run"])?;
    for kept in ["results", "digests"] {
        let kept = first.join("cache").join(kept);
        if kept.exists() {
            fs::remove_dir_all(kept)?;
        }
    }
    copy_tree(&first.join("cache"), &home.join("cache"))
}

/// Copies a folder, its modes too.
fn copy_tree(from: &Path, to: &Path) -> Result<(), Fault> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
