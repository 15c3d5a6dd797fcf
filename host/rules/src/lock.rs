//! `leasehold.lock`: which name stands for which plugin.

use std::collections::BTreeMap;
use std::fmt;

use leasehold_lease::RelPath;
use leasehold_seal::Digest;
use toml_edit::{ArrayOfTables, Item, Table};

use crate::error::RulesError;
use crate::source::{Codes, Source, Span};
use crate::step::is_id;
use crate::toml_text;
use crate::walk::{self, Fields, Walk};

/// The name of the file, beside [`crate::PIPELINE_FILE`].
pub const LOCK_FILE: &str = "leasehold.lock";
/// The most plugins in one lock file.
pub const MAX_PLUGINS: usize = 1_000;
/// The longest version text of a plugin, in bytes.
pub const MAX_VERSION_BYTES: usize = 64;

/// The plugins that the steps of a pipeline may name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// By name.
    entries: BTreeMap<String, LockEntry>,
}

/// One plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockEntry {
    /// How steps name it: 1 to 64 of `a`–`z`, `0`–`9` and `-`.
    pub name: String,
    /// What its manifest said; for people: 1 to [`MAX_VERSION_BYTES`] printable ASCII characters without spaces.
    pub version: String,
    /// SHA-256 of its bytes, which decides.
    pub digest: Digest,
    /// Where its bytes come from.
    pub source: PluginSource,
}

/// Where the bytes of a plugin come from. In the file `"builtin"` or a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginSource {
    /// Leasehold brings it along.
    Builtin,
    /// A file, relative to the folder of the lock file. It cannot lead out of that folder.
    Path(RelPath),
}

impl Lock {
    /// Reads `leasehold.lock`; the form is as free as TOML is, comments are not kept.
    ///
    /// # Errors
    /// Every problem of the file, in its order, all of class usage: `LOCK-TOO-LARGE`, `LOCK-ENCODING`, `LOCK-SYNTAX`,
    /// `LOCK-KEY`, `LOCK-TYPE`, `LOCK-MISSING`, `LOCK-VERSION`, `LOCK-DUPLICATE`, `LOCK-NAME`, `LOCK-DIGEST`,
    /// `LOCK-SOURCE`, `PLUGINS-TOO-MANY`, `PROBLEMS-MORE`.
    pub fn parse(text: &[u8]) -> Result<Self, Vec<RulesError>> {
        let source = Source::read(text, &CODES).map_err(|error| vec![error])?;
        let document = walk::document(&source, &CODES).map_err(|error| vec![error])?;
        let tables = document.get("plugin").and_then(Item::as_array_of_tables);
        let count = tables.map_or(0, ArrayOfTables::len);
        if count > MAX_PLUGINS {
            let sentence = format!("{LOCK_FILE} has {count} plugins, the most is {MAX_PLUGINS}");
            let error = RulesError::usage("PLUGINS-TOO-MANY", sentence);
            return Err(vec![error.with_hint("take out those that no step names")]);
        }
        let mut walk = Walk::new(&source, &CODES);
        let top = Fields::new(
            &mut walk,
            document.as_table(),
            "",
            0..0,
            &["version", "plugin"],
        );
        walk.version(&top);
        if let Some(item) = top.item("plugin")
            && tables.is_none()
        {
            walk.report(&top.key_span("plugin"), || {
                let found = walk::kind_of(item);
                let sentence = format!("`plugin`: expected [[plugin]] tables, found {found}");
                RulesError::usage(CODES.wrong_type, sentence)
                    .with_hint("begin each plugin with a line [[plugin]]")
            });
        }
        let mut lock = Self::default();
        let mut places: BTreeMap<String, Span> = BTreeMap::new();
        for (index, table) in tables.into_iter().flatten().enumerate() {
            read_entry(&mut walk, &mut lock, &mut places, table, index + 1);
        }
        if !walk.problems.is_empty() {
            return Err(walk.problems.into_errors());
        }
        Ok(lock)
    }

    /// The text of the file: sorted by name, the same for the same entries. [`Lock::parse`] reads it back.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = HEADER.to_owned();
        for entry in self.entries.values() {
            let source = entry.source.to_string();
            text.push_str("\n[[plugin]]\n");
            for (key, value) in [
                ("name", entry.name.as_str()),
                ("version", &entry.version),
                ("digest", &entry.digest.to_string()),
                ("source", &source),
            ] {
                text.push_str(&format!("{key} = {}\n", toml_text::string(value)));
            }
        }
        text
    }

    /// The same with one more entry, in place of any other of its name.
    ///
    /// # Errors
    /// `LOCK-NAME` for a name or version of the wrong form, `LOCK-SOURCE` for a path that names no file, or
    /// `PLUGINS-TOO-MANY`.
    pub fn with(mut self, entry: LockEntry) -> Result<Self, RulesError> {
        if let Some(problem) = name_problem(&entry.name).or_else(|| version_problem(&entry.version))
        {
            return Err(problem);
        }
        if let PluginSource::Path(path) = &entry.source
            && PluginSource::of_text(path.as_str()).as_ref() != Ok(&entry.source)
        {
            return Err(source_error(path.as_str(), "it names no file"));
        }
        self.entries.insert(entry.name.clone(), entry);
        if self.entries.len() > MAX_PLUGINS {
            let sentence = format!("{LOCK_FILE} would have more than {MAX_PLUGINS} plugins");
            return Err(RulesError::usage("PLUGINS-TOO-MANY", sentence)
                .with_hint("take out those that no step names"));
        }
        Ok(self)
    }

    /// The entry of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&LockEntry> {
        self.entries.get(name)
    }

    /// All entries by name.
    pub fn entries(&self) -> impl Iterator<Item = &LockEntry> {
        self.entries.values()
    }
}

