//! What must agree between the records of one call, and with the plan. Each finding is the rest of a sentence that begins
//! with the call.

use leasehold_seal::Digest;
use leasehold_tape::call::{Intent, Outcome, Status};
use leasehold_tape::run::{CacheHit, PlanStep};
use leasehold_tape::verdict::{GateVerdict, Judgement};

use crate::collect::{CallRecords, Placed};

/// Whether the intent is the call that the plan has for this step. The rights of a result that is used again are those of
/// the hit, not of the original call.
pub(crate) fn intent(intent: &Intent, plan: &PlanStep, original: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut differ = |what: &str, differs: bool| {
        if differs {
            wrong.push(format!("its intent has another {what} than the plan"));
        }
    };
    differ("plugin", intent.plugin != plan.plugin);
    differ("kind", intent.kind != plan.kind);
    differ("configuration", intent.config != plan.config);
    if !original {
        differ("set of rights", intent.rights != plan.rights);
        differ("list of what is skipped", intent.skip != plan.skip);
    }
    wrong
}

/// Whether the outcome ends this intent, and its reading fits its ending.
pub(crate) fn outcome(call: &CallRecords, outcome: &Outcome) -> Vec<String> {
    let intent = &call.intent;
    let mut wrong = Vec::new();
    let mut check = |holds: bool, sentence: &str| {
        if !holds {
            wrong.push(sentence.to_owned());
        }
    };
    check(
        outcome.intent == intent.leaf,
        "its outcome names another record as its intent",
    );
    check(
        outcome.lease.as_ref() == intent.body.lease.first(),
        "its outcome names another lease than its intent",
    );
    let charged = intent.body.charges.iter().map(|charge| charge.fuel).min();
    check(
        charged.is_none_or(|charged| outcome.fuel <= charged),
        "its outcome states more fuel than was charged",
    );
    let green = outcome.status == Status::Pass;
    check(
        !green || outcome.ending.settles(),
        "its outcome says pass, but the call did not return",
    );
    check(
        !green || matches!(outcome.verdict, None | Some(Judgement::Pass)),
        "its outcome says pass, but its gate did not",
    );
    check(
        !(green && outcome.exit.is_none() && intent.body.kind == "gate")
            || outcome.verdict.is_some(),
        "its outcome says pass, but the gate gave no verdict",
    );
    wrong
}

/// Whether the verdict is the one the outcome is about. `digest`: recomputed over the verdict at hand.
pub(crate) fn verdict(
    outcome: Option<&Outcome>,
    said: Option<&Placed<GateVerdict>>,
    judgement: Option<Judgement>,
    digest: Option<Digest>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    if let (Some(said), Some(digest)) = (said, digest)
        && said.body.digest != digest
    {
        wrong.push(format!(
            "the verdict in record {} does not have the digest stated there",
            said.seq
        ));
    }
    let Some(outcome) = outcome else {
        return wrong;
    };
    match said {
        None if outcome.verdict.is_some() => {
            wrong.push("its outcome has a verdict, and no record holds it".to_owned());
        }
        Some(said) if outcome.result != Some(said.body.digest) => {
            wrong.push(format!(
                "its outcome has another result than the verdict in record {}",
                said.seq
            ));
        }
        _ => {}
    }
    if judgement.is_some() && outcome.verdict != judgement {
        wrong.push("its outcome has another judgement than its verdict".to_owned());
    }
    wrong
}

/// Whether the original call is the one the hit means. Without an original there is nothing to use again.
pub(crate) fn hit(
    hit: &Placed<CacheHit>,
    original: Option<&CallRecords>,
    plan: Option<&PlanStep>,
) -> Vec<String> {
    let body = &hit.body;
    let found = original.and_then(|call| Some((call, call.outcome.as_ref()?)));
    let Some((call, outcome)) = found.filter(|(_, outcome)| outcome.seq == body.seq) else {
        return vec![format!(
            "record {} is not an outcome of the call {}, whose result is said to be used again",
            body.seq, body.original
        )];
    };
    let mut wrong = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            wrong.push(format!(
                "the result used again has another {what} than record {} says",
                hit.seq
            ));
        }
    };
    check(body.seq < hit.seq, "place on the tape");
    check(outcome.leaf == body.outcome, "outcome");
    check(outcome.body.reads == body.reads, "read set");
    check(call.intent.body.plugin == body.plugin, "plugin");
    if let Some(plan) = plan
        && plan.rights != body.rights
    {
        wrong.push(format!(
            "record {} admits the result under other rights than the plan has",
            hit.seq
        ));
    }
    wrong
}
