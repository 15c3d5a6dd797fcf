//! A run as one HTML page that needs nothing else and can do nothing.
//!
//! The page has no script, loads nothing and sends nothing: its content security policy forbids all but its own style sheet,
//! by digest. Every text of a plugin is clipped, made visible ([`crate::words::visible`]) and escaped. It is made for a
//! screen, a telephone and paper, light and dark, and says nothing by colour alone.

use askama::Template as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leasehold_seal::Digest;

use crate::error::ReportError;
use crate::model::Run;
use crate::page::Page;

/// Most steps that are printed, worst first.
pub const MAX_STEPS: usize = 2_000;
/// Most findings that are printed for one step.
pub const MAX_FINDINGS: usize = 500;
/// Most entries of every other list of one step.
pub const MAX_ENTRIES: usize = 100;
/// Most characters that are printed of one text.
pub const MAX_TEXT: usize = 2_000;
/// Most bytes of text from the tape and the store on a page; what comes after is only counted. With the markup around it a
/// page stays below 20 MB.
pub const MAX_PAGE_TEXT: usize = 8_000_000;

/// The page's style sheet.
pub(crate) const STYLE: &str = include_str!("../templates/report.css");

/// The page. Same run, same bytes.
///
/// What is left out of it, because there is too much, is counted on it; [`crate::json`] has everything.
///
/// # Errors
/// None that is known.
pub fn html(run: &Run) -> Result<String, ReportError> {
    Page::of(run)
        .render()
        .map_err(|error| ReportError::Write(error.to_string()))
}

/// What the page may do: show itself under its own style sheet.
pub(crate) fn policy() -> String {
    let digest = STANDARD.encode(Digest::of(STYLE.as_bytes()).as_bytes());
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; img-src 'none'; script-src 'none'; base-uri 'none'; form-action 'none'"
    )
}
