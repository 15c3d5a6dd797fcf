//! `wasi:io`: streams and their errors. Nothing waits: a stream is ready or at its end. The exception is HTTP, where a lease has it:
//! who is asked there answers when they like.

use leasehold_files::{FsError, Node};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode as HttpCode;

use super::bindings::system::wasi::filesystem::types::ErrorCode;
use super::bindings::system::wasi::io::{error, streams};
use super::http::streams::{self as http, Broken};
use super::poll::Pollable;
use super::{Door, Host, burn_bytes, enter, enter_system};
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
    /// The body of a response.
    Http(Resource<DynInputStream>),
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
    /// The body of a request.
    Http(Resource<DynOutputStream>),
}

/// `wasi:io/error.error`: what went wrong with a stream.
pub enum StreamFault {
    /// With a file.
    File(ErrorCode),
    /// With a request or its answer.
    Http(HttpCode),
}

impl error::Host for CallState {}
impl error::HostError for CallState {}
impl error::HostErrorWithStore<CallState> for Host {
    fn to_debug_string(
        mut door: Door<'_>,
        fault: Resource<StreamFault>,
    ) -> wasmtime::Result<String> {
        enter(&mut door)?;
        Ok(match door.get().table.get(&fault)? {
            StreamFault::File(code) => format!("{code:?}"),
            StreamFault::Http(code) => format!("{code:?}"),
        })
    }

    fn drop(mut door: Door<'_>, fault: Resource<StreamFault>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        door.get().table.delete(fault)?;
        Ok(())
    }
}

type StreamResult<T> = Result<T, streams::StreamError>;

/// Reads at most `len` bytes. Only of HTTP, and only without `wait`, an empty answer means "later"; the end is `closed`.
fn read(
    door: &mut Door<'_>,
    stream: &Resource<InputStream>,
    len: u64,
    wait: bool,
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
        InputStream::Http(inner) => {
            let inner = inner.rep();
            let read = http::read(state, inner, len, wait)?;
            return match read {
                Ok(bytes) => {
                    burn_bytes(door, bytes.len())?;
                    Ok(Ok(bytes.into()))
                }
                Err(broken) => broke(door, broken),
            };
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
    let fault = state.push(StreamFault::File(code))?;
    Ok(Err(streams::StreamError::LastOperationFailed(fault)))
}

/// The same for a stream of HTTP.
fn broke<T>(door: &mut Door<'_>, broken: Broken) -> wasmtime::Result<StreamResult<T>> {
    Ok(Err(match broken {
        Broken::Closed => streams::StreamError::Closed,
        Broken::Failed(code) => {
            let fault = door.get().push(StreamFault::Http(code))?;
            streams::StreamError::LastOperationFailed(fault)
        }
    }))
}

/// Which stream of HTTP this is, if it is one.
fn http_stream(
    door: &mut Door<'_>,
    stream: &Resource<OutputStream>,
) -> wasmtime::Result<Option<u32>> {
    Ok(match door.get().table.get(stream)? {
        OutputStream::Http(inner) => Some(inner.rep()),
        _ => None,
    })
}

fn write(
    door: &mut Door<'_>,
    stream: &Resource<OutputStream>,
    bytes: &[u8],
    wait: bool,
) -> wasmtime::Result<StreamResult<()>> {
    if let Some(inner) = http_stream(door, stream)? {
        let bytes = bytes::Bytes::copy_from_slice(bytes);
        let written = if wait {
            http::write_all(door.get(), inner, bytes)?
        } else {
            http::write(door.get(), inner, bytes)?
        };
        return written.map_or_else(|broken| broke(door, broken), |()| Ok(Ok(())));
    }
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
        // Dealt with above.
        OutputStream::Http(_) => Ok(()),
    };
    match result {
        Ok(()) => {
            state.gauge.wrote(bytes.len() as u64);
            Ok(Ok(()))
        }
        Err(error) => failed(door, &error),
    }
}

fn flush(
    door: &mut Door<'_>,
    stream: &Resource<OutputStream>,
    wait: bool,
) -> wasmtime::Result<StreamResult<()>> {
    enter(door)?;
    let Some(inner) = http_stream(door, stream)? else {
        return Ok(Ok(()));
    };
    let flushed = http::flush(door.get(), inner, wait)?;
    flushed.map_or_else(|broken| broke(door, broken), |()| Ok(Ok(())))
}

