//! What is recorded of a call: reads, changes, refusals.

use std::fs;

use leasehold_files::{Content, OpenHow, Operation, Piece, Record, Seen, Wanted};
use leasehold_seal::Digest;

use crate::common::*;

fn digest(text: &str) -> Content {
    Content::Digest(Digest::of(text.as_bytes()))
}

#[test]
fn reads_are_recorded_with_what_was_delivered() {
    let bench = Bench::with(&["whole", "part", "random", "d/x"]);
    bench.link("whole", "link");
    let view = bench.view(read_all());
    let root = view.root();
    view.read_text("link").unwrap();
    view.read_path("part", 0, 2).unwrap();
    let node = view.open_at(&root, "random", READ).unwrap();
    view.read(&node, 3, 2).unwrap();
    view.read(&node, 0, 2).unwrap();
    view.names("d").unwrap();
    view.stat_at(&root, "d/x", true).unwrap();
    failure(view.stat_at(&root, "missing", true));
    let reads = view.reads();
    assert_eq!(
        reads.file("whole").unwrap().whole(),
        Some(Digest::of(b"whole"))
    );
    let piece = |from: u64, text: &str| Piece {
        from,
        len: text.len() as u64,
        digest: Digest::of(text.as_bytes()),
    };
    let part = reads.file("part").unwrap();
    assert_eq!((part.size, part.beyond, part.bytes), (None, Some(2), 2));
    assert_eq!(part.pieces, [piece(0, "pa")]);
    assert_eq!(part.whole(), None);
    let random = reads.file("random").unwrap();
    assert_eq!(random.pieces, [piece(0, "ra"), piece(3, "do")]);
    assert_eq!(
        reads.seen("link"),
        Some(&Seen::Link(Some("whole".to_owned())))
    );
    assert!(reads.folders["d"].listing.is_some() && reads.folders[""].listing.is_none());
    assert_eq!(reads.file("d/x").unwrap().size, Some(3));
    assert_eq!(reads.seen("missing"), Some(&Seen::Nothing));
    assert_eq!((reads.more, reads.reusable()), (0, Ok(())));
}

#[test]
fn the_same_reads_give_the_same_digest_and_other_content_another() {
    let run = |content: &str, record: Record| {
        let mut bench = Bench::with(&["d/b"]);
        bench.file("d/a", content);
        bench.record = record;
        let view = bench.view(read_all());
        view.walk(vec!["**".parse().unwrap()]).next(99).unwrap();
        view.read_path("d/a", 0, 99).unwrap();
        view.read_path("d/b", 0, 99).unwrap();
        view.reads().digest()
    };
    assert_eq!(run("one", Record::Contents), run("one", Record::Contents));
    assert_ne!(run("one", Record::Contents), run("two", Record::Contents));
    assert_ne!(
        run("one", Record::Names),
        run("other length", Record::Names)
    );
    assert_eq!(run("one", Record::Names), run("two", Record::Names));
    assert_ne!(run("one", Record::Names), run("one", Record::Contents));
}

#[test]
fn memory_for_reads_is_bounded_and_the_digest_is_not() {
    let bench = Bench::new();
    let probe = |last: &str| {
        let view = bench.view(read_all());
        let root = view.root();
        for number in 0..100_000 {
            failure(view.stat_at(&root, &number.to_string(), true));
        }
        failure(view.stat_at(&root, last, true));
        view.reads()
    };
    let (one, other) = (probe("one"), probe("other"));
    // The root is one of them.
    assert_eq!((one.len(), one.more), (100_000, 2));
    assert_eq!(one.reusable(), Err("looked at more places than are kept"));
    assert_ne!(one.digest(), other.digest());
}

