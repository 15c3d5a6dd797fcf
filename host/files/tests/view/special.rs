//! What is neither file nor directory, names that are not UTF-8, mounts.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::{Duration, Instant};

use leasehold_files::{FileKind, OpenHow, Quota, Record, View};

use crate::common::*;

#[test]
fn a_fifo_is_shown_and_never_opened() {
    let bench = Bench::with(&["file"]);
    assert!(
        Command::new("mkfifo")
            .arg(bench.path("fifo"))
            .status()
            .unwrap()
            .success()
    );
    let view = bench.view(all());
    let started = Instant::now();
    refused(&view, "fifo");
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "opening a FIFO must not wait for its other end"
    );
}

#[test]
fn a_socket_is_shown_and_never_opened() {
    let bench = Bench::with(&["file"]);
    let _listener = UnixListener::bind(bench.path("socket")).unwrap();
    refused(&bench.view(all()), "socket");
}

#[test]
fn a_device_is_shown_and_never_opened() {
    let bench = Bench::with(&["file"]);
    let made = Command::new("mknod")
        .arg(bench.path("device"))
        .args(["c", "1", "5"])
        .output()
        .unwrap();
    if !made.status.success() {
        eprintln!(
            "SKIPPED a_device_is_shown_and_never_opened: this user may not make device nodes"
        );
        return;
    }
    refused(&bench.view(all()), "device");
}

/// Everything that would open it is refused for its type; the twin is a file beside it.
fn refused(view: &Checked, name: &str) {
    let root = view.root();
    assert_eq!(
        view.stat_at(&root, name, true).unwrap().kind,
        FileKind::Other
    );
    for how in [
        NONE,
        READ,
        WRITE,
        CREATE,
        OpenHow {
            truncate: true,
            ..WRITE
        },
    ] {
        assert_eq!(failure(view.open_at(&root, name, how)), TYPE, "{how:?}");
        assert!(view.open_at(&root, "file", how).is_ok(), "{how:?}");
    }
    assert_eq!(failure(view.open_at(&root, name, LIST)), TYPE);
    assert_eq!(failure(view.read_path(name, 0, 1)), TYPE);
    assert_eq!(failure(view.digest_path(name)), TYPE);
    assert_eq!(failure(view.rename_at(&root, name, &root, "moved")), TYPE);
    assert!(view.read_path("file", 0, 1).is_ok());
    let listed = view.list(&root).unwrap();
    assert!(
        listed
            .iter()
            .any(|entry| entry.name == name && entry.kind == FileKind::Other)
    );
}

#[test]
fn links_into_proc_lead_nowhere() {
    let bench = Bench::with(&["file"]);
    let secret = std::fs::File::open(bench.outside().join("secret")).unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&secret);
    bench.link(format!("/proc/self/fd/{fd}"), "magic");
    bench.link("/proc/self/root", "root");
    bench.link("/proc/self/cwd", "cwd");
    let view = bench.view(all());
    for path in ["magic", "root/etc/passwd", "cwd/Cargo.toml", "root"] {
        assert_eq!(failure(view.read_text(path)), ESCAPE, "{path}");
        assert_eq!(
            failure(view.stat_at(&view.root(), path, true)),
            ESCAPE,
            "{path}"
        );
    }
    bench.link("file", "plain");
    assert_eq!(view.read_text("plain").unwrap(), "file");
}

#[test]
fn names_that_are_not_utf8_are_counted_and_not_shown() {
    let bench = Bench::with(&["a"]);
    std::fs::write(bench.path("").join(OsStr::from_bytes(b"bad\xff")), "x").unwrap();
    let view = bench.view(all());
    assert_eq!(view.names("").unwrap(), ["a"]);
    assert_eq!(view.names("").unwrap(), ["a"]);
    let coverage = view.coverage();
    assert_eq!(
        (coverage.listed, coverage.non_utf8, coverage.hidden),
        (1, 1, 0)
    );
    assert!(!coverage.complete());
    // Nor is a link to such a name followed.
    std::os::unix::fs::symlink(OsStr::from_bytes(b"bad\xff"), bench.path("to-bad")).unwrap();
    assert_eq!(failure(view.read_text("to-bad")).1, "PATH-FORMAT");
}