fn splice(
    door: &mut Door<'_>,
    stream: &Resource<OutputStream>,
    from: &Resource<InputStream>,
    len: u64,
    wait: bool,
) -> wasmtime::Result<StreamResult<u64>> {
    enter_system(door, 0)?;
    let room = match http_stream(door, stream)? {
        None => CHUNK,
        Some(inner) => match http::check_write(door.get(), inner, wait)? {
            Ok(permitted) => permitted as u64,
            Err(broken) => return broke(door, broken),
        },
    };
    let bytes = match read(door, from, len.min(room), wait)? {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Err(error)),
    };
    let written = write(door, stream, &bytes, wait)?;
    Ok(written.map(|()| bytes.len() as u64))
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
        read(&mut door, &stream, len, false)
    }

    fn blocking_read(
        mut door: Door<'_>,
        stream: Resource<InputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<Vec<u8>>> {
        enter(&mut door)?;
        read(&mut door, &stream, len, true)
    }

    fn skip(
        mut door: Door<'_>,
        stream: Resource<InputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<u64>> {
        enter(&mut door)?;
        let read = read(&mut door, &stream, len, false)?;
        Ok(read.map(|bytes| bytes.len() as u64))
    }

    fn blocking_skip(
        mut door: Door<'_>,
        stream: Resource<InputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<u64>> {
        enter(&mut door)?;
        let read = read(&mut door, &stream, len, true)?;
        Ok(read.map(|bytes| bytes.len() as u64))
    }

    fn subscribe(
        mut door: Door<'_>,
        stream: Resource<InputStream>,
    ) -> wasmtime::Result<Resource<Pollable>> {
        enter(&mut door)?;
        let state = door.get();
        let pollable = match state.table.get(&stream)? {
            InputStream::Http(inner) => {
                let inner = Resource::<DynInputStream>::new_borrow(inner.rep());
                Pollable::Http(wasmtime_wasi::p2::subscribe(&mut state.table, inner)?)
            }
            InputStream::Stdin { .. } | InputStream::File { .. } => Pollable::Ready,
        };
        state.push(pollable)
    }

    fn drop(mut door: Door<'_>, stream: Resource<InputStream>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        let state = door.get();
        if let InputStream::Http(inner) = state.table.delete(stream)? {
            drop(state.table.delete(inner)?);
        }
        Ok(())
    }
}

impl streams::HostOutputStream for CallState {}
impl streams::HostOutputStreamWithStore<CallState> for Host {
    fn check_write(
        mut door: Door<'_>,
        stream: Resource<OutputStream>,
    ) -> wasmtime::Result<StreamResult<u64>> {
        enter(&mut door)?;
        let Some(inner) = http_stream(&mut door, &stream)? else {
            return Ok(Ok(CHUNK));
        };
        let permitted = http::check_write(door.get(), inner, false)?;
        permitted.map_or_else(
            |broken| broke(&mut door, broken),
            |permitted| Ok(Ok(permitted as u64)),
        )
    }

    fn write(
        mut door: Door<'_>,
        stream: Resource<OutputStream>,
        contents: Vec<u8>,
    ) -> wasmtime::Result<StreamResult<()>> {
        enter_system(&mut door, contents.len())?;
        write(&mut door, &stream, &contents, false)
    }

    fn blocking_write_and_flush(
        mut door: Door<'_>,
        stream: Resource<OutputStream>,
        contents: Vec<u8>,
    ) -> wasmtime::Result<StreamResult<()>> {
        enter_system(&mut door, contents.len())?;
        write(&mut door, &stream, &contents, true)
    }

    fn flush(
        mut door: Door<'_>,
        stream: Resource<OutputStream>,
    ) -> wasmtime::Result<StreamResult<()>> {
        flush(&mut door, &stream, false)
    }

    fn blocking_flush(
        mut door: Door<'_>,
        stream: Resource<OutputStream>,
    ) -> wasmtime::Result<StreamResult<()>> {
        flush(&mut door, &stream, true)
    }

    fn subscribe(
        mut door: Door<'_>,
        stream: Resource<OutputStream>,
    ) -> wasmtime::Result<Resource<Pollable>> {
        enter(&mut door)?;
        let pollable = match http_stream(&mut door, &stream)? {
            Some(inner) => {
                let inner = Resource::<DynOutputStream>::new_borrow(inner);
                Pollable::Http(wasmtime_wasi::p2::subscribe(&mut door.get().table, inner)?)
            }
            None => Pollable::Ready,
        };
        door.get().push(pollable)
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
        write(&mut door, &stream, &vec![0; len as usize], false)
    }

    fn blocking_write_zeroes_and_flush(
        mut door: Door<'_>,
        stream: Resource<OutputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<()>> {
        enter_system(&mut door, usize::try_from(len).unwrap_or(usize::MAX))?;
        if len > CHUNK {
            return Err(Halt::Exceeded(Limit::Transfer).into());
        }
        write(&mut door, &stream, &vec![0; len as usize], true)
    }

    fn splice(
        mut door: Door<'_>,
        stream: Resource<OutputStream>,
        from: Resource<InputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<u64>> {
        splice(&mut door, &stream, &from, len, false)
    }

    fn blocking_splice(
        mut door: Door<'_>,
        stream: Resource<OutputStream>,
        from: Resource<InputStream>,
        len: u64,
    ) -> wasmtime::Result<StreamResult<u64>> {
        splice(&mut door, &stream, &from, len, true)
    }

    fn drop(mut door: Door<'_>, stream: Resource<OutputStream>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        let state = door.get();
        if let OutputStream::Http(inner) = state.table.delete(stream)? {
            drop(state.table.delete(inner)?);
        }
        Ok(())
    }
}
