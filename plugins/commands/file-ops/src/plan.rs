//! Whether a request fits the tree: every operation is tried on the tree as the ones before it would leave it.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::patch;
use crate::request::Operation;

/// What an operation that fits does to its path.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Change {
    /// The file gets this content.
    Content(Vec<u8>),
    /// The file goes away.
    Removal,
    /// The directory comes into being.
    Directory,
}

/// One change for each operation, or the index of the first that does not fit, and why.
pub(crate) fn plan(root: &Path, operations: &[Operation]) -> Result<Vec<Change>, (usize, String)> {
    let mut tree = Tree {
        root,
        planned: HashMap::new(),
    };
    let mut changes = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        let change = tree.fit(operation).map_err(|reason| (index, reason))?;
        tree.planned
            .insert(operation.path().to_owned(), Node::after(&change));
        changes.push(change);
    }
    Ok(changes)
}

/// The tree on disk, and over it what the operations so far would make of it.
struct Tree<'a> {
    root: &'a Path,
    planned: HashMap<String, Node>,
}

/// What stands at a path.
#[derive(Clone)]
enum Node {
    Absent,
    Directory,
    /// A file as it is on disk.
    File,
    /// A file whose content is planned.
    Planned(Vec<u8>),
    /// A symlink or a special file.
    Other,
}

impl Node {
    fn after(change: &Change) -> Self {
        match change {
            Change::Content(content) => Self::Planned(content.clone()),
            Change::Removal => Self::Absent,
            Change::Directory => Self::Directory,
        }
    }
}

impl Tree<'_> {
    fn fit(&self, operation: &Operation) -> Result<Change, String> {
        let path = operation.path();
        self.check_parents(path)?;
        match (operation, self.node(path)?) {
            (_, Node::Other) => Err("it is a symbolic link or a special file".to_owned()),
            (
                Operation::Write { .. }
                | Operation::Update { .. }
                | Operation::Patch { .. }
                | Operation::Delete { .. },
                Node::Directory,
            ) => Err("it is a directory".to_owned()),
            (
                Operation::Update { .. } | Operation::Patch { .. } | Operation::Delete { .. },
                Node::Absent,
            ) => Err("there is no such file".to_owned()),
            (Operation::Mkdir { .. }, Node::Directory) => Err("the directory exists".to_owned()),
            (Operation::Mkdir { .. }, Node::File | Node::Planned(_)) => {
                Err("there is a file of that name".to_owned())
            }
            (Operation::Write { content, .. } | Operation::Update { content, .. }, _) => {
                Ok(Change::Content(content.clone().into_bytes()))
            }
            (Operation::Delete { .. }, _) => Ok(Change::Removal),
            (Operation::Mkdir { .. }, Node::Absent) => Ok(Change::Directory),
            (Operation::Patch { diff, .. }, node) => {
                let old = match node {
                    Node::Planned(content) => content,
                    _ => fs::read(self.root.join(path))
                        .map_err(|error| format!("it cannot be read: {error}"))?,
                };
                let old =
                    String::from_utf8(old).map_err(|_| "it is not text in UTF-8".to_owned())?;
                patch::apply(path, &old, diff).map(|new| Change::Content(new.into_bytes()))
            }
        }
    }

    fn check_parents(&self, path: &str) -> Result<(), String> {
        for (end, _) in path.match_indices('/') {
            let parent = &path[..end];
            match self.node(parent)? {
                Node::Directory => {}
                Node::Absent => return Err(format!("there is no directory {parent:?}")),
                _ => return Err(format!("{parent:?} is not a directory")),
            }
        }
        Ok(())
    }

    fn node(&self, path: &str) -> Result<Node, String> {
        if let Some(node) = self.planned.get(path) {
            return Ok(node.clone());
        }
        match fs::symlink_metadata(self.root.join(path)) {
            Ok(metadata) if metadata.is_dir() => Ok(Node::Directory),
            Ok(metadata) if metadata.is_file() => Ok(Node::File),
            Ok(_) => Ok(Node::Other),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Node::Absent),
            Err(error) => Err(format!("{path:?} cannot be looked at: {error}")),
        }
    }
}
