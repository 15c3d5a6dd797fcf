//! A small git repository, and reading from it.

use std::path::{Path, PathBuf};

use leasehold_workspace::{GitError, Repository};
use tempfile::TempDir;

use super::{git, link, put};

/// Three commits on `main`, a tag of each sort, a remote branch.
pub fn repository() -> (TempDir, PathBuf) {
    let top = tempfile::tempdir().unwrap();
    let dir = top.path().join("repo");
    std::fs::create_dir(&dir).unwrap();
    git(&dir, &["init", "-q", "-b", "main"]);
    for number in 1..=3 {
        put(
            &dir,
            "rules/leasehold.toml",
            format!("version = {number}\n"),
        );
        put(&dir, "tool", "#!/bin/sh\n");
        put(&dir, "lines", "a\r\nb\r\n");
        link(&dir, &format!("link{number}"), "rules/leasehold.toml");
        git(&dir, &["add", "-A"]);
        git(&dir, &["commit", "-q", "-m", &format!("commit {number}")]);
    }
    git(&dir, &["tag", "light", "HEAD~1"]);
    git(&dir, &["tag", "-a", "-m", "annotated", "v1", "HEAD~2"]);
    git(&dir, &["tag", "-a", "-m", "of a tag", "v1-again", "v1"]);
    git(&dir, &["update-ref", "refs/remotes/origin/main", "HEAD~1"]);
    git(
        &dir,
        &[
            "symbolic-ref",
            "refs/remotes/origin/HEAD",
            "refs/remotes/origin/main",
        ],
    );
    git(&dir, &["branch", "feature/x", "HEAD~2"]);
    (top, dir)
}

pub fn open(dir: &Path) -> Repository {
    Repository::discover(dir).unwrap().unwrap()
}

pub fn read(dir: &Path, reference: &str, path: &str) -> Result<Option<Vec<u8>>, GitError> {
    let repository = open(dir);
    let commit = repository.resolve(reference)?;
    repository.read(&commit, path, 1_000)
}

pub fn rules(number: u32) -> Option<Vec<u8>> {
    Some(format!("version = {number}\n").into_bytes())
}

pub const RULES: &str = "rules/leasehold.toml";

/// The file of a loose object.
pub fn loose(dir: &Path, id: &str) -> PathBuf {
    dir.join(".git/objects").join(&id[..2]).join(&id[2..])
}
