//! A host thread that changes the tree while a guest opens files. Whatever the guest gets, it is not from outside.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use leasehold_files::View;

use crate::common::*;

/// Runs `host` over and over in a thread of its own while `guest` runs over and over in this one: a thousand times
/// each and until the guest got something, where two seconds are enough for that. The guest says how often it got something.
fn race(mut host: impl FnMut() + Send, mut guest: impl FnMut() -> u64) {
    let stop = AtomicBool::new(false);
    let swaps = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                host();
                swaps.fetch_add(1, Ordering::Relaxed);
            }
        });
        // Also when the guest's part panics, or the scope would wait for ever.
        let _stop = StopAtEnd(&stop);
        let started = Instant::now();
        let (mut tries, mut got) = (0, 0);
        let enough = |tries, got| {
            // Threads that share a processor take turns of milliseconds: give them many.
            let swaps = swaps.load(Ordering::Relaxed);
            started.elapsed() > LEAST && swaps > ENOUGH && tries > ENOUGH && got > ENOUGH / 10
        };
        while started.elapsed() < MOST && !enough(tries, got) {
            got += guest();
            tries += 1;
        }
        let swaps = swaps.load(Ordering::Relaxed);
        assert!(
            swaps > 50 && tries > 50 && got > 0,
            "too little was raced: {swaps} {tries} {got}"
        );
    });
}

const LEAST: Duration = Duration::from_millis(200);
const MOST: Duration = Duration::from_secs(2);
const ENOUGH: u64 = 1_000;

struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn assert_inside(content: &[u8]) {
    assert_eq!(
        std::str::from_utf8(content).unwrap(),
        "inside",
        "a byte from outside"
    );
}

/// In a race the file may be moved between the open and the second look, but never to outside.
#[cfg(debug_assertions)]
fn assert_verdicts(view: &View) {
    let verdicts = view.verdicts();
    assert_eq!(
        (verdicts.outside, verdicts.not_allowed),
        (0, 0),
        "{verdicts:?}"
    );
}

#[cfg(not(debug_assertions))]
fn assert_verdicts(_: &View) {}

#[test]
fn a_folder_swapped_for_a_link_to_outside() {
    let bench = Bench::new();
    bench.file("a/dir/secret", "inside");
    fs::write(bench.outside().join("secret"), SECRET).unwrap();
    let (dir, kept, link) = (
        bench.path("a/dir"),
        bench.path("a/kept"),
        bench.path("a/link"),
    );
    symlink(bench.outside(), &link).unwrap();
    let view = bench.view(all()).0.clone();
    race(
        || {
            fs::rename(&dir, &kept).unwrap();
            fs::rename(&link, &dir).unwrap();
            fs::rename(&dir, &link).unwrap();
            fs::rename(&kept, &dir).unwrap();
        },
        || {
            let mut got = 0;
            // A view of its own each few tries, so that both the walk and the short cut are raced.
            let fresh = bench.view(all()).0.clone();
            for view in [&view, &fresh, &fresh] {
                if let Ok((bytes, _)) = view.read_path("a/dir/secret", 0, 99) {
                    assert_inside(&bytes);
                    got += 1;
                }
                if let Ok(node) = view.open_at(&view.root(), "a/dir/secret", READ) {
                    assert_inside(&view.read(&node, 0, 99).unwrap().0);
                    got += 1;
                }
                if let Ok(attributes) = view.stat_at(&view.root(), "a/dir/secret", true) {
                    assert_eq!(attributes.size, 6, "attributes from outside");
                }
                let _ = view.open_at(&view.root(), "a/dir/new", CREATE);
                let _ = view.create_dir_at(&view.root(), "a/dir/sub");
                let _ = view.unlink_at(&view.root(), "a/dir/new");
                if let Ok(dir) = view.open_at(&view.root(), "a/dir", LIST) {
                    let names = view.list(&dir).unwrap_or_default();
                    assert!(names.iter().all(|entry| entry.name != "only-outside"));
                }
            }
            assert_verdicts(&fresh);
            got
        },
    );
    assert_verdicts(&view);
    let left: Vec<_> = fs::read_dir(bench.outside())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["secret"], "something was made outside");
    assert_eq!(
        fs::read_to_string(bench.outside().join("secret")).unwrap(),
        SECRET
    );
}

