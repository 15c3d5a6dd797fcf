//! What a call has learned and nobody may rest a result on, sets as bytes, and a survey that many checks share.

use std::fs;

use leasehold_files::{DigestMemo, ReadSet, Record, Survey, View, What};
use leasehold_lease::FileGrant;
use leasehold_seal::{Class, Coded, Digest};
use proptest::prelude::*;

use crate::common::*;
use crate::reuse::{difference, learn, read, stat, walk};

#[test]
fn what_cannot_be_represented_is_never_used_again() {
    let spoiled = |rules: FileGrant, call: &dyn Fn(&Checked)| {
        let bench = Bench::with(&["a", "d/x", "secret"]);
        let set = learn(&bench, rules.clone(), |view| call(view));
        let why = set.reusable().unwrap_err();
        let survey = Survey::new(&bench.tree(), &DigestMemo::new());
        let found = survey.check(&set, &rules).unwrap_err();
        assert_eq!(
            (found.what, found.to_string()),
            (What::Incomplete(why), format!("the call {why}"))
        );
        why
    };
    let denied = "was refused an operation";
    let wrote = "changed files, or wanted to";
    let told = "was told of an error other than a missing file";
    let narrow = || rules(&["d/**"], &["d/**"], &[], &[]);
    assert_eq!(spoiled(narrow(), &|view| stat(view, "secret")), denied);
    assert_eq!(
        spoiled(all(), &|view| view.write_text("new", "x").unwrap()),
        wrote
    );
    assert_eq!(
        spoiled(all(), &|view| drop(view.open_at(&view.root(), "a", WRITE))),
        wrote
    );
    assert_eq!(
        spoiled(all(), &|view| drop(view.set_times_at(
            &view.root(),
            "a",
            true
        ))),
        wrote
    );
    assert_eq!(
        spoiled(all(), &|view| drop(view.create_dir_at(&view.root(), "d"))),
        wrote
    );
    assert_eq!(
        spoiled(read_all(), &|view| drop(view.read_path("d", 0, 9))),
        told
    );
    assert_eq!(spoiled(read_all(), &|view| stat(view, "a/x")), told);
    let blind = || rules(&[], &[], &["a"], &[]);
    let unclear = "asked about a file that it may write but not read";
    assert_eq!(spoiled(blind(), &|view| stat(view, "a")), unclear);
    let many = |view: &Checked| {
        for offset in 0..2_000 {
            view.read_path("d/x", 1 - offset % 2, 1).unwrap();
        }
    };
    // The same pieces over and over are only two.
    let bench = Bench::with(&["d/x"]);
    assert_eq!(learn(&bench, read_all(), many).reusable(), Ok(()));
    bench.file("big", &"0123456789".repeat(1_000));
    let many = |view: &Checked| {
        for piece in 0..2_000 {
            view.read_path("big", 9_000 - piece * 2, 1).unwrap();
        }
    };
    let pieces = Err("read a file in too many separate pieces");
    assert_eq!(learn(&bench, read_all(), many).reusable(), pieces);
}

#[test]
fn a_tree_that_changed_during_the_call_is_never_used_again() {
    let changed = Err("ran while the workspace changed");
    let run = |call: &dyn Fn(&Checked, &Bench)| {
        let bench = Bench::with(&["a", "d/x"]);
        let view = bench.view(read_all());
        call(&view, &bench);
        (bench, view.reads())
    };
    let grow = |view: &Checked, bench: &Bench| {
        stat(view, "a");
        bench.file("a", "longer");
        stat(view, "a");
    };
    assert_eq!(run(&grow).1.reusable(), changed);
    let list = |view: &Checked, bench: &Bench| {
        view.names("d").unwrap();
        bench.file("d/new", "");
        view.names("d").unwrap();
    };
    assert_eq!(run(&list).1.reusable(), changed);
    let appear = |view: &Checked, bench: &Bench| {
        stat(view, "new");
        bench.file("new", "");
        stat(view, "new");
    };
    assert_eq!(run(&appear).1.reusable(), changed);
    // The same length and the same tick: only the content tells.
    let swap = |view: &Checked, bench: &Bench| {
        let node = view.open_at(&view.root(), "d/x", READ).unwrap();
        view.read(&node, 0, 2).unwrap();
        fs::write(bench.path("d/x"), "D/X").unwrap();
        view.read(&node, 0, 9).unwrap();
    };
    assert_eq!(run(&swap).1.reusable(), changed);
    // Where two facts cannot be told from each other during the call, they cannot both hold later.
    let torn = |view: &Checked, bench: &Bench| {
        let node = view.open_at(&view.root(), "d/x", READ).unwrap();
        view.read(&node, 0, 9).unwrap();
        fs::write(bench.path("d/x"), "D/X").unwrap();
        view.read(&node, 0, 2).unwrap();
    };
    let (bench, set) = run(&torn);
    assert!(difference(&bench, &read_all(), &set).is_some());
    fs::write(bench.path("d/x"), "d/x").unwrap();
    assert!(difference(&bench, &read_all(), &set).is_some());
}

