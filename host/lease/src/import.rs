//! Leases of another system, read into a draft of ours: the lease file of "Station Calyx" (reference B).
//!
//! ```json
//! { "lease_id": "LEASE-…", "intent_id": "INT-…", "actor": "CBO", "issued_at": "…Z", "expires_at": "…Z",
//!   "scope": { "paths_allowlist": ["tools/*"], "commands_allowlist": ["pytest -q"], "env_allowlist": ["LANG"],
//!              "network": "deny_all" },
//!   "limits": { "cpu_quota": 1.0, "mem_quota_mb": 2048, "wallclock_timeout_s": 600, "fd_limit": 512 },
//!   "runner": { "workdir": "/workspace", "readonly_mounts": ["/srv/repo:/workspace:ro"], "writable_mounts": [] },
//!   "sig": { "alg": "Ed25519", "kid": "…", "value": "<base64>" } }
//! ```
//! Shorter names that are in use for the same fields are read as well (`paths`, `commands`, `env`, `memory_mb`,
//! `wall_clock_s`, `open_files`, `readonly`, `writable`, `signature`); two names for one field are refused.
//!
//! Every field gets a [`Fate`]. One that asks for what Leasehold would not enforce is refused, and then there is no
//! draft: a limit that is only written down is worse than none. The signature is never believed, whatever it is: the
//! draft is worth what the issuer who signs it thinks of it.

mod json;
mod limits;
mod mounts;
mod scope;
mod sheet;

use std::collections::BTreeMap;

use leasehold_seal::{Class, Digest, Timestamp};
use serde_json::{Map, Value, json};

use crate::path::RelPath;
use crate::refusal::Refusal;
use sheet::Sheet;

/// How long a lease may last by the profile of the other system, in seconds.
pub const IMPORT_LONGEST_S: i64 = 600;

/// What the other file cannot say, because it knows neither plugins nor workspaces.
#[derive(Clone, Debug)]
pub struct ImportTerms {
    /// The plugin that stands for a program, by the program's name in a command.
    pub plugins: BTreeMap<String, Digest>,
    /// Folders of the other system's machine, by absolute path, and where in the workspace their content is.
    pub folders: BTreeMap<String, RelPath>,
    /// The longest time between issue and end, in seconds; [`IMPORT_LONGEST_S`] by the profile.
    pub longest_s: i64,
    /// Where the time is to begin instead of at `issued_at`; its length stays.
    pub from: Option<Timestamp>,
}

impl Default for ImportTerms {
    fn default() -> Self {
        Self {
            plugins: BTreeMap::new(),
            folders: BTreeMap::new(),
            longest_s: IMPORT_LONGEST_S,
            from: None,
        }
    }
}

/// What became of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It became this field of the draft.
    Becomes(String),
    /// It needs no field, because it holds without one, or gives nothing.
    Holds(String),
    /// It proves nothing and was not looked at further.
    NotBelieved(String),
    /// It cannot be kept, and why.
    Refused(String),
}

/// One field of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedField {
    /// Its name, `scope.commands_allowlist[0]` for instance.
    pub name: String,
    /// Its value as JSON; empty when it is missing.
    pub value: String,
    /// What became of it.
    pub fate: Fate,
}

/// A file that was read, field by field.
#[derive(Clone, Debug)]
pub struct Imported {
    fields: Vec<ImportedField>,
    draft: Value,
}

impl Imported {
    /// Every field of the file, and those that are missing from it, section by section; what is unknown comes last in
    /// each.
    #[must_use]
    pub fn fields(&self) -> &[ImportedField] {
        &self.fields
    }

    /// The fields that were refused.
    pub fn refused(&self) -> impl Iterator<Item = &ImportedField> {
        self.fields
            .iter()
            .filter(|field| matches!(field.fate, Fate::Refused(_)))
    }

    /// A draft as `lease issue --draft` takes it: intent, window and grants; issuer, audience, nonce and the limits
    /// that the file does not know (`fuel`, `output_bytes`, `write_bytes`) are missing.
    ///
    /// # Errors
    /// `IMPORT-REFUSED` with the names, when a field was refused.
    pub fn draft(&self) -> Result<&Value, Refusal> {
        let names: Vec<&str> = self.refused().map(|field| field.name.as_str()).collect();
        if names.is_empty() {
            return Ok(&self.draft);
        }
        let sentence = format!(
            "what the file asks for cannot be kept: {}",
            names.join(", ")
        );
        Err(
            Refusal::new("IMPORT-REFUSED", Class::Refused, sentence).with_hint(
                "the table says why, field by field; change the file, or say what it leaves open",
            ),
        )
    }
}

