//! Each thing a step must not have changed, and its twin that it may.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use leasehold_files::Protected;
use leasehold_lease::FileGrant;
use leasehold_seal::{Class, Coded as _};
use leasehold_workspace::{Reason, StepTree};
use support::{Place, everything, fifo, link, mode, put, rules};

/// The reasons, by path.
fn reasons(step: &StepTree, rules: &FileGrant) -> Vec<(String, Reason)> {
    let difference = step.difference().unwrap();
    match difference.check(rules, &Protected::default()) {
        Ok(_) => Vec::new(),
        Err(refused) => refused
            .changes
            .iter()
            .map(|change| (change.path.to_string(), change.reason))
            .collect(),
    }
}

fn place() -> Place {
    let place = Place::new();
    put(&place.ws(), "docs/a.md", "a");
    put(&place.ws(), "docs/sub/b.md", "b");
    put(&place.ws(), "src/main.rs", "fn main() {}");
    place
}

fn docs() -> FileGrant {
    rules(&["**"], &["**"], &["docs/**"], &[])
}

#[test]
fn only_what_is_writable_may_change() {
    let place = place();
    let step = place.step(&docs());
    let tree = step.path();
    put(tree, "docs/a.md", "changed");
    put(tree, "docs/new/c.md", "new");
    std::fs::remove_dir_all(tree.join("docs/sub")).unwrap();
    assert_eq!(reasons(&step, &docs()), []);
    put(tree, "src/main.rs", "fn main() { evil() }");
    put(tree, "docs2", "x");
    mode(tree, "src/main.rs", 0o755);
    assert_eq!(
        reasons(&step, &docs()),
        [
            ("docs2".to_owned(), Reason::NotWritable),
            ("src/main.rs".to_owned(), Reason::NotWritable),
        ]
    );
    let difference = step.difference().unwrap();
    let refused = difference
        .check(&docs(), &Protected::default())
        .unwrap_err();
    assert_eq!(refused.code(), "CHANGE-DENIED");
    assert_eq!(refused.class(), Class::Refused);
    assert_eq!(
        refused.to_string(),
        "the step changed docs2, which is not among what the step may write (and 1 more)"
    );
    assert!(refused.hint().unwrap().contains("write"));
}

#[test]
fn a_hidden_file_in_its_place_cannot_be_passed_off_as_changed() {
    let place = place();
    let narrow = rules(&["**"], &["docs/**"], &["docs/**"], &[]);
    let step = place.step(&narrow);
    assert_eq!(reasons(&step, &narrow), []);
    put(step.path(), "src/main.rs", "\0\0\0\0\0\0\0\0\0\0\0\0");
    assert_eq!(
        reasons(&step, &narrow),
        [("src/main.rs".to_owned(), Reason::NotWritable)]
    );
}

#[test]
fn denied_names_in_any_spelling() {
    let place = place();
    let denying = rules(&["**"], &["**"], &["**"], &["**/.env"]);
    let step = place.step(&denying);
    put(step.path(), "env", "ok");
    assert_eq!(reasons(&step, &denying), []);
    put(step.path(), "docs/.ENV", "x");
    assert_eq!(
        reasons(&step, &denying),
        [("docs/.ENV".to_owned(), Reason::NotWritable)]
    );
}

#[test]
fn the_git_folder_in_any_spelling() {
    for name in [
        ".git/hooks/pre-commit",
        ".GIT/config",
        "docs/.Git",
        "docs/.g\u{200d}it/x",
    ] {
        let place = place();
        let step = place.step(&everything());
        put(step.path(), name, "x");
        let found = reasons(&step, &everything());
        assert!(!found.is_empty(), "{name}");
        assert!(
            found
                .iter()
                .all(|(_, reason)| *reason == Reason::ProtectedName),
            "{name}: {found:?}"
        );
    }
    let place = place();
    let step = place.step(&everything());
    put(step.path(), ".github/workflows/ci.yml", "x");
    put(step.path(), ".gitignore", "x");
    assert_eq!(reasons(&step, &everything()), []);
}

#[test]
fn links_special_files_and_bits_are_refused() {
    let one = |act: &dyn Fn(&std::path::Path)| {
        let place = place();
        link(&place.ws(), "docs/old", "a.md");
        let step = place.step(&docs());
        act(step.path());
        let found = reasons(&step, &docs());
        found.first().map(|(_, reason)| *reason)
    };
    assert_eq!(
        one(&|tree| link(tree, "docs/l", "a.md")),
        Some(Reason::Link)
    );
    assert_eq!(
        one(&|tree| {
            std::fs::remove_file(tree.join("docs/old")).unwrap();
            link(tree, "docs/old", "/etc/passwd");
        }),
        Some(Reason::Link)
    );
    assert_eq!(
        one(&|tree| {
            std::fs::remove_file(tree.join("docs/a.md")).unwrap();
            link(tree, "docs/a.md", "sub/b.md");
        }),
        Some(Reason::Link)
    );
    assert_eq!(
        one(&|tree| std::fs::hard_link(tree.join("docs/a.md"), tree.join("docs/h")).unwrap()),
        Some(Reason::HardLink)
    );
    assert_eq!(one(&|tree| fifo(tree, "docs/f")), Some(Reason::SpecialFile));
    assert_eq!(
        one(&|tree| mode(tree, "docs/a.md", 0o4755)),
        Some(Reason::SpecialBit)
    );
    // Twins: an executable bit, and a link that goes.
    assert_eq!(one(&|tree| mode(tree, "docs/a.md", 0o755)), None);
    assert_eq!(
        one(&|tree| std::fs::remove_file(tree.join("docs/old")).unwrap()),
        None
    );
}

#[test]
fn a_file_with_two_names_in_the_workspace_stays() {
    let place = place();
    std::fs::hard_link(place.ws().join("docs/a.md"), place.ws().join("docs/z.md")).unwrap();
    let step = place.step(&docs());
    std::fs::remove_file(step.path().join("docs/z.md")).unwrap();
    assert_eq!(
        reasons(&step, &docs()),
        [("docs/z.md".to_owned(), Reason::HardLink)]
    );
}

#[test]
fn what_the_step_could_not_see_does_not_go_with_its_folder() {
    let place = place();
    let denying = rules(&["**"], &["**"], &["**"], &["**/.env"]);
    put(&place.ws(), "docs/sub/.env", "secret");
    fifo(&place.ws(), "docs/fifo");
    let step = place.step(&denying);
    let tree = step.path();
    std::fs::remove_file(tree.join("docs/sub/b.md")).unwrap();
    assert_eq!(reasons(&step, &denying), []);
    std::fs::remove_dir(tree.join("docs/sub")).unwrap();
    put(tree, "docs/fifo", "in the way");
    assert_eq!(
        reasons(&step, &denying),
        [
            ("docs/fifo".to_owned(), Reason::Unseen),
            ("docs/sub".to_owned(), Reason::Unseen),
        ]
    );
}

#[test]
fn a_name_that_is_not_utf8_is_an_error() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = place();
    let step = place.step(&everything());
    let name = std::ffi::OsStr::from_bytes(b"docs/\xff");
    std::fs::write(step.path().join(name), "x").unwrap();
    assert_eq!(step.difference().unwrap_err().code(), "STEP-NAME");
}
