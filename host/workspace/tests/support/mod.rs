//! What the tests of this crate share: workspaces, pictures of them, a disk that fails, git.
#![expect(dead_code, reason = "every test file uses its own part of this module")]
#![expect(unreachable_pub, reason = "`pub` is what the test files see of it")]

pub mod faulty;
pub mod repository;
pub mod scene;

use std::collections::BTreeMap;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use leasehold_files::Protected;
use leasehold_lease::{FileGrant, Pattern};
use leasehold_workspace::{StepTree, WorkspaceError};
use tempfile::TempDir;

/// A folder with a workspace, a scratch folder and a home in it.
#[derive(Debug)]
pub struct Place {
    pub top: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap())
    }

    /// In memory where the system has a place for that: for tests that make hundreds of them.
    pub fn quick() -> Self {
        // A process that is killed removes nothing: its folder is one of whoever started it.
        let parent = std::env::var_os("WORKSPACE_TOP").unwrap_or("/dev/shm".into());
        Self::at(tempfile::tempdir_in(parent).unwrap_or_else(|_| tempfile::tempdir().unwrap()))
    }

    fn at(top: TempDir) -> Self {
        for name in ["ws", "scratch", "home"] {
            std::fs::create_dir(top.path().join(name)).unwrap();
        }
        Self { top }
    }

    pub fn ws(&self) -> PathBuf {
        self.top.path().join("ws")
    }

    pub fn scratch(&self) -> PathBuf {
        self.top.path().join("scratch")
    }

    pub fn journal(&self) -> PathBuf {
        self.top.path().join("home/bring-back")
    }

    pub fn dir(&self) -> Dir {
        Dir::open_ambient_dir(self.ws(), ambient_authority()).unwrap()
    }

    pub fn step(&self, rules: &FileGrant) -> StepTree {
        self.try_step(rules).unwrap()
    }

    pub fn try_step(&self, rules: &FileGrant) -> Result<StepTree, WorkspaceError> {
        StepTree::make(&self.dir(), rules, &Protected::default(), &self.scratch())
    }

    pub fn picture(&self) -> Picture {
        picture(&self.ws())
    }
}

/// Writes a file, making the folders above it.
pub fn put(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

pub fn mode(root: &Path, path: &str, mode: u32) {
    std::fs::set_permissions(root.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
}

pub fn link(root: &Path, path: &str, target: &str) {
    symlink(target, root.join(path)).unwrap();
}

pub fn fifo(root: &Path, path: &str) {
    let status = Command::new("mkfifo").arg(root.join(path)).status();
    assert!(status.unwrap().success());
}

/// Every path below a folder with what is there: type, permission bits, content or target.
pub type Picture = BTreeMap<String, String>;

pub fn picture(root: &Path) -> Picture {
    let mut picture = Picture::new();
    let mut pending = vec![root.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let kind = meta.file_type();
            let what = if kind.is_dir() {
                pending.push(path.clone());
                format!("dir {:o}", meta.mode() & 0o7777)
            } else if kind.is_symlink() {
                format!("link {:?}", std::fs::read_link(&path).unwrap())
            } else if kind.is_fifo() {
                "fifo".to_owned()
            } else {
                let content = std::fs::read(&path).unwrap();
                let text = String::from_utf8_lossy(&content);
                format!("file {:o} {text:?}", meta.mode() & 0o7777)
            };
            let name = path.strip_prefix(root).unwrap().to_string_lossy();
            picture.insert(name.into_owned(), what);
        }
    }
    picture
}

/// Rules of patterns; what may be read or written may also be listed.
pub fn rules(list: &[&str], read: &[&str], write: &[&str], deny: &[&str]) -> FileGrant {
    let patterns = |texts: &[&str]| -> Vec<Pattern> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    FileGrant {
        list: patterns(&[list, read, write].concat()),
        read: patterns(read),
        write: patterns(write),
        deny: patterns(deny),
    }
}

pub fn everything() -> FileGrant {
    rules(&["**"], &["**"], &["**"], &[])
}

/// A git command (these tests need git) that reads no configuration but the repository's own.
pub fn git_command(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@example.org")
        .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
        .env("GIT_COMMITTER_NAME", "C")
        .env("GIT_COMMITTER_EMAIL", "c@example.org")
        .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z");
    command
}

pub fn git_output(dir: &Path, args: &[&str]) -> Output {
    git_command(dir).args(args).output().unwrap()
}

/// Runs git and returns what it printed, without the last line feed.
pub fn git(dir: &Path, args: &[&str]) -> String {
    let output = git_output(dir, args);
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}
