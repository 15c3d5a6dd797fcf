//! Whole runs on a real tree.

use std::fs;

use super::*;

const OLD: &str = "# T\n\n<!-- toc -->\n<!-- /toc -->\n\n## A\n";
const NEW: &str = "# T\n\n<!-- toc -->\n\n- [A](#a)\n\n<!-- /toc -->\n\n## A\n";

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(tree.0.path().join("docs/deep")).unwrap();
        for (path, content) in [
            ("docs/old.md", OLD),
            ("docs/deep/new.md", NEW),
            ("docs/none.md", "# T\n## A\n"),
            ("docs/text.txt", OLD),
        ] {
            fs::write(tree.0.path().join(path), content).unwrap();
        }
        tree
    }

    fn run(&self, words: &str) -> Result<(u8, String), String> {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let mut output = Vec::new();
        let code = run(self.0.path(), &Arguments::parse(&words)?, &mut output)?;
        Ok((code, String::from_utf8(output).unwrap()))
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).unwrap()
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.path().join(path), content).unwrap();
    }
}

#[test]
fn files_that_are_out_of_date_are_written_and_no_others() {
    let tree = Tree::new();
    let link = tree.0.path().join("docs/link.md");
    std::os::unix::fs::symlink("old.md", &link).unwrap();
    assert_eq!(
        tree.run("--in-place docs"),
        Ok((0, "docs/old.md\n".to_owned()))
    );
    assert_eq!(tree.read("docs/old.md"), NEW);
    assert_eq!(tree.read("docs/text.txt"), OLD);
    assert!(fs::symlink_metadata(link).unwrap().is_symlink());
    assert_eq!(tree.run("--in-place ."), Ok((0, String::new())));
}

#[test]
fn a_check_names_what_is_out_of_date_and_writes_nothing() {
    let tree = Tree::new();
    assert_eq!(
        tree.run("--check docs"),
        Ok((1, "docs/old.md\n".to_owned()))
    );
    assert_eq!(tree.read("docs/old.md"), OLD);
    assert_eq!(
        tree.run("--check docs/deep docs/none.md"),
        Ok((0, String::new()))
    );
}

#[test]
fn one_file_is_printed() {
    let tree = Tree::new();
    assert_eq!(tree.run("docs/old.md"), Ok((0, NEW.to_owned())));
    assert_eq!(tree.read("docs/old.md"), OLD);
    assert!(tree.run("docs").err().unwrap().contains("2 files"));
    assert!(
        tree.run("docs/none.md")
            .err()
            .unwrap()
            .contains("nothing to print")
    );
}

#[test]
fn nothing_is_written_when_any_file_has_an_error() {
    for (content, word) in [
        (&b"# T\n\n<!-- toc -->\n"[..], "docs/z.md:3: "),
        (b"<!-- toc -->\n<!-- /toc -->\n# \xff\n", "not UTF-8"),
    ] {
        let tree = Tree::new();
        tree.write("docs/z.md", content);
        let reason = tree.run("--in-place docs").err().unwrap();
        assert!(reason.contains(word), "{reason}");
        assert_eq!(tree.read("docs/old.md"), OLD);
    }
    let tree = Tree::new();
    assert!(
        tree.run("--in-place docs missing.md")
            .err()
            .unwrap()
            .starts_with("missing.md: ")
    );
    assert_eq!(tree.read("docs/old.md"), OLD);
}

#[test]
fn another_encoding_without_markers_is_left_alone() {
    let tree = Tree::new();
    tree.write("docs/latin.md", b"# caf\xe9\n");
    assert_eq!(
        tree.run("--in-place docs"),
        Ok((0, "docs/old.md\n".to_owned()))
    );
}

#[test]
fn the_manifest_is_well_formed() {
    leasehold_plugin::manifest::parse(include_bytes!("../manifest.json")).unwrap();
}
