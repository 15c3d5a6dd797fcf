//! `leasehold:plugin/workspace`: the tree in few host calls. One call lists many entries, one call reads a file.

use leasehold_files::{FileKind, FsError, Kind, Walk};
use leasehold_lease::Pattern;
use leasehold_seal::Coded;
use wasmtime::component::Resource;

use super::bindings::system::leasehold::plugin::workspace;
use super::{Door, Host, burn_bytes, enter, enter_system};
use crate::limits::{FUEL_CALL, TRANSFER_BYTES, burn};
use crate::state::CallState;

/// `leasehold:plugin/workspace.walk`.
pub struct Listing(Walk);

/// Patterns of one listing.
const PATTERNS: usize = 1024;
/// Entries that one call gives at most.
const BATCH: u32 = 4096;
/// Bytes that one read may ask for. More is an error rather than a shorter answer: a guest takes that for the end of the file.
const READ_BYTES: usize = TRANSFER_BYTES;

/// How much a read asks for, if it may.
fn asked(max: u32) -> Result<usize, workspace::Error> {
    match usize::try_from(max) {
        Ok(max) if max <= READ_BYTES => Ok(max),
        _ => Err(workspace::Error::Pattern(format!(
            "a read asks for at most {READ_BYTES} bytes"
        ))),
    }
}

type Answer<T> = Result<T, workspace::Error>;

fn error(state: &mut CallState, error: &FsError) -> workspace::Error {
    state.file_error(error);
    match error.kind() {
        Kind::NoEntry => workspace::Error::NotFound,
        Kind::Changed => workspace::Error::Changed,
        Kind::Invalid | Kind::NameTooLong | Kind::NotUtf8 => {
            workspace::Error::Pattern(error.code().to_owned())
        }
        Kind::Access | Kind::NotPermitted => workspace::Error::Denied(error.code().to_owned()),
        // The sentence may name what the guest must not know.
        _ => workspace::Error::Io(error.code().to_owned()),
    }
}

fn entry(entry: leasehold_files::WalkEntry) -> workspace::Entry {
    workspace::Entry {
        path: entry.path.to_string(),
        kind: match entry.attributes.kind {
            FileKind::File => workspace::Kind::File,
            FileKind::Directory => workspace::Kind::Directory,
            FileKind::Symlink => workspace::Kind::Symlink,
            FileKind::Other => workspace::Kind::Other,
        },
        size: entry.attributes.size,
        executable: entry.attributes.executable,
        readable: entry.attributes.readable,
    }
}

impl workspace::Host for CallState {}
impl workspace::HostWithStore<CallState> for Host {
    fn read(
        mut door: Door<'_>,
        path: String,
        offset: u64,
        max: u32,
    ) -> wasmtime::Result<Answer<Vec<u8>>> {
        enter_system(&mut door, path.len())?;
        let max = match asked(max) {
            Ok(max) => max,
            Err(error) => return Ok(Err(error)),
        };
        let state = door.get();
        let Some(view) = &state.files else {
            return Ok(Err(workspace::Error::Denied("PATH-DENIED".into())));
        };
        match view.read_path(&path, offset, max) {
            Ok((bytes, _end)) => {
                burn_bytes(&mut door, bytes.len())?;
                Ok(Ok(bytes))
            }
            Err(refused) => Ok(Err(error(state, &refused))),
        }
    }

    fn digest(mut door: Door<'_>, path: String) -> wasmtime::Result<Answer<String>> {
        enter_system(&mut door, path.len())?;
        let state = door.get();
        let Some(view) = &state.files else {
            return Ok(Err(workspace::Error::Denied("PATH-DENIED".into())));
        };
        match view.digest_path(&path) {
            Ok((digest, bytes)) => {
                burn_bytes(&mut door, usize::try_from(bytes).unwrap_or(usize::MAX))?;
                Ok(Ok(digest.to_string()))
            }
            Err(refused) => Ok(Err(error(state, &refused))),
        }
    }

    fn input(
        mut door: Door<'_>,
        name: String,
        offset: u64,
        max: u32,
    ) -> wasmtime::Result<Answer<Vec<u8>>> {
        enter(&mut door)?;
        let Some(bytes) = door.get().inputs.get(&name) else {
            return Ok(Err(workspace::Error::NotFound));
        };
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = bytes.get(from..).unwrap_or_default();
        let max = match asked(max) {
            Ok(max) => max,
            Err(error) => return Ok(Err(error)),
        };
        let part = rest.get(..max).unwrap_or(rest).to_vec();
        burn_bytes(&mut door, part.len())?;
        Ok(Ok(part))
    }
}

impl workspace::HostWalk for CallState {}
impl workspace::HostWalkWithStore<CallState> for Host {
    fn open(
        mut door: Door<'_>,
        patterns: Vec<String>,
    ) -> wasmtime::Result<Answer<Resource<Listing>>> {
        enter_system(&mut door, patterns.iter().map(String::len).sum())?;
        if patterns.len() > PATTERNS {
            return Ok(Err(workspace::Error::Pattern(format!(
                "more than {PATTERNS} patterns"
            ))));
        }
        let parsed = patterns.iter().map(|text| text.parse::<Pattern>());
        let patterns = match parsed.collect::<Result<Vec<_>, _>>() {
            Ok(patterns) => patterns,
            Err(error) => return Ok(Err(workspace::Error::Pattern(error.to_string()))),
        };
        let state = door.get();
        let Some(view) = &state.files else {
            return Ok(Err(workspace::Error::Denied("PATH-DENIED".into())));
        };
        let walk = view.walk(patterns);
        Ok(Ok(state.push(Listing(walk))?))
    }

    fn next(
        mut door: Door<'_>,
        listing: Resource<Listing>,
        max: u32,
    ) -> wasmtime::Result<Answer<Vec<workspace::Entry>>> {
        enter_system(&mut door, 0)?;
        if max == 0 {
            return Ok(Err(workspace::Error::Pattern("a batch of nothing".into())));
        }
        let state = door.get();
        let Listing(walk) = state.table.get_mut(&listing)?;
        match walk.next(max.min(BATCH) as usize) {
            Ok(entries) => {
                let bytes = entries.iter().map(|entry| entry.path.as_str().len()).sum();
                burn_bytes(&mut door, bytes)?;
                // Each entry was looked up by the host: that is not one call's work.
                let _left = burn(&mut door, FUEL_CALL.saturating_mul(entries.len() as u64))?;
                Ok(Ok(entries.into_iter().map(entry).collect()))
            }
            Err(refused) => Ok(Err(error(state, &refused))),
        }
    }

    fn drop(mut door: Door<'_>, listing: Resource<Listing>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        door.get().table.delete(listing)?;
        Ok(())
    }
}
