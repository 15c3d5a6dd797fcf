//! What is said of a secret: its place, whether it is allowed, and never the secret.
#![expect(clippy::unwrap_used, reason = "all of this is a test")]

use secrets_scan::{Hit, Rules, Settings, scan};

fn hits(content: &[u8]) -> Vec<Hit> {
    scan("a.rs", content, &Rules::new(Settings::default()).unwrap())
}

/// A made-up key.
fn key() -> String {
    ["AKIA", "Q3EGRIFW7ZT2XBNM"].concat()
}

fn places(content: &str) -> Vec<(u32, u32, bool)> {
    let hits = hits(content.as_bytes());
    hits.iter()
        .map(|hit| (hit.line, hit.column, hit.allowed))
        .collect()
}

#[test]
fn lines_and_columns_count_from_one_and_in_characters() {
    let key = key();
    assert_eq!(places(&key), [(1, 1, false)]);
    assert_eq!(
        places(&format!("a\r\nžluť {key} {key}\n{key}")),
        [(2, 6, false), (2, 27, false), (3, 1, false)]
    );
    let long = format!("{}{key}", "é".repeat(1 << 20));
    assert_eq!(places(&long), [(1, (1 << 20) + 1, false)]);
    let mut bytes = vec![0xFF, b' '];
    bytes.extend(key.as_bytes());
    assert_eq!(hits(&bytes)[0].column, 3);
}

#[test]
fn a_comment_on_the_line_or_alone_on_the_line_before_allows() {
    let key = key();
    for (content, allowed) in [
        (format!("{key} // leasehold:allow secret"), true),
        (
            format!("{key} # leasehold:allow secret aws-access-key documented example"),
            true,
        ),
        (
            format!("{key} # leasehold:allow secret: the vendor's own"),
            true,
        ),
        (format!("# leasehold:allow secret\n{key}"), true),
        (
            format!("<!-- leasehold:allow secret aws-access-key -->\r\n{key}"),
            true,
        ),
        (format!("// leasehold:allow secret jwt\n{key}"), false),
        (format!("// leasehold:allow secrets\n{key}"), false),
        (format!("// leasehold:allow\n{key}"), false),
        (format!("x = 1 // leasehold:allow secret\n{key}"), false),
        (format!("// leasehold:allow secret\n\n{key}"), false),
        (format!("{key}\n// leasehold:allow secret"), false),
        (format!("// leasehold:allow secret\n{key}\n{key}"), false),
    ] {
        let last = places(&content).last().copied();
        assert_eq!(last.map(|place| place.2), Some(allowed), "{content}");
    }
    let both = places(&format!("// leasehold:allow secret\n{key}\n{key}"));
    assert_eq!(both, [(2, 1, true), (3, 1, false)]);
}

#[test]
fn a_fingerprint_stays_with_the_secret_and_changes_with_its_file() {
    let key = key();
    let content = format!("{key}\n\n  {key}");
    let found = hits(content.as_bytes());
    let print = |hit: &Hit, path| hit.fingerprint(path, content.as_bytes());
    assert_eq!(print(&found[0], "a"), print(&found[1], "a"));
    assert_ne!(print(&found[0], "a"), print(&found[0], "b"));
    // printf 'aws-access-key\0a\0AKIA…' | sha256sum
    assert_eq!(print(&found[0], "a").len(), 71);
}

#[test]
fn what_is_shown_is_at_most_four_characters_and_a_quarter() {
    let content = key();
    assert_eq!(
        hits(content.as_bytes())[0].redacted(content.as_bytes()),
        "AKIA… (20 characters)"
    );
    let short = ["password = \"", "x7Kp2mQ9", "\""].concat();
    assert_eq!(
        hits(short.as_bytes())[0].redacted(short.as_bytes()),
        "x7… (8 characters)"
    );
}

/// Pseudo-random numbers: the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// Whatever the bytes are: no panic, places in order and apart, and nothing shown that gives the secret away.
#[test]
fn arbitrary_bytes_do_no_harm() {
    let dashes = "-".repeat(5);
    let pieces: Vec<String> = [
        "AKIA",
        "ghp_",
        "eyJhbGciOi",
        "xoxb-",
        "://",
        "@",
        ":",
        "password",
        "token",
        "=\"",
        "\"",
        "\\",
        "'",
        "\r\n",
        "\n",
        " ",
        "é",
        "\u{feff}",
        "SG.",
        "8Q~",
        ":AA",
        "private_key_id",
        "Q3EGRIFW7ZT2XBNM",
        "x7Kp2mQ9vT4s",
        "leasehold:allow secret",
        "PuTTY-User-Key-File-2:",
        "Private-Lines: 1",
        "T3BlbkFJ",
        ".",
        "<",
        ">",
        "(",
        "hf_",
    ]
    .iter()
    .map(|text| (*text).to_owned())
    .chain([
        format!("{dashes}BEGIN "),
        format!("PRIVATE KEY{dashes}"),
        format!("{dashes}END PRIVATE KEY{dashes}"),
    ])
    .collect();
    let rules = Rules::new(Settings::default()).unwrap();
    let mut numbers = Numbers(7);
    let mut total = 0;
    for round in 0..4000 {
        let mut content = Vec::new();
        for _ in 0..numbers.below(24) {
            if numbers.below(4) == 0 {
                content.push(numbers.below(256) as u8);
            } else {
                content.extend(pieces[numbers.below(pieces.len())].as_bytes());
            }
        }
        let path = if round % 2 == 0 { "a.rs" } else { ".env" };
        let found = scan(path, &content, &rules);
        total += found.len();
        let mut end = 0;
        for hit in &found {
            assert!(hit.start >= end && hit.start < hit.end && hit.end <= content.len());
            end = hit.end;
            let secret = String::from_utf8_lossy(&content[hit.start..hit.end]).into_owned();
            let shown = hit.redacted(&content);
            let kept = shown.split('…').next().unwrap_or_default();
            assert!(
                kept.chars().count() <= 4.min(secret.chars().count() / 4),
                "{shown}"
            );
            assert!(!shown.contains(&secret), "{shown}");
        }
        assert_eq!(found, scan(path, &content, &rules));
    }
    assert!(total > 100, "the pieces should make secrets: {total}");
}

#[test]
fn long_lines_and_many_candidates_take_no_longer_than_others() {
    // Each of these would take minutes if the work for a candidate grew with the length of the line.
    let key = key();
    let dashes = "-".repeat(5);
    for (piece, count) in [
        ("token=\"".to_owned(), 150_000),
        ("://a:".to_owned(), 200_000),
        ("eyJhbGciOi".to_owned(), 100_000),
        (format!("{dashes}BEGIN PRIVATE KEY{dashes}"), 30_000),
        ("PuTTY-User-Key-File-2: ".to_owned(), 40_000),
        (format!("{key} "), 50_000),
        (format!("{key} leasehold:allow secret\n"), 20_000),
        ("T3BlbkFJ".to_owned(), 100_000),
    ] {
        let content = piece.repeat(count);
        let found = hits(content.as_bytes());
        if piece.starts_with("AKIA") {
            assert_eq!(found.len(), count);
        }
    }
}
