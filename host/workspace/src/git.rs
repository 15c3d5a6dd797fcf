//! Files as they stand in a commit: rules that the judged tree does not supply.
//!
//! Nothing is executed: no hook, no filter, no alias, no credential or monitor program. No configuration counts, neither
//! that of the system or the user, nor the environment, nor what the repository says of itself beyond its format; its
//! replacement refs and commit graph are not used. Every object is compared with its id before it is believed.

use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::objs::{CommitRefIter, Kind, TagRefIter, TreeRefIter};
use leasehold_lease::RelPath;

use crate::git_error::GitError;
use crate::git_name::{self, Step};

/// A git repository, opened for reading.
#[derive(Debug)]
pub struct Repository {
    inner: gix::Repository,
}

/// A commit that was there and was what its id says when it was resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commit(ObjectId);

/// The full id: 40 lower-case hexadecimal digits.
impl std::fmt::Display for Commit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Repository {
    /// Opens the repository that a folder belongs to, looking upwards on the same file system, in worktrees and
    /// submodules too; `None` when there is none.
    ///
    /// # Errors
    /// [`GitError::Repository`] when there is one that cannot be opened.
    pub fn discover(dir: &Path) -> Result<Option<Self>, GitError> {
        use gix::discover::upwards;
        // Trust is what lets configuration name programs: there is none, whoever owns the files.
        let search = upwards::Options {
            trust: upwards::TrustPolicy::Assume(gix::sec::Trust::Reduced),
            // HEAD, objects and refs are names like others, which a tree can have anywhere: only `.git` it cannot have.
            dot_git_only: true,
            ..upwards::Options::default()
        };
        let options = gix::open::Options::isolated().config_overrides(OVERRIDES);
        let trust = gix::sec::trust::Mapping {
            full: options.clone(),
            reduced: options,
        };
        match gix::ThreadSafeRepository::discover_opts(dir, search, trust) {
            Ok(found) => Ok(Some(Self {
                inner: found.to_thread_local(),
            })),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(GitError::Repository {
                path: dir.to_owned(),
                cause: error.to_string(),
            }),
        }
    }

