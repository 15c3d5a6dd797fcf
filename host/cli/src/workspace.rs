//! A workspace as a call gets it: open, and with everything named that no guest may touch.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use leasehold_files::{FileId, Protected, Tree};
use leasehold_lease::Pattern;
use leasehold_pipeline::Workspace;
use leasehold_rules::Policy;
use leasehold_seal::Class;

use crate::failure::{Failure, OrFail};
use crate::home::Home;

/// The longest `.git` file that is looked into, in bytes.
const GIT_FILE_BYTES: u64 = 4_096;

/// Opens a folder as the workspace of a call. `rules`: files that decide about the call; no guest changes them, nor what a policy
/// protects.
///
/// # Errors
/// `WORKSPACE-MISSING`, `HOME-IN-WORKSPACE`, and those of [`Tree::open`].
pub(crate) fn open(
    folder: &Path,
    home: &Home,
    rules: &[PathBuf],
    policies: &[&Policy],
) -> Result<Tree, Failure> {
    let dir = open_dir(folder, home)?;
    Tree::open(dir, protected(folder, home, rules, policies)?).or_fail()
}

/// Opens a folder as the workspace of a run: no step changes the files of its rules, whether they are there or not.
///
/// # Errors
/// Those of [`open`].
pub(crate) fn open_for_run(
    folder: &Path,
    home: &Home,
    rules: &[PathBuf],
    policies: &[&Policy],
) -> Result<Workspace, Failure> {
    let dir = open_dir(folder, home)?;
    let mut protected = protected(folder, home, rules, policies)?;
    let inside = rules
        .iter()
        .filter_map(|path| path.strip_prefix(folder).ok());
    // A name with `*` in it is a pattern that also matches itself.
    let inside = inside.filter_map(|path| path.to_str()?.parse::<Pattern>().ok());
    protected.fixed_paths.extend(inside);
    let tree = dir.try_clone().map_err(|error| unopened(folder, &error))?;
    Ok(Workspace {
        tree: Tree::open(tree, protected.clone()).or_fail()?,
        dir,
        path: folder.to_owned(),
        protected,
    })
}

fn open_dir(folder: &Path, home: &Home) -> Result<Dir, Failure> {
    home.check_outside(folder)?;
    Dir::open_ambient_dir(folder, ambient_authority()).map_err(|error| unopened(folder, &error))
}

fn unopened(folder: &Path, error: &std::io::Error) -> Failure {
    let sentence = format!(
        "the workspace {} cannot be opened: {error}",
        folder.display()
    );
    Failure::new("WORKSPACE-MISSING", Class::Blocked, sentence)
        .hint("give a folder that exists: --workspace DIR")
}

fn protected(
    folder: &Path,
    home: &Home,
    rules: &[PathBuf],
    policies: &[&Policy],
) -> Result<Protected, Failure> {
    let mut protected = Protected::default();
    // Everything in the home by itself, and not only the home: a second name of a key (a hard link, a bind mount) is still it.
    let mut closed = vec![
        home.folder().to_owned(),
        home.trust_path(),
        home.policy_path(),
        home.revocations_path(),
        home.secrets_path(),
        home.tape(),
        home.store(),
        home.cache(),
    ];
    for below in ["keys", "secrets", "tape"] {
        let below = home.folder().join(below);
        closed.extend(
            fs::read_dir(&below)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path()),
        );
        closed.push(below);
    }
    closed.extend(home.secret_files()?);
    closed.extend(git_folders(folder));
    protected.closed = closed.iter().filter_map(|path| identity(path)).collect();
    let patterns = || policies.iter().flat_map(|policy| policy.protected());
    // What is named without wildcards is known by what it is, too, wherever else it may be found.
    let named = patterns().filter(|pattern| !pattern.as_str().contains(['*', '?']));
    let named = named.map(|pattern| folder.join(pattern.as_str()));
    let fixed: Vec<PathBuf> = rules.iter().cloned().chain(named).collect();
    protected.fixed = fixed.iter().filter_map(|path| identity(path)).collect();
    protected.fixed_paths = patterns().cloned().collect();
    Ok(protected)
}

/// Where the repository of a worktree or submodule really is. A folder called `.git` is closed by its name.
fn git_folders(folder: &Path) -> Vec<PathBuf> {
    let named = |file: &Path, prefix: &str| -> Option<PathBuf> {
        let info = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
        let text = (info.len() <= GIT_FILE_BYTES).then(|| fs::read_to_string(file).ok())??;
        let target = text.trim_end().strip_prefix(prefix)?;
        Some(file.parent()?.join(target))
    };
    let mut folders = Vec::new();
    if let Some(own) = named(&folder.join(".git"), "gitdir: ") {
        folders.extend(named(&own.join("commondir"), ""));
        folders.push(own);
    }
    folders
}

fn identity(path: &Path) -> Option<FileId> {
    let info = fs::metadata(path).ok()?;
    Some(FileId {
        dev: info.dev(),
        ino: info.ino(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worktree_leads_to_its_repository() {
        let root = tempfile::tempdir().unwrap();
        let tree = root.path().join("tree");
        let own = root.path().join("store.git/worktrees/tree");
        fs::create_dir_all(&tree).unwrap();
        fs::create_dir_all(&own).unwrap();
        assert!(git_folders(&tree).is_empty());
        fs::write(tree.join(".git"), "gitdir: ../store.git/worktrees/tree\n").unwrap();
        fs::write(own.join("commondir"), "../..\n").unwrap();
        let found: Vec<_> = git_folders(&tree)
            .iter()
            .filter_map(|path| identity(path))
            .collect();
        let real = [root.path().join("store.git"), own].map(|path| identity(&path).unwrap());
        assert_eq!(found, real);
    }
}
