//! `wasi:filesystem` over the file view. What is allowed is decided there; here are only types, fuel, and what a guest must
//! not learn: times are fixed, every link count is 1.

use leasehold_files::{Attributes, Entry, FileKind, FsError, Kind, Node, OpenHow, View};
use wasmtime::component::Resource;

use super::bindings::system::wasi::filesystem::{preopens, types};
use super::cli::WORKSPACE;
use super::io::{InputStream, OutputStream, StreamFault};
use super::{Door, Host, burn_bytes, enter, enter_system};
use crate::state::CallState;

use types::{DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags};

/// `wasi:filesystem/types.descriptor`.
pub struct Descriptor {
    node: Node,
}

/// `wasi:filesystem/types.directory-entry-stream`.
pub struct EntryStream {
    entries: std::vec::IntoIter<Entry>,
}

type FileResult<T> = Result<T, ErrorCode>;

/// The moment that every file was last touched, as far as guests know: the Unix epoch.
const FIXED_TIME: types::Datetime = types::Datetime {
    seconds: 0,
    nanoseconds: 0,
};

/// The code for a guest.
pub(crate) fn error_code(error: &FsError) -> ErrorCode {
    match error.kind() {
        Kind::Access => ErrorCode::Access,
        Kind::NoEntry => ErrorCode::NoEntry,
        Kind::Exist => ErrorCode::Exist,
        Kind::NotDirectory => ErrorCode::NotDirectory,
        Kind::IsDirectory => ErrorCode::IsDirectory,
        Kind::Loop => ErrorCode::Loop,
        Kind::NotEmpty => ErrorCode::NotEmpty,
        Kind::Invalid => ErrorCode::Invalid,
        Kind::NameTooLong => ErrorCode::NameTooLong,
        Kind::NotUtf8 => ErrorCode::IllegalByteSequence,
        Kind::NotPermitted => ErrorCode::NotPermitted,
        Kind::ReadOnly => ErrorCode::ReadOnly,
        Kind::BadDescriptor => ErrorCode::BadDescriptor,
        Kind::Quota => ErrorCode::Quota,
        Kind::TooManyOpen => ErrorCode::InsufficientMemory,
        Kind::TooLarge => ErrorCode::FileTooLarge,
        Kind::Busy => ErrorCode::Busy,
        Kind::CrossDevice => ErrorCode::CrossDevice,
        Kind::NoSpace => ErrorCode::InsufficientSpace,
        Kind::Unsupported => ErrorCode::Unsupported,
        Kind::Io | Kind::Changed | Kind::Revoked => ErrorCode::Io,
    }
}

/// One operation on the view: takes fuel for `bytes` handed over, asks, and turns a refusal into a code.
fn with_view<T>(
    door: &mut Door<'_>,
    bytes: usize,
    descriptor: &Resource<Descriptor>,
    ask: impl FnOnce(&View, &Node) -> Result<T, FsError>,
) -> wasmtime::Result<FileResult<T>> {
    enter_system(door, bytes)?;
    let state = door.get();
    let node = state.table.get(descriptor)?.node.clone();
    let result = ask(state.view()?, &node);
    Ok(result.map_err(|error| state.file_error(&error)))
}

fn push<R: Send + 'static>(
    door: &mut Door<'_>,
    made: FileResult<R>,
) -> wasmtime::Result<FileResult<Resource<R>>> {
    match made {
        Ok(resource) => door.get().push(resource).map(Ok),
        Err(code) => Ok(Err(code)),
    }
}

fn kind(kind: FileKind) -> DescriptorType {
    match kind {
        FileKind::File => DescriptorType::RegularFile,
        FileKind::Directory => DescriptorType::Directory,
        FileKind::Symlink => DescriptorType::SymbolicLink,
        FileKind::Other => DescriptorType::Unknown,
    }
}

fn stat(attributes: &Attributes) -> types::DescriptorStat {
    types::DescriptorStat {
        type_: kind(attributes.kind),
        link_count: 1,
        size: attributes.size,
        data_access_timestamp: Some(FIXED_TIME),
        data_modification_timestamp: Some(FIXED_TIME),
        status_change_timestamp: Some(FIXED_TIME),
    }
}

fn follow(flags: PathFlags) -> bool {
    flags.contains(PathFlags::SYMLINK_FOLLOW)
}

