//! A hostile repository runs nothing, changes nothing, and passes nothing off as something else.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use leasehold_seal::{Class, Coded as _};
use leasehold_workspace::{GitError, Repository};
use support::repository::{RULES, loose, open, read, repository, rules};
use support::{git, picture};

#[test]
fn an_object_that_is_not_what_its_id_says() {
    let ids = |dir: &Path| {
        [
            "HEAD",
            "HEAD^{tree}",
            "HEAD:rules",
            "HEAD:rules/leasehold.toml",
        ]
        .map(|name| git(dir, &["rev-parse", name]))
    };
    for which in 0..4 {
        // Another sound object under its name; the same cut off; nothing; rubbish.
        for damage in 0..4 {
            let (_top, dir) = repository();
            let id = &ids(&dir)[which];
            let path = loose(&dir, id);
            let stand_in = [
                "HEAD~1",
                "HEAD~1^{tree}",
                "HEAD~1:rules",
                "HEAD~1:rules/leasehold.toml",
            ];
            let other = loose(&dir, &git(&dir, &["rev-parse", stand_in[which]]));
            let bytes = match damage {
                0 => std::fs::read(other).unwrap(),
                1 => {
                    let whole = std::fs::read(&path).unwrap();
                    whole[..whole.len() / 2].to_vec()
                }
                2 => Vec::new(),
                _ => b"rubbish".to_vec(),
            };
            assert!(read(&dir, "HEAD", RULES).is_ok());
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, bytes).unwrap();
            let error = read(&dir, "HEAD", RULES).unwrap_err();
            assert_eq!(error.code(), "GIT-OBJECT", "{which} {damage}: {error}");
            assert_eq!(error.class(), Class::Integrity, "{which} {damage}: {error}");
            std::fs::remove_file(&path).unwrap();
            let error = read(&dir, "HEAD", RULES).unwrap_err();
            assert!(matches!(error, GitError::Missing { .. }), "{error}");
        }
    }
}

#[test]
fn an_object_that_claims_to_be_endless_takes_no_memory() {
    let (_top, dir) = repository();
    let id = git(&dir, &["rev-parse", "HEAD:rules/leasehold.toml"]);
    let script = format!(
        "import zlib,sys; open(sys.argv[1],'wb').write(zlib.compress(b'blob {}\\0x'))",
        1u64 << 50
    );
    let path = loose(&dir, &id);
    std::fs::remove_file(&path).unwrap();
    let status = std::process::Command::new("python3")
        .args(["-c", &script])
        .arg(&path)
        .status();
    if !status.is_ok_and(|status| status.success()) {
        println!("not run: there is no python3 to make such an object");
        return;
    }
    let repository = open(&dir);
    let commit = repository.resolve("HEAD").unwrap();
    for max in [1_000, u64::MAX] {
        assert!(repository.read(&commit, RULES, max).is_err());
    }
}

#[test]
fn replacement_objects_replace_nothing() {
    let (_top, dir) = repository();
    let (new, old) = ("HEAD:rules/leasehold.toml", "HEAD~1:rules/leasehold.toml");
    git(&dir, &["replace", new, old]);
    git(&dir, &["replace", "HEAD~1", "HEAD~2"]);
    assert_eq!(git(&dir, &["cat-file", "-p", new]), "version = 2");
    assert_eq!(read(&dir, "HEAD", RULES).unwrap(), rules(3));
    assert_eq!(read(&dir, "HEAD~1", RULES).unwrap(), rules(2));
}

