//! From a pipeline to a plan.

use std::cell::Cell;

use leasehold_lease::{Kind, Limits};
use leasehold_rules::{
    DEFAULT_FUEL, DEFAULT_MEMORY_BYTES, DEFAULT_OPEN_FILES, DEFAULT_OUTPUT_BYTES, DEFAULT_WALL_MS,
    DEFAULT_WRITE_BYTES, ExitCodes, Lock, PluginFacts, RulesError, World, plan,
};
use leasehold_seal::{Class, Coded, Digest};

use crate::common::*;

/// What is wrong with a pipeline of one step.
#[track_caller]
fn errors(step: &str) -> Vec<RulesError> {
    plan(&pipeline(&steps(&[step])), &lock(), &facts)
        .map(|_| ())
        .unwrap_err()
}

fn with_default_limits(write_bytes: u64) -> Limits {
    Limits {
        fuel: DEFAULT_FUEL,
        memory_bytes: DEFAULT_MEMORY_BYTES,
        wall_ms: DEFAULT_WALL_MS,
        output_bytes: DEFAULT_OUTPUT_BYTES,
        write_bytes,
        open_files: DEFAULT_OPEN_FILES,
    }
}

#[test]
fn every_default_is_filled_in() {
    let plan = planned(EXAMPLE);
    let [secrets, toc, spelling] = plan.steps() else {
        panic!("{plan:?}");
    };
    assert_eq!(
        (secrets.kind, toc.kind, spelling.kind),
        (Kind::Gate, Kind::Command, Kind::Gate)
    );
    assert_eq!(
        (secrets.world, spelling.world),
        (World::Gate, World::Program)
    );
    assert_eq!(
        secrets.wanted.files.list,
        patterns(&["**"]),
        "what is read is listed"
    );
    assert_eq!(secrets.wanted.files.deny, [], "skip is kept apart");
    assert_eq!(secrets.skip, patterns(&["target/**"]));
    assert_eq!(secrets.wanted.limits, with_default_limits(0));
    assert_eq!(toc.wanted.limits, with_default_limits(DEFAULT_WRITE_BYTES));
    assert_eq!(toc.wanted.args, [["--in-place", "docs"]]);
    assert_eq!(secrets.wanted.args, [[""; 0]; 0]);
    assert_eq!(
        (toc.wanted.id.as_str(), toc.wanted.plugin),
        ("toc", digest_of("md-toc"))
    );
    assert_eq!(toc.needs, [0]);
    assert!(secrets.complete && !toc.complete);
    assert!(toc.writes && !toc.cache && secrets.cache && !secrets.writes);
    assert_eq!(
        (toc.line, toc.line_of("write"), toc.line_of("limits.fuel")),
        (10, 15, 10)
    );
    assert_eq!((&secrets.exit, &toc.exit), (&None, &None));
    assert!(spelling.exit.is_some());
}

#[test]
fn listing_and_reading_are_put_together_once() {
    let step = "id = \"a\"\ngate = \"secrets\"\nlist = [\"b\", \"a\", \"b\"]\nread = [\"a\", \"c\", \"c\"]";
    let plan = planned(&steps(&[step]));
    let files = &plan.steps()[0].wanted.files;
    assert_eq!(files.list, patterns(&["b", "a", "c"]));
    assert_eq!(files.read, patterns(&["a", "c"]));
}

#[test]
fn writing_implies_nothing() {
    let plan = planned(&steps(&[
        "id = \"a\"\ncommand = \"md-toc\"\nwrite = [\"x\"]\ncache = true",
    ]));
    let step = &plan.steps()[0];
    assert_eq!(
        (&step.wanted.files.list, &step.wanted.files.read),
        (&vec![], &vec![])
    );
    assert!(step.writes && !step.cache);
}

#[test]
fn a_program_that_says_what_its_codes_mean_needs_no_exit() {
    let plan = planned(&steps(&[
        "id = \"a\"\ngate = \"judge\"",
        "id = \"b\"\ngate = \"judge\"\nexit.pass = [7]",
        "id = \"c\"\ncommand = \"judge\"",
    ]));
    let exits: Vec<_> = plan.steps().iter().map(|step| step.exit.clone()).collect();
    let codes = |pass: &[u8], fail: &[u8]| {
        Some(ExitCodes {
            pass: pass.to_vec(),
            fail: fail.to_vec(),
        })
    };
    assert_eq!(exits, [codes(&[0], &[1, 2]), codes(&[7], &[]), None,]);
    let kinds: Vec<Kind> = plan.steps().iter().map(|step| step.kind).collect();
    assert_eq!(kinds, [Kind::Gate, Kind::Gate, Kind::Command]);
}

#[test]
fn each_plugin_is_looked_at_once() {
    let asked = Cell::new(0);
    let count = |digest: &Digest| {
        asked.set(asked.get() + 1);
        facts(digest)
    };
    let text = steps(&[
        "id = \"a\"\ngate = \"secrets\"",
        "id = \"b\"\ngate = \"secrets\"",
        "id = \"c\"\ncommand = \"spell\"",
    ]);
    plan(&pipeline(&text), &lock(), &count).unwrap();
    assert_eq!(asked.get(), 2);
}