impl preopens::Host for CallState {}
impl preopens::HostWithStore<CallState> for Host {
    fn get_directories(
        mut door: Door<'_>,
    ) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        enter(&mut door)?;
        let state = door.get();
        if state.files.is_none() {
            return Ok(Vec::new());
        }
        let node = state.view()?.root();
        let root = state.push(Descriptor { node })?;
        Ok(vec![(root, WORKSPACE.to_owned())])
    }
}

impl types::Host for CallState {}
impl types::HostWithStore<CallState> for Host {
    fn filesystem_error_code(
        mut door: Door<'_>,
        fault: Resource<StreamFault>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        enter(&mut door)?;
        Ok(match door.get().table.get(&fault)? {
            StreamFault::File(code) => Some(*code),
            StreamFault::Http(_) => None,
        })
    }
}

impl types::HostDirectoryEntryStream for CallState {}
impl types::HostDirectoryEntryStreamWithStore<CallState> for Host {
    fn read_directory_entry(
        mut door: Door<'_>,
        stream: Resource<EntryStream>,
    ) -> wasmtime::Result<FileResult<Option<types::DirectoryEntry>>> {
        enter(&mut door)?;
        let next = door.get().table.get_mut(&stream)?.entries.next();
        if let Some(entry) = &next {
            burn_bytes(&mut door, entry.name.len())?;
        }
        Ok(Ok(next.map(|entry| types::DirectoryEntry {
            type_: kind(entry.kind),
            name: entry.name,
        })))
    }

    fn drop(mut door: Door<'_>, stream: Resource<EntryStream>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        door.get().table.delete(stream)?;
        Ok(())
    }
}

impl types::HostDescriptor for CallState {}
impl types::HostDescriptorWithStore<CallState> for Host {
    fn read_via_stream(
        mut door: Door<'_>,
        file: Resource<Descriptor>,
        offset: u64,
    ) -> wasmtime::Result<FileResult<Resource<InputStream>>> {
        enter(&mut door)?;
        let node = door.get().table.get(&file)?.node.clone();
        let made = match readable(&node) {
            Ok(()) => Ok(InputStream::File { node, offset }),
            Err(code) => Err(code),
        };
        push(&mut door, made)
    }

    fn write_via_stream(
        mut door: Door<'_>,
        file: Resource<Descriptor>,
        offset: u64,
    ) -> wasmtime::Result<FileResult<Resource<OutputStream>>> {
        enter(&mut door)?;
        let node = door.get().table.get(&file)?.node.clone();
        let made = match writable(&node) {
            Ok(()) => Ok(OutputStream::File { node, offset }),
            Err(code) => Err(code),
        };
        push(&mut door, made)
    }

    fn append_via_stream(
        mut door: Door<'_>,
        file: Resource<Descriptor>,
    ) -> wasmtime::Result<FileResult<Resource<OutputStream>>> {
        enter(&mut door)?;
        let node = door.get().table.get(&file)?.node.clone();
        let made = match writable(&node) {
            Ok(()) => Ok(OutputStream::Append { node }),
            Err(code) => Err(code),
        };
        push(&mut door, made)
    }

    fn advise(
        mut door: Door<'_>,
        _file: Resource<Descriptor>,
        _offset: u64,
        _length: u64,
        _advice: types::Advice,
    ) -> wasmtime::Result<FileResult<()>> {
        enter(&mut door)?;
        Ok(Ok(()))
    }

    fn sync_data(
        mut door: Door<'_>,
        file: Resource<Descriptor>,
    ) -> wasmtime::Result<FileResult<()>> {
        with_view(&mut door, 0, &file, |view, node| view.sync(node))
    }

    fn get_flags(
        mut door: Door<'_>,
        file: Resource<Descriptor>,
    ) -> wasmtime::Result<FileResult<DescriptorFlags>> {
        enter(&mut door)?;
        let given = door.get().table.get(&file)?.node.flags();
        let mut flags = DescriptorFlags::empty();
        for (held, flag) in [
            (given.read, DescriptorFlags::READ),
            (given.write, DescriptorFlags::WRITE),
            (given.mutate, DescriptorFlags::MUTATE_DIRECTORY),
        ] {
            if held {
                flags |= flag;
            }
        }
        Ok(Ok(flags))
    }

    fn get_type(
        mut door: Door<'_>,
        file: Resource<Descriptor>,
    ) -> wasmtime::Result<FileResult<DescriptorType>> {
        enter(&mut door)?;
        let is_dir = door.get().table.get(&file)?.node.is_dir();
        Ok(Ok(if is_dir {
            DescriptorType::Directory
        } else {
            DescriptorType::RegularFile
        }))
    }

