//! The numbered vectors of `fixtures`, read as a stranger would: from the files alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use leasehold_audit::{Expect, Finding, check_with_leases};
use leasehold_lease::{Here, Refusal, RevocationList, Revocations, Target, parse_chain, verify};
use leasehold_rules::{PathFact, Policy, Request};
use leasehold_seal::note::Note;
use leasehold_seal::{Coded, Digest, Envelope, PayloadType, PublicKey, Role, Trust, canonical};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Entry, Got, Kind, THROUGH};
use crate::rig::{Fault, repository};

/// All documents that have to be refused.
pub(super) fn entries() -> Result<Vec<Entry>, Fault> {
    let mut entries = leases()?;
    entries.extend(tapes()?);
    entries.extend(policies()?);
    entries.extend(seals()?);
    Ok(entries)
}

fn fixtures(path: &str) -> PathBuf {
    repository().join("fixtures").join(path)
}

fn json(path: &Path) -> Result<Value, Fault> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// The files and folders in one of the fixtures' folders, in order.
fn inside(folder: &str) -> Result<Vec<PathBuf>, Fault> {
    let paths = fs::read_dir(fixtures(folder))?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

/// The name of a numbered file, with and without its number.
fn name(path: &Path) -> (String, String) {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let plain = stem.trim_start_matches(|it: char| it.is_ascii_digit() || it == '-');
    (stem.clone(), plain.to_owned())
}

fn document(
    name: String,
    attacks: &str,
    expected: &str,
    code: impl Fn() -> Result<String, Fault> + 'static,
    twin: impl Fn() -> Result<String, Fault> + 'static,
) -> Entry {
    Entry {
        name,
        kind: Kind::Document,
        attacks: attacks.into(),
        expected: expected.into(),
        run: Box::new(move |_hosts| {
            Ok(Got {
                code: code()?,
                twin: twin()?,
            })
        }),
    }
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str, Fault> {
    value[field]
        .as_str()
        .ok_or_else(|| format!("no text {field}").into())
}

fn field<T: DeserializeOwned>(value: &Value, field: &str) -> Result<T, Fault> {
    Ok(serde_json::from_value(value[field].clone())?)
}

fn told<T, E: Coded>(result: Result<T, E>) -> String {
    result
        .map_or_else(|error| error.code(), |_good| THROUGH)
        .to_owned()
}

/// `fixtures/lease`. The twin is the first good one whose name begins with the same word, else the first of all.
fn leases() -> Result<Vec<Entry>, Fault> {
    let files = inside("lease")?;
    let files: Vec<_> = files
        .into_iter()
        .filter(|path| !path.ends_with("patterns.json"))
        .collect();
    let mut good: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut bad = Vec::new();
    for path in files {
        let vector = json(&path)?;
        let (_, plain) = name(&path);
        match vector["expect"]["refused"]["code"].as_str() {
            Some(code) => bad.push((
                path,
                plain,
                text(&vector, "about")?.to_owned(),
                code.to_owned(),
            )),
            None => {
                good.entry(first_word(&plain).to_owned()).or_insert(path);
            }
        }
    }
    bad.into_iter()
        .map(|(path, plain, about, code)| {
            let word = match first_word(&plain) {
                "wider" | "child" => "chain",
                "secret" => "http",
                word => word,
            };
            let twin = good
                .get(word)
                .or(good.get("good"))
                .ok_or("no good lease")?
                .clone();
            Ok(document(
                format!("lease/{plain}"),
                &about,
                &code,
                move || lease(&path),
                move || lease(&twin),
            ))
        })
        .collect()
}

fn first_word(name: &str) -> &str {
    name.split('-').next().unwrap_or(name)
}

fn lease(path: &Path) -> Result<String, Fault> {
    let vector = json(path)?;
    let trust = match Trust::parse(vector["trust"].to_string().as_bytes()) {
        Ok(trust) => trust,
        Err(error) => return Ok(error.code().into()),
    };
    match judge_lease(&vector, &trust) {
        Ok(()) => Ok(THROUGH.into()),
        Err(fault) => match fault.downcast::<Refusal>() {
            Ok(refusal) => Ok(refusal.code().into()),
            Err(other) => Err(other),
        },
    }
}

/// What `docs/lease.md` says is done with a vector; the error is a [`Refusal`], or the file is not of its form.
fn judge_lease(vector: &Value, trust: &Trust) -> Result<(), Fault> {
    let chain = parse_chain(text(vector, "envelope")?.as_bytes())?;
    let one = |name: &str| -> Result<Option<Envelope>, Fault> {
        let Some(text) = vector[name].as_str() else {
            return Ok(None);
        };
        Ok(Some(parse_chain(text.as_bytes())?.remove(0)))
    };
    let list = match one("revocations")? {
        Some(list) => Revocations::of(RevocationList::read(list)?),
        None => Revocations::none(),
    };
    let presentation = one("presentation")?;
    let here = Here {
        host: field(vector, "host")?,
        tape: field(vector, "tape")?,
        now: field(vector, "now")?,
        presentation: presentation.as_ref(),
    };
    let verified = verify(&chain, trust, &list.after(field(vector, "seen")?), &here)?;
    let used = &vector["used"];
    let grant = &used["grant"];
    let request = &used["request"];
    let rights = if used == "nothing" {
        return Ok(());
    } else if grant.is_object() {
        let rights = verified.rights(text(grant, "id")?)?;
        rights.check_args(&field::<Vec<String>>(grant, "args")?)?;
        rights
    } else if request.is_object() {
        let [method, scheme, authority, path] =
            ["method", "scheme", "authority", "path"].map(|name| text(request, name));
        let payload: Value = serde_json::from_str(text(vector, "payload")?)?;
        let rights = verified.rights(text(&payload["grants"][0], "id")?)?;
        rights.permit(Target::parse(method?, scheme?, authority?, path?)?)?;
        rights
    } else {
        verified.rights_for(&field::<Digest>(used, "plugin")?)?
    };
    rights.check_budgets(|lease| {
        let spent = &vector["spent"][lease.to_string()];
        (
            spent["uses"].as_u64().unwrap_or(0),
            spent["fuel"].as_u64().unwrap_or(0),
        )
    })?;
    Ok(())
}

/// `fixtures/tape`. The twin is a tape with the same kind of thing on it, in order.
fn tapes() -> Result<Vec<Entry>, Fault> {
    let folders = inside("tape")?.into_iter().filter(|path| path.is_dir());
    let mut entries = Vec::new();
    let mut twin = fixtures("tape/002-closed-calls");
    for path in folders {
        let expect = json(&path.join("expect.json"))?;
        let finding = &expect["finding"];
        let expected = match text(finding, "verdict")? {
            "CLOSED" => {
                twin = path;
                continue;
            }
            "OPEN" => "OPEN",
            _ => text(finding, "code")?,
        };
        let (_, plain) = name(&path);
        let good = twin.clone();
        entries.push(document(
            format!("tape/{plain}"),
            text(&expect, "about")?,
            expected,
            move || tape(&path),
            move || tape(&good),
        ));
    }
    Ok(entries)
}

fn tape(folder: &Path) -> Result<String, Fault> {
    let trust = Trust::parse(&fs::read(fixtures("tape/trust.json"))?)?;
    let given = &json(&folder.join("expect.json"))?["given"];
    let expect = Expect {
        at_least: fs::read(folder.join("at-least")).ok(),
        min_records: given["min_records"].as_u64().unwrap_or(0),
        closed: given["closed"] == true,
    };
    let records = fs::File::open(folder.join("records.jsonl"))?;
    let checkpoint = fs::read(folder.join("checkpoint")).ok();
    let stored = |digest: &Digest| fs::read(folder.join("store").join(digest.hex())).ok();
    let report = check_with_leases(records, checkpoint.as_deref(), &trust, &expect, &stored)?;
    Ok(match report.finding {
        Finding::Closed => THROUGH.into(),
        Finding::Open { .. } => "OPEN".into(),
        Finding::Broken { code, .. } => code,
    })
}

/// `fixtures/policy`: policies that are refused, and requests of which something is.
fn policies() -> Result<Vec<Entry>, Fault> {
    let expected = json(&fixtures("policy/expected.json"))?;
    let mut entries = Vec::new();
    for (name, codes) in expected["bad"].as_object().ok_or("no bad policies")? {
        let bad = format!("bad/{name}");
        let code = codes[0].as_str().ok_or("no code")?;
        let what = format!("a policy with a fault: {}", name.replace('_', " "));
        entries.push(document(
            format!("policy/{name}"),
            &what,
            code,
            move || policy(&bad).map(told_first),
            || policy("policies/house").map(told_first),
        ));
    }
    for case in expected["judged"].as_array().ok_or("nothing judged")? {
        let [by, request] = [text(case, "policy")?, text(case, "request")?].map(str::to_owned);
        let decisions = case["decisions"].as_array().ok_or("no decisions")?.clone();
        let refused = decisions
            .iter()
            .filter(|decision| decision[0] == false)
            .count();
        if refused == 0 {
            continue;
        }
        let what = format!(
            "a request of which {refused} of {} operations are not allowed",
            decisions.len()
        );
        let judged = move || judge(&by, &request, Some(&decisions));
        let name = format!(
            "policy/{}-under-{}",
            text(case, "request")?,
            text(case, "policy")?
        );
        entries.push(document(name, &what, "POLICY-DENIED", judged, || {
            judge("allow_demo_ops", "demo", None)
        }));
    }
    Ok(entries)
}

fn bytes(name: &str) -> Result<Vec<u8>, Fault> {
    Ok(fs::read(fixtures(&format!("policy/{name}.json")))?)
}

type Read<T> = Result<T, Vec<leasehold_rules::RulesError>>;

fn policy(name: &str) -> Result<Read<Policy>, Fault> {
    Ok(Policy::parse(&bytes(name)?))
}

fn told_first<T>(read: Read<T>) -> String {
    let code =
        |errors: Vec<leasehold_rules::RulesError>| errors.first().map_or("no reason", Coded::code);
    read.map_or_else(code, |_good| THROUGH).to_owned()
}

/// The code of the first refusal, when every operation is decided on as it has to be.
fn judge(by: &str, request: &str, decisions: Option<&[Value]>) -> Result<String, Fault> {
    let policy = policy(&format!("policies/{by}"))?.map_err(|_errors| "the policy is refused")?;
    let request = Request::parse(&bytes(&format!("requests/{request}"))?)
        .map_err(|_errors| "the request is refused")?;
    let made = policy.judge(&request, &|_path| PathFact::Plain);
    let found: Vec<Value> = made
        .iter()
        .map(|decision| serde_json::json!([decision.allowed, decision.rule]))
        .collect();
    if decisions.is_some_and(|decisions| decisions != found) {
        return Ok(format!("decided otherwise: {}", Value::from(found)));
    }
    let refusal = made.iter().find_map(leasehold_rules::Decision::refusal);
    Ok(refusal.map_or(THROUGH, |refusal| refusal.code()).into())
}

/// `fixtures/seal`. The twin is the first case of the same file that is good.
fn seals() -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    let files: [(&str, Reader); 4] = [
        ("jcs", canonical_json),
        ("envelope", envelope),
        ("trust", trust_file),
        ("note", note),
    ];
    for (file, read) in files {
        let content = json(&fixtures(&format!("seal/{file}.json")))?;
        let cases = content["cases"].as_array().ok_or("no cases")?;
        let good = cases
            .iter()
            .find(|case| case.get("error").is_none())
            .ok_or("no good case")?;
        for case in cases {
            let Some(code) = case["error"].as_str() else {
                continue;
            };
            let [bad, good] = [case, good].map(|case| {
                let (content, case) = (content.clone(), case.clone());
                move || read(&content, &case)
            });
            let name = format!("seal/{file}-{:02}", case["number"].as_u64().unwrap_or(0));
            entries.push(document(name, text(case, "name")?, code, bad, good));
        }
    }
    Ok(entries)
}

/// Reads one case of a file.
type Reader = fn(&Value, &Value) -> Result<String, Fault>;

fn input(case: &Value, plain: &str, hex: &str) -> Result<Vec<u8>, Fault> {
    match case[plain].as_str() {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => unhex(text(case, hex)?),
    }
}

fn unhex(text: &str) -> Result<Vec<u8>, Fault> {
    let pairs = text.as_bytes().chunks(2).map(|pair| -> Result<u8, Fault> {
        Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)
    });
    pairs.collect()
}

