//! Paths and mounts of reference B as patterns over a workspace.
//!
//! There a lease lists paths, and separately which folders of the machine are mounted read-only or writable. Here a
//! path that lies in a mount is listed and readable, and writable where its mount is.

use serde_json::{Map, Value, json};

use super::sheet::Sheet;
use super::{Fate, ImportTerms};
use crate::path::RelPath;
use crate::pattern::Pattern;

/// A mount, as a folder of the workspace.
struct Mount {
    name: String,
    value: Value,
    folder: RelPath,
    /// Everything in the folder, with the folder itself.
    all: Pattern,
    /// Where the program saw it.
    guest: Option<String>,
    writable: bool,
    used: bool,
}

#[derive(Default)]
struct Files {
    read: Vec<Pattern>,
    write: Vec<Pattern>,
}

/// The `files` of a grant.
pub(super) fn read(
    mut runner: Map<String, Value>,
    paths: &[(String, String)],
    terms: &ImportTerms,
    sheet: &mut Sheet,
) -> Value {
    let workdir = sheet.take(&mut runner, "runner.", &["workdir"]);
    let mut mounts = Vec::new();
    for (names, writable) in [
        (["readonly_mounts", "readonly"], false),
        (["writable_mounts", "writable"], true),
    ] {
        if let Some((name, value)) = sheet.take(&mut runner, "runner.", &names) {
            for (name, text) in sheet.texts(&name, &value) {
                match mount(&name, &text, writable, terms) {
                    Ok(mount) => mounts.push(mount),
                    Err(why) => sheet.refuse(name, &Value::from(text), why),
                }
            }
        }
    }
    sheet.unknown("runner.", runner);
    let mut files = Files::default();
    for (name, text) in paths {
        match path(text, &mut mounts, terms, &mut files) {
            Ok(fate) => sheet.add(name.clone(), &Value::from(text.as_str()), fate),
            Err(why) => sheet.refuse(name.clone(), &Value::from(text.as_str()), why),
        }
    }
    report(&mounts, sheet);
    if let Some((name, value)) = workdir {
        match place_of_workdir(&value, &mounts, terms) {
            Ok(fate) => sheet.add(name, &value, fate),
            Err(why) => sheet.refuse(name, &value, why),
        }
    }
    json!({ "list": files.read, "read": files.read, "write": files.write, "deny": [] })
}

/// `FOLDER[:PLACE][:ro|:rw]`.
fn mount(name: &str, text: &str, writable: bool, terms: &ImportTerms) -> Result<Mount, String> {
    let (rest, mode) = match text.rsplit_once(':') {
        Some((rest, mode @ ("ro" | "rw"))) => (rest, Some(mode)),
        _ => (text, None),
    };
    if mode.is_some_and(|mode| (mode == "rw") != writable) {
        return Err("is mounted the other way than the list it is in says".to_owned());
    }
    let (host, guest) = match rest.split_once(':') {
        Some((host, guest)) => (host, Some(guest.trim_end_matches('/').to_owned())),
        None => (rest, None),
    };
    let folder = folder_of(host, terms)
        .or_else(|| guest.as_deref().and_then(in_workspace))
        .or_else(|| relative(host))
        .ok_or_else(|| NOWHERE.to_owned())?;
    let all =
        everything_in(&folder).ok_or_else(|| "is no folder that a pattern can name".to_owned())?;
    Ok(Mount {
        name: name.to_owned(),
        value: Value::from(text),
        folder,
        all,
        guest,
        writable,
        used: false,
    })
}

const NOWHERE: &str = "is no folder of the workspace; say which one has its content";

/// What becomes of a path, and of what it names.
fn path(
    text: &str,
    mounts: &mut [Mount],
    terms: &ImportTerms,
    files: &mut Files,
) -> Result<Fate, String> {
    let inside = inside_workspace(text, mounts, terms)?;
    let pattern: Pattern = inside
        .parse()
        .map_err(|error| format!("is no path of the workspace: {error}"))?;
    let governing = mounts
        .iter()
        .enumerate()
        .filter(|(_, mount)| mount.all.covers(&pattern))
        .max_by_key(|(_, mount)| mount.folder.components().count())
        .map(|(at, _)| at);
    if governing.is_none() && !mounts.is_empty() {
        return Err(
            "lies in none of the folders of `runner`, so it could not be reached".to_owned(),
        );
    }
    let mut written = Vec::new();
    let mut writable_here = false;
    if let Some(mount) = governing.and_then(|at| mounts.get_mut(at)) {
        mount.used = true;
        writable_here = mount.writable;
    }
    if writable_here {
        written.push(pattern.clone());
    } else {
        for mount in mounts.iter_mut().filter(|mount| mount.writable) {
            if pattern.covers(&mount.all) {
                mount.used = true;
                written.push(mount.all.clone());
            }
        }
    }
    let mut fate = format!("files.list and files.read {pattern}");
    for pattern in &written {
        fate.push_str(&format!(", files.write {pattern}"));
    }
    push_new(&mut files.read, pattern);
    for pattern in written {
        push_new(&mut files.write, pattern);
    }
    Ok(Fate::Becomes(fate))
}

