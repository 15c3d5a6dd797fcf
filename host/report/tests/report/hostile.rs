//! Texts that want to be more than text.

use leasehold_report::{Which, html, json};
use leasehold_tape::Kind;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::builder::{Scene, Tape, fail, finding, gate};
use crate::scenes::{PLACES, attacked, everyday};

/// Marks a text by its name, so that it can be found again.
fn marked(name: &str) -> String {
    format!(
        "[{name}]</style></title></svg><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}\x1b[31m\0\r\n"
    )
}

#[test]
fn markup_is_text_wherever_it_stands() {
    let run = attacked(marked).tape.read();
    let page = html(&run).unwrap();
    for name in PLACES {
        assert!(
            page.contains(&format!("[{name}]&#60;/style&#62;")),
            "{name}"
        );
    }
    for raw in ["<script", "<img", "\x1b", "\0", "\r", "\u{202e}"] {
        assert!(!page.contains(raw), "{raw:?}");
    }
    // One of each, and they are ours.
    for ours in ["</style>", "</title>", "<meta http-equiv"] {
        assert_eq!(page.matches(ours).count(), 1, "{ours}");
    }
    assert!(page.contains("\\u{202e}␛[31m␀␍"));
}

#[test]
fn nothing_on_the_page_needs_what_the_policy_forbids() {
    let page = html(&attacked(marked).tape.read()).unwrap();
    // Escaped texts have no `<`, so what follows one is markup of ours.
    for tag in page
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
    {
        let words: Vec<&str> = tag.split_whitespace().collect();
        let forbidden = |word: &&str| {
            [
                "style=", "src=", "srcset=", "action=", "onload", "onerror", "data=",
            ]
            .iter()
            .any(|start| word.starts_with(start))
        };
        assert!(!words.iter().any(forbidden), "{tag}");
        if let Some(link) = words.iter().find(|word| word.starts_with("href=")) {
            assert!(link.starts_with("href=\"#s"), "{tag}");
        }
        let name = words[0].trim_start_matches('/');
        assert!(
            ![
                "script", "link", "iframe", "object", "embed", "base", "form", "image", "use", "a:"
            ]
            .contains(&name),
            "{tag}"
        );
    }
}

#[test]
fn json_holds_them_as_they_are() {
    let run = attacked(marked).tape.read();
    let value: serde_json::Value = serde_json::from_str(&json(&run).unwrap()).unwrap();
    assert_eq!(
        value["steps"][0]["verdict"]["verdict"]["findings"][0]["message"],
        marked("message")
    );
}

#[test]
fn texts_without_end_are_clipped_and_counted() {
    let mut said = fail("bad", vec![finding("r", &"<".repeat(100_000), "p", 1, 1)]);
    said.inline = false;
    let mut scene = Scene::start(vec![gate("a", &[])]);
    scene.call("a", said);
    scene.finish();
    let page = html(&scene.tape.read()).unwrap();
    assert!(page.len() < 100_000, "{}", page.len());
    assert!(page.contains("… (98,000 more characters)"));
}

#[test]
fn a_page_has_a_largest_size() {
    // Each of 60 steps has 1,000 findings of 2,000 characters that each take five bytes: 600 MB, if all were printed.
    let ids: Vec<String> = (0..60).map(|number| format!("step-{number}")).collect();
    let mut scene = Scene::start(ids.iter().map(|id| gate(id, &[])).collect());
    let found = vec![finding("rule", &"<".repeat(2_000), "path", 1, 1); 1_000];
    for id in &ids {
        let mut said = fail("bad", found.clone());
        said.inline = false;
        scene.call(id, said);
    }
    scene.finish();
    let run = scene.tape.read();
    assert_eq!(run.totals.findings, 60_000);
    let page = html(&run).unwrap();
    assert!(page.len() < 20_000_000, "{}", page.len());
    assert!(page.contains("… and 500 more findings"));
    // A step that came too late for its findings still says how many it has.
    assert!(page.contains("… and 1,000 more findings"));
    assert_eq!(page.matches("class=\"card fail\"").count(), 60);
}

/// Puts something else in the place of one value of a body, wherever it lies.
fn change(value: &mut Value, place: &mut usize, with: &Value) {
    if *place == 0 {
        *value = with.clone();
    }
    *place = place.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| change(item, place, with)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| change(field, place, with)),
        _ => {}
    }
}

/// The same tape with one value of one body changed, and a chain that holds.
fn damaged(scene: &Scene, record: usize, place: usize, with: &Value) -> Tape {
    let mut tape = Tape::new();
    tape.store.clone_from(&scene.tape.store);
    for (number, line) in scene.tape.lines.iter().enumerate().skip(1) {
        let mut value: Value = serde_json::from_slice(line).unwrap();
        if number == record {
            change(&mut value["body"], &mut (place + 1), with);
        }
        let kind = Kind::parse(value["kind"].as_str().unwrap()).unwrap();
        tape.push(kind, &value["body"]);
    }
    tape
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_damaged_tape_is_an_error_or_a_run_and_never_a_panic(
        record in 1_usize..40,
        place in 0_usize..40,
        with in prop::sample::select(vec![json!(null), json!(0), json!(9_007_199_254_740_991_u64), json!(""), json!("x"), json!([]), json!({}), json!(true), json!("pass")]),
    ) {
        let tape = damaged(&everyday(), record, place, &with);
        if let Ok(run) = tape.try_read(&Which::Latest) {
            prop_assert!(html(&run).is_ok() && json(&run).is_ok());
        }
    }

    #[test]
    fn no_text_gets_out_of_its_place(message in any::<String>(), column in any::<u32>(), line in any::<u32>()) {
        let mut said = fail(&message, vec![finding(&message, &message, &message, line, column)]);
        said.code = Some(message.clone());
        said.quotes = vec![leasehold_tape::verdict::Quote { line, path: message.clone(), text: message.clone() }];
        said.inline = false;
        let mut scene = Scene::start(vec![gate("a", &[])]);
        scene.call("a", said);
        scene.finish();
        let run = scene.tape.read();
        prop_assert!(run.contradictions.is_empty(), "{:?}", run.contradictions);
        let page = html(&run).unwrap();
        // Every bracket outside of the style sheet is one of ours, so they come in pairs.
        let (before, rest) = page.split_once("<style>").unwrap();
        let (_, after) = rest.split_once("</style>").unwrap();
        for part in [before, after] {
            prop_assert_eq!(part.matches('<').count(), part.matches('>').count());
        }
        for tag in ["details", "bdi", "pre", "table", "code"] {
            let (begun, ended) = (format!("<{tag}"), format!("</{tag}>"));
            prop_assert_eq!(after.matches(&begun).count(), after.matches(&ended).count());
        }
    }
}
