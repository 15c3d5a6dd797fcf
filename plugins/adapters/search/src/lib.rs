//! Adapter `search`: finds text or a pattern in the files that its lease lets it read. The README has the tool's arguments and
//! result; their schemas stand in the manifest.

mod lines;
mod request;

use leasehold_plugin::adapter::{self, Error};
use leasehold_plugin::workspace::{self, Entry, Kind};
use leasehold_plugin::{Adapter, host};
use serde::Serialize;

use crate::request::Request;

leasehold_plugin::adapter!(Search);
leasehold_plugin::manifest!("../manifest.json");

/// The largest file that is looked into, in bytes.
const FILE_BYTES: u64 = 64 << 20;

/// The adapter.
pub struct Search;

impl Adapter for Search {
    fn call(tool: &str, arguments: &str) -> Result<String, Error> {
        match tool {
            "search" => adapter::result(&search(&adapter::arguments(arguments)?)?),
            _ => Err(adapter::unknown_tool(tool)),
        }
    }
}

/// The result of the tool.
#[derive(Default, Serialize)]
struct Answer {
    matches: Vec<Match>,
    files_searched: u64,
    files_skipped: u64,
    truncated: bool,
}

/// A line that matches.
#[derive(Debug, Eq, PartialEq, Serialize)]
struct Match {
    path: String,
    line: u64,
    column: u64,
    text: String,
}

fn search(request: &Request) -> Result<Answer, Error> {
    let needle = request.needle()?;
    let mut answer = Answer::default();
    for entry in workspace::walk(&request.files())? {
        let entry = entry?;
        if entry.kind != Kind::File {
            continue;
        }
        let Some(content) = content(&entry)? else {
            answer.files_skipped += 1;
            continue;
        };
        answer.files_searched += 1;
        // One more than wanted says whether there are more.
        let room = request.max_results() + 1 - answer.matches.len();
        answer
            .matches
            .extend(lines::find(&needle, &entry.path, &content, room));
        if answer.matches.len() > request.max_results() {
            answer.matches.truncate(request.max_results());
            answer.truncated = true;
            break;
        }
    }
    host::debug(&format!("{} files searched", answer.files_searched));
    Ok(answer)
}

/// What is in the file, or nothing when it is not to be looked into.
fn content(entry: &Entry) -> Result<Option<Vec<u8>>, Error> {
    if !entry.readable || entry.size > FILE_BYTES {
        return Ok(None);
    }
    match workspace::read(&entry.path) {
        Ok(bytes) if lines::is_binary(&bytes) => Ok(None),
        Ok(bytes) => Ok(Some(bytes)),
        Err(workspace::Error::Denied(_) | workspace::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
