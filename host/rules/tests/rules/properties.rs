//! What holds for any text, any pipeline, any lease.

use std::collections::BTreeMap;

use leasehold_lease::{EnvGrant, FileGrant, Grant, LimitsSpec, Pattern, RelPath};
use leasehold_rules::{
    Change, Config, ExitCodes, Lock, LockEntry, Pipeline, PluginSource, Policy, StepSpec, Uses,
    append_step, difference, plan,
};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::append::bare;
use crate::common::*;

/// Lines that belong to pipelines and lock files, whole and cut.
fn any_toml() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("version = 1".to_owned()),
        Just("[[step]]".to_owned()),
        Just("[[plugin]]".to_owned()),
        Just("[step.config]".to_owned()),
        Just("[sentinel.halt]".to_owned()),
        "(id|gate|command|name|source) = \"[a-c]\"",
        "(read|write|needs|skip|args|exit|limits|env|config|cache) = (\\[\"[a-c*/]{0,4}\"\\]|1|true|\"x\"|\\{ pass = \\[0\\] \\})",
        "(limits|env|exit|config)\\.[a-z_]{1,5} = (1|-1|1.5|\"x\"|\\[\\]|1979-05-27|nan)",
        "[\\[\\]a-z\"'=.{},#\\\\ \t\u{e4}\u{feff}]{0,12}",
    ];
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

fn any_patterns() -> impl Strategy<Value = Vec<Pattern>> {
    let pattern = "(\\*\\*/)?[ab*?](/[ab?])?(/\\*\\*)?".prop_map(|text| text.parse().unwrap());
    prop::collection::vec(pattern, 0..3)
}

fn any_files() -> impl Strategy<Value = FileGrant> {
    (
        any_patterns(),
        any_patterns(),
        any_patterns(),
        any_patterns(),
    )
        .prop_map(|(list, read, write, deny)| FileGrant {
            list,
            read,
            write,
            deny,
        })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-9007199254740991_i64..=9007199254740991).prop_map(Value::from),
        (-1e15..1e15).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

prop_compose! {
    /// A command: it has every key but `config`.
    fn any_step()(
        files in any_files(),
        skip in any_patterns(),
        args in prop::collection::vec("[^\0]*", 0..3),
        config in prop::option::of(prop::collection::btree_map(any::<String>(), any_json(), 0..3)),
        set in prop::collection::btree_map("[A-M]{1,3}", "[^\0]*", 0..3),
        pass in prop::collection::btree_set("[N-Z]{1,3}", 0..3),
        methods in prop::sample::subsequence(vec!["GET", "PUT"], 0..=2),
        expose in prop::option::of("[a-z]{1,3}"),
        codes in prop::option::of((prop::collection::btree_set(0_u8..9, 1..3), prop::collection::btree_set(9_u8.., 0..3))),
        fuel in prop::option::of(1..1_u64 << 53),
        open_files in prop::option::of(0..=4_096_u64),
        cache: bool,
    ) -> StepSpec {
        StepSpec {
            uses: Uses::Command("spell".to_owned()),
            files,
            skip,
            args,
            config: config.map(|config| Config::new(config.into_iter().collect()).unwrap()),
            env: EnvGrant { pass: pass.into_iter().collect(), set },
            http: if methods.is_empty() { Vec::new() } else { vec![http(&methods, "*.example.com", "/a/**")] },
            secrets: methods.iter().map(|_| injected("x-0", "a.example.com", "x-key", "\"")).take(1)
                .chain(expose.iter().map(|name| exposed(name))).collect(),
            exit: codes.map(|(pass, fail)| ExitCodes {
                fail: fail.into_iter().collect(),
                pass: pass.into_iter().collect(),
            }),
            limits: LimitsSpec { fuel, open_files, ..LimitsSpec::default() },
            cache,
            ..bare("")
        }
    }
}