    fn set_size(
        mut door: Door<'_>,
        file: Resource<Descriptor>,
        size: u64,
    ) -> wasmtime::Result<FileResult<()>> {
        with_view(&mut door, 0, &file, |view, node| view.set_size(node, size))
    }

    fn set_times(
        mut door: Door<'_>,
        file: Resource<Descriptor>,
        _access: types::NewTimestamp,
        _modification: types::NewTimestamp,
    ) -> wasmtime::Result<FileResult<()>> {
        enter(&mut door)?;
        // Times are fixed for guests, so setting one has nothing to do; only whoever may write may ask.
        Ok(writable(&door.get().table.get(&file)?.node))
    }

    fn read(
        mut door: Door<'_>,
        file: Resource<Descriptor>,
        length: u64,
        offset: u64,
    ) -> wasmtime::Result<FileResult<(Vec<u8>, bool)>> {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(1 << 20);
        let read = with_view(&mut door, 0, &file, |view, node| {
            view.read(node, offset, length)
        })?;
        match read {
            Ok((bytes, end)) => {
                burn_bytes(&mut door, bytes.len())?;
                Ok(Ok((bytes, end)))
            }
            Err(code) => Ok(Err(code)),
        }
    }

    fn write(
        mut door: Door<'_>,
        file: Resource<Descriptor>,
        buffer: Vec<u8>,
        offset: u64,
    ) -> wasmtime::Result<FileResult<u64>> {
        let result = with_view(&mut door, buffer.len(), &file, |view, node| {
            view.write(node, offset, &buffer)
                .map(|()| buffer.len() as u64)
        })?;
        if let Ok(bytes) = result {
            door.get().gauge.wrote(bytes);
        }
        Ok(result)
    }

    fn read_directory(
        mut door: Door<'_>,
        dir: Resource<Descriptor>,
    ) -> wasmtime::Result<FileResult<Resource<EntryStream>>> {
        let listed = with_view(&mut door, 0, &dir, |view, node| view.list(node))?;
        if let Ok(entries) = &listed {
            // Entries take host memory before the guest asks for them.
            let bytes = entries.iter().map(|entry| entry.name.len() + 32).sum();
            burn_bytes(&mut door, bytes)?;
        }
        let made = listed.map(|entries| EntryStream {
            entries: entries.into_iter(),
        });
        push(&mut door, made)
    }

    fn sync(mut door: Door<'_>, file: Resource<Descriptor>) -> wasmtime::Result<FileResult<()>> {
        with_view(&mut door, 0, &file, |view, node| view.sync(node))
    }

    fn create_directory_at(
        mut door: Door<'_>,
        dir: Resource<Descriptor>,
        path: String,
    ) -> wasmtime::Result<FileResult<()>> {
        with_view(&mut door, path.len(), &dir, |view, node| {
            view.create_dir_at(node, &path)
        })
    }

    fn stat(
        mut door: Door<'_>,
        file: Resource<Descriptor>,
    ) -> wasmtime::Result<FileResult<types::DescriptorStat>> {
        let attributes = with_view(&mut door, 0, &file, |view, node| view.stat(node))?;
        Ok(attributes.map(|attributes| stat(&attributes)))
    }