#[test]
fn steps_are_sorted_by_need_and_then_by_place() {
    let step =
        |id: &str, needs: &str| format!("id = \"{id}\"\ngate = \"secrets\"\nneeds = [{needs}]");
    let all = [
        step("a", "\"d\", \"b\""),
        step("b", ""),
        step("c", ""),
        step("d", "\"c\""),
        step("e", ""),
    ];
    let plan = planned(&steps(&all.iter().map(String::as_str).collect::<Vec<_>>()));
    let order: Vec<&str> = plan.steps().iter().map(|step| step.id.as_str()).collect();
    assert_eq!(order, ["b", "c", "d", "a", "e"]);
    assert_eq!(plan.steps()[3].needs, [2, 0]);
    assert!(
        plan.steps()
            .iter()
            .enumerate()
            .all(|(index, step)| step.index == index)
    );
}

#[test]
fn an_unknown_name_is_shown_where_it_stands() {
    let found = errors("id = \"a\"\ngate = \"secrts\"");
    assert_eq!(
        texts(&found),
        r#"error[PLUGIN-UNKNOWN]: no plugin is called "secrts" in leasehold.lock
  leasehold.toml:4:1
  4 | gate = "secrts"
    | ^^^^
  hint: did you mean "secrets"? Otherwise `leasehold plugin add secrts` adds it
"#
    );
    let found = errors("id = \"a\"\ngate = \"something-else\"");
    assert_eq!(
        found[0].hint().unwrap(),
        "`leasehold plugin add something-else` adds it"
    );
}

#[test]
fn one_code_for_each_problem() {
    for (step, expected) in [
        ("id = \"a\"\ngate = \"tools\"", &["PLUGIN-KIND"][..]),
        ("id = \"a\"\ncommand = \"tools\"", &["PLUGIN-KIND"]),
        ("id = \"a\"\ncommand = \"secrets\"", &["PLUGIN-KIND"]),
        ("id = \"a\"\ngate = \"spell\"", &["EXIT-UNDECLARED"]),
        (
            "id = \"a\"\ngate = \"secrets\"\nconfig = {}",
            &["CONFIG-UNUSED"],
        ),
        (
            "id = \"a\"\ncommand = \"spell\"\nconfig = {}",
            &["CONFIG-UNUSED"],
        ),
        (
            "id = \"a\"\ngate = \"secrets\"\nargs = [\"x\"]",
            &["ARGS-UNUSED"],
        ),
        (
            "id = \"a\"\ngate = \"secrets\"\nexit.pass = [0]",
            &["EXIT-UNUSED"],
        ),
        (
            "id = \"a\"\ncommand = \"judge\"\nexit.pass = [0]",
            &["EXIT-UNUSED"],
        ),
        (
            "id = \"a\"\ngate = \"secrets\"\nexit.pass = [0]\nargs = [\"x\"]\nconfig.a = 1",
            &["EXIT-UNUSED", "ARGS-UNUSED", "CONFIG-UNUSED"],
        ),
    ] {
        let found = errors(step);
        assert_eq!(codes_of(&found), expected, "{step}");
        assert!(found.iter().all(|error| error.class() == Class::Usage));
    }
    for good in [
        "id = \"a\"\ngate = \"spell\"\nexit.pass = [0]",
        "id = \"a\"\ngate = \"schema\"\nconfig = {}",
        "id = \"a\"\ngate = \"schema\"",
        "id = \"a\"\ncommand = \"spell\"\nargs = [\"x\"]",
    ] {
        planned(&steps(&[good]));
    }
}

#[test]
fn a_plugin_that_is_not_here_blocks_and_one_that_is_another_breaks() {
    let pipeline = pipeline(&steps(&[
        "id = \"a\"\ngate = \"secrets\"",
        "id = \"b\"\ngate = \"secrets\"",
    ]));
    let found = plan(&pipeline, &lock(), &|_| None).map(|_| ()).unwrap_err();
    assert_eq!(codes_of(&found), ["PLUGIN-MISSING"; 2]);
    assert!(found.iter().all(|error| error.class() == Class::Blocked));
    let liar = |digest: &Digest| {
        let facts = facts(digest)?;
        Some(PluginFacts {
            digest: digest_of("other"),
            ..facts
        })
    };
    let found = plan(&pipeline, &lock(), &liar).map(|_| ()).unwrap_err();
    assert_eq!(
        (found[0].code(), found[0].class()),
        ("PLUGIN-MISMATCH", Class::Integrity)
    );
    let found = plan(&pipeline, &Lock::default(), &facts)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(codes_of(&found), ["PLUGIN-UNKNOWN"; 2]);
}

#[test]
fn a_step_is_described_with_its_defaults_and_lines() {
    let plan = planned(EXAMPLE);
    let lines: Vec<String> = plan.steps()[1]
        .describe()
        .into_iter()
        .map(|line| {
            let at = line
                .line
                .map_or("default".to_owned(), |line| line.to_string());
            format!("{} = {} ({at})", line.key, line.value)
        })
        .collect();
    assert_eq!(
        lines,
        [
            &format!("command = md-toc 0.1.0 {} (12)", digest_of("md-toc"))[..],
            "list = docs/** (default)",
            "read = docs/** (14)",
            "write = docs/** (15)",
            "deny = nothing (default)",
            "skip = nothing (default)",
            "args = [\"--in-place\", \"docs\"] (13)",
            "limits.fuel = 20000000000 (default)",
            "limits.memory_bytes = 268435456 (default)",
            "limits.wall_ms = 60000 (default)",
            "limits.output_bytes = 4194304 (default)",
            "limits.write_bytes = 10485760 (default)",
            "limits.open_files = 64 (default)",
            "cache = no (default)",
        ]
    );
}
