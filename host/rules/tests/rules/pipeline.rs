//! `leasehold.toml`: what is read, and what is said where it cannot be.

use leasehold_rules::{
    ExitCodes, MAX_FILE_BYTES, MAX_PROBLEMS, MAX_STEPS, Pipeline, RulesError, Sentinel, Uses,
};
use leasehold_seal::{Class, Coded, Digest};

use crate::common::*;

/// The whole messages about a pipeline.
#[track_caller]
fn messages(text: &str) -> String {
    texts(&Pipeline::parse(text.as_bytes()).unwrap_err())
}

/// A step with this line in it.
fn with(line: &str) -> String {
    steps(&[&format!("id = \"a\"\ncommand = \"x\"\n{line}")])
}

#[test]
fn the_example_of_the_design() {
    let pipeline = pipeline(EXAMPLE);
    assert_eq!(pipeline.digest(), Digest::of(EXAMPLE.as_bytes()));
    let [secrets, toc, spelling] = pipeline.steps() else {
        panic!("{:?}", pipeline.steps());
    };
    assert_eq!((secrets.line, toc.line, spelling.line), (4, 10, 18));
    assert_eq!(secrets.spec.uses, Uses::Gate("secrets".to_owned()));
    assert_eq!(secrets.spec.files.read, patterns(&["**"]));
    assert_eq!(secrets.spec.files.list, []);
    assert_eq!(secrets.spec.skip, patterns(&["target/**"]));
    assert_eq!(toc.spec.uses, Uses::Command("md-toc".to_owned()));
    assert_eq!(toc.spec.args, ["--in-place", "docs"]);
    assert_eq!(
        (toc.needs.as_slice(), secrets.needs.as_slice()),
        (&[0][..], &[][..])
    );
    let exit = ExitCodes {
        pass: vec![0],
        fail: vec![1],
    };
    assert_eq!(spelling.spec.exit, Some(exit));
    assert!(secrets.spec.cache && pipeline.order() == [0, 1, 2]);
    assert_eq!(*pipeline.sentinel(), Sentinel::default());
}

#[test]
fn every_key() {
    let text = r#"version = 1
[sentinel]
halt = { fuel = 80, memory = 90, wall = 100, output = 1, write = 2, errors = 50 }
[[step]]
id = "a-1"
command = "x"
list = ["src/**"]
read = []
write = ["out/*.md"]
deny = ["**/.env"]
args = ["", "ü\n"]
needs = ["b", "b"]
exit.pass = [2, 0, 0]
exit.fail = [1]
env = { pass = ["LANG"], set = { CI = "true" } }
limits = { fuel = 1_000, memory_bytes = 0x10000, wall_ms = 5, output_bytes = 0, write_bytes = 7, open_files = 8 }
cache = false
[[step]]
id = "b"
gate = "y"
[step.config]
deep.list = [1, 2.5, "x", true, { a = [] }]
[[step.config.tables]]
z = -1
"#;
    let pipeline = pipeline(text);
    let halt = pipeline.sentinel();
    assert_eq!(
        (halt.fuel, halt.output, halt.errors),
        (Some(80), Some(1), Some(50))
    );
    let (a, b) = (&pipeline.steps()[0], &pipeline.steps()[1]);
    assert_eq!(a.needs, [1]);
    assert_eq!(pipeline.order(), [1, 0]);
    assert_eq!(a.spec.exit.as_ref().unwrap().pass, [0, 2]);
    assert_eq!(a.spec.env.set["CI"], "true");
    assert_eq!(a.spec.limits.memory_bytes, Some(65_536));
    assert_eq!(
        (a.spec.limits.fuel, a.spec.limits.open_files),
        (Some(1_000), Some(8))
    );
    assert_eq!(a.spec.args, ["", "ü\n"]);
    assert!(!a.spec.cache);
    let config = b.spec.config.as_ref().unwrap();
    assert_eq!(
        config.text(),
        r#"{"deep":{"list":[1,2.5,"x",true,{"a":[]}]},"tables":[{"z":-1}]}"#
    );
    assert_eq!(config.digest(), Digest::of(config.text().as_bytes()));
}

#[test]
fn line_ends_tabs_and_a_byte_order_mark_make_no_difference() {
    let crlf = EXAMPLE.replace('\n', "\r\n");
    let tabs = EXAMPLE.replace("id =", "\tid\t=");
    let marked = format!("\u{feff}{crlf}");
    for text in [crlf, tabs, marked] {
        let (one, other) = (pipeline(&text), pipeline(EXAMPLE));
        assert_eq!(one.steps().len(), 3);
        for (one, other) in one.steps().iter().zip(other.steps()) {
            assert_eq!((&one.spec, one.line), (&other.spec, other.line));
        }
        let broken = format!("{text}\tx = 1");
        let errors = Pipeline::parse(broken.as_bytes()).unwrap_err();
        let place = errors[0].place().unwrap();
        assert_eq!((place.line, place.column, &*place.marker), (24, 2, " ^"));
    }
}