/// A program that leaves a trace when it runs, and configuration that names it wherever git would start one.
fn boobytrap(dir: &Path, top: &Path) -> PathBuf {
    let trace = top.join("it-ran");
    let program = top.join("program");
    std::fs::write(
        &program,
        format!("#!/bin/sh\ntouch '{}'\ncat\n", trace.display()),
    )
    .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = program.display();
    let hooks = dir.join(".git/hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    for hook in [
        "post-checkout",
        "post-index-change",
        "reference-transaction",
    ] {
        std::fs::copy(top.join("program"), hooks.join(hook)).unwrap();
    }
    let included = top.join("included");
    std::fs::write(
        &included,
        format!("[core]\n\tfsmonitor = {program}\n\tpager = {program}\n"),
    )
    .unwrap();
    let config = format!(
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tfsmonitor = {program}\n\
         \thooksPath = {hooks}\n\tsshCommand = {program}\n\teditor = {program}\n\tpager = {program}\n\
         \tattributesFile = {top}/attributes\n\tworktree = {top}/elsewhere\n\tuseReplaceRefs = true\n\
         [include]\n\tpath = {included}\n[includeIf \"gitdir:**\"]\n\tpath = {included}\n\
         [filter \"evil\"]\n\tclean = {program}\n\tsmudge = {program}\n\tprocess = {program}\n\trequired\n\
         [diff]\n\texternal = {program}\n[diff \"evil\"]\n\ttextconv = {program}\n\tcommand = {program}\n\
         [merge \"evil\"]\n\tdriver = {program}\n[alias]\n\trev-parse = !{program}\n\tlog = !{program}\n\
         [credential]\n\thelper = !{program}\n[gpg]\n\tprogram = {program}\n\
         [uploadpack]\n\tpackObjectsHook = {program}\n\
         [remote \"origin\"]\n\turl = ext::{program}\n\tpromisor = true\n\tpartialclonefilter = blob:none\n\
         [extensions]\n\tpartialClone = origin\n\tworktreeConfig = true\n\
         [gitoxide \"objects\"]\n\treplaceRefBase = refs/heads/\n\tallocLimit = 1\n",
        hooks = hooks.display(),
        top = top.display(),
        included = included.display(),
    );
    std::fs::write(dir.join(".git/config"), config).unwrap();
    std::fs::write(dir.join(".gitattributes"), "* filter=evil diff=evil\n").unwrap();
    std::fs::create_dir_all(dir.join(".git/info")).unwrap();
    std::fs::write(dir.join(".git/info/attributes"), "* filter=evil\n").unwrap();
    trace
}

#[test]
fn a_hostile_repository_runs_nothing_and_changes_nothing() {
    let (top, dir) = repository();
    let absent = git(&dir, &["rev-parse", "HEAD~2:rules/leasehold.toml"]);
    std::fs::remove_file(loose(&dir, &absent)).unwrap();
    let trace = boobytrap(&dir, top.path());
    let before = picture(&dir);
    let repository = open(&dir);
    let head = repository.head().unwrap().unwrap();
    assert_eq!(
        repository.work_dir().unwrap().canonicalize().unwrap(),
        dir.canonicalize().unwrap()
    );
    assert_eq!(repository.read(&head, RULES, 1_000).unwrap(), rules(3));
    assert_eq!(read(&dir, "origin/main", RULES).unwrap(), rules(2));
    assert_eq!(
        read(&dir, "v1-again", "tool").unwrap().unwrap(),
        b"#!/bin/sh\n"
    );
    // What a partial clone would fetch is missing here.
    assert!(matches!(
        read(&dir, "HEAD~2", RULES),
        Err(GitError::Missing { .. })
    ));
    assert!(read(&dir, "nothing", RULES).is_err());
    assert!(!trace.exists());
    assert_eq!(picture(&dir), before);
    // The trap is one: git itself steps into it.
    let output = support::git_output(&dir, &["--work-tree=.", "status"]);
    assert!(trace.exists(), "{output:?}");
}

#[test]
fn a_git_file_that_leads_to_a_hostile_folder_runs_nothing_either() {
    let (top, dir) = repository();
    let trace = boobytrap(&dir, top.path());
    let tree = top.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join(".git"), "gitdir: ../repo/.git\n").unwrap();
    assert_eq!(read(&tree, "HEAD~1", RULES).unwrap(), rules(2));
    assert!(!trace.exists());
    // Files that lead nowhere are errors, not other repositories further up.
    for content in ["gitdir: ../nowhere\n", "gitdir: .git\n", "rubbish", ""] {
        std::fs::write(tree.join(".git"), content).unwrap();
        assert!(
            !matches!(Repository::discover(&tree), Ok(Some(_))),
            "{content:?}"
        );
    }
}

#[test]
fn refs_that_go_in_circles_or_are_rubbish() {
    let (_top, dir) = repository();
    let refs = dir.join(".git/refs/heads");
    std::fs::write(refs.join("a"), "ref: refs/heads/b\n").unwrap();
    std::fs::write(refs.join("b"), "ref: refs/heads/a\n").unwrap();
    std::fs::write(refs.join("outside"), "ref: ../../../etc/passwd\n").unwrap();
    std::fs::write(refs.join("rubbish"), "\0\0\0").unwrap();
    for name in ["a", "outside", "rubbish"] {
        assert_eq!(
            open(&dir).resolve(name).unwrap_err().code(),
            "GIT-REF",
            "{name}"
        );
    }
    assert_eq!(read(&dir, "main", RULES).unwrap(), rules(3));
}

#[test]
fn the_environment_does_not_choose_the_repository() {
    let (top, dir) = repository();
    let other = top.path().join("other");
    git(top.path(), &["clone", "-q", "repo", "other"]);
    git(&other, &["commit", "-q", "--allow-empty", "-m", "other"]);
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_strange_environment", "--ignored"])
        .env("REPOSITORY_DIR", &dir)
        .env("REPOSITORY_HEAD", git(&dir, &["rev-parse", "HEAD"]))
        .env("GIT_DIR", other.join(".git"))
        .env("GIT_WORK_TREE", &other)
        .env("GIT_COMMON_DIR", other.join(".git"))
        .env("GIT_OBJECT_DIRECTORY", other.join(".git/objects/info"))
        .env(
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            other.join(".git/objects"),
        )
        .env("GIT_NAMESPACE", "strange")
        .env("GIT_CEILING_DIRECTORIES", top.path())
        .env("GIT_REPLACE_REF_BASE", "refs/heads/")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "include.path")
        .env("GIT_CONFIG_VALUE_0", "/nowhere/that/exists")
        .env("GIT_ALLOC_LIMIT", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// Not a test: what the test above starts.
#[test]
#[ignore = "the test above runs it in a process of its own"]
fn in_a_strange_environment() {
    let (Ok(dir), Ok(head)) = (
        std::env::var("REPOSITORY_DIR"),
        std::env::var("REPOSITORY_HEAD"),
    ) else {
        return;
    };
    let dir = Path::new(&dir);
    assert_eq!(open(dir).head().unwrap().unwrap().to_string(), head);
    assert_eq!(read(dir, "HEAD", RULES).unwrap(), rules(3));
    assert_eq!(read(dir, "origin/main~1", RULES).unwrap(), rules(1));
}