/// The text of a pipeline with these steps; each may need any step before it.
fn text_of(steps: &[StepSpec], head: &str) -> (String, Vec<StepSpec>) {
    let mut text = head.to_owned();
    let mut all = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let step = StepSpec {
            id: format!("s{index}"),
            needs: (index.checked_sub(2))
                .map(|need| format!("s{need}"))
                .into_iter()
                .collect(),
            ..step.clone()
        };
        text = append_step(&text, &step).unwrap();
        all.push(step);
    }
    (text, all)
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes: Vec<u8>) {
        let _ = Pipeline::parse(&bytes);
        let _ = Lock::parse(&bytes);
        let _ = Policy::parse(&bytes);
    }

    #[test]
    fn every_problem_can_be_shown(text in any_toml(), cut: prop::sample::Index) {
        let cut = text.char_indices().map(|(at, _)| at).nth(cut.index(text.len() + 1));
        for text in [&text[..], &text[..cut.unwrap_or(text.len())]] {
            for bytes in [text.to_owned(), text.replace('\n', "\r\n")] {
                for result in [
                    Pipeline::parse(bytes.as_bytes()).map(|_| ()),
                    Lock::parse(bytes.as_bytes()).map(|_| ()),
                ] {
                    let Err(errors) = result else { continue };
                    codes_of(&errors);
                    for place in errors.iter().flat_map(|error| error.places()) {
                        prop_assert!(place.line >= 1 && place.line <= bytes.lines().count().max(1) + 1);
                        prop_assert!(place.column >= 1 && place.marker.ends_with('^'));
                        prop_assert!(place.marker.chars().count() <= place.source.chars().count() + 1);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_appended_is_read_back(
        steps in prop::collection::vec(any_step(), 1..4),
        head in prop::sample::select(vec!["", "# a\r\n", "version = 1 # b", "\u{feff}version = 1\r\n# c\r\n"]),
    ) {
        let (text, all) = text_of(&steps, head);
        prop_assert!(text.starts_with(head));
        let read: Vec<StepSpec> = pipeline(&text).steps().iter().map(|step| step.spec.clone()).collect();
        prop_assert_eq!(read, all);
    }

    #[test]
    fn a_lock_is_read_back(names in prop::collection::btree_map("[a-z0-9-]{1,9}", "[^/\0]{1,9}(/[^/\0.]{1,9})?", 0..5)) {
        let mut lock = Lock::default();
        for (name, source) in names {
            if let (Ok(source), false) = (RelPath::parse(&source), source == "builtin") {
                let source = PluginSource::Path(source);
                lock = lock.with(LockEntry { source, ..entry(&name) }).unwrap();
            }
        }
        prop_assert_eq!(Lock::parse(lock.to_text().as_bytes()).unwrap(), lock);
    }

    #[test]
    fn steps_come_after_what_they_need(needs in prop::collection::vec(prop::collection::vec(0_usize..12, 0..4), 12)) {
        let all: Vec<String> = needs.iter().enumerate().map(|(index, needs)| {
            let needs: Vec<String> = needs.iter().map(|need| format!("\"s{need}\"")).collect();
            format!("id = \"s{index}\"\ngate = \"secrets\"\nneeds = [{}]", needs.join(", "))
        }).collect();
        let text = steps(&all.iter().map(String::as_str).collect::<Vec<_>>());
        match Pipeline::parse(text.as_bytes()) {
            Ok(pipeline) => {
                let plan = plan(&pipeline, &lock(), &facts).unwrap();
                prop_assert_eq!(plan.steps().len(), 12);
                for (index, step) in plan.steps().iter().enumerate() {
                    prop_assert!(step.needs.iter().all(|need| *need < index));
                    let position: usize = step.id[1..].parse().unwrap();
                    let mut ids: Vec<String> = needs[position].iter().map(|need| format!("s{need}")).collect();
                    let mut found: Vec<String> = step.needs.iter().map(|need| plan.steps()[*need].id.clone()).collect();
                    ids.sort();
                    ids.dedup();
                    found.sort();
                    prop_assert_eq!(found, ids);
                }
            }
            Err(errors) => {
                prop_assert!(codes_of(&errors).iter().all(|code| *code == "STEP-CYCLE"));
                // There is a circle: some steps never become free of needs.
                let mut left: BTreeMap<usize, &Vec<usize>> = needs.iter().enumerate().collect();
                while let Some(free) = left.iter().find(|(_, needs)| needs.iter().all(|need| !left.contains_key(need))).map(|(index, _)| *index) {
                    left.remove(&free);
                }
                prop_assert!(!left.is_empty());
            }
        }
    }

    #[test]
    fn rights_under_a_lease_are_within_it(
        step in any_step(),
        granted in any_files(),
        own: bool,
        names in prop::collection::vec("[abA]", 0..4),
    ) {
        let step = StepSpec { config: None, exit: None, ..step };
        let (text, _) = text_of(&[step], "");
        let plan = planned(&text);
        let wanted = &plan.steps()[0].wanted;
        let mut files = granted;
        if own {
            // Otherwise hardly anything would ever be granted.
            files.list.extend(wanted.files.list.clone());
            files.read.extend(wanted.files.read.clone());
            files.write.extend(wanted.files.write.clone());
        }
        let lease = lease(vec![Grant { files, ..wanted.clone() }]);
        let offer = lease.rights(&wanted.id).unwrap();
        let path = RelPath::parse(&names.join("/")).unwrap();
        match plan.under(&lease) {
            Ok(rights) => {
                let rights = &rights[0];
                prop_assert!(!rights.can_list(&path) || offer.can_list(&path));
                prop_assert!(!rights.can_read(&path) || offer.can_read(&path));
                prop_assert!(!rights.can_write(&path) || offer.can_write(&path));
                prop_assert!(rights.denied(&path) || !offer.denied(&path));
                let skipped = plan.steps()[0].skip.iter().any(|skip| skip.denies(&path));
                prop_assert!(rights.denied(&path) || !skipped);
                prop_assert!(offer.narrow(&plan.steps()[0].rights_spec()).is_ok());
            }
            Err(found) => {
                prop_assert!(!own && !found.is_empty());
                prop_assert!(offer.narrow(&plan.steps()[0].rights_spec()).is_err());
            }
        }
    }

    #[test]
    fn whatever_is_wider_is_shown(
        old in any_files(),
        new in any_files(),
        names in prop::collection::vec("[abA]", 0..4),
    ) {
        let grant = |files: FileGrant| Grant { files, ..planned(EXAMPLE).grants().unwrap().remove(0) };
        let (old, new) = (grant(old), grant(new));
        let changes = difference(std::slice::from_ref(&old), std::slice::from_ref(&new));
        let rights = |grant: &Grant| lease(vec![grant.clone()]).rights(&grant.id).unwrap();
        let (before, after) = (rights(&old), rights(&new));
        let path = RelPath::parse(&names.join("/")).unwrap();
        let shown = |kind: Change| changes.iter().any(|change| change.change == kind);
        let wider = (after.can_list(&path) && !before.can_list(&path))
            || (after.can_read(&path) && !before.can_read(&path))
            || (after.can_write(&path) && !before.can_write(&path));
        let narrower = (before.can_list(&path) && !after.can_list(&path))
            || (before.can_read(&path) && !after.can_read(&path))
            || (before.can_write(&path) && !after.can_write(&path));
        prop_assert!(!wider || shown(Change::Widened));
        prop_assert!(!narrower || shown(Change::Narrowed));
        prop_assert_eq!(difference(std::slice::from_ref(&new), std::slice::from_ref(&new)), []);
    }
}
