//! Random trees, rules and operations against two naive models.
//!
//! *Soundness*: whatever the view lets through is what the operating system calls by that path after following
//! everything (`canonicalize`), lies inside, and matches the rules. *Non-interference*: beside the tree lies its twin,
//! from which everything the rules hide was removed; no answer may differ between the two.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use leasehold_files::{FileRules, Kind, OpenHow, Quota, Record, View};
use leasehold_lease::{FileGrant, RelPath};
use leasehold_seal::Coded;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::common::*;

/// What is put at a path.
#[derive(Clone, Debug)]
pub(crate) enum Put {
    File,
    Dir,
    Link(&'static str),
}

/// What the guest does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Stat(String, bool),
    Read(String),
    ReadPath(String),
    Pieces(String, Vec<(u64, usize)>),
    Hash(String, bool),
    Digest(String),
    List(String),
    ReadLink(String),
    Walk(&'static str),
    Write(String),
    Create(String, bool),
    MakeDir(String),
    RemoveDir(String),
    Unlink(String),
    Rename(String, String),
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", ".env", "A"];
pub(crate) const TARGETS: [&str; 10] = [
    "a",
    "b",
    "../a",
    "../b/c",
    ".",
    "..",
    "a/b",
    "../../outside/secret",
    "/etc/passwd",
    "c/../d",
];
const ALLOW: [&str; 10] = [
    "**", "a/**", "b/**", "a", "*/b", "**/c", "a/*", "a/b/c", "d", "**/.env",
];
const DENY: [&str; 7] = ["**/.env", "a/b", "c", "A", "*/d", "b/**/a", "d/**"];

fn name() -> impl Strategy<Value = &'static str> {
    select(&NAMES)
}

fn tree() -> impl Strategy<Value = Vec<(Vec<&'static str>, Put)>> {
    tree_of(name)
}

/// Entries under names of this kind.
pub(crate) fn tree_of<N>(name: fn() -> N) -> impl Strategy<Value = Vec<(Vec<&'static str>, Put)>>
where
    N: Strategy<Value = &'static str>,
{
    let put = prop_oneof![
        3 => Just(Put::File),
        2 => Just(Put::Dir),
        2 => select(&TARGETS).prop_map(Put::Link),
    ];
    prop::collection::vec((prop::collection::vec(name(), 1..4), put), 0..16)
}

pub(crate) fn grant() -> impl Strategy<Value = FileGrant> {
    let some = || subsequence(ALLOW.to_vec(), 0..4);
    (some(), some(), some(), subsequence(DENY.to_vec(), 0..3))
        .prop_map(|(list, read, write, deny)| rules(&list, &read, &write, &deny))
}

pub(crate) fn guest_path() -> impl Strategy<Value = String> {
    let part = prop_oneof![8 => name(), 1 => Just(".."), 1 => Just("."), 1 => Just("")];
    let end = prop_oneof![6 => Just(""), 1 => Just("/")];
    (prop::collection::vec(part, 1..5), end).prop_map(|(parts, end)| parts.join("/") + end)
}

/// What changes nothing.
pub(crate) fn look<P>(path: fn() -> P) -> impl Strategy<Value = Act>
where
    P: Strategy<Value = String> + 'static,
{
    let pieces = || prop::collection::vec((0..6_u64, 0..6_usize), 1..4);
    prop_oneof![
        (path(), any::<bool>()).prop_map(|(path, follow)| Act::Stat(path, follow)),
        (path(), any::<bool>()).prop_map(|(path, follow)| Act::Hash(path, follow)),
        (path(), pieces()).prop_map(|(path, pieces)| Act::Pieces(path, pieces)),
        path().prop_map(Act::Read),
        path().prop_map(Act::ReadPath),
        path().prop_map(Act::Digest),
        path().prop_map(Act::List),
        path().prop_map(Act::ReadLink),
        select(&ALLOW).prop_map(Act::Walk),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let path = guest_path;
    prop_oneof![
        9 => look(guest_path),
        1 => path().prop_map(Act::Write),
        1 => (path(), any::<bool>()).prop_map(|(path, exclusive)| Act::Create(path, exclusive)),
        1 => path().prop_map(Act::MakeDir),
        1 => path().prop_map(Act::RemoveDir),
        1 => path().prop_map(Act::Unlink),
        1 => (path(), path()).prop_map(|(old, new)| Act::Rename(old, new)),
    ]
}

pub(crate) fn build(root: &Path, tree: &[(Vec<&str>, Put)]) {
    for (parts, put) in tree {
        let path: PathBuf = parts
            .iter()
            .fold(root.to_owned(), |path, part| path.join(part));
        // Only real directories on the way: what does not fit is left out.
        let mut above = root.to_owned();
        for part in &parts[..parts.len() - 1] {
            above.push(part);
            let _ = fs::create_dir(&above);
        }
        let real = above.is_dir() && above.canonicalize().is_ok_and(|real| real == above);
        if !real || path.symlink_metadata().is_ok() {
            continue;
        }
        match put {
            Put::File => fs::write(&path, parts.join("/")).unwrap(),
            Put::Dir => fs::create_dir(&path).unwrap(),
            Put::Link(target) => symlink(target, &path).unwrap(),
        }
    }
}

/// Removes everything the rules hide.
fn prune(root: &Path, below: &RelPath, rules: &FileGrant) {
    for entry in fs::read_dir(root.join(below.as_str())).unwrap() {
        let entry = entry.unwrap();
        let path = below.child(entry.file_name().to_str().unwrap()).unwrap();
        let allowed = rules.at(&path);
        let dir = entry.file_type().unwrap().is_dir();
        if allowed.list || allowed.read || allowed.write || (dir && rules.on_the_way(&path)) {
            if dir {
                prune(root, &path, rules);
            }
        } else if dir {
            fs::remove_dir_all(entry.path()).unwrap();
        } else {
            fs::remove_file(entry.path()).unwrap();
        }
    }
}

/// Does it, and says everything the guest can learn from it.
pub(crate) fn perform(view: &View, act: &Act) -> (String, Option<Kind>) {
    let root = view.root();
    let open = |path: &str, how| view.open_at(&root, path, how);
    let done = match act {
        Act::Stat(path, follow) => view
            .stat_at(&root, path, *follow)
            .map(|found| format!("{found:?}")),
        Act::Read(path) => {
            open(path, READ).and_then(|node| Ok(format!("{:?}", view.read(&node, 0, 99)?)))
        }
        Act::ReadPath(path) => view.read_path(path, 0, 99).map(|read| format!("{read:?}")),
        Act::Hash(path, follow) => view
            .metadata_hash_at(&root, path, *follow)
            .map(|hash| format!("{hash:?}")),
        Act::Pieces(path, pieces) => open(path, READ).and_then(|node| {
            let mut answers = String::new();
            for (offset, max) in pieces {
                let mut buffer = vec![0; *max];
                let count = view.read_into(&node, *offset, &mut buffer)?;
                let read = view.read(&node, *offset, *max)?;
                let slow = view.read_path(path, *offset, *max);
                answers += &format!("{read:?} {slow:?} {:?} ", &buffer[..count]);
            }
            Ok(answers)
        }),
        Act::Digest(path) => view.digest_path(path).map(|digest| format!("{digest:?}")),
        Act::List(path) => open(path, LIST).and_then(|node| Ok(format!("{:?}", view.list(&node)?))),
        Act::ReadLink(path) => view.readlink_at(&root, path),
        Act::Walk(pattern) => view
            .walk(vec![pattern.parse().unwrap()])
            .next(999)
            .map(|found| format!("{found:?}")),
        Act::Write(path) => open(path, WRITE).and_then(|node| {
            view.write(&node, 0, b"written")?;
            Ok(node.path().to_string())
        }),
        Act::Create(path, exclusive) => open(
            path,
            OpenHow {
                exclusive: *exclusive,
                ..CREATE
            },
        )
        .map(|node| node.path().to_string()),
        Act::MakeDir(path) => view.create_dir_at(&root, path).map(|()| String::new()),
        Act::RemoveDir(path) => view.remove_dir_at(&root, path).map(|()| String::new()),
        Act::Unlink(path) => view.unlink_at(&root, path).map(|()| String::new()),
        Act::Rename(old, new) => view
            .rename_at(&root, old, &root, new)
            .map(|()| String::new()),
    };
    match done {
        Ok(text) => (text, None),
        Err(error) => (
            format!("{:?} {}", error.kind(), error.code()),
            Some(error.kind()),
        ),
    }
}

/// Where the operating system says a path leads, as a path inside, before anything is done.
fn canonical(root: &Path, path: &str) -> Option<RelPath> {
    let real = root.join(path).canonicalize().ok()?;
    RelPath::parse(real.strip_prefix(root).ok()?.to_str()?).ok()
}

/// Whether a path is written so that it can only mean itself, and nothing on it is a link.
fn plain(root: &Path, path: &str) -> Option<RelPath> {
    let rel = RelPath::parse(path).ok()?;
    let mut here = root.to_owned();
    for part in rel.components() {
        here.push(part);
        if here.symlink_metadata().ok()?.is_symlink() {
            return None;
        }
    }
    Some(rel)
}

/// What the naive model says about a successful or refused act; the answer must agree.
fn check(
    root: &Path,
    rules: &FileGrant,
    act: &Act,
    before: Option<RelPath>,
    ok: bool,
    answer: &str,
) {
    let (path, allowed): (&str, fn(&FileGrant, &RelPath) -> bool) = match act {
        Act::Read(path) | Act::ReadPath(path) | Act::Digest(path) => {
            (path, |rules, path| rules.at(path).read)
        }
        Act::Write(path) => (path, |rules, path| rules.at(path).write),
        _ => return,
    };
    if ok {
        let real = before
            .unwrap_or_else(|| panic!("{act:?} succeeded where the system finds nothing inside"));
        assert!(
            allowed(rules, &real),
            "{act:?} succeeded on {real}, which the rules do not allow"
        );
        if let Act::Read(_) | Act::ReadPath(_) = act {
            let content = fs::read(root.join(real.as_str())).unwrap();
            assert_eq!(answer, format!("{:?}", (content, true)));
        }
    } else if let (Some(real), Some(rel)) = (before, plain(root, path)) {
        let file = root.join(rel.as_str()).is_file();
        assert!(
            real != rel || !file || !allowed(rules, &rel),
            "{act:?} is allowed and was refused: {answer}"
        );
    }
}

fn view_of(root: &Path, rules: &FileGrant) -> View {
    let quota = Quota {
        write_bytes: 1 << 20,
        open_files: 4,
    };
    View::open(
        &open_tree(root, leasehold_files::Protected::default()),
        rules.clone(),
        quota,
        Record::Names,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_sound_and_tell_nothing_of_what_is_hidden(
        tree in tree(),
        rules in grant(),
        acts in prop::collection::vec(act(), 1..24),
    ) {
        let temp = tempfile::tempdir().unwrap();
        let base = temp.path().canonicalize().unwrap();
        let (full, pruned) = (base.join("full/ws"), base.join("pruned/ws"));
        for root in [&full, &pruned] {
            fs::create_dir_all(root).unwrap();
            fs::create_dir(root.with_file_name("outside")).unwrap();
            fs::write(root.with_file_name("outside/secret"), SECRET).unwrap();
            build(root, &tree);
        }
        prune(&pruned, &RelPath::root(), &rules);
        let (view, twin) = (view_of(&full, &rules), view_of(&pruned, &rules));
        for act in &acts {
            let before = match act {
                Act::Read(path) | Act::ReadPath(path) | Act::Digest(path) | Act::Write(path) => canonical(&full, path),
                _ => None,
            };
            let (answer, failed) = perform(&view, act);
            let (other, _) = perform(&twin, act);
            prop_assert!(!answer.contains("SECRET-FROM"), "{act:?}: {answer}");
            check(&full, &rules, act, before, failed.is_none(), &answer);
            if let Act::RemoveDir(_) = act && answer != other {
                // Whether a directory is empty is known to whoever may remove it; from here on the trees differ.
                prop_assert_eq!(failed, Some(Kind::NotEmpty));
                break;
            }
            prop_assert_eq!(&answer, &other, "{:?} tells what is hidden", act);
        }
        for view in [&view, &twin] {
            assert_agreed(view);
        }
        prop_assert_eq!(fs::read_to_string(full.with_file_name("outside/secret")).unwrap(), SECRET);
        prop_assert_eq!(fs::read_dir(full.with_file_name("outside")).unwrap().count(), 1);
    }
}
