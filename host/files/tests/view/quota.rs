//! How much a call may write and hold open.

use leasehold_files::{Kind, OpenHow, Quota};

use crate::common::*;

fn bench(write_bytes: u64) -> Bench {
    let mut bench = Bench::with(&["a"]);
    bench.quota = Quota {
        write_bytes,
        open_files: 4,
    };
    bench
}

#[test]
fn written_bytes_are_counted_over_all_files() {
    let small = bench(10);
    let view = small.view(all());
    view.write_text("x", "12345").unwrap();
    view.write_text("y", "12345").unwrap();
    assert_eq!(view.written(), 10);
    assert_eq!(failure(view.write_text("z", "1")), WRITE_QUOTA);
    // Writing over what is there counts as well; nothing is written in part.
    assert_eq!(failure(view.write_text("x", "1")), WRITE_QUOTA);
    let node = view.open_at(&view.root(), "y", WRITE).unwrap();
    assert_eq!(failure(view.write(&node, 0, b"abc")), WRITE_QUOTA);
    assert_eq!(small.text("y"), "12345");
    let large = bench(11);
    let view = large.view(all());
    view.write_text("x", "12345").unwrap();
    view.write_text("y", "12345").unwrap();
    view.write_text("z", "1").unwrap();
}

#[test]
fn holes_and_growth_are_counted() {
    let small = bench(100);
    let view = small.view(all());
    let node = view.open_at(&view.root(), "a", WRITE).unwrap();
    assert_eq!(failure(view.set_size(&node, 1 << 40)), WRITE_QUOTA);
    assert_eq!(failure(view.write(&node, 1 << 40, b"x")), WRITE_QUOTA);
    assert_eq!(failure(view.set_size(&node, 102)), WRITE_QUOTA);
    assert_eq!(small.text("a"), "a");
    view.set_size(&node, 51).unwrap();
    assert_eq!(view.written(), 50);
    view.write(&node, 90, b"0123456789").unwrap();
    assert_eq!(view.written(), 50 + 39 + 10);
    // Shrinking gives nothing back.
    view.set_size(&node, 0).unwrap();
    assert_eq!(failure(view.set_size(&node, 2)), WRITE_QUOTA);
    view.set_size(&node, 1).unwrap();
    let large = bench(200);
    let view = large.view(all());
    let node = view.open_at(&view.root(), "a", WRITE).unwrap();
    view.set_size(&node, 102).unwrap();
}

#[test]
fn offsets_beyond_any_file_are_refused() {
    let bench = bench(u64::MAX);
    let view = bench.view(all());
    let node = view
        .open_at(
            &view.root(),
            "a",
            OpenHow {
                read: true,
                ..WRITE
            },
        )
        .unwrap();
    let too_large = (Kind::TooLarge, "FILE-SIZE");
    assert_eq!(failure(view.write(&node, u64::MAX, b"x")), too_large);
    assert_eq!(failure(view.write(&node, u64::MAX - 1, b"x")), too_large);
    assert_eq!(failure(view.set_size(&node, u64::MAX)), too_large);
    assert_eq!(failure(view.set_size(&node, 1 << 63)), too_large);
    assert_eq!(failure(view.read(&node, u64::MAX, 1)), too_large);
    assert_eq!(
        view.read(&node, 1 << 40, usize::MAX).unwrap(),
        (vec![], true)
    );
    assert_eq!(
        view.read(&node, 0, usize::MAX).unwrap(),
        (b"a".to_vec(), true)
    );
}

#[test]
fn a_call_holds_no_more_descriptors_than_leased() {
    let bench = bench(10);
    let view = bench.view(all());
    let root = view.root();
    let mut held: Vec<_> = (0..4)
        .map(|_| view.open_at(&root, "a", READ).unwrap())
        .collect();
    assert_eq!(view.open_files(), 4);
    let too_many = (Kind::TooManyOpen, "OPEN-FILES");
    assert_eq!(failure(view.open_at(&root, "a", READ)), too_many);
    assert_eq!(failure(view.open_at(&root, ".", LIST)), too_many);
    assert_eq!(failure(view.open_at(&root, "new", CREATE)), too_many);
    assert!(!bench.path("new").exists());
    // A clone is the same descriptor; the last one closes it.
    let clone = held[0].clone();
    held.remove(0);
    assert_eq!(view.open_files(), 4);
    drop(clone);
    assert_eq!(view.open_files(), 3);
    view.open_at(&root, "new", CREATE).unwrap();
    drop(held);
    assert_eq!(view.open_files(), 0);
}
