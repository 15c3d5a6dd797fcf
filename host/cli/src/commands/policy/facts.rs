//! What a tree says about the paths of a request: links, and other names of protected files.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use leasehold_lease::{RelPath, is_protected_name};
use leasehold_rules::{PathFact, Policy};
use leasehold_seal::Class;

use crate::failure::Failure;

/// The most entries that are looked at.
const MOST: usize = 1_000_000;

/// A tree, and which files in it are protected, by identity.
pub(super) struct Facts {
    root: PathBuf,
    protected: HashSet<(u64, u64)>,
}

impl Facts {
    /// Looks for the protected files of a tree. Links are not followed.
    pub(super) fn look(root: &Path, policy: &Policy) -> Result<Self, Failure> {
        let failed = |path: &Path, error: &std::io::Error| Failure::reading("folder", path, error);
        let mut protected = HashSet::new();
        let mut folders = vec![(root.to_owned(), RelPath::root(), false)];
        let mut seen = 0;
        while let Some((folder, inside, within)) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(|error| failed(&folder, &error))? {
                let entry = entry.map_err(|error| failed(&folder, &error))?;
                seen += 1;
                if seen > MOST {
                    let sentence =
                        format!("the tree {} has more than {MOST} entries", root.display());
                    return Err(Failure::new("WORKSPACE-LARGE", Class::Blocked, sentence));
                }
                let info = entry
                    .metadata()
                    .map_err(|error| failed(&entry.path(), &error))?;
                let name = entry.file_name();
                // What is no text has no path that a rule could name; below a protected folder it is protected all the same.
                let path = name.to_str().and_then(|name| inside.join(name).ok());
                let named = path.as_ref().is_some_and(|path| is_protected(policy, path));
                let here = within || named;
                if here && !info.is_dir() {
                    protected.insert((info.dev(), info.ino()));
                }
                if info.is_dir() {
                    folders.push((entry.path(), path.unwrap_or_else(|| inside.clone()), here));
                }
            }
        }
        Ok(Facts {
            root: root.to_owned(),
            protected,
        })
    }

    /// What is known about a path.
    pub(super) fn of(&self, path: &RelPath) -> PathFact {
        let mut place = self.root.clone();
        for component in path.components() {
            place.push(component);
            match fs::symlink_metadata(&place) {
                Ok(info) if info.file_type().is_symlink() => return PathFact::Linked,
                Ok(info) if self.protected.contains(&(info.dev(), info.ino())) => {
                    return PathFact::Protected;
                }
                Ok(_) => {}
                // What is not there is no link; what cannot be looked at might be one.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return PathFact::Plain;
                }
                Err(_) => return PathFact::Linked,
            }
        }
        PathFact::Plain
    }
}

fn is_protected(policy: &Policy, path: &RelPath) -> bool {
    path.components().any(is_protected_name)
        || policy.protected().iter().any(|rule| rule.denies(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    #[test]
    fn links_and_other_names_of_protected_files_are_known() {
        let tree = tempfile::tempdir().unwrap();
        let root = tree.path();
        fs::create_dir_all(root.join("config")).unwrap();
        fs::create_dir_all(root.join("docs")).unwrap();
        fs::write(root.join("config/models.yaml"), b"x").unwrap();
        fs::write(root.join("docs/a.md"), b"x").unwrap();
        fs::hard_link(
            root.join("config/models.yaml"),
            root.join("docs/other.yaml"),
        )
        .unwrap();
        symlink("../config", root.join("docs/link")).unwrap();
        let policy = br#"{"version": 1, "id": "house", "protected": ["config/**"]}"#;
        let facts = Facts::look(root, &Policy::parse(policy).unwrap()).unwrap();
        assert_eq!(facts.of(&path("docs/a.md")), PathFact::Plain);
        assert_eq!(facts.of(&path("docs/new.md")), PathFact::Plain);
        assert_eq!(facts.of(&path("docs/other.yaml")), PathFact::Protected);
        assert_eq!(facts.of(&path("docs/link/models.yaml")), PathFact::Linked);
        assert_eq!(facts.of(&path("config/models.yaml")), PathFact::Protected);
    }
}
