//! Streams and pollables of HTTP. These do wait, for the other side: never past the deadline of the call.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Runtime;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::io::poll::{Host as _, HostPollable};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, StreamError};
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

use crate::limits::{Deadline, Halt};
use crate::state::CallState;

/// How long a wait lasts between two looks at the deadline.
const SLICE: Duration = Duration::from_millis(20);
/// How long an operation that does not wait gives the connection to get on.
const MOMENT: Duration = Duration::from_millis(1);

/// What became of an operation on a stream, where it did not end the call.
pub(crate) enum Broken {
    /// The stream is at its end.
    Closed,
    /// The operation failed.
    Failed(ErrorCode),
}

type Streamed<T> = wasmtime::Result<Result<T, Broken>>;

/// Reads at most `len` bytes. Empty: nothing is there yet, which only happens without `wait`.
pub(crate) fn read(state: &mut CallState, stream: u32, len: usize, wait: bool) -> Streamed<Bytes> {
    let stream = Resource::<DynInputStream>::new_borrow(stream);
    let (runtime, table, deadline) = state.waiting()?;
    let _entered = runtime.enter();
    let stream = table.get_mut(&stream)?;
    loop {
        match stream.read(len) {
            Ok(bytes) if bytes.is_empty() && len > 0 => {}
            Ok(bytes) => return Ok(Ok(bytes)),
            Err(error) => return broken(error).map(Err),
        }
        let patience = (!wait).then_some(MOMENT);
        if until(&runtime, deadline, patience, stream.ready())?.is_none() {
            return Ok(Ok(Bytes::new()));
        }
    }
}

/// How many bytes may be written now. Zero: none yet, which only happens without `wait`.
pub(crate) fn check_write(state: &mut CallState, stream: u32, wait: bool) -> Streamed<usize> {
    let stream = Resource::<DynOutputStream>::new_borrow(stream);
    let (runtime, table, deadline) = state.waiting()?;
    let stream = table.get_mut(&stream)?;
    let patience = (!wait).then_some(MOMENT);
    match until(&runtime, deadline, patience, stream.write_ready())? {
        Some(Ok(permitted)) => Ok(Ok(permitted)),
        Some(Err(error)) => broken(error).map(Err),
        None => Ok(Ok(0)),
    }
}

/// Writes what [`check_write`] has permitted.
pub(crate) fn write(state: &mut CallState, stream: u32, bytes: Bytes) -> Streamed<()> {
    // What leaves the call is its output.
    state.output.take(bytes.len())?;
    let stream = Resource::<DynOutputStream>::new_borrow(stream);
    let (runtime, table, _deadline) = state.waiting()?;
    let _entered = runtime.enter();
    match table.get_mut(&stream)?.write(bytes) {
        Ok(()) => Ok(Ok(())),
        Err(error) => broken(error).map(Err),
    }
}

/// Writes everything, waiting for room.
pub(crate) fn write_all(state: &mut CallState, stream: u32, mut bytes: Bytes) -> Streamed<()> {
    while !bytes.is_empty() {
        let permitted = match check_write(state, stream, true)? {
            Ok(permitted) => permitted,
            Err(broken) => return Ok(Err(broken)),
        };
        let part = bytes.split_to(permitted.min(bytes.len()));
        if let Err(broken) = write(state, stream, part)? {
            return Ok(Err(broken));
        }
    }
    flush(state, stream, true)
}

/// Asks for everything written to be handed to the connection; `wait`: and waits until it is.
pub(crate) fn flush(state: &mut CallState, stream: u32, wait: bool) -> Streamed<()> {
    let borrowed = Resource::<DynOutputStream>::new_borrow(stream);
    let (runtime, table, _deadline) = state.waiting()?;
    let entered = runtime.enter();
    if let Err(error) = table.get_mut(&borrowed)?.flush() {
        return broken(error).map(Err);
    }
    drop(entered);
    if !wait {
        return Ok(Ok(()));
    }
    Ok(check_write(state, stream, true)?.map(drop))
}

/// The places of those that are ready; waits until one is, or as long as `patience` says.
pub(crate) fn poll(
    state: &mut CallState,
    pollables: &[u32],
    patience: Option<Duration>,
) -> wasmtime::Result<Vec<u32>> {
    let borrowed = (pollables.iter())
        .map(|rep| Resource::<DynPollable>::new_borrow(*rep))
        .collect();
    let (runtime, table, deadline) = state.waiting()?;
    let ready = until(&runtime, deadline, patience, table.poll(borrowed))?;
    ready.unwrap_or_else(|| Ok(Vec::new()))
}

/// Gives up a pollable.
pub(crate) fn drop_pollable(
    state: &mut CallState,
    pollable: Resource<DynPollable>,
) -> wasmtime::Result<()> {
    HostPollable::drop(&mut state.table, pollable)
}

/// Waits for a future: not past the deadline, and no longer than `patience` where there is one.
fn until<F: Future>(
    runtime: &Runtime,
    deadline: &Deadline,
    patience: Option<Duration>,
    future: F,
) -> Result<Option<F::Output>, Halt> {
    let end = patience.map(|patience| Instant::now() + patience.max(MOMENT));
    runtime.block_on(async {
        let mut future = pin!(future);
        loop {
            deadline.check()?;
            let now = Instant::now();
            let left = end.map_or(SLICE, |end| end.saturating_duration_since(now));
            let slice = SLICE
                .min(left)
                .min(deadline.at.saturating_duration_since(now));
            if let Ok(output) = tokio::time::timeout(slice, &mut future).await {
                return Ok(Some(output));
            }
            if end.is_some_and(|end| end <= Instant::now()) {
                return Ok(None);
            }
        }
    })
}

fn broken(error: StreamError) -> wasmtime::Result<Broken> {
    match error {
        StreamError::Closed => Ok(Broken::Closed),
        StreamError::LastOperationFailed(error) => Ok(Broken::Failed(code_of(&error))),
        StreamError::Trap(error) => Err(error),
    }
}

/// The word that `wasi:http` has for an error of a stream.
fn code_of(error: &wasmtime::Error) -> ErrorCode {
    if let Some(code) = error.downcast_ref::<ErrorCode>() {
        return code.clone();
    }
    match error.downcast_ref::<Error>() {
        Some(Error::ConnectionReadTimeout) => ErrorCode::ConnectionReadTimeout,
        Some(Error::ConnectionTerminated) => ErrorCode::ConnectionTerminated,
        Some(Error::HttpRequestBodySize(size)) => ErrorCode::HttpRequestBodySize(*size),
        Some(Error::HttpResponseBodySize(size)) => ErrorCode::HttpResponseBodySize(*size),
        Some(Error::HttpResponseIncomplete) => ErrorCode::HttpResponseIncomplete,
        Some(Error::HttpResponseTimeout) => ErrorCode::HttpResponseTimeout,
        _ => ErrorCode::HttpProtocolError,
    }
}
