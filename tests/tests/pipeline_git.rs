//! Through the binary: rules from a commit, and a tree that tries to judge itself.

#[path = "pipeline/ci.rs"]
mod ci;
#[path = "pipeline/desk.rs"]
mod desk;
#[path = "pipeline/judged.rs"]
mod judged;
#[path = "pipeline/places.rs"]
mod places;
#[path = "pipeline/refs.rs"]
mod refs;
#[path = "pipeline/repo.rs"]
mod repo;
