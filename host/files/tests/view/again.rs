//! Random trees, rules, operations and changes of the tree: where a survey says that everything a call has learned still
//! holds, the same operations give the same answers, coverage and read set.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use leasehold_files::{
    Coverage, DigestMemo, Protected, Quota, ReadSet, Record, Skipping, Survey, Tree, View,
};
use leasehold_lease::FileGrant;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::common::*;
use crate::model::{Act, TARGETS, build, grant, guest_path, look, perform, tree_of};

/// What happens to the tree between two runs.
#[derive(Clone, Debug)]
enum Twist {
    /// Other content of the same length, and the old time of modification.
    Rewrite(PathBuf),
    Grow(PathBuf),
    /// A new file, over the old one if there is one.
    Put(PathBuf),
    Remove(PathBuf),
    Dir(PathBuf),
    Link(PathBuf, &'static str),
    HardLink(PathBuf, PathBuf),
    Executable(PathBuf),
    Swap(PathBuf, PathBuf),
}

/// Few names, so that trees, operations and changes meet.
fn name() -> impl Strategy<Value = &'static str> {
    select(&["a", "b", "c"])
}

fn guest() -> impl Strategy<Value = String> {
    let plain = prop::collection::vec(name(), 1..3).prop_map(|parts| parts.join("/"));
    prop_oneof![
        9 => plain,
        1 => Just("a/../b".to_owned()),
        1 => Just("b/c/../../a".to_owned()),
        2 => guest_path(),
    ]
}

fn place() -> impl Strategy<Value = PathBuf> {
    prop::collection::vec(name(), 1..3).prop_map(|parts| parts.iter().collect())
}

fn twist() -> impl Strategy<Value = Twist> {
    prop_oneof![
        8 => place().prop_map(Twist::Rewrite),
        4 => place().prop_map(Twist::Grow),
        2 => place().prop_map(Twist::Put),
        2 => place().prop_map(Twist::Remove),
        1 => place().prop_map(Twist::Dir),
        2 => (place(), select(&TARGETS)).prop_map(|(path, target)| Twist::Link(path, target)),
        1 => (place(), place()).prop_map(|(old, new)| Twist::HardLink(old, new)),
        1 => place().prop_map(Twist::Executable),
        1 => (place(), place()).prop_map(|(old, new)| Twist::Swap(old, new)),
    ]
}

/// Rules under which something is seen, more often than not.
fn wide_grant() -> impl Strategy<Value = FileGrant> {
    prop_oneof![
        4 => Just(read_all()),
        2 => Just(rules(&["**"], &["a/**", "b"], &[], &[])),
        2 => Just(rules(&["**"], &["**"], &[], &["**/.env"])),
        2 => grant(),
    ]
}

/// Does it as far as it can be done. Nothing outside the root is ever touched.
fn apply(root: &Path, twist: &Twist) {
    let real = |path: &Path| {
        let path = root.join(path);
        let above = path.parent().unwrap().to_owned();
        above
            .canonicalize()
            .is_ok_and(|real| real == above)
            .then_some(path)
    };
    let file = |path: &Path| {
        let path = real(path)?;
        path.symlink_metadata()
            .is_ok_and(|meta| meta.is_file())
            .then_some(path)
    };
    // What cannot be done is not done: every outcome is a tree to check.
    let _ = match twist {
        Twist::Rewrite(path) => file(path).map(|path| {
            let modified = path.metadata()?.modified()?;
            let content = fs::read(&path)?;
            fs::write(
                &path,
                content.iter().map(|byte| byte ^ 1).collect::<Vec<_>>(),
            )?;
            fs::File::open(&path)?.set_modified(modified)
        }),
        Twist::Grow(path) => file(path).map(|path| {
            let mut content = fs::read(&path)?;
            content.push(b'+');
            fs::write(&path, content)
        }),
        Twist::Put(path) => real(path).map(|path| {
            let _ = fs::remove_file(&path);
            fs::write(path, "new")
        }),
        Twist::Remove(path) => {
            real(path).map(|path| fs::remove_file(&path).or_else(|_| fs::remove_dir_all(path)))
        }
        Twist::Dir(path) => real(path).map(fs::create_dir_all),
        Twist::Link(path, target) => real(path).map(|path| {
            let _ = fs::remove_file(&path);
            symlink(target, path)
        }),
        Twist::HardLink(old, new) => file(old)
            .zip(real(new))
            .map(|(old, new)| fs::hard_link(old, new)),
        Twist::Executable(path) => {
            file(path).map(|path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)))
        }
        Twist::Swap(old, new) => real(old)
            .zip(real(new))
            .map(|(old, new)| fs::rename(old, new)),
    };
}

fn run(tree: &Tree, rules: &Skipping<FileGrant>, acts: &[Act]) -> (Vec<String>, Coverage, ReadSet) {
    let quota = Quota {
        write_bytes: 0,
        open_files: 9,
    };
    let view = View::open(tree, rules.clone(), quota, Record::Contents);
    let answers = acts.iter().map(|act| perform(&view, act).0).collect();
    (answers, view.coverage(), view.reads())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_still_holds_gives_the_same_answers_again(
        entries in tree_of(name),
        grant in wide_grant(),
        skip in subsequence(vec!["b/**", "**/c", "d"], 0..2),
        acts in prop::collection::vec(look(guest), 1..24),
        twists in prop::collection::vec(twist(), 1..4),
    ) {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap().join("ws");
        fs::create_dir(&root).unwrap();
        build(&root, &entries);
        let rules = Skipping {
            rules: grant,
            skip: skip.iter().map(|text| text.parse().unwrap()).collect(),
        };
        let memo = DigestMemo::new();
        let tree = open_tree(&root, Protected::default()).with_memo(&memo);
        // What no result may rest on is tried by itself, so that it does not hide the rest.
        let fit = |act: &Act| run(&tree, &rules, std::slice::from_ref(act)).2.reusable().is_ok();
        let acts: Vec<Act> = acts.into_iter().filter(fit).collect();
        let (answers, coverage, set) = run(&tree, &rules, &acts);
        let kept = ReadSet::decode(&set.encode()).unwrap();
        prop_assert_eq!(&kept, &set);
        prop_assert_eq!(Survey::new(&tree, &memo).check(&kept, &rules), Ok(()));
        prop_assert_eq!(run(&tree, &rules, &acts), (answers.clone(), coverage, set.clone()));
        for twist in &twists {
            apply(&root, twist);
        }
        if Survey::new(&tree, &memo).check(&kept, &rules).is_ok() {
            prop_assert_eq!(run(&tree, &rules, &acts), (answers, coverage, set));
        }
    }
}
