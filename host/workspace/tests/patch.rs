//! Patches: the exact text, and what is only said to differ.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use leasehold_seal::Coded as _;
use leasehold_workspace::{Patch, PatchLimits};
use proptest::prelude::*;
use support::{Place, everything, git, git_output, link, mode, put};

fn patch(place: &Place, limits: PatchLimits, act: impl Fn(&std::path::Path)) -> Patch {
    let step = place.step(&everything());
    act(step.path());
    let difference = step.difference().unwrap();
    difference.patch(&place.dir(), &step, limits).unwrap()
}

#[test]
fn the_text_of_a_patch() {
    let place = Place::new();
    let ws = place.ws();
    put(&ws, "a b", "1\n2\n3\n4\n5\n");
    put(&ws, "gone", "bye");
    put(&ws, "tool", "#!/bin/sh\n");
    put(&ws, "bin", "\0");
    link(&ws, "link", "gone");
    put(&ws, "become", "text\n");
    let patch = patch(&place, PatchLimits::default(), |tree| {
        put(tree, "a b", "1\n2\nx\n4\n5\n6");
        std::fs::remove_file(tree.join("gone")).unwrap();
        mode(tree, "tool", 0o755);
        put(tree, "bin", "\0\0");
        std::fs::remove_file(tree.join("link")).unwrap();
        std::fs::remove_file(tree.join("become")).unwrap();
        link(tree, "become", "a b");
        put(tree, "new/é", "neu\n");
        put(tree, "new/empty", "");
    });
    assert_eq!(
        patch.text,
        "diff --git a/a b b/a b\n\
         --- a/a b\t\n\
         +++ b/a b\t\n\
         @@ -1,5 +1,6 @@\n 1\n 2\n-3\n+x\n 4\n 5\n+6\n\\ No newline at end of file\n\
         diff --git a/become b/become\n\
         deleted file mode 100644\n\
         --- a/become\n\
         +++ /dev/null\n\
         @@ -1 +0,0 @@\n-text\n\
         diff --git a/become b/become\n\
         new file mode 120000\n\
         --- /dev/null\n\
         +++ b/become\n\
         @@ -0,0 +1 @@\n+a b\n\\ No newline at end of file\n\
         diff --git a/bin b/bin\n\
         Binary files a/bin and b/bin differ\n\
         diff --git a/gone b/gone\n\
         deleted file mode 100644\n\
         --- a/gone\n\
         +++ /dev/null\n\
         @@ -1 +0,0 @@\n-bye\n\\ No newline at end of file\n\
         diff --git a/link b/link\n\
         deleted file mode 120000\n\
         --- a/link\n\
         +++ /dev/null\n\
         @@ -1 +0,0 @@\n-gone\n\\ No newline at end of file\n\
         diff --git a/new/empty b/new/empty\n\
         new file mode 100644\n\
         diff --git \"a/new/\\303\\251\" \"b/new/\\303\\251\"\n\
         new file mode 100644\n\
         --- /dev/null\n\
         +++ \"b/new/\\303\\251\"\n\
         @@ -0,0 +1 @@\n+neu\n\
         diff --git a/tool b/tool\n\
         old mode 100644\n\
         new mode 100755\n"
    );
    assert_eq!((patch.added, patch.removed), (4, 4));
    assert!(!patch.whole);
}

#[test]
fn what_is_too_long_is_only_said_to_differ() {
    let place = Place::new();
    let limits = PatchLimits {
        file_bytes: 10,
        total_bytes: 250,
    };
    let small = patch(&place, limits, |tree| put(tree, "a", "123456789\n"));
    assert!(small.whole && small.text.ends_with("+123456789\n"));
    let large = patch(&place, limits, |tree| put(tree, "a", "1234567890\n"));
    assert!(!large.whole);
    assert!(
        large
            .text
            .ends_with("Binary files /dev/null and b/a differ\n")
    );
    let many = patch(&place, limits, |tree| {
        for name in ["a", "b", "c", "d"] {
            put(tree, name, "1\n2\n3\n4\n5\n");
        }
    });
    assert!(!many.whole);
    assert_eq!(many.text.matches("@@").count(), 2 * 2);
    assert_eq!(many.text.matches("Binary files").count(), 2);
    assert_eq!(many.added, 10);
}

#[test]
fn a_patch_is_of_the_workspace_the_step_was_given() {
    let place = Place::new();
    put(&place.ws(), "a", "a\n");
    let step = place.step(&everything());
    put(step.path(), "a", "b\n");
    let difference = step.difference().unwrap();
    let take = || difference.patch(&place.dir(), &step, PatchLimits::default());
    assert!(take().is_ok());
    put(step.path(), "a", "c\n");
    assert_eq!(take().unwrap_err().code(), "STEP-CHANGED");
    put(step.path(), "a", "b\n");
    assert!(take().is_ok());
    put(&place.ws(), "a", "z\n");
    assert_eq!(take().unwrap_err().code(), "WORKSPACE-CHANGED");
    std::fs::remove_file(place.ws().join("a")).unwrap();
    assert_eq!(take().unwrap_err().code(), "WORKSPACE-CHANGED");
}

#[test]
fn a_large_rewrite_does_not_take_for_ever() {
    let place = Place::new();
    let lines = |seed: u64| -> String {
        let line = |number: u64| format!("{}\n", (number * seed) % 7919);
        (0..100_000).map(line).collect()
    };
    put(&place.ws(), "a", lines(31));
    let patch = patch(&place, PatchLimits::default(), |tree| {
        put(tree, "a", lines(37));
    });
    assert!(patch.whole && patch.added > 1_000);
}

fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("same"),
        Just("other"),
        Just(""),
        Just("\r"),
        Just("--- a/x"),
        Just("\\ No newline at end of file"),
        Just("é"),
    ];
    (proptest::collection::vec(line, 0..24), any::<bool>()).prop_map(|(lines, ended)| {
        let text = lines.join("\n");
        if ended && !text.is_empty() {
            text + "\n"
        } else {
            text
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn git_applies_any_patch(old in text(), new in text(), name in "[a-c\"\\\\ é\t]{1,6}") {
        prop_assume!(old != new && name.trim() == name);
        let place = Place::new();
        put(&place.ws(), &name, &old);
        let patch = patch(&place, PatchLimits::default(), |tree| put(tree, &name, &new));
        prop_assert!(patch.whole);
        let scratch = place.top.path().join("apply");
        std::fs::create_dir(&scratch).unwrap();
        git(&scratch, &["init", "-q"]);
        put(&scratch, &name, &old);
        std::fs::write(place.top.path().join("p"), &patch.text).unwrap();
        let output = git_output(&scratch, &["apply", "--whitespace=nowarn", "../p"]);
        prop_assert!(
            output.status.success(),
            "{}\n{}",
            String::from_utf8_lossy(&output.stderr),
            patch.text
        );
        prop_assert_eq!(std::fs::read_to_string(scratch.join(&name)).unwrap(), new);
    }
}
