//! The one door, from rights to a recorded outcome.

use leasehold_lease::Kind;
use leasehold_sandbox::{CallSpec, Ending, Input, Judgement, Returned, Status};
use leasehold_tests::Rig;

fn run(args: &[&str]) -> CallSpec {
    CallSpec::new(Input::Run {
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        stdin: Vec::new(),
    })
}

#[test]
fn a_core_module_of_wasi_0_1_is_adapted_and_runs() {
    let rig = Rig::new().unwrap();
    let plugin = rig.plugin("wordcount").unwrap();
    let mut spec = run(&[]);
    spec.input = Input::Run {
        args: Vec::new(),
        stdin: b"three little words\n".to_vec(),
    };
    let outcome = rig
        .call(&plugin, Rig::grant(&plugin, Kind::Command), spec)
        .unwrap();
    assert_eq!(outcome.ending, Ending::Exited(0), "{outcome:?}");
    assert_eq!(outcome.stdout, b"1 3 19\n", "{outcome:?}");
    assert_eq!(outcome.summary.status, Status::Pass);
    assert!(outcome.fuel > 0 && outcome.fuel < 10_000_000);
}

#[test]
fn a_gate_passes_on_a_good_tree_and_fails_on_a_bad_one() {
    let rig = Rig::new().unwrap();
    let plugin = rig.plugin("structure-lock").unwrap();
    std::fs::create_dir(rig.workspace().join("src")).unwrap();
    let config = r#"{"roots": ["src"]}"#;
    let check = || {
        CallSpec::new(Input::Check {
            config: Some(config.into()),
            changed: None,
        })
    };
    let grant = || {
        let mut grant = Rig::grant(&plugin, Kind::Gate);
        grant.config = Some(leasehold_seal::Digest::of(config.as_bytes()));
        grant.files.list = vec!["*".parse().unwrap()];
        grant
    };
    let good = rig.call(&plugin, grant(), check()).unwrap();
    assert_eq!(good.summary.status, Status::Pass, "{good:?}");
    std::fs::write(rig.workspace().join("stray"), "").unwrap();
    let bad = rig.call(&plugin, grant(), check()).unwrap();
    let Ending::Returned(Returned::Verdict(verdict)) = &bad.ending else {
        panic!("{bad:?}")
    };
    assert_eq!(verdict.outcome, Judgement::Fail);
    assert_eq!(verdict.code, Some(24));
    assert_eq!(bad.summary.status, Status::Fail);
}
