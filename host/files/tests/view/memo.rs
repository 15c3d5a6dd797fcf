//! Digests that are remembered by the identity of a file, and what must not be believed.

use std::fs;
use std::time::{Duration, SystemTime};

use leasehold_files::{DigestMemo, Survey};
use leasehold_seal::Digest;
use proptest::prelude::*;

use crate::common::*;

/// Longer than a tick of any kernel's clock.
const TICK: Duration = Duration::from_millis(30);

fn eager() -> DigestMemo {
    DigestMemo::new().with_margin(TICK)
}

/// A bench whose files were changed long enough ago for an [`eager`] memo.
fn settled(files: &[&str]) -> Bench {
    let bench = Bench::with(files);
    std::thread::sleep(TICK * 2);
    bench
}

impl Bench {
    fn remembering(&self, memo: &DigestMemo) -> Checked {
        let tree = self.tree().with_memo(memo);
        Checked(leasehold_files::View::open(
            &tree,
            read_all(),
            self.quota,
            self.record,
        ))
    }
}

#[test]
fn a_file_is_hashed_once_for_all_views() {
    let bench = settled(&["one", "other", "d/x"]);
    let memo = eager();
    let paths = ["one", "other", "d/x"];
    let mut sets = Vec::new();
    for _ in 0..3 {
        let view = bench.remembering(&memo);
        for path in paths {
            view.read_path(path, 0, 99).unwrap();
        }
        sets.push(view.reads());
    }
    let view = bench.remembering(&memo);
    for path in paths {
        assert_eq!(
            view.digest_path(path).unwrap().0,
            Digest::of(path.as_bytes())
        );
        view.read_text(path).unwrap();
    }
    assert_eq!((memo.hashed_bytes(), memo.len()), (11, 3));
    assert!(sets.windows(2).all(|two| two[0] == two[1]));
    // What is remembered makes no difference to the set.
    let fresh = bench.view(read_all());
    for path in paths {
        fresh.read_path(path, 0, 99).unwrap();
    }
    assert_eq!(fresh.reads(), sets[0]);
}

#[test]
fn a_file_that_was_changed_just_now_is_not_remembered() {
    let bench = Bench::with(&["a"]);
    let memo = DigestMemo::new();
    for round in 1..=3 {
        bench.remembering(&memo).read_path("a", 0, 99).unwrap();
        assert_eq!((memo.hashed_bytes(), memo.len()), (round, 0));
    }
}

#[test]
fn other_content_under_the_same_size_and_times_is_noticed() {
    let bench = settled(&["kept", "a", "b"]);
    let modified = SystemTime::now() - Duration::from_secs(3_600);
    let date = |path: &str| {
        let file = fs::File::options()
            .write(true)
            .open(bench.path(path))
            .unwrap();
        // `utimensat` underneath; access and modification, to the nanosecond.
        file.set_times(
            fs::FileTimes::new()
                .set_modified(modified)
                .set_accessed(modified),
        )
        .unwrap();
    };
    for path in ["kept", "a", "b"] {
        date(path);
    }
    std::thread::sleep(TICK * 2);
    let memo = eager();
    let view = bench.remembering(&memo);
    let read = |view: &Checked, path: &str| view.digest_path(path).unwrap().0;
    for path in ["kept", "a", "b"] {
        read(&view, path);
    }
    let set = view.reads();
    assert_eq!(memo.len(), 3);
    // In place, and by a new file under the old name.
    fs::write(bench.path("a"), "A").unwrap();
    fs::write(bench.path("new"), "B").unwrap();
    fs::rename(bench.path("new"), bench.path("b")).unwrap();
    date("a");
    date("b");
    let view = bench.remembering(&memo);
    assert_eq!(read(&view, "kept"), Digest::of(b"kept"));
    assert_eq!(
        memo.hashed_bytes(),
        6,
        "the twin was not changed, so it is not hashed again"
    );
    assert_eq!(read(&view, "a"), Digest::of(b"A"));
    assert_eq!(read(&view, "b"), Digest::of(b"B"));
    let check = || Survey::new(&bench.tree(), &memo).check(&set, &read_all());
    assert_eq!(check().unwrap_err().to_string(), "a has other content");
    fs::write(bench.path("a"), "a").unwrap();
    assert_eq!(check().unwrap_err().to_string(), "b has other content");
    fs::write(bench.path("b"), "b").unwrap();
    assert_eq!(check(), Ok(()));
}

#[test]
fn what_is_kept_is_known_in_the_next_run() {
    let bench = settled(&["a", "b"]);
    let memo = eager();
    let view = bench.remembering(&memo);
    view.digest_path("a").unwrap();
    view.digest_path("b").unwrap();
    let mut bytes = memo.encode();
    let next = DigestMemo::decode(&bytes).unwrap();
    assert_eq!(
        bench.remembering(&next).digest_path("a").unwrap().0,
        Digest::of(b"a")
    );
    assert_eq!((next.hashed_bytes(), next.len()), (0, 2));
    // What is never asked for is let go in the end, what is asked for stays.
    for round in 0..40 {
        let next = DigestMemo::decode(&bytes).unwrap();
        bench.remembering(&next).digest_path("a").unwrap();
        assert_eq!(next.hashed_bytes(), 0);
        assert_eq!(next.len(), if round < 30 { 2 } else { 1 }, "{round}");
        bytes = next.encode();
    }
}

#[test]
fn bytes_that_are_no_memo_are_refused() {
    let bench = settled(&["a", "b"]);
    let memo = eager();
    let view = bench.remembering(&memo);
    view.digest_path("a").unwrap();
    view.digest_path("b").unwrap();
    let bytes = memo.encode();
    assert_eq!(DigestMemo::decode(&bytes).unwrap().len(), 2);
    for end in 0..bytes.len() {
        DigestMemo::decode(&bytes[..end]).unwrap_err();
    }
    DigestMemo::decode(&[&bytes[..], &[0]].concat()).unwrap_err();
    assert!(
        DigestMemo::decode(&DigestMemo::new().encode())
            .unwrap()
            .is_empty()
    );
}

proptest! {
    #[test]
    fn any_bytes_are_a_memo_or_refused(noise in prop::collection::vec(any::<u8>(), 0..128)) {
        let _ = DigestMemo::decode(&noise);
        let _ = DigestMemo::decode(&[b"LHDM\x01", &noise[..]].concat());
    }
}