impl PluginSource {
    fn of_text(text: &str) -> Result<Self, RulesError> {
        if text == BUILTIN {
            return Ok(PluginSource::Builtin);
        }
        match RelPath::parse(text) {
            Ok(path) if path.is_root() => Err(source_error(text, "it is empty")),
            Ok(path) => Ok(PluginSource::Path(path)),
            Err(error) => Err(source_error(text, &error.to_string())),
        }
    }
}

/// As in the file.
impl fmt::Display for PluginSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PluginSource::Builtin => formatter.write_str(BUILTIN),
            PluginSource::Path(path) => formatter.write_str(path.as_str()),
        }
    }
}

fn read_entry(
    walk: &mut Walk<'_>,
    lock: &mut Lock,
    places: &mut BTreeMap<String, Span>,
    table: &Table,
    number: usize,
) {
    let owner = match table.get("name").and_then(Item::as_str) {
        Some(name) => format!("the plugin {name:?}"),
        None => format!("plugin {number}"),
    };
    let span = table.span().unwrap_or_default();
    let fields = Fields::new(walk, table, owner, span, &KEYS);
    let name = text(walk, &fields, "name", |name| {
        name_problem(name).map_or(Ok(name.to_owned()), Err)
    });
    let version = text(walk, &fields, "version", |version| {
        version_problem(version).map_or(Ok(version.to_owned()), Err)
    });
    let digest = text(walk, &fields, "digest", |digest| {
        digest.parse::<Digest>().map_err(|error| {
            RulesError::usage("LOCK-DIGEST", format!("{digest:?} is {error}"))
                .with_hint("`leasehold plugin add` writes the digest of the plugin's bytes")
        })
    });
    let source = text(walk, &fields, "source", PluginSource::of_text);
    let Some(name) = name else { return };
    let here = fields.key_span("name");
    if let Some(first) = places.get(&name) {
        let file = walk.source;
        walk.problems.add(here.start, || {
            RulesError::usage(
                "LOCK-DUPLICATE",
                format!("two plugins have the name {name:?}"),
            )
            .with_hint("a name stands for one plugin: keep one of the two")
            .at(file, &here)
            .at(file, first)
        });
        return;
    }
    places.insert(name.clone(), here);
    if let (Some(version), Some(digest), Some(source)) = (version, digest, source) {
        let entry = LockEntry {
            name: name.clone(),
            version,
            digest,
            source,
        };
        lock.entries.insert(name, entry);
    }
}

/// A text that has to be there and of some form.
fn text<T>(
    walk: &mut Walk<'_>,
    fields: &Fields<'_>,
    key: &str,
    read: impl FnOnce(&str) -> Result<T, RulesError>,
) -> Option<T> {
    if fields.item(key).is_none() {
        fields.missing(walk, key, "`leasehold plugin add` writes the file");
    }
    let (text, span) = fields.string(walk, key)?;
    match read(text) {
        Ok(value) => Some(value),
        Err(error) => {
            walk.report(&span, || error);
            None
        }
    }
}

fn name_problem(name: &str) -> Option<RulesError> {
    (!is_id(name)).then(|| {
        let sentence = format!("{name:?} is not a plugin's name: 1 to 64 of a-z, 0-9 and -");
        RulesError::usage("LOCK-NAME", sentence).with_hint("for example name = \"md-toc\"")
    })
}

fn version_problem(version: &str) -> Option<RulesError> {
    let good = (1..=MAX_VERSION_BYTES).contains(&version.len())
        && version.bytes().all(|byte| byte.is_ascii_graphic());
    (!good).then(|| {
        let sentence = format!(
            "{version:?} is not a version: 1 to {MAX_VERSION_BYTES} printable ASCII characters without spaces"
        );
        RulesError::usage("LOCK-NAME", sentence).with_hint("for example version = \"0.1.0\"")
    })
}

fn source_error(text: &str, problem: &str) -> RulesError {
    let sentence = format!("{text:?} is not a source: {problem}");
    RulesError::usage("LOCK-SOURCE", sentence).with_hint(
        "a source is \"builtin\" or the path of a file below the folder of the lock file",
    )
}

static CODES: Codes = Codes {
    file: LOCK_FILE,
    too_large: "LOCK-TOO-LARGE",
    encoding: "LOCK-ENCODING",
    syntax: "LOCK-SYNTAX",
    key: "LOCK-KEY",
    wrong_type: "LOCK-TYPE",
    missing: "LOCK-MISSING",
    version: "LOCK-VERSION",
};

const KEYS: [&str; 4] = ["name", "version", "digest", "source"];
const BUILTIN: &str = "builtin";
const HEADER: &str =
    "# Which name stands for which plugin. `leasehold plugin add` writes this file.\nversion = 1\n";
