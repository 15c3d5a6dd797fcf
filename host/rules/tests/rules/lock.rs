//! `leasehold.lock`.

use leasehold_rules::{LOCK_FILE, Lock, LockEntry, MAX_PLUGINS, PluginSource};
use leasehold_seal::Coded;

use crate::common::*;

const DIGEST: &str = "sha256:3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7";

/// A lock file of one plugin with one key changed, or left out where the value is empty.
fn one(key: &str, value: &str) -> String {
    let mut text = "version = 1\n[[plugin]]\n".to_owned();
    let digest = format!("\"{DIGEST}\"");
    for (name, good) in [
        ("name", "\"a\""),
        ("version", "\"1\""),
        ("digest", &digest),
        ("source", "\"builtin\""),
    ] {
        let value = if name == key { value } else { good };
        if !value.is_empty() {
            text.push_str(&format!("{name} = {value}\n"));
        }
    }
    text
}

#[track_caller]
fn codes(text: &str) -> Vec<&'static str> {
    match Lock::parse(text.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(errors) => codes_of(&errors),
    }
}

#[test]
fn the_text_is_sorted_and_read_back() {
    let path = LockEntry {
        source: PluginSource::Path(path("plugins/my \"toc\".wasm")),
        ..entry("my-toc")
    };
    let lock = Lock::default()
        .with(entry("spell"))
        .unwrap()
        .with(path)
        .unwrap();
    let text = lock.to_text();
    assert_eq!(
        text,
        format!(
            r#"# Which name stands for which plugin. `leasehold plugin add` writes this file.
version = 1

[[plugin]]
name = "my-toc"
version = "0.1.0"
digest = "{}"
source = "plugins/my \"toc\".wasm"

[[plugin]]
name = "spell"
version = "0.1.0"
digest = "{}"
source = "builtin"
"#,
            digest_of("my-toc"),
            digest_of("spell")
        )
    );
    let read = Lock::parse(text.as_bytes()).unwrap();
    assert_eq!((&read, read.to_text()), (&lock, text.clone()));
    assert_eq!(
        Lock::parse(format!("\u{feff}{}", text.replace('\n', "\r\n")).as_bytes()),
        Ok(lock)
    );
    assert_eq!(read.get("spell"), Some(&entry("spell")));
    assert_eq!(read.get("spel"), None);
    let names: Vec<&str> = read.entries().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["my-toc", "spell"]);
}

#[test]
fn an_entry_takes_the_place_of_its_name() {
    let newer = LockEntry {
        digest: digest_of("newer"),
        ..entry("spell")
    };
    let lock = lock().with(newer.clone()).unwrap();
    assert_eq!(lock.get("spell"), Some(&newer));
    assert_eq!(
        lock.entries().count(),
        super::common::lock().entries().count()
    );
}

#[test]
fn an_empty_lock_is_a_lock() {
    assert_eq!(Lock::parse(b"version = 1"), Ok(Lock::default()));
    assert_eq!(
        Lock::parse(Lock::default().to_text().as_bytes()),
        Ok(Lock::default())
    );
    assert_eq!(codes(""), ["LOCK-MISSING"]);
}

#[test]
fn one_code_for_each_problem() {
    assert_eq!(codes(&one("", "")), [""; 0]);
    for (key, value, code) in [
        ("name", "", "LOCK-MISSING"),
        ("version", "", "LOCK-MISSING"),
        ("digest", "", "LOCK-MISSING"),
        ("source", "", "LOCK-MISSING"),
        ("name", "1", "LOCK-TYPE"),
        ("digest", "[]", "LOCK-TYPE"),
        ("name", "\"A\"", "LOCK-NAME"),
        ("name", "\"\"", "LOCK-NAME"),
        ("version", "\"\"", "LOCK-NAME"),
        ("version", "\"1 2\"", "LOCK-NAME"),
        ("version", "\"\\u001b\"", "LOCK-NAME"),
        ("digest", "\"sha256:00\"", "LOCK-DIGEST"),
        (
            "digest",
            "\"SHA256:3A6EB0790F39AC87C94F3856B2DD2C5D110E6811602261A9A923D3BB23ADC8B7\"",
            "LOCK-DIGEST",
        ),
        ("source", "\"\"", "LOCK-SOURCE"),
        ("source", "\"../x.wasm\"", "LOCK-SOURCE"),
        ("source", "\"a/../../x.wasm\"", "LOCK-SOURCE"),
        ("source", "\"/x.wasm\"", "LOCK-SOURCE"),
        ("source", "\"./x.wasm\"", "LOCK-SOURCE"),
        ("source", "\"a\\u0000\"", "LOCK-SOURCE"),
    ] {
        assert_eq!(codes(&one(key, value)), [code], "{key} = {value}");
    }
    for (text, code) in [
        ("version = 2", "LOCK-VERSION"),
        ("version = 1\nplugin = []", "LOCK-TYPE"),
        ("version = 1\nplugins = 1", "LOCK-KEY"),
        ("version = 1\n[[plugin]", "LOCK-SYNTAX"),
    ] {
        assert_eq!(codes(text), [code], "{text}");
    }
    assert_eq!(codes(&format!("{}digets = 1\n", one("", ""))), ["LOCK-KEY"]);
    assert_eq!(
        codes_of(&Lock::parse(b"\xff").unwrap_err()),
        ["LOCK-ENCODING"]
    );
}

#[test]
fn a_name_that_is_there_twice_is_shown_twice() {
    let text = format!(
        "{}{}",
        one("", ""),
        one("", "").replace("version = 1\n[", "[")
    );
    let errors = Lock::parse(text.as_bytes()).unwrap_err();
    assert_eq!(codes_of(&errors), ["LOCK-DUPLICATE"]);
    let lines: Vec<usize> = errors[0].places().iter().map(|place| place.line).collect();
    assert_eq!((lines, errors[0].places()[0].file), (vec![8, 3], LOCK_FILE));
}

#[test]
fn what_cannot_be_read_is_not_written() {
    let bad = [
        LockEntry {
            name: "A".to_owned(),
            ..entry("a")
        },
        LockEntry {
            version: String::new(),
            ..entry("a")
        },
        LockEntry {
            source: PluginSource::Path(path("")),
            ..entry("a")
        },
        LockEntry {
            source: PluginSource::Path(path("builtin")),
            ..entry("a")
        },
    ];
    let expected = ["LOCK-NAME", "LOCK-NAME", "LOCK-SOURCE", "LOCK-SOURCE"];
    for (bad, code) in bad.into_iter().zip(expected) {
        assert_eq!(Lock::default().with(bad).unwrap_err().code(), code);
    }
    let full = (0..MAX_PLUGINS).fold(Lock::default(), |lock, n| {
        lock.with(entry(&format!("p{n}"))).unwrap()
    });
    assert_eq!(Lock::parse(full.to_text().as_bytes()).as_ref(), Ok(&full));
    let text = format!(
        "{}{}",
        full.to_text(),
        one("", "").replace("version = 1\n[", "[")
    );
    assert_eq!(codes(&text), ["PLUGINS-TOO-MANY"]);
    assert!(full.clone().with(entry("p0")).is_ok());
    assert_eq!(
        full.with(entry("x")).unwrap_err().code(),
        "PLUGINS-TOO-MANY"
    );
}
