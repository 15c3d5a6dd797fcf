//! Attacks by links, by moving and by what is no file, through a real guest and the one door. Each has a twin: the same guest,
//! under a wider lease, succeeds.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use leasehold_tests::{Fault, Stage, answer, code, said, twins};

type Test = Result<(), Fault>;

const ALL: &str = "l:** r:**";

#[test]
fn symlinks_give_no_more_than_their_target() -> Test {
    let stage = Stage::probe(&[("secret.txt", "secret"), ("open.txt", "open")])?;
    fs::write(stage.rig.folder().join("outside.txt"), "outside")?;
    let place = stage.rig.workspace();
    symlink("../outside.txt", place.join("out"))?;
    symlink("/etc/passwd", place.join("absolute"))?;
    symlink("secret.txt", place.join("inner"))?;
    symlink("open.txt", place.join("plain"))?;
    for link in ["out", "absolute"] {
        let bad = stage.run("l:** r:** w:**", &["read", link])?;
        assert_eq!(code(&bad), "PATH-ESCAPE", "{bad:?}");
        let bad = stage.run("l:** r:** w:**", &["raw-write", link, "x"])?;
        assert_eq!(code(&bad), "PATH-ESCAPE", "{bad:?}");
    }
    let good = stage.run_in(stage.rig.folder(), ALL, &["raw-read", "workspace/out"])?;
    assert_eq!(answer(&good)["text"], "outside");
    twins(
        &stage,
        &["read", "inner"],
        "PATH-DENIED",
        "l:** r:** d:secret.txt",
        ALL,
    )?;
    // The link, too, has to be granted.
    twins(
        &stage,
        &["read", "plain"],
        "PATH-DENIED",
        "l:open.txt r:open.txt",
        "l:** r:open.txt",
    )?;
    twins(
        &stage,
        &["raw-write", "inner", "x"],
        "PATH-DENIED",
        "l:** r:** w:inner",
        "l:** w:secret.txt",
    )?;
    assert_eq!(stage.content("secret.txt")?, "x");
    Ok(())
}

#[test]
fn dangling_links_and_loops() -> Test {
    let stage = Stage::probe(&[("dir/a", ""), ("hidden/there", "")])?;
    let place = stage.rig.workspace();
    symlink("made.txt", place.join("dangling"))?;
    symlink("one", place.join("two"))?;
    symlink("two", place.join("one"))?;
    symlink("hidden/there", place.join("yes"))?;
    symlink("hidden/not-h", place.join("not"))?;
    let bad = stage.run(ALL, &["read", "dangling"])?;
    assert_eq!(
        (code(&bad), &answer(&bad)["error"]),
        ("COMMAND-FAILED", &"ENOENT".into())
    );
    // Nothing is made through a link, and the twin makes it by its own name.
    let write = "l:** r:** w:**";
    let bad = stage.run(write, &["raw-write", "dangling", "x"])?;
    assert_eq!(code(&bad), "LINK-DENIED", "{bad:?}");
    assert!(!place.join("made.txt").exists());
    let good = stage.run(write, &["raw-write", "made.txt", "x"])?;
    assert_eq!(
        (code(&good), stage.content("dangling")?.as_str()),
        ("PASS", "x")
    );
    let bad = stage.run(ALL, &["read", "one"])?;
    assert_eq!(
        (code(&bad), &answer(&bad)["error"]),
        ("COMMAND-FAILED", &"ELOOP".into())
    );
    fs::remove_file(place.join("two"))?;
    symlink("dir/a", place.join("two"))?;
    assert_eq!(code(&stage.run(ALL, &["read", "one"])?), "PASS");
    // Whether a link into a denied folder dangles is not to be found out.
    let [there, not] = ["yes", "not"].map(|link| stage.run("l:** r:** d:hidden", &["read", link]));
    let (there, not) = (there?, not?);
    assert_eq!((code(&there), code(&not)), ("PATH-DENIED", "PATH-DENIED"));
    assert_eq!((&there.stderr, there.fuel), (&not.stderr, not.fuel));
    Ok(())
}

#[test]
fn a_second_name_of_a_denied_file_is_none() -> Test {
    let stage = Stage::probe(&[("secret", "secret")])?;
    fs::hard_link(
        stage.rig.workspace().join("secret"),
        stage.rig.workspace().join("other"),
    )?;
    let (bad, good) = twins(
        &stage,
        &["read", "other"],
        "LINK-DENIED",
        "l:** r:** d:secret",
        ALL,
    )?;
    assert!(!said(&bad).contains("secret"));
    assert_eq!(answer(&good)["text"], "secret");
    twins(
        &stage,
        &["read", "other"],
        "LINK-DENIED",
        "l:** r:other",
        ALL,
    )?;
    // Writing goes through every name at once, so no lease allows it; the twin is the same file with one name.
    let bad = stage.run("l:** r:** w:**", &["append", "other", "x"])?;
    assert_eq!(
        (code(&bad), stage.content("secret")?.as_str()),
        ("LINK-DENIED", "secret")
    );
    fs::remove_file(stage.rig.workspace().join("secret"))?;
    assert_eq!(
        code(&stage.run("l:** r:** w:**", &["append", "other", "x"])?),
        "PASS"
    );
    Ok(())
}

