//! A workspace in a temporary folder, with something outside that nobody may reach.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use leasehold_files::{FsError, Kind, Node, OpenHow, Protected, Quota, Record, Tree, View};
use leasehold_lease::FileGrant;
use leasehold_seal::Coded;
use tempfile::TempDir;

/// `<temp>/ws` is the workspace, `<temp>/outside/secret` holds [`SECRET`].
pub(crate) struct Bench {
    temp: TempDir,
    pub(crate) protected: Protected,
    pub(crate) quota: Quota,
    pub(crate) record: Record,
}

/// What no test may ever read through a view.
pub(crate) const SECRET: &str = "SECRET-FROM-OUTSIDE";

/// A view that asserts, when it goes out of use, that the second opinion agreed with every open.
pub(crate) struct Checked(pub(crate) View);

impl Bench {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("ws")).unwrap();
        fs::create_dir(temp.path().join("outside")).unwrap();
        fs::write(temp.path().join("outside/secret"), SECRET).unwrap();
        Self {
            temp,
            protected: Protected::default(),
            quota: Quota {
                write_bytes: 1 << 20,
                open_files: 32,
            },
            record: Record::Contents,
        }
    }

    /// A bench with these files, each holding its own path.
    pub(crate) fn with(files: &[&str]) -> Self {
        let bench = Self::new();
        for file in files {
            bench.file(file, file);
        }
        bench
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.temp.path().join("ws").join(path)
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.temp.path().join("outside")
    }

    pub(crate) fn file(&self, path: &str, content: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn link(&self, target: impl AsRef<Path>, path: &str) {
        symlink(target, self.path(path)).unwrap();
    }

    pub(crate) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn tree(&self) -> Tree {
        open_tree(&self.path(""), self.protected.clone())
    }

    pub(crate) fn view(&self, rules: FileGrant) -> Checked {
        Checked(View::open(&self.tree(), rules, self.quota, self.record))
    }
}

impl std::ops::Deref for Checked {
    type Target = View;

    fn deref(&self) -> &View {
        &self.0
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_agreed(&self.0);
        }
    }
}

/// The second opinion agrees with every open. There is none in release builds.
#[cfg(debug_assertions)]
pub(crate) fn assert_agreed(view: &View) {
    let verdicts = view.verdicts();
    assert!(
        verdicts.all_good(),
        "the second opinion disagrees: {verdicts:?}"
    );
}

#[cfg(not(debug_assertions))]
pub(crate) fn assert_agreed(_: &View) {}

impl Checked {
    /// Reads a whole file the slow way, through a descriptor.
    pub(crate) fn read_text(&self, path: &str) -> Result<String, FsError> {
        let node = self.open_at(&self.root(), path, READ)?;
        let (bytes, end) = self.read(&node, 0, 1 << 20)?;
        assert!(end);
        Ok(String::from_utf8(bytes).unwrap())
    }

    /// Writes a whole file through a descriptor, made if need be.
    pub(crate) fn write_text(&self, path: &str, text: &str) -> Result<(), FsError> {
        let how = OpenHow {
            write: true,
            create: true,
            truncate: true,
            follow: true,
            ..NONE
        };
        let node = self.open_at(&self.root(), path, how)?;
        self.write(&node, 0, text.as_bytes())
    }

    pub(crate) fn names(&self, path: &str) -> Result<Vec<String>, FsError> {
        let node = if path.is_empty() {
            self.root()
        } else {
            self.open_at(&self.root(), path, LIST)?
        };
        Ok(self
            .list(&node)?
            .into_iter()
            .map(|entry| entry.name)
            .collect())
    }

    pub(crate) fn dir_node(&self, path: &str) -> Node {
        self.open_at(
            &self.root(),
            path,
            OpenHow {
                mutate_dir: true,
                ..LIST
            },
        )
        .unwrap()
    }
}

pub(crate) const NONE: OpenHow = OpenHow {
    follow: false,
    create: false,
    exclusive: false,
    directory: false,
    truncate: false,
    read: false,
    write: false,
    mutate_dir: false,
};
pub(crate) const READ: OpenHow = OpenHow {
    read: true,
    follow: true,
    ..NONE
};
pub(crate) const WRITE: OpenHow = OpenHow {
    write: true,
    follow: true,
    ..NONE
};
pub(crate) const LIST: OpenHow = OpenHow {
    read: true,
    directory: true,
    follow: true,
    ..NONE
};
pub(crate) const CREATE: OpenHow = OpenHow {
    write: true,
    create: true,
    follow: true,
    ..NONE
};

/// Rules from patterns.
pub(crate) fn rules(list: &[&str], read: &[&str], write: &[&str], deny: &[&str]) -> FileGrant {
    let patterns = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    FileGrant {
        list: patterns(list),
        read: patterns(read),
        write: patterns(write),
        deny: patterns(deny),
    }
}

/// Everything may be listed and read.
pub(crate) fn read_all() -> FileGrant {
    rules(&["**"], &["**"], &[], &[])
}

/// Everything may be done.
pub(crate) fn all() -> FileGrant {
    rules(&["**"], &["**"], &["**"], &[])
}

pub(crate) fn open_tree(path: &Path, protected: Protected) -> Tree {
    let dir = cap_std::fs::Dir::open_ambient_dir(path, cap_std::ambient_authority()).unwrap();
    Tree::open(dir, protected).unwrap()
}

/// Kind and code of a failure: all that a guest can learn of it.
#[track_caller]
pub(crate) fn failure<T: std::fmt::Debug>(result: Result<T, FsError>) -> (Kind, &'static str) {
    let error = result.expect_err("this must not succeed");
    (error.kind(), error.code())
}

pub(crate) const DENIED: (Kind, &str) = (Kind::Access, "PATH-DENIED");
pub(crate) const ESCAPE: (Kind, &str) = (Kind::NotPermitted, "PATH-ESCAPE");
pub(crate) const PROTECTED: (Kind, &str) = (Kind::Access, "PATH-PROTECTED");
pub(crate) const LINK: (Kind, &str) = (Kind::Access, "LINK-DENIED");
pub(crate) const TYPE: (Kind, &str) = (Kind::Access, "FILE-TYPE");
pub(crate) const NO_ENTRY: (Kind, &str) = (Kind::NoEntry, "PATH-NOT-FOUND");
pub(crate) const NOT_DIR: (Kind, &str) = (Kind::NotDirectory, "PATH-TYPE");
pub(crate) const IS_DIR: (Kind, &str) = (Kind::IsDirectory, "PATH-TYPE");
pub(crate) const WRITE_QUOTA: (Kind, &str) = (Kind::Quota, "WRITE-QUOTA");
