//! What stands on the page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leasehold_report::html;
use leasehold_seal::Digest;
use leasehold_tape::call::Status;

use crate::builder::{Scene, fail, finding, gate, pass};
use crate::scenes::everyday;

#[test]
fn the_policy_names_the_style_sheet_that_is_there() {
    let page = html(&everyday().tape.read()).unwrap();
    let style = page
        .split("<style>")
        .nth(1)
        .unwrap()
        .split("</style>")
        .next()
        .unwrap();
    let digest = STANDARD.encode(Digest::of(style.as_bytes()).as_bytes());
    assert!(
        page.contains(&format!(
            "style-src &#39;sha256-{}&#39;",
            digest.replace('+', "&#43;")
        )) || page.contains(&format!("sha256-{digest}"))
    );
    assert!(page.contains("default-src &#39;none&#39;"));
}

#[test]
fn same_run_same_bytes() {
    let scene = everyday();
    assert_eq!(
        html(&scene.tape.read()).unwrap(),
        html(&scene.tape.read()).unwrap()
    );
}

#[test]
fn failures_stand_first_and_in_words() {
    let run = everyday().tape.read();
    assert!(run.contradictions.is_empty(), "{:?}", run.contradictions);
    let page = html(&run).unwrap();
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(page.contains("<title>! error: run "));
    assert!(page.contains("1 of 9 steps came to no judgement"));
    let order = [
        "json-schema",
        "license-header",
        "changelog",
        "md-links",
        "large-file",
        "secrets",
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|id| place(&format!("<bdi>{id}</bdi>")))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    for text in [
        "! error",
        "✗ fail",
        "⊘ blocked",
        "○ not run",
        "✓ pass",
        "cached",
        "plugins/gates/changelog/src/lib.rs:2:19",
        "<bdi>// Copyright 2026 <mark>E</mark>xample Ltd</bdi>",
        "Refused: 2 requests",
        "PATH-DENIED",
        "package.json",
        "Changed: 2 files, taken back in record",
        "toc.md",
        "text/markdown",
        "compiling schema: 14,211 alternatives",
        "120 names listed, 1,930 skipped",
        "target/**",
        "402.1 M",
        "53 MiB",
        "of 256 MiB",
        "exceeded(fuel)",
        "leasehold tape verify",
        "by the host&#39;s clock",
    ] {
        place(text);
    }
}

#[test]
fn contradictions_stand_on_top() {
    let mut scene = Scene::start(vec![gate("a", &[])]);
    scene.call("a", pass("good"));
    scene.finish_with(|finished| finished.counts.pass = 7);
    let page = html(&scene.tape.read()).unwrap();
    let (box_at, steps_at) = (
        page.find("The records disagree"),
        page.find("<h2>Steps</h2>"),
    );
    assert!(box_at.unwrap() < steps_at.unwrap());
    assert!(page.contains("<title>≠ contradicted"));
    assert!(page.contains("the run says of itself: 7 pass"));

    let mut twin = Scene::start(vec![gate("a", &[])]);
    twin.call("a", pass("good"));
    twin.finish();
    let page = html(&twin.tape.read()).unwrap();
    assert!(!page.contains("The records disagree"));
    assert!(page.contains("<title>✓ passed") && page.contains("The one step passed"));
}

#[test]
fn an_unfinished_run_and_missing_bytes_are_said() {
    let mut scene = Scene::start(vec![gate("a", &[]), gate("b", &[])]);
    scene.call("a", fail("bad", Vec::new()));
    scene.intent("b", |_| {});
    scene.tape.store.clear();
    let page = html(&scene.tape.read()).unwrap();
    for text in [
        "not finished",
        "running, or was cut off",
        "Missing",
        "the plan (sha256:",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn a_large_run_stays_a_page() {
    let ids: Vec<String> = (0..1_000)
        .map(|number| format!("step-{number:04}"))
        .collect();
    let mut scene = Scene::start(ids.iter().map(|id| gate(id, &[])).collect());
    let found: Vec<_> = (1..=100)
        .map(|line| {
            finding(
                "rule/name",
                "something is not as it should be",
                "some/path/in/the/tree.rs",
                line,
                3,
            )
        })
        .collect();
    for (number, id) in ids.iter().enumerate() {
        let said = if number % 10 == 0 {
            fail("bad", found.clone())
        } else {
            pass("good")
        };
        scene.call(id, said);
    }
    scene.finish();
    let run = scene.tape.read();
    assert_eq!((run.totals.findings, run.totals.fail), (10_000, 100));
    let page = html(&run).unwrap();
    assert!(page.len() < 20_000_000, "{}", page.len());
    assert!(page.contains("… and 880 more bars"));
    assert_eq!(page.matches("class=\"rule\"").count(), 10_000);
}

#[test]
fn a_blocked_run_says_so() {
    let mut scene = Scene::start(vec![gate("a", &[]), gate("b", &[])]);
    scene.call("a", pass("good"));
    scene.without(
        "b",
        Some(Status::Blocked),
        "LEASE-EXPIRED",
        "the lease ended at noon",
    );
    scene.finish();
    let page = html(&scene.tape.read()).unwrap();
    assert!(page.contains("1 of 2 steps was blocked") && page.contains("the lease ended at noon"));
}