    /// The folder with this worktree's `HEAD`.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        self.inner.git_dir()
    }

    /// The folder with objects and refs; differs from [`Repository::git_dir`] in a linked worktree.
    #[must_use]
    pub fn common_dir(&self) -> PathBuf {
        self.inner.common_dir().to_owned()
    }

    /// The checked-out tree; `None` in a bare repository.
    #[must_use]
    pub fn work_dir(&self) -> Option<&Path> {
        self.inner.workdir()
    }

    /// The commit a text names: `HEAD`, a branch, a remote branch such as `origin/main`, a tag, a full id or at least
    /// four digits of one; any of them followed by `~`, `~2`, `^`, `^2`, `^0`, `^{commit}`.
    ///
    /// Where git would warn that a name is ambiguous and choose, this refuses.
    ///
    /// # Errors
    /// [`GitError::Reference`] when it names none or more than one; [`GitError::Missing`] and [`GitError::Object`] when
    /// an object on the way is not there or damaged.
    pub fn resolve(&self, reference: &str) -> Result<Commit, GitError> {
        let wrong = |what: String| GitError::Reference {
            reference: reference.to_owned(),
            what,
        };
        let (name, steps) = git_name::parse(reference).map_err(|what| wrong(what.to_owned()))?;
        let mut id = self.named(name).map_err(&wrong)?;
        id = self.peel(id, &wrong)?;
        for step in steps {
            let Step::Parent(number) = step else {
                continue;
            };
            let (_, commit) = self.object(id, OBJECT_BYTES)?;
            let commit = CommitRefIter::from_bytes(&commit, self.inner.object_hash());
            id = commit
                .parent_ids()
                .nth(number.saturating_sub(1))
                .ok_or_else(|| wrong(format!("the commit {id} has no parent {number}")))?;
            id = self.peel(id, &wrong)?;
        }
        Ok(Commit(id))
    }

    /// The commit that is checked out; `None` where there is none yet.
    ///
    /// # Errors
    /// Those of [`Repository::resolve`].
    pub fn head(&self) -> Result<Option<Commit>, GitError> {
        match self.follow("HEAD") {
            Ok(None) => Ok(None),
            _ => self.resolve("HEAD").map(Some),
        }
    }

    /// The bytes of a file in a commit, as they were committed: no filter, no line end conversion. `None` when there is
    /// nothing at the path. `max` is the most bytes it may have.
    ///
    /// # Errors
    /// [`GitError::Entry`] when it is a directory, symbolic link or submodule, or lies behind a link or in a submodule;
    /// [`GitError::Size`]; [`GitError::Path`]; [`GitError::Missing`] and [`GitError::Object`].
    pub fn read(&self, commit: &Commit, path: &str, max: u64) -> Result<Option<Vec<u8>>, GitError> {
        let path = RelPath::parse(path)?;
        let refused = |what| GitError::Entry {
            commit: commit.to_string(),
            path: path.to_string(),
            what,
        };
        let (_, bytes) = self.object(commit.0, OBJECT_BYTES)?;
        let mut tree = CommitRefIter::from_bytes(&bytes, self.inner.object_hash())
            .tree_id()
            .map_err(|error| damaged(commit.0, error))?;
        let mut names = path.components().peekable();
        while let Some(name) = names.next() {
            let Some((mode, id)) = self.entry(tree, name)? else {
                return Ok(None);
            };
            match mode {
                Mode::Tree => tree = id,
                Mode::Link => return Err(refused("symbolic link")),
                Mode::Submodule => return Err(refused("submodule")),
                // A file has nothing below it.
                Mode::File if names.peek().is_some() => return Ok(None),
                Mode::File => return self.expect(id, Kind::Blob, max).map(Some),
            }
        }
        Err(refused("directory"))
    }

    /// The id a name stands for: a ref or digits of an id, not both. The error says what is wrong with it.
    fn named(&self, name: &str) -> Result<ObjectId, String> {
        if name.len() == 40
            && let Ok(id) = ObjectId::from_hex(name.as_bytes())
        {
            return Ok(id);
        }
        let mut found: Vec<(String, ObjectId)> = Vec::new();
        for full in git_name::candidates(name) {
            found.extend(self.follow(&full)?.map(|id| (full, id)));
        }
        found.extend(self.abbreviated(name)?.map(|id| (id.to_string(), id)));
        match found.as_slice() {
            [] => Err("there is no such branch, tag or commit".to_owned()),
            [(_, id)] => Ok(*id),
            [(first, _), (second, _), ..] => Err(format!(
                "it could be {first} or {second}; write one of them"
            )),
        }
    }

    /// What a ref, by its full name, points to in the end.
    fn follow(&self, full: &str) -> Result<Option<ObjectId>, String> {
        let mut name = full.to_owned();
        for _ in 0..MAX_SYMBOLIC {
            let found = self
                .inner
                .refs
                .try_find(name.as_str())
                .map_err(|error| error.to_string())?
                // Part of a name finds more than that name.
                .filter(|found| found.name.as_bstr() == name.as_str());
            match found.map(|found| found.target) {
                None => return Ok(None),
                Some(gix::refs::Target::Object(id)) => return Ok(Some(id)),
                Some(gix::refs::Target::Symbolic(next)) => name = next.as_bstr().to_string(),
            }
        }
        Err(format!(
            "{full} leads through more than {MAX_SYMBOLIC} symbolic refs"
        ))
    }

    fn abbreviated(&self, name: &str) -> Result<Option<ObjectId>, String> {
        if !(4..40).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let failed = |error: gix::Error| error.to_string();
        let prefix = gix::hash::Prefix::from_hex(&name.to_ascii_lowercase())
            .map_err(|error| error.to_string())?;
        match self
            .inner
            .objects
            .lookup_prefix(prefix, None)
            .map_err(failed)?
        {
            None => Ok(None),
            Some(Ok(id)) => Ok(Some(id)),
            Some(Err(())) => {
                Err("several objects start with these digits; give more of them".to_owned())
            }
        }
    }

    /// From tags to the commit they are for.
    fn peel(
        &self,
        mut id: ObjectId,
        wrong: &impl Fn(String) -> GitError,
    ) -> Result<ObjectId, GitError> {
        for _ in 0..MAX_TAGS {
            let (kind, bytes) = self.object(id, OBJECT_BYTES)?;
            match kind {
                Kind::Commit => return Ok(id),
                Kind::Tag => {
                    id = TagRefIter::from_bytes(&bytes, self.inner.object_hash())
                        .target_id()
                        .map_err(|error| damaged(id, error))?;
                }
                Kind::Tree | Kind::Blob => return Err(wrong(format!("{id} is a {kind}"))),
            }
        }
        Err(wrong(format!("more than {MAX_TAGS} tags in a row")))
    }

    /// What stands under a name in a tree.
    fn entry(&self, tree: ObjectId, name: &str) -> Result<Option<(Mode, ObjectId)>, GitError> {
        let bytes = self.expect(tree, Kind::Tree, OBJECT_BYTES)?;
        let mut found = None;
        for entry in TreeRefIter::from_bytes(&bytes, self.inner.object_hash()) {
            let entry = entry.map_err(|error| damaged(tree, error))?;
            if entry.filename != name {
                continue;
            }
            if found.is_some() {
                return Err(damaged(tree, format!("it names {name:?} twice")));
            }
            use gix::objs::tree::EntryKind;
            let mode = match entry.mode.kind() {
                EntryKind::Tree => Mode::Tree,
                EntryKind::Blob | EntryKind::BlobExecutable => Mode::File,
                EntryKind::Link => Mode::Link,
                EntryKind::Commit => Mode::Submodule,
            };
            found = Some((mode, entry.oid.to_owned()));
        }
        Ok(found)
    }

    fn expect(&self, id: ObjectId, wanted: Kind, max: u64) -> Result<Vec<u8>, GitError> {
        let (kind, bytes) = self.object(id, max)?;
        if kind == wanted {
            Ok(bytes)
        } else {
            Err(damaged(
                id,
                format!("it is a {kind} where a {wanted} should be"),
            ))
        }
    }

    /// An object of at most `max` bytes that is what its id says.
    fn object(&self, id: ObjectId, max: u64) -> Result<(Kind, Vec<u8>), GitError> {
        let missing = || GitError::Missing { id: id.to_string() };
        let header = self
            .inner
            .try_find_header(id)
            .map_err(|error| damaged(id, error))?
            .ok_or_else(missing)?;
        if header.size() > max {
            return Err(GitError::Size {
                id: id.to_string(),
                bytes: header.size(),
                max,
            });
        }
        let mut object = self
            .inner
            .try_find_object(id)
            .map_err(|error| damaged(id, error))?
            .ok_or_else(missing)?;
        let found = gix::objs::compute_hash(id.kind(), object.kind, &object.data)
            .map_err(|error| damaged(id, error))?;
        if found != id {
            return Err(damaged(id, format!("its content is that of {found}")));
        }
        Ok((object.kind, std::mem::take(&mut object.data)))
    }
}

/// What an entry of a tree is.
#[derive(Clone, Copy)]
enum Mode {
    File,
    Tree,
    Link,
    Submodule,
}

fn damaged(id: ObjectId, what: impl ToString) -> GitError {
    GitError::Object {
        id: id.to_string(),
        what: what.to_string(),
    }
}

fn is_absence(error: &gix::Error) -> bool {
    use gix::discover::upwards::Error;
    error.downcast_any_ref::<Error>().is_some_and(|error| {
        matches!(
            error,
            Error::NoGitRepository { .. } | Error::NoGitRepositoryWithinFs { .. }
        )
    })
}

/// Refs in `refs/replace` would put other objects in the place of those asked for; and no object may take more memory
/// than this, in bytes, whatever it claims.
const OVERRIDES: [&str; 2] = [
    "core.useReplaceRefs=false",
    "gitoxide.objects.allocLimit=67108864",
];

/// The largest commit, tag or tree that is read, in bytes.
const OBJECT_BYTES: u64 = 32 << 20;

/// As git has it.
const MAX_SYMBOLIC: usize = 5;

const MAX_TAGS: usize = 16;
