//! Through the binary: papers, plugins and tapes that were changed, and what a user is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use leasehold_tests::{Fault, binary, repository};
use tempfile::TempDir;

type Test = Result<(), Fault>;

/// A home and a folder to work in.
struct Desk {
    folder: TempDir,
    binary: PathBuf,
}

impl Desk {
    fn new() -> Result<Desk, Fault> {
        let desk = Desk {
            folder: tempfile::tempdir()?,
            binary: binary()?,
        };
        fs::create_dir_all(desk.path("project/docs"))?;
        fs::write(desk.path("project/docs/a.md"), "a\n")?;
        for plugin in ["file-ops", "hello", "structure-lock"] {
            let name = format!("{plugin}.wasm");
            fs::copy(
                repository().join("plugins/prebuilt").join(&name),
                desk.path(&name),
            )?;
        }
        desk.good(&["init"])?;
        Ok(desk)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Result<Output, Fault> {
        Ok(Command::new(&self.binary)
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("LEASEHOLD_HOME", self.path("home"))
            .output()?)
    }

    fn good(&self, args: &[&str]) -> Result<String, Fault> {
        let output = self.run(args)?;
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        match output.status.code() {
            Some(0) => Ok(said),
            code => Err(format!("{args:?} exited with {code:?}:\n{said}").into()),
        }
    }

    /// Runs what has to be refused with this exit code and this code, with a hint.
    fn bad(&self, args: &[&str], exit: i32, code: &str) -> Test {
        let output = self.run(args)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let fits = output.status.code() == Some(exit)
            && said.contains(&format!("error[{code}]: "))
            && said.contains("hint: ");
        if fits {
            return Ok(());
        }
        Err(format!(
            "{args:?}: wanted {exit} {code}, got {:?}:\n{said}",
            output.status.code()
        )
        .into())
    }

    fn lease(&self, name: &str, more: &[&str]) -> Result<String, Fault> {
        let mut args = vec![
            "lease",
            "issue",
            "--plugin",
            "hello.wasm",
            "--kind",
            "command",
            "-o",
            name,
        ];
        args.extend(more);
        self.good(&args)
    }

    fn tape(&self) -> PathBuf {
        self.path("home/tape/records.jsonl")
    }
}

const CALL: [&str; 4] = ["call", "hello.wasm", "--lease", "a.lease"];

fn flip(path: &Path, at: usize) -> Test {
    let mut bytes = fs::read(path)?;
    let byte = bytes.get_mut(at).ok_or("no such byte")?;
    *byte ^= 1;
    Ok(fs::write(path, bytes)?)
}

#[test]
fn a_lease_edited_by_hand_is_no_lease() -> Test {
    let desk = Desk::new()?;
    desk.lease("a.lease", &[])?;
    desk.good(&CALL)?;
    let sound = fs::read_to_string(desk.path("a.lease"))?;
    let payload = sound.find("\"payload\":\"").ok_or("no payload")? + 11;
    for (at, what) in [(payload + 40, "payload"), (sound.len() - 30, "signature")] {
        fs::write(desk.path("a.lease"), &sound)?;
        let mut edited = sound.clone().into_bytes();
        edited[at] = if edited[at] == b'A' { b'B' } else { b'A' };
        fs::write(desk.path("a.lease"), &edited)?;
        let output = desk.run(&CALL)?;
        assert_eq!(output.status.code(), Some(2), "{what}: {output:?}");
    }
    fs::write(desk.path("a.lease"), &sound[..sound.len() / 2])?;
    desk.bad(&CALL, 2, "JSON-SYNTAX")?;
    fs::write(desk.path("a.lease"), "")?;
    desk.bad(&CALL, 2, "JSON-SYNTAX")?;
    fs::write(desk.path("a.lease"), vec![b' '; 10 << 20])?;
    desk.bad(&CALL, 2, "JSON-TOO-LARGE")?;
    fs::remove_file(desk.path("a.lease"))?;
    desk.bad(&CALL, 5, "FILE-MISSING")?;
    fs::write(desk.path("a.lease"), &sound)?;
    desk.good(&CALL)?;
    Ok(())
}

#[test]
fn a_plugin_swapped_on_disk_is_not_the_one_that_was_leased() -> Test {
    let desk = Desk::new()?;
    desk.lease("a.lease", &[])?;
    fs::copy(desk.path("structure-lock.wasm"), desk.path("hello.wasm"))?;
    desk.bad(&CALL, 3, "PLUGIN-MISMATCH")?;
    fs::copy(
        repository().join("plugins/prebuilt/hello.wasm"),
        desk.path("hello.wasm"),
    )?;
    desk.good(&CALL)?;
    fs::write(desk.path("hello.wasm"), "not wasm")?;
    desk.bad(&CALL, 2, "PLUGIN-FORMAT")
}

#[test]
fn a_lease_of_a_stranger_is_refused() -> Test {
    let desk = Desk::new()?;
    let other = Desk::new()?;
    other.lease("a.lease", &["--audience", "any"])?;
    fs::copy(other.path("a.lease"), desk.path("a.lease"))?;
    desk.bad(&CALL, 3, "KEY-UNTRUSTED")?;
    // Ours for another host: the twin is the same lease for any host.
    let host = other.good(&["--format", "json", "key", "list"])?;
    let at = host.find("sha256:").ok_or("no key")?;
    let host = &host[at..at + 71];
    desk.lease("a.lease", &["--audience", host])?;
    desk.bad(&CALL, 3, "LEASE-AUDIENCE")?;
    desk.lease("b.lease", &["--audience", "any"])?;
    desk.good(&["call", "hello.wasm", "--lease", "b.lease"])?;
    Ok(())
}

#[test]
fn a_tape_edited_by_hand_is_broken() -> Test {
    let desk = Desk::new()?;
    desk.lease("a.lease", &[])?;
    desk.good(&CALL)?;
    assert!(desk.good(&["tape", "verify"])?.starts_with("CLOSED: "));
    let sound = fs::read(desk.tape())?;
    for at in [0, sound.len() / 3, sound.len() / 2, sound.len() - 2] {
        fs::write(desk.tape(), &sound)?;
        flip(&desk.tape(), at)?;
        let output = desk.run(&["tape", "verify"])?;
        assert_eq!(output.status.code(), Some(2), "byte {at}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("BROKEN: "));
    }
    // The last record cut off: fewer than were signed.
    let lines = sound.split_inclusive(|byte| *byte == b'\n').count();
    let kept: Vec<u8> = (sound.split_inclusive(|byte| *byte == b'\n').take(lines - 1))
        .flatten()
        .copied()
        .collect();
    fs::write(desk.tape(), &kept)?;
    assert_eq!(desk.run(&["tape", "verify"])?.status.code(), Some(2));
    desk.bad(&CALL, 2, "TAPE-TRUNCATED")?;
    fs::write(desk.tape(), &sound)?;
    desk.good(&CALL)?;
    Ok(())
}

#[test]
fn a_torn_line_is_put_aside_and_the_tape_goes_on() -> Test {
    let desk = Desk::new()?;
    desk.lease("a.lease", &[])?;
    let mut torn = fs::read(desk.tape())?;
    torn.extend_from_slice(b"{\"body\":{\"ca");
    fs::write(desk.tape(), torn)?;
    desk.good(&CALL)?;
    assert!(desk.good(&["tape", "verify"])?.starts_with("CLOSED: "));
    assert!(desk.good(&["tape", "show"])?.contains("tape.recovered"));
    Ok(())
}

#[test]
fn no_record_no_call() -> Test {
    let desk = Desk::new()?;
    desk.lease("a.lease", &[])?;
    let sound = fs::read(desk.tape())?;
    fs::remove_file(desk.tape())?;
    std::os::unix::fs::symlink("/dev/full", desk.tape())?;
    let output = desk.run(&CALL)?;
    assert!(
        !output.status.success() && output.stdout.is_empty(),
        "{output:?}"
    );
    fs::remove_file(desk.tape())?;
    fs::write(desk.tape(), sound)?;
    let output = desk.run(&CALL)?;
    assert_eq!(output.stdout, b"Hello, world!\n");
    Ok(())
}

#[test]
fn processes_share_a_tape() -> Test {
    let desk = Desk::new()?;
    desk.lease("a.lease", &[])?;
    let children: Result<Vec<_>, _> = (0..6)
        .map(|_| {
            Command::new(&desk.binary)
                .args(CALL)
                .current_dir(desk.folder.path())
                .env("LEASEHOLD_HOME", desk.path("home"))
                .output()
        })
        .collect();
    assert!(children?.iter().all(|output| output.status.success()));
    let threads: Vec<_> = (0..6)
        .map(|_| {
            let mut command = Command::new(&desk.binary);
            command.args(CALL).current_dir(desk.folder.path());
            command.env("LEASEHOLD_HOME", desk.path("home"));
            std::thread::spawn(move || command.output().is_ok_and(|output| output.status.success()))
        })
        .collect();
    assert!(
        threads
            .into_iter()
            .all(|thread| thread.join().unwrap_or(false))
    );
    let said = desk.good(&["tape", "verify"])?;
    assert!(said.contains("calls   12, 0 without an outcome"), "{said}");
    Ok(())
}

#[test]
fn the_binary_has_no_other_door() -> Test {
    let desk = Desk::new()?;
    // Reading a plugin, asking for help and drafting a lease call nothing: the tape holds no intent afterwards.
    desk.good(&["plugin", "inspect", "hello.wasm"])?;
    desk.lease("a.lease", &[])?;
    desk.good(&["lease", "verify", "a.lease"])?;
    assert!(!desk.good(&["tape", "show"])?.contains("call.intent"));
    desk.good(&CALL)?;
    assert!(desk.good(&["tape", "show"])?.contains("call.intent"));
    Ok(())
}

#[test]
fn the_home_is_not_in_the_tree_that_is_judged() -> Test {
    let desk = Desk::new()?;
    let call = [
        "call",
        "structure-lock.wasm",
        "--config",
        r#"{"roots": ["docs"]}"#,
        "--workspace",
    ];
    let of = |folder: &'static str| [&call[..], &[folder]].concat();
    desk.good(&of("project"))?;
    desk.bad(&of("."), 3, "HOME-IN-WORKSPACE")?;
    desk.bad(&of("home"), 3, "HOME-IN-WORKSPACE")
}
