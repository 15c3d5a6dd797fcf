//! Rules from a commit: what a name means, and what is read.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use std::path::Path;

use leasehold_seal::{Class, Coded as _};
use leasehold_workspace::{GitError, Repository};
use support::repository::{RULES, open, read, repository, rules};
use support::{git, link, put};

fn check_names(dir: &Path) {
    let id = git(dir, &["rev-parse", "HEAD~1"]);
    let names = [
        ("HEAD", 3),
        ("@", 3),
        ("main", 3),
        ("heads/main", 3),
        ("refs/heads/main", 3),
        ("HEAD~1", 2),
        ("HEAD^^", 1),
        ("main~2", 1),
        ("origin/main", 2),
        ("origin", 2),
        ("refs/remotes/origin/main", 2),
        ("light", 2),
        ("v1", 1),
        ("tags/v1", 1),
        ("v1-again", 1),
        ("v1^{commit}", 1),
        ("feature/x", 1),
        (&id, 2),
        (&id[..9], 2),
        (&id[..9].to_uppercase(), 2),
    ];
    for (name, number) in names {
        assert_eq!(read(dir, name, RULES).unwrap(), rules(number), "{name}");
        let expected = git(dir, &["rev-parse", &format!("{name}^{{commit}}")]);
        let found = open(dir).resolve(name).unwrap().to_string();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn names_mean_what_they_mean_to_git() {
    let (_top, dir) = repository();
    check_names(&dir);
    // The same from packs and packed refs, from below, and from another worktree.
    git(&dir, &["gc", "-q", "--aggressive"]);
    git(&dir, &["pack-refs", "--all"]);
    git(&dir, &["commit-graph", "write", "--reachable"]);
    check_names(&dir);
    check_names(&dir.join("rules"));
    git(
        &dir,
        &["worktree", "add", "-q", "--detach", "../other", "main"],
    );
    let other = dir.join("../other");
    assert!(other.join(".git").is_file());
    check_names(&other);
    let repository = open(&other);
    assert_ne!(repository.git_dir(), repository.common_dir());
    assert_eq!(
        repository.work_dir().unwrap().canonicalize().unwrap(),
        other.canonicalize().unwrap()
    );
}

#[test]
fn what_names_no_commit() {
    let (_top, dir) = repository();
    let id = git(&dir, &["rev-parse", "HEAD"]);
    for name in [
        "nothing",
        "origin/nothing",
        "HEAD~3",
        "HEAD^2",
        "",
        "main:rules",
        "main..v1",
        "main@{0}",
        "HEAD^{tree}",
        "-x",
        "../../etc/passwd",
        "refs/heads",
        "config",
        &id[..3],
    ] {
        let error = open(&dir).resolve(name).unwrap_err();
        assert_eq!(error.code(), "GIT-REF", "{name}: {error}");
        assert_eq!(error.class(), Class::Blocked);
        assert!(error.hint().unwrap().contains("origin/main"));
    }
    let tree = git(&dir, &["rev-parse", "HEAD^{tree}"]);
    assert_eq!(open(&dir).resolve(&tree).unwrap_err().code(), "GIT-REF");
    let absent = "1".repeat(40);
    assert_eq!(
        open(&dir).resolve(&absent).unwrap_err().code(),
        "GIT-OBJECT"
    );
}

#[test]
fn an_ambiguous_name_is_refused_where_git_only_warns() {
    let (_top, dir) = repository();
    git(&dir, &["tag", "both", "HEAD~2"]);
    assert_eq!(read(&dir, "both", RULES).unwrap(), rules(1));
    git(&dir, &["update-ref", "refs/heads/both", "HEAD"]);
    let error = open(&dir).resolve("both").unwrap_err();
    assert_eq!(error.code(), "GIT-REF");
    assert!(
        error
            .to_string()
            .contains("refs/tags/both or refs/heads/both")
    );
    assert_eq!(read(&dir, "refs/heads/both", RULES).unwrap(), rules(3));
    // A branch called like the digits of a commit.
    let short = &git(&dir, &["rev-parse", "HEAD~1"])[..8];
    assert_eq!(read(&dir, short, RULES).unwrap(), rules(2));
    git(
        &dir,
        &["update-ref", &format!("refs/heads/{short}"), "HEAD"],
    );
    assert_eq!(open(&dir).resolve(short).unwrap_err().code(), "GIT-REF");
    // A full id is itself, as in git.
    let full = git(&dir, &["rev-parse", "HEAD~1"]);
    git(&dir, &["update-ref", &format!("refs/heads/{full}"), "HEAD"]);
    assert_eq!(read(&dir, &full, RULES).unwrap(), rules(2));
}

#[test]
fn only_files_are_read() {
    let (top, dir) = repository();
    git(top.path(), &["clone", "-q", "repo", "inner"]);
    git(&dir, &["clone", "-q", "../inner", "sub"]);
    git(&dir, &["add", "sub"]);
    put(&dir, "dir/file", "f");
    link(&dir, "dirlink", "dir");
    git(&dir, &["add", "-A"]);
    git(&dir, &["commit", "-q", "-m", "entries"]);
    for (path, what) in [
        ("link1", "symbolic link"),
        ("dirlink", "symbolic link"),
        ("dirlink/file", "symbolic link"),
        ("sub", "submodule"),
        ("sub/rules/leasehold.toml", "submodule"),
        ("dir", "directory"),
        ("", "directory"),
    ] {
        let error = read(&dir, "HEAD", path).unwrap_err();
        assert_eq!(error.code(), "GIT-ENTRY", "{path}");
        assert_eq!(error.class(), Class::Refused);
        assert!(error.to_string().contains(what), "{error}");
    }
    for path in ["nothing", "dir/nothing", "dir/file/below", "DIR/file"] {
        assert_eq!(read(&dir, "HEAD", path).unwrap(), None, "{path}");
    }
    for path in ["/etc/passwd", "../repo/tool", "dir//file", "dir/../tool"] {
        let error = read(&dir, "HEAD", path).unwrap_err();
        assert_eq!(error.code(), "PATH-FORMAT", "{path}");
    }
    assert_eq!(read(&dir, "HEAD", "dir/file").unwrap().unwrap(), b"f");
    // No line ends are converted.
    assert_eq!(read(&dir, "HEAD", "lines").unwrap().unwrap(), b"a\r\nb\r\n");
}

#[test]
fn a_file_may_have_as_many_bytes_as_asked_for() {
    let (_top, dir) = repository();
    let repository = open(&dir);
    let commit = repository.resolve("HEAD").unwrap();
    assert_eq!(repository.read(&commit, RULES, 12).unwrap(), rules(3));
    let error = repository.read(&commit, RULES, 11).unwrap_err();
    assert_eq!(error.code(), "GIT-SIZE");
    assert!(matches!(
        error,
        GitError::Size {
            bytes: 12,
            max: 11,
            ..
        }
    ));
}

#[test]
fn no_repository_no_commit_no_sense() {
    let top = tempfile::tempdir().unwrap();
    assert!(Repository::discover(top.path()).unwrap().is_none());
    git(top.path(), &["init", "-q", "-b", "main"]);
    let repository = open(top.path());
    assert_eq!(repository.head().unwrap(), None);
    put(top.path(), "a", "a");
    git(top.path(), &["add", "-A"]);
    git(top.path(), &["commit", "-q", "-m", "a"]);
    let head = open(top.path()).head().unwrap().unwrap();
    assert_eq!(head.to_string(), git(top.path(), &["rev-parse", "HEAD"]));
    let sha256 = tempfile::tempdir().unwrap();
    git(sha256.path(), &["init", "-q", "--object-format=sha256"]);
    let error = Repository::discover(sha256.path()).unwrap_err();
    assert_eq!(error.code(), "GIT-REPOSITORY");
}

#[test]
fn a_shallow_clone_says_what_is_missing() {
    let (top, dir) = repository();
    let url = format!("file://{}", dir.display());
    git(
        top.path(),
        &["clone", "-q", "--depth", "1", &url, "shallow"],
    );
    let shallow = top.path().join("shallow");
    assert_eq!(read(&shallow, "HEAD", RULES).unwrap(), rules(3));
    let error = open(&shallow).resolve("HEAD~1").unwrap_err();
    assert_eq!(error.code(), "GIT-OBJECT");
    assert_eq!(error.class(), Class::Blocked);
    assert!(error.hint().unwrap().contains("unshallow"));
}