#[test]
fn a_file_swapped_for_a_link_or_another_file() {
    let bench = Bench::new();
    bench.file("a/file", "inside");
    bench.file("denied", SECRET);
    let (file, kept, link) = (
        bench.path("a/file"),
        bench.path("a/kept"),
        bench.path("a/link"),
    );
    symlink("../denied", &link).unwrap();
    let rules = || rules(&["**"], &["**"], &["**"], &["denied"]);
    let view = bench.view(rules()).0.clone();
    race(
        || {
            fs::rename(&file, &kept).unwrap();
            fs::rename(&link, &file).unwrap();
            fs::rename(&file, &link).unwrap();
            fs::rename(&kept, &file).unwrap();
        },
        || {
            let mut got = 0;
            if let Ok((bytes, _)) = view.read_path("a/file", 0, 99) {
                assert_inside(&bytes);
                got += 1;
            }
            if let Ok(node) = view.open_at(&view.root(), "a/file", WRITE) {
                view.write(&node, 0, b"inside").unwrap();
                got += 1;
            }
            if let Ok(node) = view.open_at(&view.root(), "a/file", READ) {
                assert_inside(&view.read(&node, 0, 99).unwrap().0);
                got += 1;
            }
            got
        },
    );
    assert_verdicts(&view);
    assert_eq!(bench.text("denied"), SECRET);
}

#[test]
fn a_file_swapped_for_a_hard_link_from_outside() {
    let bench = Bench::new();
    bench.file("a/file", "inside");
    let (file, kept, hard) = (
        bench.path("a/file"),
        bench.path("a/kept"),
        bench.path("a/hard"),
    );
    fs::hard_link(bench.outside().join("secret"), &hard).unwrap();
    let view = bench
        .view(rules(&["**"], &["a/**"], &["a/**"], &[]))
        .0
        .clone();
    race(
        || {
            fs::rename(&file, &kept).unwrap();
            fs::rename(&hard, &file).unwrap();
            fs::rename(&file, &hard).unwrap();
            fs::rename(&kept, &file).unwrap();
        },
        || {
            let mut got = 0;
            if let Ok((bytes, _)) = view.read_path("a/file", 0, 99) {
                assert_inside(&bytes);
                got += 1;
            }
            if let Ok(node) = view.open_at(&view.root(), "a/file", WRITE) {
                view.write(&node, 0, b"inside").unwrap();
                got += 1;
            }
            got
        },
    );
    assert_eq!(
        fs::read_to_string(bench.outside().join("secret")).unwrap(),
        SECRET
    );
}

#[test]
fn a_file_swapped_for_a_link_while_it_is_moved() {
    let bench = Bench::new();
    bench.file("a/file", "inside");
    let (file, new, moved) = (
        bench.path("a/file"),
        bench.path("a/new"),
        bench.path("a/moved"),
    );
    let view = bench.view(all()).0.clone();
    let root = view.root();
    race(
        || {
            symlink("../../outside/secret", &new).unwrap();
            fs::rename(&new, &file).unwrap();
            fs::write(&new, "inside").unwrap();
            fs::rename(&new, &file).unwrap();
        },
        || {
            let done = view.rename_at(&root, "a/file", &root, "a/moved");
            let found = moved.symlink_metadata();
            if done.is_ok() {
                assert!(found.is_ok_and(|found| found.is_file()), "a link was moved");
            }
            let _ = fs::remove_file(&moved);
            u64::from(done.is_ok())
        },
    );
}
