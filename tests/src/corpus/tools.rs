//! What gates and adapters try.

use super::Entry;
use super::guests::guest;
use super::hosts::Ask;

const LIST: &str = "l:**";
const MIB: u64 = 1 << 20;

pub(super) fn entries() -> Vec<Entry> {
    gates().into_iter().chain(adapters()).collect()
}

fn gates() -> Vec<Entry> {
    let pass = r#"{"do":"pass"}"#;
    let little: fn(&mut leasehold_lease::Grant) = |grant| grant.limits.fuel = 5_000_000;
    let mut entries = Vec::new();
    for (name, attacks, expected, bad, good) in [
        (
            "attach",
            "attaches without end",
            "OUTPUT-EXCEEDED",
            r#"{"do":"attach","count":0,"bytes":100000}"#,
            r#"{"do":"attach","count":2,"bytes":100000}"#,
        ),
        (
            "attach-count",
            "attaches more things than a call may",
            "GATE-FAILED",
            r#"{"do":"attach","count":0,"bytes":10}"#,
            r#"{"do":"attach","count":10,"bytes":10}"#,
        ),
        (
            "attach-twice",
            "attaches twice under one name",
            "GATE-FAILED",
            r#"{"do":"attach-twice"}"#,
            r#"{"do":"attach","count":2,"bytes":1}"#,
        ),
        (
            "attach-path",
            "attaches under a name that is a path",
            "GATE-FAILED",
            r#"{"do":"attach-as","name":"../x","media_type":"text/plain"}"#,
            r#"{"do":"attach-as","name":"x","media_type":"text/plain"}"#,
        ),
        (
            "findings",
            "a verdict of 2 MB",
            "OUTPUT-EXCEEDED",
            r#"{"do":"fail","findings":200,"message_bytes":10000,"code":null}"#,
            pass,
        ),
        (
            "log",
            "logs empty lines without end",
            "LOG-EXCEEDED",
            r#"{"do":"log","lines":0,"bytes":0}"#,
            r#"{"do":"log","lines":100,"bytes":0}"#,
        ),
        (
            "log-long",
            "logs long lines without end",
            "LOG-EXCEEDED",
            r#"{"do":"log","lines":0,"bytes":100000}"#,
            r#"{"do":"log","lines":100,"bytes":100}"#,
        ),
        (
            "walk-flood",
            "keeps listings open without end",
            "HANDLES-EXCEEDED",
            r#"{"do":"walk-flood","count":0}"#,
            r#"{"do":"walk-flood","count":100}"#,
        ),
        (
            "trap",
            "traps instead of judging",
            "PLUGIN-TRAPPED",
            r#"{"do":"trap"}"#,
            pass,
        ),
        (
            "panic",
            "panics instead of judging",
            "PLUGIN-TRAPPED",
            r#"{"do":"panic"}"#,
            pass,
        ),
        (
            "read-escape",
            "reads above the workspace",
            "PATH-ESCAPE",
            r#"{"do":"read","path":"../outside.txt"}"#,
            r#"{"do":"read","path":"a"}"#,
        ),
        (
            "read-protected",
            "reads .git",
            "PATH-PROTECTED",
            r#"{"do":"read","path":".git/config"}"#,
            r#"{"do":"read","path":"a"}"#,
        ),
        (
            "digest-escape",
            "has the host hash a file above the workspace",
            "PATH-ESCAPE",
            r#"{"do":"digest","path":"../outside.txt"}"#,
            r#"{"do":"digest","path":"a"}"#,
        ),
        (
            "input",
            "asks for a fact it was not given",
            "GATE-FAILED",
            r#"{"do":"input","name":"run.json"}"#,
            pass,
        ),
    ] {
        let ask = |config| Ask::check(config).files("l:** r:**");
        entries.push(gate(name, attacks, expected, ask(bad), ask(good)));
    }
    let spin = Ask::check(r#"{"do":"spin"}"#).under(little);
    let progress = Ask::check(r#"{"do":"progress","count":0}"#).under(little);
    let read = Ask::check(r#"{"do":"read","path":"a"}"#);
    let judge = Ask::check(pass).files(LIST);
    entries.extend([
        gate("spin", "never judges", "FUEL-EXHAUSTED", spin, judge),
        gate(
            "progress",
            "tells its progress without end",
            "FUEL-EXHAUSTED",
            progress,
            Ask::check(r#"{"do":"progress","count":100}"#),
        ),
        gate(
            "read-unread",
            "reads what it may only list",
            "PATH-DENIED",
            read.files(LIST),
            read.files("r:a"),
        ),
        gate(
            "config",
            "is given another configuration than was granted",
            "CONFIG-DENIED",
            judge.under(|grant| grant.config = Some(leasehold_seal::Digest::of(b"{}"))),
            judge,
        ),
        gate(
            "config-schema",
            "is given a configuration that its schema does not allow",
            "CONFIG-SCHEMA",
            Ask::check(r#"{"do":7}"#),
            judge,
        ),
        gate(
            "kind",
            "a gate under a lease for a command",
            "KIND-MISMATCH",
            judge.under(|grant| grant.kind = leasehold_lease::Kind::Command),
            judge,
        ),
        gate(
            "secret",
            "is to be given a secret that the host does not have",
            "SECRET-MISSING",
            judge.under(exposes),
            judge,
        ),
    ]);
    entries
}

fn gate(name: &str, attacks: &str, expected: &str, bad: Ask, good: Ask) -> Entry {
    guest(
        &format!("gate/{name}"),
        "hostile/hostile-gate",
        attacks,
        expected,
        bad,
        good,
    )
}

fn exposes(grant: &mut leasehold_lease::Grant) {
    grant.secrets = vec![leasehold_lease::SecretGrant {
        name: "nobody-knows".into(),
        inject: None,
        expose: true,
    }];
}

fn adapters() -> Vec<Entry> {
    let keep = Ask::tool("keep", "{}");
    let wide: fn(&mut leasehold_lease::Grant) = |grant| {
        grant.limits.output_bytes = 64 * MIB;
        grant.limits.memory_bytes = 256 * MIB;
    };
    let mut entries = Vec::new();
    for (name, attacks, expected, bad, good) in [
        (
            "lie",
            "answers what its schema does not allow",
            "REPLY-SCHEMA",
            Ask::tool("lie", "{}"),
            keep,
        ),
        (
            "garble",
            "answers what is no JSON",
            "REPLY-SCHEMA",
            Ask::tool("garble", "{}"),
            keep,
        ),
        (
            "flood",
            "answers more than it may say",
            "OUTPUT-EXCEEDED",
            Ask::tool("flood", r#"{"bytes":2000000}"#),
            Ask::tool("flood", r#"{"bytes":1000}"#),
        ),
        (
            "transfer",
            "answers 20 MiB at once",
            "TRANSFER-EXCEEDED",
            Ask::tool("flood", r#"{"bytes":20971520}"#).under(wide),
            Ask::tool("flood", r#"{"bytes":1048576}"#).under(wide),
        ),
        (
            "unknown-tool",
            "is asked for a tool it does not have",
            "TOOL-UNKNOWN",
            Ask::tool("sing", "{}"),
            keep,
        ),
        (
            "arguments",
            "is given arguments of another type",
            "ARGUMENTS-SCHEMA",
            Ask::tool("flood", r#"{"bytes":"many"}"#),
            Ask::tool("flood", r#"{"bytes":1}"#),
        ),
        (
            "arguments-more",
            "is given an argument nobody knows",
            "ARGUMENTS-SCHEMA",
            Ask::tool("flood", r#"{"bytes":1,"more":1}"#),
            Ask::tool("flood", r#"{"bytes":1}"#),
        ),
        (
            "arguments-cut",
            "is given half of its arguments",
            "ARGUMENTS-SCHEMA",
            Ask::tool("flood", r#"{"bytes":"#),
            Ask::tool("flood", r#"{"bytes":1}"#),
        ),
        (
            "read-unread",
            "reads what it may only list",
            "PATH-DENIED",
            Ask::tool("read", r#"{"path":"a"}"#).files(LIST),
            Ask::tool("read", r#"{"path":"a"}"#).files("r:a"),
        ),
    ] {
        entries.push(guest(
            &format!("adapter/{name}"),
            "hostile/hostile-adapter",
            attacks,
            expected,
            bad,
            good,
        ));
    }
    entries
}