/// The text of a path as seen from the root of the workspace.
fn inside_workspace(text: &str, mounts: &[Mount], terms: &ImportTerms) -> Result<String, String> {
    if let Some(rest) = text.strip_prefix("repo://") {
        // What comes first is the name of the repository, which is what the workspace is.
        return match rest.split_once('/') {
            Some((_, path)) if !path.is_empty() => Ok(path.to_owned()),
            _ => Err("names a repository and nothing in it".to_owned()),
        };
    }
    if !text.starts_with('/') {
        return Ok(text.strip_prefix("./").unwrap_or(text).to_owned());
    }
    let by_guest = mounts.iter().filter_map(|mount| {
        let rest = below(text, mount.guest.as_deref()?)?;
        Some((mount.guest.as_ref()?.len(), joined(&mount.folder, rest)))
    });
    let by_host = terms.folders.iter().filter_map(|(host, folder)| {
        let rest = below(text, host.trim_end_matches('/'))?;
        Some((host.len(), joined(folder, rest)))
    });
    by_guest
        .chain(by_host)
        .max_by_key(|(length, _)| *length)
        .map(|(_, path)| path)
        .or_else(|| below(text, "/workspace").map(str::to_owned))
        .filter(|path| !path.is_empty())
        .ok_or_else(|| NOWHERE.to_owned())
}

/// Enters what became of each mount. A writable folder that has a read-only one in it, or is one, is refused: what a
/// deny rule closes is closed for reading as well.
fn report(mounts: &[Mount], sheet: &mut Sheet) {
    for mount in mounts {
        let clash = mounts
            .iter()
            .find(|other| mount.writable && !other.writable && mount.all.covers(&other.all));
        let fate = match clash {
            Some(other) => Fate::Refused(format!(
                "has {} in it, which is read-only; such a part cannot be kept apart",
                other.name
            )),
            None if !mount.used => {
                Fate::Holds("gives nothing, since no path of the scope lies in it".to_owned())
            }
            None if mount.writable => {
                Fate::Becomes(format!("files.write, for paths in {}", mount.all))
            }
            None => Fate::Becomes(format!("files.read, for paths in {}", mount.all)),
        };
        sheet.add(mount.name.clone(), &mount.value, fate);
    }
}

/// A program starts at the root of the workspace and nowhere else.
fn place_of_workdir(value: &Value, mounts: &[Mount], terms: &ImportTerms) -> Result<Fate, String> {
    let Value::String(text) = value else {
        return Err("must be a text".to_owned());
    };
    let trimmed = text.trim_end_matches('/');
    let by_guest = mounts
        .iter()
        .find(|mount| mount.guest.as_deref() == Some(trimmed))
        .map(|mount| mount.folder.clone());
    let place = folder_of(trimmed, terms)
        .or(by_guest)
        .or_else(|| in_workspace(trimmed))
        .or_else(|| relative(trimmed));
    match place {
        Some(place) if place.is_root() => Ok(Fate::Holds(
            "calls start at the root of the workspace, which this is".to_owned(),
        )),
        Some(place) => Err(format!(
            "is {place} of the workspace, and calls start at its root"
        )),
        None => Err(NOWHERE.to_owned()),
    }
}

/// Where in the workspace a folder of the other machine is, as the terms say.
fn folder_of(host: &str, terms: &ImportTerms) -> Option<RelPath> {
    let known = terms.folders.iter().filter_map(|(known, folder)| {
        let rest = below(host.trim_end_matches('/'), known.trim_end_matches('/'))?;
        Some((known.len(), joined(folder, rest)))
    });
    let (_, path) = known.max_by_key(|(length, _)| *length)?;
    RelPath::parse(&path).ok()
}

fn in_workspace(guest: &str) -> Option<RelPath> {
    RelPath::parse(below(guest, "/workspace")?).ok()
}

fn relative(host: &str) -> Option<RelPath> {
    match host {
        "." | "./" => Some(RelPath::root()),
        host if host.starts_with('/') || host.is_empty() => None,
        host => RelPath::parse(
            host.strip_prefix("./")
                .unwrap_or(host)
                .trim_end_matches('/'),
        )
        .ok(),
    }
}

/// What of an absolute path comes after a folder; component by component, so that `/data2` is not in `/data`.
fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() {
        return Some(rest);
    }
    rest.strip_prefix('/')
}

fn joined(folder: &RelPath, rest: &str) -> String {
    match (folder.is_root(), rest) {
        (true, rest) => rest.to_owned(),
        (false, "") => folder.to_string(),
        (false, rest) => format!("{folder}/{rest}"),
    }
}

/// A folder whose name has a `*` or `?` would be a pattern for others as well.
fn everything_in(folder: &RelPath) -> Option<Pattern> {
    let text = folder.to_string();
    if text.contains(['*', '?']) {
        return None;
    }
    joined(folder, "**").parse().ok()
}

fn push_new(patterns: &mut Vec<Pattern>, pattern: Pattern) {
    if !patterns
        .iter()
        .any(|known| known.as_str() == pattern.as_str())
    {
        patterns.push(pattern);
    }
}
