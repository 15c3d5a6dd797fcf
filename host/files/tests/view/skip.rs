//! Places that are declared as not judged; and a look at files for the host's own ends.

use std::fs;

use leasehold_files::{Coverage, FileRules, Skipping, View};
use leasehold_lease::{FileGrant, RelPath};

use crate::common::*;

fn skipping(rules: FileGrant, skip: &[&str]) -> Skipping<FileGrant> {
    Skipping {
        rules,
        skip: skip.iter().map(|text| text.parse().unwrap()).collect(),
    }
}

fn walk(view: &Checked) -> Vec<String> {
    let entries = view.walk(vec!["**".parse().unwrap()]).next(99).unwrap();
    let paths = entries.into_iter().map(|entry| entry.path.to_string());
    paths.collect()
}

fn rel(path: &str) -> RelPath {
    RelPath::parse(path).unwrap()
}

#[test]
fn what_is_skipped_is_left_out_and_counted_apart() {
    let bench = Bench::with(&["src/a", "target/x", "target/deep/y", "src/gen/b", "secret"]);
    let open = |rules: Skipping<FileGrant>| {
        Checked(View::open(&bench.tree(), rules, bench.quota, bench.record))
    };
    let view = open(skipping(read_all(), &["target/**", "**/gen"]));
    assert_eq!(walk(&view), ["secret", "src", "src/a"]);
    assert_eq!(view.names("").unwrap(), ["secret", "src"]);
    let coverage = view.coverage();
    let expected = Coverage {
        listed: 3,
        skipped: 2,
        ..Coverage::default()
    };
    assert_eq!(coverage, expected);
    assert!(coverage.complete());
    // The twin: the same by deny rules is an incomplete view.
    let view = bench.view(rules(&["**"], &["**"], &[], &["target/**", "**/gen"]));
    assert_eq!(walk(&view), ["secret", "src", "src/a"]);
    assert_eq!((view.coverage().hidden, view.coverage().skipped), (2, 0));
    assert!(!view.coverage().complete());
    // Denied and skipped is skipped; denied alone is still missing.
    let view = open(skipping(
        rules(&["**"], &["**"], &[], &["target", "secret"]),
        &["target/**"],
    ));
    assert_eq!(walk(&view), ["src", "src/a", "src/gen", "src/gen/b"]);
    assert_eq!((view.coverage().hidden, view.coverage().skipped), (1, 1));
}

#[test]
fn what_is_skipped_is_refused_by_path_like_what_is_denied() {
    let bench = Bench::with(&["target/x", "TARGET/z", "a"]);
    let rules = skipping(all(), &["target/**"]);
    let view = Checked(View::open(&bench.tree(), rules, bench.quota, bench.record));
    for path in ["target/x", "target/nothing", "TARGET/z", "target"] {
        assert_eq!(
            failure(view.stat_at(&view.root(), path, true)),
            DENIED,
            "{path}"
        );
        assert_eq!(failure(view.read_path(path, 0, 9)), DENIED, "{path}");
        assert_eq!(failure(view.write_text(path, "x")), DENIED, "{path}");
    }
    assert_eq!(
        (view.coverage().denied, view.coverage().complete()),
        (12, false)
    );
    assert_eq!(view.reads().reusable(), Err("changed files, or wanted to"));
    let twin = bench.view(all());
    assert_eq!(twin.read_path("target/x", 0, 9).unwrap().0, b"target/x");
}

#[test]
fn the_rules_say_what_is_skipped() {
    let rules = skipping(all(), &["target/**", "**/*.log"]);
    assert!(rules.has_deny() && !all().has_deny());
    assert!(!skipping(all(), &[]).has_deny());
    assert!(rules.skipped(&rel("target/x")) && !rules.skipped(&rel("src")));
    assert!(!rules.on_the_way(&rel("target")) && rules.on_the_way(&rel("src")));
    assert_eq!(rules.subtree(&rel("src")), None);
    let only_target = skipping(all(), &["target/**"]);
    assert_eq!(only_target.subtree(&rel("src")), all().subtree(&rel("src")));
    assert_eq!(only_target.subtree(&rel("target/x")), None);
    // A file that has a skipped name as well may not be read: nobody has judged that name.
    let bench = Bench::with(&["target/x"]);
    fs::hard_link(bench.path("target/x"), bench.path("x")).unwrap();
    let view = Checked(View::open(
        &bench.tree(),
        only_target,
        bench.quota,
        bench.record,
    ));
    assert_eq!(failure(view.read_path("x", 0, 9)), LINK);
    assert!(bench.view(read_all()).read_path("x", 0, 9).is_ok());
}

