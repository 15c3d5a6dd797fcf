//! Runs that are ended from outside, watched, or made at the same time, through the binary.

#[path = "pipeline/ended.rs"]
mod ended;
#[path = "pipeline/site.rs"]
mod site;
#[path = "pipeline/terminal.rs"]
mod terminal;
#[path = "pipeline/together.rs"]
mod together;
#[path = "pipeline/watched.rs"]
mod watched;