/// Runs one ignored test of this binary in a mount namespace of its own, after `mounts`.
fn in_own_namespace(test: &str, mounts: &str, workspace: &std::path::Path) {
    let me = std::env::current_exe().unwrap();
    let script = format!(
        "set -e; mount --make-rprivate /; {mounts}; exec \"$0\" --exact {test} --ignored --nocapture"
    );
    let run = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script])
        .arg(me)
        .env("LEASEHOLD_TEST_WORKSPACE", workspace)
        .output();
    match run {
        Ok(output) if output.status.success() => {
            assert!(
                String::from_utf8_lossy(&output.stdout).contains("1 passed"),
                "the test did not run"
            );
        }
        Ok(output) => {
            let said = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            let not_permitted = [
                "Operation not permitted",
                "permission denied",
                "must be superuser",
            ];
            assert!(not_permitted.iter().any(|why| said.contains(why)), "{said}");
            eprintln!("SKIPPED {test}: this user may not make a mount namespace");
        }
        Err(error) => eprintln!("SKIPPED {test}: no unshare: {error}"),
    }
}

#[test]
fn mounts_inside_the_workspace() {
    let bench = Bench::with(&[
        "file",
        "home/key",
        "proc/placeholder",
        "bound/placeholder",
        "elsewhere/x",
    ]);
    let root = bench.path("");
    let mounts = format!(
        "mount -t proc proc {0}/proc; mount --bind {0}/home {0}/bound; mount -t tmpfs tmpfs {0}/elsewhere; \
         echo tmp > {0}/elsewhere/y; touch {0}/one; mount --bind /proc/self/environ {0}/one",
        root.display()
    );
    in_own_namespace("special::with_mounts", &mounts, &root);
}

#[test]
#[ignore = "run by mounts_inside_the_workspace, in a mount namespace"]
fn with_mounts() {
    let root = std::path::PathBuf::from(std::env::var_os("LEASEHOLD_TEST_WORKSPACE").unwrap());
    let quota = Quota {
        write_bytes: 100,
        open_files: 8,
    };
    let open = |protected| {
        Checked(View::open(
            &open_tree(&root, protected),
            all(),
            quota,
            Record::Names,
        ))
    };
    let plain = open(leasehold_files::Protected::default());
    // A window into the host is no file.
    for path in [
        "proc/self/environ",
        "proc/1/environ",
        "proc/version",
        "proc/self/root/etc/passwd",
    ] {
        assert_eq!(failure(plain.read_text(path)), TYPE, "{path}");
        assert_eq!(failure(plain.read_path(path, 0, 9)), TYPE, "{path}");
    }
    assert_eq!(failure(plain.names("proc")), TYPE);
    assert_eq!(failure(plain.read_text("one")), TYPE);
    // An ordinary file system may be mounted, and is read the long way.
    assert_eq!(plain.read_text("elsewhere/y").unwrap(), "tmp\n");
    assert_eq!(plain.read_path("elsewhere/y", 0, 9).unwrap().0, b"tmp\n");
    assert_eq!(plain.read_text("bound/key").unwrap(), "home/key");
    // A closed folder is closed under its other name as well.
    let meta = std::fs::metadata(root.join("home")).unwrap();
    let id = leasehold_files::FileId {
        dev: std::os::unix::fs::MetadataExt::dev(&meta),
        ino: std::os::unix::fs::MetadataExt::ino(&meta),
    };
    let closed = leasehold_files::Protected {
        closed: [id].into(),
        ..Default::default()
    };
    let view = open(closed);
    for path in ["home/key", "bound/key", "bound"] {
        assert_eq!(failure(view.read_text(path)), PROTECTED, "{path}");
        assert_eq!(failure(view.read_path(path, 0, 9)), PROTECTED, "{path}");
    }
    assert_eq!(failure(view.write_text("bound/new", "x")), PROTECTED);
    assert_eq!(
        failure(view.rename_at(&view.root(), "file", &view.root(), "bound/file")),
        PROTECTED
    );
}