/// Reads a lease file of reference B.
///
/// # Errors
/// `JSON-…` when it is not JSON or has a key twice, `IMPORT-FORMAT` when it is no object. Whatever is wrong with a field
/// is its [`Fate`].
pub fn import(json: &[u8], terms: &ImportTerms) -> Result<Imported, Refusal> {
    let Value::Object(mut file) = json::read(json)? else {
        return Err(Refusal::new(
            "IMPORT-FORMAT",
            Class::Integrity,
            "the file is JSON, but no object, so it is no lease",
        )
        .with_hint("give the lease file itself, LEASE-….json for instance"));
    };
    let mut sheet = Sheet::default();
    let intent = identity(&mut file, &mut sheet);
    let window = window(&mut file, terms, &mut sheet);
    let scope = scope::read(sheet.section(&mut file, "scope", true), terms, &mut sheet);
    let limits = limits::read(sheet.section(&mut file, "limits", true), &mut sheet);
    let runner = sheet.section(&mut file, "runner", false);
    let files = mounts::read(runner, &scope.paths, terms, &mut sheet);
    signature(&mut file, &mut sheet);
    sheet.unknown("", file);
    let grants: Vec<Value> = scope
        .programs
        .iter()
        .map(|program| {
            json!({
                "id": program.grant,
                "plugin": program.plugin,
                "kind": "command",
                "args": program.vectors,
                "files": files,
                "env": { "pass": scope.env },
                "limits": limits,
            })
        })
        .collect();
    let mut draft = Map::new();
    draft.insert("grants".to_owned(), json!(grants));
    draft.extend(intent.map(|intent| ("intent".to_owned(), intent)));
    if let Some((not_before, expires)) = window {
        draft.insert("not_before".to_owned(), json!(not_before));
        draft.insert("expires".to_owned(), json!(expires));
    }
    Ok(Imported {
        fields: sheet.into_fields(),
        draft: Value::Object(draft),
    })
}

/// Who asked for what: words, which give no right.
fn identity(file: &mut Map<String, Value>, sheet: &mut Sheet) -> Option<Value> {
    let id = sheet.text(file, "", &["lease_id"], |_| {
        Ok(Fate::Becomes(
            "intent.summary; a lease of ours is named by its content".to_owned(),
        ))
    });
    let intent = sheet.text(file, "", &["intent_id"], |text| {
        if text.is_empty() || text.chars().count() > 128 {
            return Err("must have 1 to 128 characters".to_owned());
        }
        Ok(Fate::Becomes("intent.id".to_owned()))
    });
    let actor = sheet.text(file, "", &["actor"], |_| {
        Ok(Fate::Becomes(
            "intent.summary; holding a lease is proved by a key, not by a name".to_owned(),
        ))
    });
    let summary = format!(
        "imported from {}, issued to {}",
        id.unwrap_or_default(),
        actor.unwrap_or_default()
    );
    let summary: String = summary.chars().take(1_000).collect();
    intent.map(|id| json!({ "id": id, "summary": summary }))
}

fn window(
    file: &mut Map<String, Value>,
    terms: &ImportTerms,
    sheet: &mut Sheet,
) -> Option<(Timestamp, Timestamp)> {
    let moment = |text: &str| {
        let time = text
            .parse::<Timestamp>()
            .map_err(|_| "must be a time such as 2026-01-01T00:00:00Z".to_owned())?;
        match time.as_millis() % 1_000 {
            0 => Ok(time),
            _ => Err("must be a whole second".to_owned()),
        }
    };
    let begin = sheet.text(file, "", &["issued_at"], |text| {
        moment(text)?;
        Ok(match terms.from {
            None => Fate::Becomes("not_before".to_owned()),
            Some(from) => Fate::Becomes(format!("not_before, moved to {from}")),
        })
    });
    let begin = begin.and_then(|text| moment(&text).ok());
    let mut end = None;
    sheet.text(file, "", &["expires_at"], |text| {
        let stated = moment(text)?;
        let Some(begin) = begin else {
            return Err("has no begin to be measured from".to_owned());
        };
        let length = stated.millis_since(begin);
        if length <= 0 {
            return Err("is not after issued_at".to_owned());
        }
        if length > terms.longest_s.saturating_mul(1_000) {
            let longest = terms.longest_s;
            return Err(format!(
                "is more than {longest} s after issued_at, which the profile does not allow"
            ));
        }
        end = match terms.from {
            None => Some((begin, stated)),
            Some(from) => from.checked_add_millis(length).map(|end| (from, end)),
        };
        Ok(Fate::Becomes(match terms.from {
            None => "expires".to_owned(),
            Some(_) => format!("expires, {} s after the begin as before", length / 1_000),
        }))
    });
    end
}

/// Algorithm, key id and value of the signature: read for their form only.
fn signature(file: &mut Map<String, Value>, sheet: &mut Sheet) {
    let Some((name, value)) = sheet.take(file, "", &["sig", "signature"]) else {
        return;
    };
    let said = "the other system never checked it, so it says nothing about who allowed this; \
                `lease issue` signs anew";
    match value {
        Value::Object(mut parts) => {
            for part in ["alg", "kid", "key_id", "value"] {
                if let Some(value) = parts.remove(part) {
                    sheet.add(
                        format!("{name}.{part}"),
                        &value,
                        Fate::NotBelieved(said.to_owned()),
                    );
                }
            }
            sheet.unknown(&format!("{name}."), parts);
        }
        other => sheet.add(name, &other, Fate::NotBelieved(said.to_owned())),
    }
}
