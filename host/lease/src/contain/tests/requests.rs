//! Everything a plugin could ask for, within the small alphabets of [`super::make`].

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::make;
use crate::budget::HopBudget;
use crate::chain::Hop;
use crate::document::Grant;
use crate::http::Target;
use crate::path::RelPath;
use crate::rights::Rights;
use crate::verify::{Here, check_audience};

/// Compares what the first hop of a chain allows with what the last one allows. An error: something passes the first and
/// not the last.
pub(super) fn compare(chain: &[Hop]) -> Result<(), TestCaseError> {
    let (Some(leaf), Some(root)) = (chain.first(), chain.last()) else {
        return Ok(());
    };
    whereabouts(root, leaf)?;
    let none: Arc<[HopBudget]> = Arc::new([]);
    let rights = |hops: &[Hop], grant: &Grant| Rights::of_grant(hops, &none, grant).unwrap();
    let wide: Vec<Rights> = (root.document().grants.iter())
        .map(|grant| rights(std::slice::from_ref(root), grant))
        .collect();
    for grant in &leaf.document().grants {
        // Whatever name the grant has now: some grant of the root has to allow all of it.
        let narrow = rights(chain, grant);
        let complaints: Vec<String> = wide.iter().filter_map(|wide| more(wide, &narrow)).collect();
        prop_assert!(
            complaints.len() < wide.len(),
            "grant {:?}: {complaints:?}",
            grant.id
        );
    }
    Ok(())
}

/// Host, tape, time and budget.
fn whereabouts(wide: &Hop, narrow: &Hop) -> Result<(), TestCaseError> {
    for host in make::hosts() {
        for tape in make::tapes() {
            let here = Here::new(host, make::moment(0)).on(tape);
            let passes = |hop: &Hop| check_audience(&hop.document().audience, &here).is_ok();
            prop_assert!(!passes(narrow) || passes(wide), "{here:?}");
        }
    }
    let (wide, narrow) = (wide.document(), narrow.document());
    for now in (0..10).map(make::moment) {
        let within = |begin, end| begin <= now && now < end;
        prop_assert!(
            !within(narrow.not_before, narrow.expires) || within(wide.not_before, wide.expires),
            "at {now}"
        );
    }
    let most = wide.budget.unwrap_or_default();
    let stated = narrow.budget.unwrap_or_default();
    for (most, stated) in [(most.uses, stated.uses), (most.fuel, stated.fuel)] {
        let more = |stated| most.is_some_and(|most| stated > most);
        prop_assert!(!stated.is_some_and(more), "budget {stated:?} of {most:?}");
    }
    Ok(())
}

/// What passes `narrow` and not `wide`.
fn more(wide: &Rights, narrow: &Rights) -> Option<String> {
    let subject = |rights: &Rights| (rights.plugin(), rights.kind(), rights.config());
    if subject(wide) != subject(narrow) {
        return Some(format!("{:?}", subject(narrow)));
    }
    for args in make::ARGS {
        let args: Vec<String> = args.iter().map(|&text| text.to_owned()).collect();
        if narrow.allows_args(&args) && !wide.allows_args(&args) {
            return Some(format!("{args:?}"));
        }
    }
    let most = wide.limits().values();
    let mut limits = narrow.limits().values().into_iter().zip(most);
    if limits.any(|(narrow, most)| narrow > most) {
        return Some(format!("{:?}", narrow.limits()));
    }
    more_files(wide, narrow)
        .or_else(|| more_env(wide, narrow))
        .or_else(|| more_network(wide, narrow))
}

fn more_files(wide: &Rights, narrow: &Rights) -> Option<String> {
    type Decision = fn(&Rights, &RelPath) -> bool;
    let decisions: [(&str, Decision); 3] = [
        ("list", Rights::can_list),
        ("read", Rights::can_read),
        ("write", Rights::can_write),
    ];
    for path in PATHS.iter() {
        for (name, passes) in decisions {
            if passes(narrow, path) && !passes(wide, path) {
                return Some(format!("{name} {path}"));
            }
        }
        if wide.denied(path) && !narrow.denied(path) {
            return Some(format!("not denied: {path}"));
        }
    }
    None
}

fn more_env(wide: &Rights, narrow: &Rights) -> Option<String> {
    let host = |name: &str| Some(format!("{name} of the host"));
    let wide: BTreeMap<String, String> = wide.environment(host);
    narrow
        .environment(host)
        .into_iter()
        .find(|(name, value)| wide.get(name) != Some(value))
        .map(|variable| format!("{variable:?}"))
}

fn more_network(wide: &Rights, narrow: &Rights) -> Option<String> {
    for target in TARGETS.iter() {
        let Ok(permit) = narrow.permit(target.clone()) else {
            continue;
        };
        let Ok(most) = wide.permit(target.clone()) else {
            return Some(target.to_string());
        };
        let within = |block| most.blocks().iter().any(|wide| wide.covers(block));
        if let Some(block) = permit.blocks().iter().find(|block| !within(block)) {
            return Some(format!("{target} at {block}"));
        }
    }
    let mut secrets = narrow.secrets().iter();
    let secret = secrets.find(|secret| !wide.secrets().contains(secret));
    secret.map(|secret| format!("{secret:?}"))
}

/// All paths of at most three components out of a few names.
static PATHS: LazyLock<Vec<RelPath>> = LazyLock::new(|| {
    let names = ["a", "b", "ab", "A"];
    let mut texts = vec![String::new()];
    let mut layer = texts.clone();
    for _ in 0..3 {
        layer = layer
            .iter()
            .flat_map(|above| names.map(|name| format!("{above}/{name}")))
            .collect();
        texts.extend(layer.iter().cloned());
    }
    let parse = |text: &String| RelPath::parse(text.trim_start_matches('/')).unwrap();
    texts.iter().map(parse).collect()
});

static TARGETS: LazyLock<Vec<Target>> = LazyLock::new(|| {
    let hosts = [
        "a.test",
        "b.a.test",
        "c.b.a.test",
        "evil-a.test",
        "127.0.0.1",
        "[::1]",
    ];
    let mut targets = Vec::new();
    for (method, scheme) in [("GET", "https"), ("PUT", "https"), ("GET", "http")] {
        for host in hosts {
            for port in [443, 444] {
                let authority = format!("{host}:{port}");
                for path in ["/", "/v1", "/v1/x", "/v1/x/y", "/v12/x"] {
                    targets.push(Target::parse(method, scheme, &authority, path).unwrap());
                }
            }
        }
    }
    targets
});
