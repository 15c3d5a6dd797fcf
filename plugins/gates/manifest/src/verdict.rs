//! What is wrong, as a verdict.

use leasehold_plugin::gate::{Error, Finding, Level, Verdict};
use manifest_list::{Offence, Tree, compare, parse};
use serde::Serialize;

use crate::config::Config;

/// The number by which earlier systems know a manifest that does not hold.
const CODE: u8 = 2;

/// The largest list that is looked into, in bytes.
const LIST: usize = 64 << 20;

/// The data of the verdict.
#[derive(Serialize)]
struct Data {
    /// Files that the list is about.
    files: usize,
    /// What is wrong, in the list of findings or not.
    offences: usize,
}

/// Everything that is wrong: with the list, between list and files, with the files.
pub(crate) fn offences(config: &Config, tree: &Tree, list: Option<&[u8]>) -> Vec<Offence> {
    let mut offences = Vec::new();
    match list {
        None => offences.push(Offence::of_list(
            "missing",
            format!("there is no {:?}", config.list_path()),
        )),
        Some(bytes) if bytes.len() > LIST => {
            offences.push(Offence::of_list(
                "too-large",
                format!("the manifest has more than {LIST} bytes"),
            ));
        }
        Some(bytes) => {
            let (lines, form) = parse(bytes, &config.file);
            offences.extend(form);
            offences.extend(compare(&lines, tree, &config.selection));
        }
    }
    offences.extend(tree.offences());
    for path in &config.required {
        if !tree.contains(path) && *path != config.file {
            let message = format!("{path:?} is required and not there");
            let path = Some(path.clone());
            offences.push(Offence {
                path,
                ..Offence::of_list("required", message)
            });
        }
    }
    offences
}

/// The verdict. Findings are in the order of the offences.
pub(crate) fn verdict(
    config: &Config,
    tree: &Tree,
    offences: &[Offence],
) -> Result<Verdict, Error> {
    let (files, count) = (tree.len(), offences.len());
    let verdict = if count == 0 {
        Verdict::pass(format!(
            "{} lists the {files} files that are there",
            config.list_path()
        ))
    } else {
        let mut findings: Vec<Finding> = offences
            .iter()
            .take(config.max_findings)
            .map(|offence| finding(config, offence))
            .collect();
        let more = count - findings.len();
        if more > 0 {
            findings.push(Finding::new(
                Level::Note,
                "manifest/more",
                format!("and {more} more"),
            ));
        }
        let offences = if count == 1 { "offence" } else { "offences" };
        Verdict::fail(
            format!("{count} {offences} against {}", config.list_path()),
            findings,
        )
        .with_code(CODE)
    };
    verdict.with_data(&Data {
        files,
        offences: count,
    })
}

/// At the line of the list where there is one, else at the file, else at the list.
fn finding(config: &Config, offence: &Offence) -> Finding {
    let rule = format!("manifest/{}", offence.rule);
    let list = config.list_path();
    let about = offence
        .path
        .as_ref()
        .map_or_else(|| list.clone(), |path| config.in_workspace(path));
    let finding =
        Finding::error(&rule, offence.message.clone()).with_fingerprint(format!("{rule}:{about}"));
    match offence.line {
        Some(line) => finding.at(list, line, None),
        None => finding.in_path(about),
    }
}

#[cfg(test)]
mod tests {
    use leasehold_plugin::gate::Outcome;

    use super::*;
    use crate::config::tests::read;

    const A: &str = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    const B: &str = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";

    fn judge(config: &str, list: Option<&str>) -> Verdict {
        let config = read(config).unwrap();
        let mut tree = Tree::default();
        tree.add_file("a", A);
        tree.add_file("docs/b", B);
        let offences = offences(&config, &tree, list.map(str::as_bytes));
        verdict(&config, &tree, &offences).unwrap()
    }

    fn rules(verdict: &Verdict) -> Vec<&str> {
        verdict
            .findings
            .iter()
            .map(|finding| finding.rule.as_str())
            .collect()
    }

    #[test]
    fn the_right_list_passes() {
        let good = judge("null", Some(include_str!("../tests/fixtures/good.txt")));
        assert_eq!((good.outcome, good.code), (Outcome::Pass, None));
        assert_eq!(
            good.summary,
            "manifest.txt lists the 2 files that are there"
        );
        assert_eq!(good.data.as_deref(), Some(r#"{"files":2,"offences":0}"#));
    }

    #[test]
    fn no_list_and_an_empty_list_fail() {
        let missing = judge("null", None);
        assert_eq!((missing.outcome, missing.code), (Outcome::Fail, Some(2)));
        assert_eq!(rules(&missing), ["manifest/missing"]);
        let empty = judge("null", Some(""));
        assert_eq!(
            rules(&empty),
            ["manifest/empty", "manifest/unlisted", "manifest/unlisted"]
        );
    }

    #[test]
    fn what_differs_is_found_at_its_line_or_its_file() {
        let bad = judge(
            r#"{"root":"dist"}"#,
            Some(include_str!("../tests/fixtures/bad.txt")),
        );
        assert_eq!(
            rules(&bad),
            [
                "manifest/upwards",
                "manifest/syntax",
                "manifest/order",
                "manifest/absent",
                "manifest/digest",
                "manifest/unlisted"
            ]
        );
        let places: Vec<(&str, Option<u32>)> = bad
            .findings
            .iter()
            .filter_map(|finding| finding.at.as_ref())
            .map(|at| (at.path.as_str(), at.line))
            .collect();
        assert_eq!(
            places,
            [
                ("dist/manifest.txt", Some(3)),
                ("dist/manifest.txt", Some(4)),
                ("dist/manifest.txt", Some(2)),
                ("dist/manifest.txt", Some(1)),
                ("dist/manifest.txt", Some(2)),
                ("dist/docs/b", None)
            ]
        );
    }

    #[test]
    fn required_files_must_be_there() {
        let list = include_str!("../tests/fixtures/good.txt");
        let config = r#"{"required":["a","manifest.txt"]}"#;
        assert_eq!(judge(config, Some(list)).outcome, Outcome::Pass);
        let bad = judge(r#"{"required":["LICENSE"]}"#, Some(list));
        assert_eq!(rules(&bad), ["manifest/required"]);
    }

    #[test]
    fn the_list_of_findings_ends_and_the_count_does_not() {
        let bad = judge(r#"{"max_findings":1}"#, Some(""));
        assert_eq!(rules(&bad), ["manifest/empty", "manifest/more"]);
        assert_eq!(bad.summary, "3 offences against manifest.txt");
    }

    #[test]
    fn the_manifest_of_the_gate_is_well_formed() {
        let manifest =
            leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
        assert!(manifest.complete);
        let schema = manifest.config.unwrap();
        assert_eq!(schema["type"], serde_json::json!(["object", "null"]));
    }
}
