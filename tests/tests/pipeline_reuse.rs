//! Results used again, through the binary: what makes a step run again, and what cannot make an earlier result count.

#[path = "pipeline/doubt.rs"]
mod doubt;
#[path = "pipeline/known.rs"]
mod known;
#[path = "pipeline/site.rs"]
mod site;
