use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{Done, run};
use crate::arguments::Arguments;

const A: &str = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
const B: &str = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("docs/deep")).unwrap();
    fs::write(folder.path().join("docs/deep/b"), "b").unwrap();
    fs::write(folder.path().join("docs-a"), "a").unwrap();
    folder
}

fn call(root: &Path, words: &[&str]) -> Result<Done, Vec<String>> {
    let mut all = vec!["--root".to_owned(), root.display().to_string()];
    all.extend(words.iter().map(|word| (*word).to_owned()));
    run(&Arguments::parse(&all)?)
}

#[test]
fn the_list_is_written_once_and_then_right() {
    let folder = folder();
    let root = folder.path();
    assert!(matches!(call(root, &["--check"]), Ok(Done::Differs)));
    assert!(!root.join("manifest.txt").exists());
    assert!(matches!(call(root, &[]), Ok(Done::Written(2))));
    let list = fs::read_to_string(root.join("manifest.txt")).unwrap();
    assert_eq!(list, format!("{A}  docs-a\n{B}  docs/deep/b\n"));
    assert!(matches!(call(root, &[]), Ok(Done::Right(2))));
    assert!(matches!(call(root, &["--check"]), Ok(Done::Right(2))));
    fs::write(root.join("docs-a"), "changed").unwrap();
    assert!(matches!(call(root, &["--check"]), Ok(Done::Differs)));
}

#[test]
fn patterns_choose_and_the_list_may_have_another_name() {
    let folder = folder();
    let root = folder.path();
    assert!(matches!(
        call(root, &["--output", "docs/sums", "--include", "docs/**"]),
        Ok(Done::Written(1))
    ));
    assert_eq!(
        fs::read_to_string(root.join("docs/sums")).unwrap(),
        format!("{B}  docs/deep/b\n")
    );
    assert!(matches!(
        call(root, &["--exclude", "docs/**"]),
        Ok(Done::Written(1))
    ));
    assert_eq!(
        fs::read_to_string(root.join("manifest.txt")).unwrap(),
        format!("{A}  docs-a\n")
    );
}

#[test]
fn what_no_list_can_hold_is_refused_and_nothing_is_written() {
    for (make, word) in [
        (
            (|root| std::os::unix::fs::symlink("docs-a", root.join("link")).unwrap()) as fn(&Path),
            "symlink",
        ),
        (
            |root| fs::write(root.join("docs/x.pyc"), "").unwrap(),
            "forbidden",
        ),
        (|root| fs::write(root.join("DOCS-A"), "").unwrap(), "case"),
        (
            |root| fs::write(root.join("a\\b"), "").unwrap(),
            "backslash",
        ),
        (
            |root| {
                fs::remove_dir_all(root.join("docs")).unwrap();
                fs::remove_file(root.join("docs-a")).unwrap();
            },
            "nothing",
        ),
    ] {
        let folder = folder();
        make(folder.path());
        match call(folder.path(), &[]) {
            Err(reasons) => assert!(
                reasons.iter().any(|reason| reason.starts_with(word)),
                "{reasons:?}"
            ),
            Ok(_) => panic!("{word} was not refused"),
        }
        assert!(!folder.path().join("manifest.txt").exists());
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused() {
    let folder = folder();
    for (words, expected) in [
        (&["--root"][..], "needs a value"),
        (&["--write"], "not known"),
        (&["file"], "not known"),
        (&["--output", "/tmp/x"], "absolute"),
        (&["--output", "../x"], "upwards"),
        (&["--exclude", "a**"], "**"),
    ] {
        match call(folder.path(), words) {
            Err(reasons) => assert!(
                reasons[0].contains(expected) && reasons[1].starts_with("usage"),
                "{reasons:?}"
            ),
            Ok(_) => panic!("{words:?} was taken"),
        }
    }
    assert!(call(&folder.path().join("nowhere"), &[]).is_err());
}

#[test]
fn the_manifest_of_the_command_is_well_formed() {
    let manifest = leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
    assert_eq!(
        manifest.exit.map(|exit| (exit.pass, exit.fail)),
        Some((vec![0], vec![1]))
    );
}