#[test]
fn changes_are_recorded_with_before_and_after() {
    let bench = Bench::with(&["edited", "removed", "moved", "target", "dir/x", "untouched"]);
    let view = bench.view(all());
    let root = view.root();
    view.write_text("made", "one").unwrap();
    view.write_text("made", "two").unwrap();
    view.write_text("edited", "new").unwrap();
    view.unlink_at(&root, "removed").unwrap();
    view.rename_at(&root, "moved", &root, "target").unwrap();
    view.create_dir_at(&root, "folder").unwrap();
    view.remove_dir_at(&root, "folder").unwrap();
    view.write_text("dir/x", "changed").unwrap();
    view.rename_at(&root, "dir", &root, "rid").unwrap();
    // Opened for writing, not written: no change.
    view.open_at(&root, "untouched", WRITE).unwrap();
    // The pattern of careful programs: write beside it, then move over it.
    view.write_text("edited.tmp", "final").unwrap();
    view.rename_at(&root, "edited.tmp", &root, "edited")
        .unwrap();
    let log = view.changes();
    let facts: Vec<_> = log
        .list
        .iter()
        .map(|change| {
            (
                change.path.as_str(),
                change.operation.as_str(),
                change.before,
                change.after,
            )
        })
        .collect();
    let gone = Content::Absent;
    assert_eq!(
        facts,
        [
            ("made", "create", gone, digest("two")),
            ("edited", "write", digest("edited"), gone),
            ("removed", "remove", digest("removed"), gone),
            ("target", "move", digest("target"), digest("moved")),
            ("folder", "create-dir", gone, gone),
            ("folder", "remove-dir", gone, gone),
            ("dir/x", "write", digest("dir/x"), digest("changed")),
            ("rid", "move-dir", gone, gone),
            ("edited.tmp", "create", gone, gone),
            ("edited", "move", digest("new"), digest("final")),
        ]
    );
    assert!(
        matches!(&log.list[9].operation, Operation::MoveFile { from } if from.as_str() == "edited.tmp")
    );
    assert_eq!(log.more, 0);
}

#[test]
fn refusals_are_recorded_by_path_and_counted() {
    let bench = Bench::with(&["secret/a"]);
    let view = bench.view(rules(&["public/**"], &["public/**"], &[], &[]));
    let root = view.root();
    failure(view.read_text("secret/a"));
    failure(view.read_text("secret/a"));
    failure(view.open_at(&root, "secret/a", WRITE));
    failure(view.stat_at(&root, "../x", true));
    let denials = view.denials();
    let facts: Vec<_> = denials
        .list
        .iter()
        .map(|denial| {
            (
                denial.path.as_str(),
                denial.wanted,
                denial.code,
                denial.count,
            )
        })
        .collect();
    assert_eq!(
        facts,
        [
            ("../x", Wanted::List, "PATH-ESCAPE", 1),
            ("secret", Wanted::Read, "PATH-DENIED", 2),
            ("secret", Wanted::Write, "PATH-DENIED", 1),
        ]
    );
    assert_eq!(view.coverage().denied, 4);
    for number in 0..1_000 {
        failure(view.read_text(&format!("other-{number}")));
    }
    let denials = view.denials();
    assert_eq!((denials.list.len(), denials.more), (256, 747));
    assert_eq!(view.coverage().denied, 1_004);
}

#[test]
fn attributes_hold_nothing_that_differs_between_machines() {
    let bench = Bench::with(&["a", "d/x"]);
    let other = Bench::with(&["zero", "a", "d/x"]);
    let facts = |bench: &Bench| {
        let view = bench.view(read_all());
        let root = view.root();
        let paths = ["a", "d", "d/x"];
        paths.map(|path| {
            let node = view
                .open_at(
                    &root,
                    path,
                    OpenHow {
                        follow: true,
                        ..NONE
                    },
                )
                .unwrap();
            let hash = view.metadata_hash(&node).unwrap();
            assert_eq!(hash, view.metadata_hash_at(&root, path, true).unwrap());
            (
                view.stat(&node).unwrap(),
                view.stat_at(&root, path, true).unwrap(),
                hash,
            )
        })
    };
    let first = facts(&bench);
    fs::File::open(bench.path("a"))
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
    assert_eq!(first, facts(&bench));
    assert_eq!(first, facts(&other));
    assert_ne!(first[0].2, first[2].2);
}
