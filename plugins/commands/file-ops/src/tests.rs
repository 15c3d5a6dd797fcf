//! Whole requests on a real tree.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        fs::create_dir(tree.0.path().join("docs")).unwrap();
        fs::write(tree.0.path().join("docs/a.md"), "one\ntwo\n").unwrap();
        tree
    }

    fn run(&self, operations: &str) -> (u8, String) {
        let request =
            Request::parse(format!("{{\"version\":1,\"operations\":[{operations}]}}").as_bytes())
                .unwrap();
        let report = run(self.0.path(), &request);
        (report.exit_code(), report.json())
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.0.path().join(path)).ok()
    }
}

#[test]
fn a_request_is_carried_out_in_its_order() {
    let tree = Tree::new();
    let (code, report) = tree.run(
        r#"{"op":"mkdir","path":"docs/new"},{"op":"write","path":"docs/new/b.md","content":"b\n"},
           {"op":"patch","path":"docs/new/b.md","diff":"@@ -1 +1,2 @@\n b\n+c\n"},
           {"op":"patch","path":"docs/a.md","diff":"--- a/docs/a.md\n+++ b/docs/a.md\n@@ -2 +2 @@\n-two\n+2\n"},
           {"op":"write","path":"gone","content":""},{"op":"delete","path":"gone"}"#,
    );
    assert_eq!(code, 0, "{report}");
    assert!(report.starts_with(r#"{"version":1,"status":"done","operations":[{"op":"mkdir","path":"docs/new","status":"done"},"#));
    assert_eq!(tree.read("docs/new/b.md").as_deref(), Some("b\nc\n"));
    assert_eq!(tree.read("docs/a.md").as_deref(), Some("one\n2\n"));
    assert_eq!(tree.read("gone"), None);
}

#[test]
fn nothing_is_changed_when_a_later_operation_does_not_fit() {
    for (operation, word) in [
        (
            r#"{"op":"update","path":"missing","content":""}"#,
            "no such file",
        ),
        (r#"{"op":"delete","path":"missing"}"#, "no such file"),
        (r#"{"op":"delete","path":"docs"}"#, "is a directory"),
        (
            r#"{"op":"write","path":"docs","content":""}"#,
            "is a directory",
        ),
        (r#"{"op":"mkdir","path":"docs"}"#, "exists"),
        (
            r#"{"op":"mkdir","path":"docs/a.md"}"#,
            "a file of that name",
        ),
        (r#"{"op":"mkdir","path":"docs/x/y"}"#, "no directory"),
        (
            r#"{"op":"write","path":"docs/a.md/x","content":""}"#,
            "not a directory",
        ),
        (
            r#"{"op":"patch","path":"docs/a.md","diff":"@@ -1 +1 @@\n-zwei\n+2\n"}"#,
            "line 1 is",
        ),
        (
            r#"{"op":"write","path":"link","content":""}"#,
            "symbolic link",
        ),
        (
            r#"{"op":"write","path":"away/x","content":""}"#,
            "not a directory",
        ),
        (
            r#"{"op":"update","path":"first","content":""},{"op":"delete","path":"first"},{"op":"delete","path":"first"}"#,
            "no such file",
        ),
    ] {
        let tree = Tree::new();
        symlink("docs/a.md", tree.0.path().join("link")).unwrap();
        symlink("docs", tree.0.path().join("away")).unwrap();
        let (code, report) = tree.run(&format!(
            r#"{{"op":"write","path":"first","content":"x"}},{operation}"#
        ));
        assert_eq!(code, 1, "{report}");
        assert!(report.contains(word), "{operation}: {report}");
        assert!(
            report.contains(r#""op":"write","path":"first","status":"not-run""#),
            "{report}"
        );
        assert_eq!(tree.read("first"), None);
        assert_eq!(tree.read("docs/a.md").as_deref(), Some("one\ntwo\n"));
    }
}

#[test]
fn what_was_done_before_a_failure_is_said() {
    let tree = Tree::new();
    let request = Request::parse(
        br#"{"version":1,"operations":[{"op":"write","path":"first","content":"x"},{"op":"mkdir","path":"d"},{"op":"mkdir","path":"e"}]}"#,
    )
    .unwrap();
    let changes = plan::plan(tree.0.path(), &request.operations).unwrap();
    // Somebody is faster.
    fs::write(tree.0.path().join("d"), "").unwrap();
    let report = apply::apply(tree.0.path(), &request.operations, changes);
    assert_eq!(report.exit_code(), 1);
    let text = report.json();
    assert!(text.contains(r#""path":"first","status":"done""#), "{text}");
    assert!(
        text.contains(r#""path":"d","status":"failed","error":"#),
        "{text}"
    );
    assert!(text.contains(r#""path":"e","status":"not-run""#), "{text}");
}

#[test]
fn an_update_does_not_bring_a_file_back() {
    let tree = Tree::new();
    let request = Request::parse(
        br#"{"version":1,"operations":[{"op":"update","path":"docs/a.md","content":"x"}]}"#,
    )
    .unwrap();
    let changes = plan::plan(tree.0.path(), &request.operations).unwrap();
    fs::remove_file(tree.0.path().join("docs/a.md")).unwrap();
    assert_eq!(
        apply::apply(tree.0.path(), &request.operations, changes).exit_code(),
        1
    );
    assert_eq!(tree.read("docs/a.md"), None);
}

#[test]
fn a_bad_request_is_refused_with_exit_code_2() {
    let report = Report::refused(Request::parse(b"{}").err().unwrap());
    assert_eq!(report.exit_code(), 2);
    assert!(report.json().contains(r#""status":"refused","error":"#));
}

#[test]
fn the_manifest_is_well_formed() {
    leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
}
