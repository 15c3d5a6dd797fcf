//! `leasehold lease import`: a lease file of another system, field by field.

use std::path::PathBuf;

use clap::Args;
use leasehold_lease::{
    Fate, IMPORT_LONGEST_S, ImportTerms, Imported, ImportedField, RelPath, import,
};
use leasehold_seal::{Coded, canonical};
use serde_json::{Value, json};

use super::issue::plugin_digest;
use super::people::write_whole;
use crate::commands::Context;
use crate::exit;
use crate::failure::{Failure, OrFail};
use crate::issue::whole_seconds;
use crate::parse;
use crate::text::{clip, quoted};
use crate::ui::{Line, Style};

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The lease file.
    file: PathBuf,
    /// The plugin that stands for a program of its commands: NAME=FILE or NAME=DIGEST; may be repeated.
    #[arg(long = "plugin", value_name = "NAME=FILE|DIGEST", value_parser = pair)]
    plugins: Vec<(String, String)>,
    /// Where in the workspace a folder of the other machine is: /srv/repo=. or /srv/staging=out; may be repeated.
    #[arg(long = "folder", value_name = "FOLDER=PLACE", value_parser = folder)]
    folders: Vec<(String, RelPath)>,
    /// The longest time such a lease may last. Default: 10m, as by the profile.
    #[arg(long, value_name = "DURATION", value_parser = parse::duration)]
    longest: Option<i64>,
    /// Let the lease begin now instead of when it was issued; it lasts as long as before.
    #[arg(long)]
    from_now: bool,
    /// Where the draft goes. Default: standard output.
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &ImportArgs, context: &Context) -> anyhow::Result<u8> {
    let path = context.ambient.path(&args.file);
    let bytes = parse::file("lease", &path, canonical::MAX_BYTES as u64)?;
    let imported = import(&bytes, &terms(args, context)?)
        .or_fail()
        .map_err(|failure| failure.detail(format!("in {}", path.display())))?;
    let ui = &context.ui;
    for line in table(imported.fields()) {
        ui.talk(line);
    }
    let draft = match imported.draft() {
        Ok(draft) => draft,
        Err(refusal) => {
            ui.json(&json!({ "draft": null, "fields": fields(&imported), "file": null }));
            return Err(refused(&imported, &refusal).into());
        }
    };
    let text = format!("{draft:#}");
    if let Some(out) = &args.out {
        write_whole("draft", &context.ambient.path(out), text.as_bytes())?;
    }
    ui.json(&json!({ "draft": draft, "fields": fields(&imported), "file": args.out }));
    match &args.out {
        Some(out) => ui.talk(format!(
            "next: leasehold lease issue --draft {}",
            quoted(&out.to_string_lossy())
        )),
        None if !ui.is_json() => ui.raw(format!("{text}\n").as_bytes()),
        None => {}
    }
    ui.talk("fuel, output and writing are not limited in the file: the usual limits are filled in when it is issued");
    Ok(exit::PASSED)
}

fn terms(args: &ImportArgs, context: &Context) -> Result<ImportTerms, Failure> {
    let plugin =
        |(name, named): &(String, String)| Ok((name.clone(), plugin_digest(named, context)?));
    Ok(ImportTerms {
        plugins: args
            .plugins
            .iter()
            .map(plugin)
            .collect::<Result<_, Failure>>()?,
        folders: args.folders.iter().cloned().collect(),
        longest_s: args.longest.unwrap_or(IMPORT_LONGEST_S),
        from: args.from_now.then(|| whole_seconds(context.ambient.now())),
    })
}

/// What keeps the file from becoming a draft, each field on a line: the one document that programs get has them as well.
fn refused(imported: &Imported, refusal: &dyn Coded) -> Failure {
    let mut failure = Failure::of(refusal);
    for field in imported.refused() {
        failure = failure.detail(format!("{} {}", field.name, fate(&field.fate).2));
    }
    failure
}

fn table(fields: &[ImportedField]) -> Vec<Line> {
    let width = fields.iter().map(|field| field.name.chars().count()).max();
    let width = width.unwrap_or_default().min(40);
    let line = |field: &ImportedField| {
        let (word, style, what) = fate(&field.fate);
        let value = clip(&field.value, 60);
        let name = &field.name;
        Line::styled(style, format!("{word:<13}"))
            .then(Style::Bold, format!("{name:<width$}  "))
            .plain(what.to_owned())
            .then(
                Style::Dim,
                if value.is_empty() {
                    String::new()
                } else {
                    format!("  {value}")
                },
            )
    };
    fields.iter().map(line).collect()
}

fn fate(fate: &Fate) -> (&'static str, Style, &str) {
    match fate {
        Fate::Becomes(what) => ("becomes", Style::Good, what),
        Fate::Holds(why) => ("holds", Style::Good, why),
        Fate::NotBelieved(why) => ("not believed", Style::Warn, why),
        Fate::Refused(why) => ("refused", Style::Bad, why),
    }
}

fn fields(imported: &Imported) -> Vec<Value> {
    let field = |field: &ImportedField| {
        let (word, _, what) = fate(&field.fate);
        json!({ "fate": word, "name": field.name, "value": field.value, "what": what })
    };
    imported.fields().iter().map(field).collect()
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err(format!(
            "{text:?} is not of the form NAME=FILE or NAME=DIGEST"
        )),
    }
}

fn folder(text: &str) -> Result<(String, RelPath), String> {
    let wrong = || {
        format!(
            "{text:?} is not of the form /FOLDER=PLACE, where PLACE is in the workspace and . its root"
        )
    };
    let (folder, place) = text.rsplit_once('=').ok_or_else(wrong)?;
    if !folder.starts_with('/') {
        return Err(wrong());
    }
    let place = match place.trim_end_matches('/') {
        "." => RelPath::root(),
        place => RelPath::parse(place).map_err(|error| format!("{text:?}: {error}"))?,
    };
    Ok((folder.to_owned(), place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_have_a_place_in_the_workspace() {
        assert_eq!(
            folder("/srv/repo=."),
            Ok(("/srv/repo".to_owned(), RelPath::root()))
        );
        let out = RelPath::parse("out/x").unwrap();
        assert_eq!(folder("/srv/a=b=out/x/"), Ok(("/srv/a=b".to_owned(), out)));
        for wrong in ["", "/srv", "srv=.", "/srv=../x", "/srv=/x"] {
            assert!(folder(wrong).is_err(), "{wrong:?}");
        }
        assert!(pair("pytest=x.wasm").is_ok());
        assert!(pair("=x").is_err() && pair("x=").is_err());
    }
}