#[test]
fn a_byte_order_mark_takes_no_column() {
    let errors = Pipeline::parse("\u{feff}versoin = 1".as_bytes()).unwrap_err();
    let place = errors[0].place().unwrap();
    assert_eq!(
        (place.column, &*place.source, &*place.marker),
        (1, "versoin = 1", "^^^^^^^")
    );
}

#[test]
fn every_problem_is_reported_where_it_stands() {
    let text = "version = 1
[[step]]
id = \"ä\"
gate = \"x\"
raed = [\"**\"]
list = [\"a\", 3, \"b//c\"]
\tlimits.fuel = \"256 MiB\"
";
    assert_eq!(
        messages(text),
        r#"error[STEP-ID]: "ä" is not an id: 1 to 64 of a-z, 0-9 and -
  leasehold.toml:3:6
  3 | id = "ä"
    |      ^^^
  hint: for example id = "secrets"
error[PIPELINE-KEY]: the step "ä" has an unknown key "raed"
  leasehold.toml:5:1
  5 | raed = ["**"]
    | ^^^^
  hint: did you mean "read"?
error[PIPELINE-TYPE]: `list` of the step "ä": expected a list of strings, found an integer in it
  leasehold.toml:6:14
  6 | list = ["a", 3, "b//c"]
    |              ^
  hint: docs/pipeline.md lists every key with its type
error[PATTERN-FORMAT]: `list` of the step "ä": the pattern has an empty component: "b//c"
  leasehold.toml:6:17
  6 | list = ["a", 3, "b//c"]
    |                 ^^^^^^
  hint: patterns are relative to the workspace, for example docs/**, *.md or **/.env
error[PIPELINE-TYPE]: `limits.fuel` of the step "ä": expected an integer from 1 to 9007199254740991, found a string
  leasehold.toml:7:16
  7 |  limits.fuel = "256 MiB"
    |                ^^^^^^^^^
  hint: write a plain number in the unit of the key's name, without quotes: 268_435_456
"#
    );
}

#[test]
fn two_steps_of_one_name_are_shown_both() {
    let text = steps(&[
        "id = \"a\"\ngate = \"x\"",
        "id = \"b\"\ngate = \"x\"",
        "id = \"a\"\ngate = \"x\"",
    ]);
    assert_eq!(
        messages(&text),
        r#"error[STEP-DUPLICATE]: two steps have the id "a"
  leasehold.toml:9:1
  9 | id = "a"
    | ^^
  leasehold.toml:3:1
  3 | id = "a"
    | ^^
  hint: give one of them another id; grants and reports name steps by it
"#
    );
}

#[test]
fn a_circle_is_named_step_by_step() {
    let circle = |needs: &[(&str, &str)]| {
        let all: Vec<String> = needs
            .iter()
            .map(|(id, needs)| format!("id = \"{id}\"\ngate = \"x\"\nneeds = [{needs}]"))
            .collect();
        steps(&all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let text = circle(&[
        ("out", "\"c\""),
        ("b", "\"free\", \"c\""),
        ("a", "\"b\""),
        ("c", "\"a\""),
        ("free", ""),
        ("self", "\"self\""),
        ("d", "\"e\""),
        ("e", "\"d\", \"out\""),
    ]);
    let errors = Pipeline::parse(text.as_bytes()).unwrap_err();
    let sentences: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        sentences,
        [
            "steps need each other in a circle: b → c → a → b",
            "the step \"self\" needs itself",
            "steps need each other in a circle: d → e → d",
        ]
    );
    assert_eq!(errors[0].place().unwrap().line, 9);
    assert_eq!(codes_of(&errors), ["STEP-CYCLE"; 3]);
    // The same without the needs that close the circles.
    let open = circle(&[("out", "\"c\""), ("b", ""), ("a", "\"b\""), ("c", "\"a\"")]);
    assert_eq!(pipeline(&open).order(), [1, 2, 3, 0]);
}

#[test]
fn a_long_circle_is_shortened() {
    let all: Vec<String> = (0..MAX_STEPS)
        .map(|n| {
            format!(
                "id = \"s{n}\"\ngate = \"x\"\nneeds = [\"s{}\"]",
                (n + 1) % MAX_STEPS
            )
        })
        .collect();
    let text = steps(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let message = messages(&text);
    assert!(message.contains("circle: s0 → s1 → s2"), "{message}");
    assert!(message.contains("s9 → … → s0\n"), "{message}");
}

#[test]
fn one_code_for_each_problem() {
    let long = "x".repeat(65);
    let many = format!("read = [{}]", "\"a\",".repeat(1_025));
    let pair = format!("deny = [{0}]\nskip = [{0}]", "\"a\",".repeat(513));
    for (line, code) in [
        ("rights = 1", "PIPELINE-KEY"),
        ("stdin = \"x\"", "PIPELINE-KEY"),
        ("verdict = \"x\"", "PIPELINE-KEY"),
        ("env.unset = []", "PIPELINE-KEY"),
        ("exit = { pass = [0], skip = [2] }", "PIPELINE-KEY"),
        ("read = \"**\"", "PIPELINE-TYPE"),
        ("read = [[\"**\"]]", "PIPELINE-TYPE"),
        ("args = 1", "PIPELINE-TYPE"),
        ("cache = \"no\"", "PIPELINE-TYPE"),
        ("config = \"{}\"", "PIPELINE-TYPE"),
        ("env = [\"CI\"]", "PIPELINE-TYPE"),
        ("env.set = { CI = true }", "PIPELINE-TYPE"),
        ("limits = 5", "PIPELINE-TYPE"),
        ("limits.fuel = 1.0", "PIPELINE-TYPE"),
        ("exit.pass = [256]", "PIPELINE-TYPE"),
        ("exit.pass = [-1]", "PIPELINE-TYPE"),
        ("exit.pass = [\"0\"]", "PIPELINE-TYPE"),
        ("limits.fuel = 0", "VALUE-RANGE"),
        ("limits.fuel = -1", "VALUE-RANGE"),
        ("limits.memory_bytes = 65_535", "VALUE-RANGE"),
        ("limits.open_files = 4_097", "VALUE-RANGE"),
        ("read = [\"\"]", "PATTERN-FORMAT"),
        ("write = [\"../x\"]", "PATTERN-FORMAT"),
        ("deny = [\"/etc\"]", "PATTERN-FORMAT"),
        ("skip = [\"docs/\"]", "PATTERN-FORMAT"),
        ("list = [\"a**\"]", "PATTERN-FORMAT"),
        (&many, "PATTERNS-TOO-MANY"),
        (&pair, "PATTERNS-TOO-MANY"),
        ("env.pass = [\"A B\"]", "STEP-VALUE"),
        ("env = { pass = [\"A\"], set = { A = \"\" } }", "STEP-VALUE"),
        ("env.set = { A = \"\\u0000\" }", "STEP-VALUE"),
        ("args = [\"\\u0000\"]", "STEP-VALUE"),
        ("exit = {}", "PIPELINE-MISSING"),
        ("exit.pass = []", "PIPELINE-MISSING"),
        ("exit = { pass = [0, 1], fail = [1] }", "EXIT-BOTH"),
        ("config.at = 1979-05-27", "CONFIG-VALUE"),
        ("config.x = inf", "CONFIG-VALUE"),
        ("config.x = nan", "CONFIG-VALUE"),
        ("config.x = 9007199254740992", "CONFIG-VALUE"),
        ("config.x = 1e16", "CONFIG-VALUE"),
        ("needs = [\"nobody\"]", "STEP-UNKNOWN"),
        ("needs = [\"a\"]", "STEP-CYCLE"),
        ("gate = \"y\"", "STEP-KIND"),
    ] {
        assert_eq!(codes(&with(line)), [code], "{line}");
    }
    for good in [
        "limits.memory_bytes = 65_536",
        "exit.pass = [255]",
        "config.x = 9007199254740991",
        "write = [\"x\"]",
    ] {
        assert_eq!(codes(&with(good)), [""; 0], "{good}");
    }
    for (step, code) in [
        ("gate = \"x\"", "PIPELINE-MISSING"),
        ("id = \"a\"", "PIPELINE-MISSING"),
        ("id = 1\ngate = \"x\"", "PIPELINE-TYPE"),
        ("id = \"\"\ngate = \"x\"", "STEP-ID"),
        ("id = \"A\"\ngate = \"x\"", "STEP-ID"),
        (&format!("id = \"{long}\"\ngate = \"x\""), "STEP-ID"),
        ("id = \"a\"\ngate = \"x\"\nwrite = [\"x\"]", "GATE-WRITES"),
        ("id = \"a\"\ngate = 1", "PIPELINE-TYPE"),
    ] {
        assert_eq!(codes(&steps(&[step])), [code], "{step}");
    }
}

#[test]
fn files_that_are_no_pipeline() {
    for (text, code) in [
        ("", &["PIPELINE-EMPTY"][..]),
        ("\u{feff}# nothing\r\n", &["PIPELINE-EMPTY"]),
        ("version = 1", &["PIPELINE-EMPTY"]),
        ("version = 1\nstep = []", &["PIPELINE-TYPE"]),
        (
            "version = 1\nstep = [{ id = \"a\", gate = \"x\" }]",
            &["PIPELINE-TYPE"],
        ),
        ("version = 1\n[step]\nid = \"a\"", &["PIPELINE-TYPE"]),
        ("[[step]]\nid = \"a\"\ngate = \"x\"", &["PIPELINE-MISSING"]),
        (
            "version = 2\n[[step]]\nid = \"a\"\ngate = \"x\"",
            &["PIPELINE-VERSION"],
        ),
        (
            "version = \"1\"\n[[step]]\nid = \"a\"\ngate = \"x\"",
            &["PIPELINE-TYPE"],
        ),
        (
            "version = 1\nsteps = 1\n[[step]]\nid = \"a\"\ngate = \"x\"",
            &["PIPELINE-KEY"],
        ),
        ("version = 1\nversion = 1", &["PIPELINE-SYNTAX"]),
        ("version = ", &["PIPELINE-SYNTAX"]),
        ("version = 1\r[[step]]", &["PIPELINE-SYNTAX"]),
        (
            "version = 1\n[sentinel]\nhalt = 1\n[[step]]\nid = \"a\"\ngate = \"x\"",
            &["PIPELINE-TYPE"],
        ),
        (
            "version = 1\n[sentinel.halt]\nfuel = 101\nwall = 0\ntime = 1\n[[step]]\nid = \"a\"\ngate = \"x\"",
            &["VALUE-RANGE", "VALUE-RANGE", "PIPELINE-KEY"],
        ),
    ] {
        assert_eq!(codes(text), code, "{text:?}");
    }
}

#[test]
fn bytes_that_are_no_text() {
    let errors = Pipeline::parse(b"version = 1\n# \xff\n").unwrap_err();
    assert_eq!(codes_of(&errors), ["PIPELINE-ENCODING"]);
    let place = errors[0].place().unwrap();
    assert_eq!((place.line, place.column), (2, 3));
    let large = vec![b'#'; MAX_FILE_BYTES + 1];
    assert_eq!(
        codes_of(&Pipeline::parse(&large).unwrap_err()),
        ["PIPELINE-TOO-LARGE"]
    );
    // The same with one byte less is read, and found to hold no step.
    assert_eq!(
        codes_of(&Pipeline::parse(&large[1..]).unwrap_err()),
        ["PIPELINE-EMPTY"]
    );
}

#[test]
fn a_thousand_steps_and_not_one_more() {
    let all = |count: usize| {
        let all: Vec<String> = (0..count)
            .map(|n| format!("id = \"s{n}\"\ngate = \"x\""))
            .collect();
        steps(&all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(pipeline(&all(MAX_STEPS)).steps().len(), MAX_STEPS);
    for count in [MAX_STEPS + 1, 10_000] {
        let errors = Pipeline::parse(all(count).as_bytes()).unwrap_err();
        assert_eq!(codes_of(&errors), ["STEPS-TOO-MANY"]);
        assert!(errors[0].to_string().contains(&count.to_string()));
    }
}

#[test]
fn a_flood_of_problems_is_cut_short_and_counted() {
    let keys: Vec<String> = (0..MAX_PROBLEMS + 7).map(|n| format!("k{n} = 1")).collect();
    let errors = Pipeline::parse(with(&keys.join("\n")).as_bytes()).unwrap_err();
    assert_eq!(errors.len(), MAX_PROBLEMS + 1);
    let last = errors.last().unwrap();
    assert_eq!(
        (last.code(), last.to_string().as_str()),
        ("PROBLEMS-MORE", "7 more problems are not shown")
    );
    assert_eq!(last.place(), None);
    assert!(
        errors
            .iter()
            .all(|error: &RulesError| error.class() == Class::Usage)
    );
}

#[test]
fn near_words_are_offered_and_far_ones_are_not() {
    let step = |needs: &str| {
        let second = format!("id = \"b\"\ngate = \"x\"\nneeds = [\"{needs}\"]");
        steps(&["id = \"secrets\"\ngate = \"x\"", &second])
    };
    assert!(messages(&step("secret")).contains("hint: did you mean \"secrets\"?\n"));
    assert!(
        messages(&step("licence")).contains("hint: `needs` names steps of this file by their id\n")
    );
    assert!(messages(&with("write_bytes = 1")).contains("hint: known here: id, gate, "));
    assert!(messages(&with("limits.wal_ms = 1")).contains("an unknown key \"limits.wal_ms\""));
}