    fn stat_at(
        mut door: Door<'_>,
        dir: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> wasmtime::Result<FileResult<types::DescriptorStat>> {
        let attributes = with_view(&mut door, path.len(), &dir, |view, node| {
            view.stat_at(node, &path, follow(flags))
        })?;
        Ok(attributes.map(|attributes| stat(&attributes)))
    }

    fn set_times_at(
        mut door: Door<'_>,
        dir: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        _access: types::NewTimestamp,
        _modification: types::NewTimestamp,
    ) -> wasmtime::Result<FileResult<()>> {
        with_view(&mut door, path.len(), &dir, |view, node| {
            view.set_times_at(node, &path, follow(flags))
        })
    }

    fn link_at(
        mut door: Door<'_>,
        dir: Resource<Descriptor>,
        _flags: PathFlags,
        old: String,
        _new_dir: Resource<Descriptor>,
        new: String,
    ) -> wasmtime::Result<FileResult<()>> {
        with_view(&mut door, old.len() + new.len(), &dir, |view, node| {
            view.link_at(node, &new)
        })
    }

    fn open_at(
        mut door: Door<'_>,
        dir: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        open: OpenFlags,
        wanted: DescriptorFlags,
    ) -> wasmtime::Result<FileResult<Resource<Descriptor>>> {
        let how = OpenHow {
            follow: follow(flags),
            create: open.contains(OpenFlags::CREATE),
            exclusive: open.contains(OpenFlags::EXCLUSIVE),
            directory: open.contains(OpenFlags::DIRECTORY),
            truncate: open.contains(OpenFlags::TRUNCATE),
            read: wanted.contains(DescriptorFlags::READ),
            write: wanted.contains(DescriptorFlags::WRITE),
            mutate_dir: wanted.contains(DescriptorFlags::MUTATE_DIRECTORY),
        };
        let made = with_view(&mut door, path.len(), &dir, |view, node| {
            view.open_at(node, &path, how)
        })?;
        push(&mut door, made.map(|node| Descriptor { node }))
    }

    fn readlink_at(
        mut door: Door<'_>,
        dir: Resource<Descriptor>,
        path: String,
    ) -> wasmtime::Result<FileResult<String>> {
        let read = with_view(&mut door, path.len(), &dir, |view, node| {
            view.readlink_at(node, &path)
        })?;
        if let Ok(target) = &read {
            burn_bytes(&mut door, target.len())?;
        }
        Ok(read)
    }

    fn remove_directory_at(
        mut door: Door<'_>,
        dir: Resource<Descriptor>,
        path: String,
    ) -> wasmtime::Result<FileResult<()>> {
        with_view(&mut door, path.len(), &dir, |view, node| {
            view.remove_dir_at(node, &path)
        })
    }

    fn rename_at(
        mut door: Door<'_>,
        dir: Resource<Descriptor>,
        old: String,
        new_dir: Resource<Descriptor>,
        new: String,
    ) -> wasmtime::Result<FileResult<()>> {
        let target = door.get().table.get(&new_dir)?.node.clone();
        with_view(&mut door, old.len() + new.len(), &dir, |view, node| {
            view.rename_at(node, &old, &target, &new)
        })
    }

    fn symlink_at(
        mut door: Door<'_>,
        dir: Resource<Descriptor>,
        old: String,
        new: String,
    ) -> wasmtime::Result<FileResult<()>> {
        with_view(&mut door, old.len() + new.len(), &dir, |view, node| {
            view.link_at(node, &new)
        })
    }

    fn unlink_file_at(
        mut door: Door<'_>,
        dir: Resource<Descriptor>,
        path: String,
    ) -> wasmtime::Result<FileResult<()>> {
        with_view(&mut door, path.len(), &dir, |view, node| {
            view.unlink_at(node, &path)
        })
    }

    fn is_same_object(
        mut door: Door<'_>,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        enter(&mut door)?;
        let state = door.get();
        let one = &state.table.get(&one)?.node;
        Ok(one.is_same(&state.table.get(&other)?.node))
    }

    fn metadata_hash(
        mut door: Door<'_>,
        file: Resource<Descriptor>,
    ) -> wasmtime::Result<FileResult<types::MetadataHashValue>> {
        let hash = with_view(&mut door, 0, &file, |view, node| view.metadata_hash(node))?;
        Ok(hash.map(hash_value))
    }

    fn metadata_hash_at(
        mut door: Door<'_>,
        dir: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> wasmtime::Result<FileResult<types::MetadataHashValue>> {
        let hash = with_view(&mut door, path.len(), &dir, |view, node| {
            view.metadata_hash_at(node, &path, follow(flags))
        })?;
        Ok(hash.map(hash_value))
    }

    fn drop(mut door: Door<'_>, file: Resource<Descriptor>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        door.get().table.delete(file)?;
        Ok(())
    }
}

fn readable(node: &Node) -> FileResult<()> {
    if node.is_dir() {
        Err(ErrorCode::IsDirectory)
    } else if node.flags().read {
        Ok(())
    } else {
        Err(ErrorCode::BadDescriptor)
    }
}

fn writable(node: &Node) -> FileResult<()> {
    if node.is_dir() {
        Err(ErrorCode::IsDirectory)
    } else if node.flags().write {
        Ok(())
    } else {
        Err(ErrorCode::BadDescriptor)
    }
}

fn hash_value((lower, upper): (u64, u64)) -> types::MetadataHashValue {
    types::MetadataHashValue { lower, upper }
}