fn canonical_json(_file: &Value, case: &Value) -> Result<String, Fault> {
    Ok(told(canonical::parse(&input(case, "input", "input_hex")?)))
}

fn envelope(file: &Value, case: &Value) -> Result<String, Fault> {
    let trust = Trust::parse(file["trust"][text(case, "trust")?].to_string().as_bytes())?;
    let at = field(case, "at")?;
    let opened = Envelope::parse(text(case, "envelope")?.as_bytes())
        .and_then(|envelope| envelope.open(PayloadType::LEASE, Role::Issuer, &trust, at));
    Ok(told(opened))
}

fn trust_file(_file: &Value, case: &Value) -> Result<String, Fault> {
    Ok(told(Trust::parse(case["file"].to_string().as_bytes())))
}

fn note(_file: &Value, case: &Value) -> Result<String, Fault> {
    let keys = case["keys"].as_array().ok_or("no keys")?;
    let keys = keys.iter().map(|key| -> Result<_, Fault> {
        let bytes: [u8; 32] = unhex(text(key, "public_hex")?)?
            .try_into()
            .map_err(|_long| "not 32 bytes")?;
        Ok((text(key, "name")?, PublicKey::from_bytes(&bytes)?))
    });
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<(&str, &PublicKey)> = keys.iter().map(|(name, key)| (*name, key)).collect();
    let opened = Note::parse(&input(case, "note", "note_hex")?).and_then(|note| note.open(&keys));
    Ok(told(opened))
}
