//! `wasi:io`: streams and pollables. Nothing waits: a stream is ready or at its end, and a pollable of the clock is reached by
//! advancing the clock.

use leasehold_files::{FsError, Node};
use wasmtime::component::Resource;

use super::bindings::system::wasi::filesystem::types::ErrorCode;
use super::bindings::system::wasi::io::{error, poll, streams};
use super::{Door, Host, burn_bytes, enter, enter_system, enter_with};
use crate::limits::{FUEL_SYSTEM, Halt, Limit, burn};
use crate::state::CallState;

/// Bytes that one read or write moves at most; a guest asks again for more.
const CHUNK: u64 = 1 << 20;

/// Where a guest reads from.
pub enum InputStream {
    /// Standard input, which the call keeps.
    Stdin { at: usize },
    /// An open file.
    File { node: Node, offset: u64 },
}

/// Where a guest writes to.
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// An open file, from an offset on.
    File { node: Node, offset: u64 },
    /// An open file, at its end.
    Append { node: Node },
}

/// `wasi:io/error.error`: what went wrong with a stream.
pub struct StreamFault {
    pub(crate) code: ErrorCode,
}

/// `wasi:io/poll.pollable`.
pub enum Pollable {
    /// Streams: always.
    Ready,
    /// The clock: from this reading on, in nanoseconds since the start of the call.
    At(u64),
}

impl error::Host for CallState {}
impl error::HostError for CallState {}
impl error::HostErrorWithStore<CallState> for Host {
    fn to_debug_string(
        mut door: Door<'_>,
        fault: Resource<StreamFault>,
    ) -> wasmtime::Result<String> {
        enter(&mut door)?;
        Ok(format!("{:?}", door.get().table.get(&fault)?.code))
    }

    fn drop(mut door: Door<'_>, fault: Resource<StreamFault>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        door.get().table.delete(fault)?;
        Ok(())
    }
}

impl poll::Host for CallState {}
impl poll::HostWithStore<CallState> for Host {
    fn poll(mut door: Door<'_>, list: Vec<Resource<Pollable>>) -> wasmtime::Result<Vec<u32>> {
        enter_with(&mut door, list.len() * 8)?;
        let state = door.get();
        let mut times = Vec::with_capacity(list.len());
        for pollable in &list {
            times.push(match state.table.get(pollable)? {
                Pollable::Ready => 0,
                Pollable::At(when) => *when,
            });
        }
        let first = times.iter().copied().min();
        let first = first.ok_or_else(|| wasmtime::Error::msg("poll of an empty list"))?;
        state.clock.advance_to(first)?;
        let now = state.clock.now();
        let ready = (0u32..).zip(times).filter(|(_, when)| *when <= now);
        Ok(ready.map(|(index, _)| index).collect())
    }
}

impl poll::HostPollable for CallState {}
impl poll::HostPollableWithStore<CallState> for Host {
    fn ready(mut door: Door<'_>, pollable: Resource<Pollable>) -> wasmtime::Result<bool> {
        enter(&mut door)?;
        let state = door.get();
        Ok(match state.table.get(&pollable)? {
            Pollable::Ready => true,
            Pollable::At(when) => *when <= state.clock.now(),
        })
    }

    fn block(mut door: Door<'_>, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        let state = door.get();
        if let Pollable::At(when) = state.table.get(&pollable)? {
            state.clock.advance_to(*when)?;
        }
        Ok(())
    }

    fn drop(mut door: Door<'_>, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        door.get().table.delete(pollable)?;
        Ok(())
    }
}

type StreamResult<T> = Result<T, streams::StreamError>;

/// Reads at most `len` bytes. An empty answer never means "later": the end is `closed`.
fn read(
    door: &mut Door<'_>,
    stream: &Resource<InputStream>,
    len: u64,
) -> wasmtime::Result<StreamResult<Vec<u8>>> {
    let len = usize::try_from(len.min(CHUNK)).unwrap_or(usize::MAX);
    let state = door.get();
    let (bytes, system) = match state.table.get_mut(stream)? {
        InputStream::Stdin { at } => {
            let rest = state.stdin.get(*at..).unwrap_or_default();
            let part = rest.get(..len).unwrap_or(rest);
            *at += part.len();
            (Ok(part.to_vec()), false)
        }
        InputStream::File { node, offset } => {
            let view = state.files.as_ref();
            let view = view.ok_or_else(|| wasmtime::Error::msg("a stream without a view"))?;
            let result = view.read(node, *offset, len).map(|(bytes, _end)| bytes);
            if let Ok(bytes) = &result {
                *offset += bytes.len() as u64;
            }
            (result, true)
        }
    };
    if system {
        let _left = burn(door, FUEL_SYSTEM)?;
    }
    match bytes {
        Ok(bytes) if bytes.is_empty() && len > 0 => Ok(Err(streams::StreamError::Closed)),
        Ok(bytes) => {
            burn_bytes(door, bytes.len())?;
            Ok(Ok(bytes))
        }
        Err(error) => failed(door, &error),
    }
}

/// A file error as the stream error that carries its code.
fn failed<T>(door: &mut Door<'_>, error: &FsError) -> wasmtime::Result<StreamResult<T>> {
    let state = door.get();
    let code = state.file_error(error);
    let fault = state.push(StreamFault { code })?;
    Ok(Err(streams::StreamError::LastOperationFailed(fault)))
}

