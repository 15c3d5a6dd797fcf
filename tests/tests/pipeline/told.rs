//! Hostile words on terminals, in documents and on pages.

use serde_json::Value;

use crate::outcomes::{page, words};
use crate::site::{Desk, Test, gate, step};

/// Text that must not reach a terminal or a browser as it is.
fn harmless(what: &str, text: &str) {
    let bad = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(bad), "{what}: {text:?}");
}

#[test]
fn hostile_words_are_harmless_wherever_they_are_shown() -> Test {
    let name = "docs/\u{1b}[2J<img src=x onerror=alert(1)>\n::error::\u{202e}x.md";
    let desk = Desk::new(&[(name, "<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n")])?;
    let html = "</script><script>alert(1)</script>\\u001b[31m\\n../../etc/passwd";
    let steps = [
        gate("escapes", "do = \"escapes\"", ""),
        gate(
            "html",
            &format!("do = \"error\", kind = \"fault\", text = \"{html}\""),
            "",
        ),
        gate("outside", "do = \"read\", path = \"../../etc/passwd\"", ""),
        "[[step]]\nid = \"markers\"\ngate = \"conflict-markers\"\nread = [\"**\"]\n".to_owned(),
    ];
    desk.pipeline(&steps.concat())?;
    let said = desk.exits(&["run"], 3)?;
    harmless("summary", &said.out);
    harmless("talk", &said.err);
    // One line of ours for each step: none of the lines was made by a plugin.
    assert_eq!(
        words(&said),
        ["error", "fail", "fail", "fail"],
        "{}",
        said.out
    );
    assert!(
        !said
            .out
            .lines()
            .any(|line| line.starts_with("::error::") || line.starts_with("nothing found"))
    );
    let page = page(&said)?;
    harmless("page", &page.replace(['\r', '\t'], ""));
    for bad in ["<script>alert", "<img src=x", "</script><script>"] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(
        page.contains("&lt;img src=x") || page.contains("&#60;img src=x"),
        "the finding is not shown"
    );
    for args in [&["status"][..], &["report"], &["tape", "show"], &["plan"]] {
        harmless("text", &desk.run(args)?.out);
    }
    for args in [
        &["run", "--format", "json"][..],
        &["status", "--format", "json"],
        &["report", "--format", "json"],
    ] {
        let said = desk.run(args)?;
        harmless("json", &said.out);
        let _document: Value = serde_json::from_str(&said.out)?;
    }
    // The path is told to programs as it is.
    let run = desk.go(&[], 3)?;
    let path = &step(&run, "markers")?["verdict"]["findings"][0]["at"]["path"];
    assert_eq!(path, name, "{run}");
    Ok(())
}