#[test]
fn the_same_content_read_in_other_ways_is_one_fact() {
    let content = "0123456789".repeat(20_000);
    let bench = Bench::new();
    bench.file("big", &content);
    let whole = |steps: &'static [(u64, usize)]| {
        let set = learn(&bench, read_all(), |view| {
            for (offset, max) in steps {
                view.read_path("big", *offset, *max).unwrap();
            }
        });
        set.file("big").unwrap().clone()
    };
    let once = whole(&[(0, 1 << 20)]);
    assert_eq!(once.whole(), Some(Digest::of(content.as_bytes())));
    let others: [&'static [(u64, usize)]; 4] = [
        &[(0, 150_000), (150_000, 100_000)],
        // A look at the start, then everything; everything twice.
        &[(0, 8_192), (0, 1 << 20)],
        &[(0, 1 << 20), (0, 1 << 20)],
        &[(100, 8_192), (50_000, 10), (0, 200_000), (200_000, 1)],
    ];
    for steps in others {
        let other = whole(steps);
        assert_eq!(
            (other.whole(), other.pieces, other.size),
            (once.whole(), Vec::new(), once.size),
            "{steps:?}"
        );
    }
}

#[test]
fn names_alone_are_no_ground_for_using_a_result_again() {
    let mut bench = Bench::with(&["a"]);
    bench.record = Record::Names;
    let set = learn(&bench, read_all(), read("a"));
    assert_eq!(
        set.reusable(),
        Err("was recorded without the content of what it read")
    );
    assert_eq!(set.file("a").unwrap().size, Some(1));
    bench.record = Record::Contents;
    assert_eq!(learn(&bench, read_all(), read("a")).reusable(), Ok(()));
}

#[test]
fn one_survey_serves_many_checks_at_once() {
    let bench = Bench::new();
    for number in 0..200 {
        bench.file(
            &format!("d{}/f{number}", number % 20),
            &format!("content {number}"),
        );
    }
    let sets: Vec<ReadSet> = (0..4)
        .map(|part| {
            learn(&bench, read_all(), |view| {
                walk(view, "**");
                for number in (part..200).step_by(2) {
                    view.read_path(&format!("d{}/f{number}", number % 20), 0, 99)
                        .unwrap();
                }
            })
        })
        .collect();
    let memo = DigestMemo::new();
    let check = |expected: &[Option<&str>]| {
        let survey = Survey::new(&bench.tree(), &memo);
        std::thread::scope(|scope| {
            for (set, expected) in sets.iter().zip(expected) {
                let survey = &survey;
                scope.spawn(move || {
                    let found = survey.check(set, &read_all()).err();
                    assert_eq!(found.map(|found| found.path).as_deref(), *expected);
                });
            }
        });
        memo.hashed_bytes()
    };
    let content = |numbers: std::ops::Range<u64>| {
        numbers
            .map(|number| format!("content {number}").len() as u64)
            .sum::<u64>()
    };
    // Each file is hashed once for all of them.
    assert_eq!(check(&[None; 4]), content(0..200));
    bench.file("d7/f7", "CONTENT 7");
    let seven = Some("d7/f7");
    check(&[None, seven, None, seven]);
}

#[test]
fn a_survey_does_not_open_what_is_no_file() {
    let bench = Bench::with(&["a"]);
    let set = learn(&bench, read_all(), read("a"));
    fs::remove_file(bench.path("a")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(bench.path("a"))
        .status();
    assert!(made.unwrap().success());
    // Opening a FIFO for reading would wait for ever.
    let found = difference(&bench, &read_all(), &set);
    assert_eq!(found.as_deref(), Some("a is something else than it was"));
}

#[test]
fn a_view_that_has_ended_leaves_no_reusable_set() {
    let bench = Bench::with(&["a"]);
    let view: View = bench.view(read_all()).0.clone();
    view.read_path("a", 0, 9).unwrap();
    assert_eq!(view.reads().reusable(), Ok(()));
    view.revoke();
    view.read_path("a", 0, 9).unwrap_err();
    assert!(view.reads().reusable().is_err());
}

#[test]
fn bytes_that_are_no_set_are_refused() {
    let bench = Bench::with(&["a", "d/x", "d/y"]);
    bench.link("a", "link");
    let set = learn(&bench, read_all(), |view| {
        walk(view, "**");
        read("link")(view);
        read("d/x")(view);
        stat(view, "nothing");
    });
    let bytes = set.encode();
    let error = ReadSet::decode(b"LHRS\x02").unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("CACHE-FORMAT", Class::Integrity)
    );
    for end in 0..bytes.len() {
        ReadSet::decode(&bytes[..end]).unwrap_err();
    }
    let longer = [&bytes[..], &[0]].concat();
    ReadSet::decode(&longer).unwrap_err();
    // A name that leads out of its directory is none.
    let at = bytes
        .windows(3)
        .position(|text| text == b"\x01x\x05")
        .unwrap();
    for name in [b'/', b'.', 0] {
        let mut evil = bytes.clone();
        evil[at + 1] = name;
        ReadSet::decode(&evil).unwrap_err();
    }
}

proptest! {
    #[test]
    fn whatever_is_decoded_is_written_the_same(
        mut flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        noise in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let bench = Bench::with(&["a", "d/x", "d/y"]);
        let set = learn(&bench, read_all(), |view| {
            walk(view, "**");
            read("d/x")(view);
            view.read_path("a", 0, 0).unwrap();
        });
        let mut bytes = set.encode();
        for (at, byte) in flips.drain(..) {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for bytes in [bytes, [b"LHRS\x01", &noise[..]].concat()] {
            if let Ok(other) = ReadSet::decode(&bytes) {
                prop_assert_eq!(other.encode(), bytes);
            }
        }
    }
}
