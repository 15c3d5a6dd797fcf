//! Runs through the binary: what steps come to, what writers may leave behind, what gates were not shown, and how it is told.

#[path = "pipeline/outcomes.rs"]
mod outcomes;
#[path = "pipeline/site.rs"]
mod site;
#[path = "pipeline/told.rs"]
mod told;
#[path = "pipeline/views.rs"]
mod views;
#[path = "pipeline/writers.rs"]
mod writers;