fn write(
    door: &mut Door<'_>,
    stream: &Resource<OutputStream>,
    bytes: &[u8],
) -> wasmtime::Result<StreamResult<()>> {
    let state = door.get();
    let view = state.files.as_ref();
    let view = || view.ok_or_else(|| wasmtime::Error::msg("a stream without a view"));
    let result = match state.table.get_mut(stream)? {
        OutputStream::Stdout => {
            state.output.stdout(bytes)?;
            return Ok(Ok(()));
        }
        OutputStream::Stderr => {
            state.output.stderr(bytes)?;
            return Ok(Ok(()));
        }
        OutputStream::File { node, offset } => {
            let result = view()?.write(node, *offset, bytes);
            if result.is_ok() {
                *offset += bytes.len() as u64;
            }
            result
        }
        OutputStream::Append { node } => view()?.append(node, bytes).map(|_at| ()),
    };
    match result {
        Ok(()) => {
            state.gauge.wrote(bytes.len() as u64);
            Ok(Ok(()))
        }
        Err(error) => failed(door, &error),
    }
}

impl streams::Host for CallState {}
impl streams::HostInputStream for CallState {}
impl streams::HostInputStreamWithStore<CallState> for Host {
    fn read(
        mut door: Door<'_>,
        stream: Resource<InputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<Vec<u8>>> {
        enter(&mut door)?;
        read(&mut door, &stream, len)
    }

    fn blocking_read(
        door: Door<'_>,
        stream: Resource<InputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<Vec<u8>>> {
        <Self as streams::HostInputStreamWithStore<CallState>>::read(door, stream, len)
    }

    fn skip(
        mut door: Door<'_>,
        stream: Resource<InputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<u64>> {
        enter(&mut door)?;
        let read = read(&mut door, &stream, len)?;
        Ok(read.map(|bytes| bytes.len() as u64))
    }

    fn blocking_skip(
        door: Door<'_>,
        stream: Resource<InputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<u64>> {
        <Self as streams::HostInputStreamWithStore<CallState>>::skip(door, stream, len)
    }

    fn subscribe(
        mut door: Door<'_>,
        _stream: Resource<InputStream>,
    ) -> wasmtime::Result<Resource<Pollable>> {
        enter(&mut door)?;
        door.get().push(Pollable::Ready)
    }

    fn drop(mut door: Door<'_>, stream: Resource<InputStream>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        door.get().table.delete(stream)?;
        Ok(())
    }
}

impl streams::HostOutputStream for CallState {}
impl streams::HostOutputStreamWithStore<CallState> for Host {
    fn check_write(
        mut door: Door<'_>,
        _stream: Resource<OutputStream>,
    ) -> wasmtime::Result<StreamResult<u64>> {
        enter(&mut door)?;
        Ok(Ok(CHUNK))
    }

    fn write(
        mut door: Door<'_>,
        stream: Resource<OutputStream>,
        contents: Vec<u8>,
    ) -> wasmtime::Result<StreamResult<()>> {
        enter_system(&mut door, contents.len())?;
        write(&mut door, &stream, &contents)
    }

    fn blocking_write_and_flush(
        door: Door<'_>,
        stream: Resource<OutputStream>,
        contents: Vec<u8>,
    ) -> wasmtime::Result<StreamResult<()>> {
        <Self as streams::HostOutputStreamWithStore<CallState>>::write(door, stream, contents)
    }

    fn flush(
        mut door: Door<'_>,
        _stream: Resource<OutputStream>,
    ) -> wasmtime::Result<StreamResult<()>> {
        enter(&mut door)?;
        Ok(Ok(()))
    }

    fn blocking_flush(
        door: Door<'_>,
        stream: Resource<OutputStream>,
    ) -> wasmtime::Result<StreamResult<()>> {
        <Self as streams::HostOutputStreamWithStore<CallState>>::flush(door, stream)
    }

    fn subscribe(
        mut door: Door<'_>,
        _stream: Resource<OutputStream>,
    ) -> wasmtime::Result<Resource<Pollable>> {
        enter(&mut door)?;
        door.get().push(Pollable::Ready)
    }

    fn write_zeroes(
        mut door: Door<'_>,
        stream: Resource<OutputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<()>> {
        enter_system(&mut door, usize::try_from(len).unwrap_or(usize::MAX))?;
        if len > CHUNK {
            return Err(Halt::Exceeded(Limit::Transfer).into());
        }
        write(&mut door, &stream, &vec![0; len as usize])
    }

    fn blocking_write_zeroes_and_flush(
        door: Door<'_>,
        stream: Resource<OutputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<()>> {
        <Self as streams::HostOutputStreamWithStore<CallState>>::write_zeroes(door, stream, len)
    }

    fn splice(
        mut door: Door<'_>,
        stream: Resource<OutputStream>,
        from: Resource<InputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<u64>> {
        enter_system(&mut door, 0)?;
        let bytes = match read(&mut door, &from, len)? {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(error)),
        };
        let written = write(&mut door, &stream, &bytes)?;
        Ok(written.map(|()| bytes.len() as u64))
    }

    fn blocking_splice(
        door: Door<'_>,
        stream: Resource<OutputStream>,
        from: Resource<InputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<u64>> {
        <Self as streams::HostOutputStreamWithStore<CallState>>::splice(door, stream, from, len)
    }

    fn drop(mut door: Door<'_>, stream: Resource<OutputStream>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        door.get().table.delete(stream)?;
        Ok(())
    }
}