#[test]
fn skipping_everything_leaves_an_empty_root() {
    let bench = Bench::with(&["a", "d/x"]);
    let view = Checked(View::open(
        &bench.tree(),
        skipping(read_all(), &["**"]),
        bench.quota,
        bench.record,
    ));
    assert!(view.stat(&view.root()).unwrap().readable);
    assert!(walk(&view).is_empty());
    assert_eq!(
        (view.coverage().skipped, view.coverage().complete()),
        (2, true)
    );
}

#[test]
fn a_peek_gives_the_start_of_what_the_call_has_seen() {
    let bench = Bench::with(&["walked", "read", "opened", "d/unseen"]);
    let view = bench.view(read_all());
    assert_eq!(view.peek(&rel("walked"), 9), None, "not seen yet");
    drop(view.walk(vec!["walked".parse().unwrap()]).next(9).unwrap());
    view.read_path("read", 0, 2).unwrap();
    view.read_text("opened").unwrap();
    let before = (view.coverage(), view.reads(), view.denials());
    assert_eq!(view.peek(&rel("walked"), 4).as_deref(), Some(&b"walk"[..]));
    assert_eq!(view.peek(&rel("read"), 99).as_deref(), Some(&b"read"[..]));
    assert_eq!(
        view.peek(&rel("opened"), 99).as_deref(),
        Some(&b"opened"[..])
    );
    for path in ["d/unseen", "d", "nothing", ""] {
        assert_eq!(view.peek(&rel(path), 99), None, "{path}");
    }
    assert_eq!((view.coverage(), view.reads(), view.denials()), before);
    view.revoke();
    assert_eq!(view.peek(&rel("read"), 99), None);
}

#[test]
fn a_peek_gives_nothing_that_was_hidden_or_changed() {
    let bench = Bench::with(&["listed", "same-size", "swapped", "linked", "fine"]);
    let view = bench.view(rules(
        &["**"],
        &["same-size", "swapped", "linked", "fine"],
        &[],
        &[],
    ));
    assert_eq!(walk(&view).len(), 5);
    assert_eq!(
        view.peek(&rel("listed"), 9),
        None,
        "only its name may be seen"
    );
    std::thread::sleep(std::time::Duration::from_millis(30));
    fs::write(bench.path("same-size"), "SAME-SIZE").unwrap();
    fs::remove_file(bench.path("swapped")).unwrap();
    bench.link("../outside/secret", "swapped");
    fs::hard_link(bench.path("linked"), bench.path("linked-too")).unwrap();
    for path in ["same-size", "swapped", "linked"] {
        assert_eq!(view.peek(&rel(path), 99), None, "{path}");
    }
    assert_eq!(view.peek(&rel("fine"), 99).as_deref(), Some(&b"fine"[..]));
}

#[test]
fn another_spelling_of_what_is_skipped_is_kept_out_and_counts_as_hidden() {
    let bench = Bench::with(&["vendor/a", "Vendor/b", "ven\u{200b}dor/c", "src/d"]);
    let rules = skipping(read_all(), &["vendor/**"]);
    let view = Checked(View::open(&bench.tree(), rules, bench.quota, bench.record));
    assert_eq!(walk(&view), ["src", "src/d"]);
    assert_eq!((view.coverage().hidden, view.coverage().skipped), (2, 1));
    assert!(!view.coverage().complete());
    // The twin: what is written is skipped, and nothing is missing.
    let rules = skipping(read_all(), &["vendor/**", "Vendor", "ven\u{200b}dor"]);
    let view = Checked(View::open(&bench.tree(), rules, bench.quota, bench.record));
    assert_eq!(walk(&view), ["src", "src/d"]);
    assert_eq!((view.coverage().hidden, view.coverage().skipped), (0, 3));
    assert!(view.coverage().complete());
}
