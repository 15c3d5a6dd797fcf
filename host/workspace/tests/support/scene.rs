//! A workspace with one of everything, and a step that does one of everything to it.

use leasehold_files::Protected;
use leasehold_workspace::{
    Applied, BringBack, Checked, Difference, Recovered, StepTree, WorkspaceError,
};

use super::{Picture, Place, everything, link, mode, put};

/// Checked against rules that allow everything.
pub fn checked(difference: &Difference) -> Checked<'_> {
    difference
        .check(&everything(), &Protected::default())
        .unwrap()
}

pub fn apply(place: &Place, step: &StepTree) -> Result<Applied, WorkspaceError> {
    let difference = step.difference().unwrap();
    bring_back(place, |back| back.apply(checked(&difference), step))
}

pub fn recover(place: &Place) -> Result<Recovered, WorkspaceError> {
    bring_back(place, |back| back.recover())
}

pub fn bring_back<T>(place: &Place, act: impl FnOnce(BringBack<'_>) -> T) -> T {
    let (ws, dir, journal) = (place.ws(), place.dir(), place.journal());
    act(BringBack::new(&dir, &ws, &journal))
}

/// One of everything that a step can do.
pub fn place() -> Place {
    let place = Place::quick();
    let ws = place.ws();
    put(&ws, "docs/a.md", "a");
    put(&ws, "docs/a-b", "between a and a/b, byte by byte");
    put(&ws, "docs/gone.md", "gone");
    put(&ws, "docs/tree/x/y", "y");
    put(&ws, "docs/tree/z", "z");
    put(&ws, "dir-to-file/in", "in");
    put(&ws, "file-to-dir", "f");
    put(&ws, "tool", "#!/bin/sh");
    put(&ws, "keep", "keep");
    link(&ws, "link", "keep");
    mode(&ws, "docs/a.md", 0o640);
    mode(&ws, "tool", 0o644);
    place
}

pub fn work(step: &StepTree) {
    let tree = step.path();
    put(tree, "docs/a.md", "changed");
    std::fs::remove_file(tree.join("docs/gone.md")).unwrap();
    std::fs::remove_dir_all(tree.join("docs/tree")).unwrap();
    put(tree, "new/deep/n", "n");
    std::fs::create_dir(tree.join("new/empty")).unwrap();
    std::fs::remove_dir_all(tree.join("dir-to-file")).unwrap();
    put(tree, "dir-to-file", "file now");
    std::fs::remove_file(tree.join("file-to-dir")).unwrap();
    put(tree, "file-to-dir/in", "dir now");
    mode(tree, "tool", 0o755);
    std::fs::remove_file(tree.join("link")).unwrap();
}

/// Without permission bits: those of the copy are its own.
pub fn contents(picture: &Picture) -> Vec<(String, String)> {
    let bare = |what: &String| match what.split_once(' ') {
        Some(("dir", _)) => "dir".to_owned(),
        Some(("file", rest)) => rest.split_once(' ').unwrap().1.to_owned(),
        _ => what.clone(),
    };
    let entries = picture.iter();
    entries
        .map(|(path, what)| (path.clone(), bare(what)))
        .collect()
}