#[test]
fn guests_make_no_links() -> Test {
    let stage = Stage::probe(&[("a", "a")])?;
    for act in [["link", "a", "b"], ["symlink", "a", "b"]] {
        let bad = stage.run("l:** r:** w:**", &act)?;
        assert_eq!(code(&bad), "LINK-DENIED", "{bad:?}");
        assert!(fs::symlink_metadata(stage.rig.workspace().join("b")).is_err());
    }
    assert_eq!(
        code(&stage.run("l:** r:** w:**", &["write", "b", "a"])?),
        "PASS"
    );
    Ok(())
}

#[test]
fn a_folder_is_not_renamed_to_get_round_a_rule() -> Test {
    let stage = Stage::probe(&[("a/secret", "s"), ("a/open", "o")])?;
    let narrow = "l:** r:** w:** d:a/secret";
    let bad = stage.run(narrow, &["rename", "a", "b"])?;
    assert_eq!(code(&bad), "PATH-DENIED", "{bad:?}");
    assert_eq!(stage.content("a/secret")?, "s");
    // Writing a file to where it may be read reads it.
    let (bad, _) = twins(
        &stage,
        &["rename", "a/open", "free"],
        "PATH-DENIED",
        "l:** r:free w:**",
        "l:** r:** w:**",
    )?;
    assert!(bad.changes.list.is_empty());
    twins(
        &stage,
        &["rename", "a", "b"],
        "PATH-DENIED",
        narrow,
        "l:** r:** w:**",
    )?;
    assert_eq!(stage.content("b/secret")?, "s");
    Ok(())
}

#[test]
fn a_folder_swapped_for_a_link_while_it_is_read() -> Test {
    let stage = Stage::probe(&[("dir/file", "open"), ("hidden/file", "secret")])?;
    let place = stage.rig.workspace();
    let stop = Arc::new(AtomicBool::new(false));
    let racer = std::thread::spawn({
        let (place, stop) = (place.clone(), Arc::clone(&stop));
        move || -> std::io::Result<()> {
            while !stop.load(Ordering::Relaxed) {
                fs::rename(place.join("dir"), place.join("aside"))?;
                symlink("hidden", place.join("dir"))?;
                std::thread::yield_now();
                fs::remove_file(place.join("dir"))?;
                fs::rename(place.join("aside"), place.join("dir"))?;
            }
            Ok(())
        }
    });
    let narrow = "l:dir/** r:dir/**";
    let mut swapped = false;
    for _ in 0..20 {
        let outcome = stage.run(narrow, &["read-loop", "dir/file", "400"])?;
        let seen = answer(&outcome)["seen"].to_string();
        assert!(!seen.contains("secret"), "{seen}");
        assert!(seen.contains("open") || seen.contains('!'), "{seen}");
        swapped |= outcome.coverage.denied > 0;
        if swapped {
            break;
        }
    }
    stop.store(true, Ordering::Relaxed);
    racer.join().map_err(|_panic| "the racer panicked")??;
    assert!(swapped, "no call met the link");
    // The link for good: refused under the same lease, followed under a wider one.
    fs::rename(place.join("dir"), place.join("aside"))?;
    symlink("hidden", place.join("dir"))?;
    let (_, good) = twins(&stage, &["read", "dir/file"], "PATH-DENIED", narrow, ALL)?;
    assert_eq!(answer(&good)["text"], "secret");
    Ok(())
}

#[test]
fn what_is_neither_file_nor_folder_is_not_opened() -> Test {
    let stage = Stage::probe(&[("plain", "p")])?;
    let place = stage.rig.workspace();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        place.join("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )?;
    let _listener = UnixListener::bind(place.join("socket"))?;
    for name in ["fifo", "socket"] {
        for act in [&["read", name][..], &["append", name, "x"]] {
            let bad = stage.run("l:** r:** w:**", act)?;
            assert_eq!(code(&bad), "FILE-TYPE", "{act:?}: {bad:?}");
        }
    }
    assert_eq!(
        code(&stage.run("l:** r:** w:**", &["append", "plain", "x"])?),
        "PASS"
    );
    // From the root of the machine: devices and what the kernel shows of itself, by name and by link.
    let root = std::path::Path::new("/");
    for path in [
        "dev/null",
        "dev/zero",
        "proc/self/environ",
        "proc/self/root/etc/passwd",
        "sys/kernel/notes",
    ] {
        let bad = stage.run_in(root, ALL, &["raw-read", path])?;
        assert_eq!(code(&bad), "FILE-TYPE", "{path}: {bad:?}");
    }
    symlink("/proc/self/environ", place.join("environ"))?;
    assert_eq!(code(&stage.run(ALL, &["read", "environ"])?), "PATH-ESCAPE");
    let plain = place.join("plain");
    let plain = plain.strip_prefix("/")?.to_string_lossy();
    let good = stage.run_in(root, ALL, &["raw-read", &plain])?;
    assert_eq!(answer(&good)["text"], "px");
    Ok(())
}
