//! `wasi:http/types`: every function of it that is of use to who sends requests, each with its price, handed on to
//! wasmtime-wasi-http. Streams and pollables are wrapped in ours, so that a guest meets one kind of them.
//!
//! What belongs to who serves requests is not here; a component that imports it gets refusing stubs.

use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, Resource, ResourceTableError, ResourceType};
use wasmtime_wasi_http::p2::bindings::http::types::{
    self as wire, Duration, ErrorCode, HeaderError, Method, Scheme,
};
use wasmtime_wasi_http::p2::body::{HostFutureTrailers, HostIncomingBody, HostOutgoingBody};
use wasmtime_wasi_http::p2::types::{
    HostFutureIncomingResponse, HostIncomingResponse, HostOutgoingRequest,
};
use wasmtime_wasi_http::p2::{HeaderResult, HttpResult};
use wasmtime_wasi_http::{FieldMap, FieldMapError, RequestOptions};

use crate::limits::{FUEL_BYTE, FUEL_CALL, Halt, Limit, burn};
use crate::state::CallState;
use crate::wasi::io::{InputStream, OutputStream, StreamFault};
use crate::wasi::poll::Pollable;

/// The store as these functions see it.
pub(super) type Cx<'a> = StoreContextMut<'a, CallState>;

/// Names and values of header fields, as they cross the border.
type Entries = Vec<(String, Vec<u8>)>;

/// Takes fuel for one call that hands over `bytes` bytes, and looks at the deadline.
pub(super) fn enter(cx: &mut Cx<'_>, bytes: usize) -> wasmtime::Result<()> {
    cx.data().deadline.check()?;
    burn_bytes(cx, bytes)?;
    let left = burn(cx, FUEL_CALL)?;
    cx.data().note_fuel(left);
    Ok(())
}

fn burn_bytes(cx: &mut Cx<'_>, bytes: usize) -> wasmtime::Result<()> {
    burn(cx, FUEL_BYTE.saturating_mul(bytes as u64)).map(drop)
}

/// A full table is one of our limits, and so are too many header fields.
pub(super) fn named<T>(result: wasmtime::Result<T>) -> wasmtime::Result<T> {
    result.map_err(|error| {
        if let Some(ResourceTableError::Full) = error.downcast_ref() {
            return Halt::Exceeded(Limit::Handles).into();
        }
        match error.downcast_ref() {
            Some(FieldMapError::TooManyFields | FieldMapError::TotalSizeTooBig) => {
                Halt::Exceeded(Limit::Headers).into()
            }
            _ => error,
        }
    })
}

fn headers<T>(result: HeaderResult<T>) -> wasmtime::Result<Result<T, HeaderError>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => named(error.downcast()).map(Err),
    }
}

/// As [`headers`], for errors of a request.
pub(super) fn answer<T>(result: HttpResult<T>) -> wasmtime::Result<Result<T, ErrorCode>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => named(error.downcast()).map(Err),
    }
}

/// Defines a function that needs nothing but its price and is handed on.
macro_rules! forward {
    ($to:ident: $($name:literal ($($arg:ident: $ty:ty),*) => $method:path;)*) => {$(
        $to.func_wrap($name, |mut cx: Cx<'_>, ($($arg,)*): ($($ty,)*)| {
            enter(&mut cx, 0)?;
            named($method(&mut cx.data_mut().http(), $($arg),*)).map(|value| (value,))
        })?;
    )*};
}

/// Defines resources, dropped through wasmtime-wasi-http.
macro_rules! resources {
    ($to:ident: $($name:literal $ty:ty => $drop:path;)*) => {$(
        $to.resource($name, ResourceType::host::<$ty>(), |mut cx, rep| {
            $drop(&mut cx.data_mut().http(), Resource::new_own(rep))
        })?;
    )*};
}

/// What the head of a request comes to, in bytes.
pub(super) fn size_of(
    state: &CallState,
    request: &Resource<HostOutgoingRequest>,
) -> wasmtime::Result<usize> {
    let request = state.table.get(request)?;
    let texts = [&request.authority, &request.path_with_query];
    let texts = texts.into_iter().flatten().map(String::len);
    let fields = request.headers.iter();
    let fields = fields.map(|(name, value)| name.as_str().len() + value.len());
    Ok(texts.chain(fields).sum())
}

/// Adds the interface to an instance of a linker.
pub(super) fn add(to: &mut LinkerInstance<'_, CallState>) -> wasmtime::Result<()> {
    resources! { to:
        "fields" FieldMap => wire::HostFields::drop;
        "outgoing-request" HostOutgoingRequest => wire::HostOutgoingRequest::drop;
        "request-options" RequestOptions => wire::HostRequestOptions::drop;
        "incoming-response" HostIncomingResponse => wire::HostIncomingResponse::drop;
        "incoming-body" HostIncomingBody => wire::HostIncomingBody::drop;
        "future-trailers" HostFutureTrailers => wire::HostFutureTrailers::drop;
        "outgoing-body" HostOutgoingBody => wire::HostOutgoingBody::drop;
        "future-incoming-response" HostFutureIncomingResponse => wire::HostFutureIncomingResponse::drop;
    }
    add_fields(to)?;
    add_request(to)?;
    add_options(to)?;
    add_response(to)?;
    add_bodies(to)
}

fn add_fields(to: &mut LinkerInstance<'_, CallState>) -> wasmtime::Result<()> {
    forward! { to:
        "[constructor]fields"() => wire::HostFields::new;
        "[method]fields.has"(this: Resource<FieldMap>, name: String) => wire::HostFields::has;
    }
    to.func_wrap(
        "[static]fields.from-list",
        |mut cx: Cx<'_>, (entries,): (Entries,)| {
            enter(&mut cx, size(&entries))?;
            headers(wire::HostFields::from_list(
                &mut cx.data_mut().http(),
                entries,
            ))
            .map(|value| (value,))
        },
    )?;
    to.func_wrap(
        "[method]fields.get",
        |mut cx: Cx<'_>, (this, name): (Resource<FieldMap>, String)| {
            enter(&mut cx, name.len())?;
            let values = wire::HostFields::get(&mut cx.data_mut().http(), this, name)?;
            burn_bytes(&mut cx, values.iter().map(Vec::len).sum())?;
            Ok((values,))
        },
    )?;
    to.func_wrap(
        "[method]fields.set",
        |mut cx: Cx<'_>, (this, name, values): (Resource<FieldMap>, String, Vec<Vec<u8>>)| {
            enter(&mut cx, values.iter().map(Vec::len).sum())?;
            headers(wire::HostFields::set(
                &mut cx.data_mut().http(),
                this,
                name,
                values,
            ))
            .map(|value| (value,))
        },
    )?;
    to.func_wrap(
        "[method]fields.delete",
        |mut cx: Cx<'_>, (this, name): (Resource<FieldMap>, String)| {
            enter(&mut cx, name.len())?;
            headers(wire::HostFields::delete(
                &mut cx.data_mut().http(),
                this,
                name,
            ))
            .map(|value| (value,))
        },
    )?;
    to.func_wrap(
        "[method]fields.append",
        |mut cx: Cx<'_>, (this, name, value): (Resource<FieldMap>, String, Vec<u8>)| {
            enter(&mut cx, name.len() + value.len())?;
            headers(wire::HostFields::append(
                &mut cx.data_mut().http(),
                this,
                name,
                value,
            ))
            .map(|value| (value,))
        },
    )?;
    to.func_wrap(
        "[method]fields.entries",
        |mut cx: Cx<'_>, (this,): (Resource<FieldMap>,)| {
            enter(&mut cx, 0)?;
            let entries = wire::HostFields::entries(&mut cx.data_mut().http(), this)?;
            burn_bytes(&mut cx, size(&entries))?;
            Ok((entries,))
        },
    )?;
    // A copy can be as large as a whole set of fields may be.
    to.func_wrap(
        "[method]fields.clone",
        |mut cx: Cx<'_>, (this,): (Resource<FieldMap>,)| {
            let entries = wire::HostFields::entries(
                &mut cx.data_mut().http(),
                Resource::new_borrow(this.rep()),
            )?;
            enter(&mut cx, size(&entries))?;
            named(wire::HostFields::clone(&mut cx.data_mut().http(), this)).map(|value| (value,))
        },
    )
}

fn size(entries: &Entries) -> usize {
    let one = |(name, value): &(String, Vec<u8>)| name.len() + value.len();
    entries.iter().map(one).sum()
}

fn add_request(to: &mut LinkerInstance<'_, CallState>) -> wasmtime::Result<()> {
    forward! { to:
        "[constructor]outgoing-request"(fields: Resource<FieldMap>) => wire::HostOutgoingRequest::new;
        "[method]outgoing-request.body"(this: Resource<HostOutgoingRequest>) => wire::HostOutgoingRequest::body;
        "[method]outgoing-request.method"(this: Resource<HostOutgoingRequest>) => wire::HostOutgoingRequest::method;
        "[method]outgoing-request.set-method"(this: Resource<HostOutgoingRequest>, method: Method)
            => wire::HostOutgoingRequest::set_method;
        "[method]outgoing-request.path-with-query"(this: Resource<HostOutgoingRequest>)
            => wire::HostOutgoingRequest::path_with_query;
        "[method]outgoing-request.set-path-with-query"(this: Resource<HostOutgoingRequest>, path: Option<String>)
            => wire::HostOutgoingRequest::set_path_with_query;
        "[method]outgoing-request.scheme"(this: Resource<HostOutgoingRequest>) => wire::HostOutgoingRequest::scheme;
        "[method]outgoing-request.set-scheme"(this: Resource<HostOutgoingRequest>, scheme: Option<Scheme>)
            => wire::HostOutgoingRequest::set_scheme;
        "[method]outgoing-request.authority"(this: Resource<HostOutgoingRequest>)
            => wire::HostOutgoingRequest::authority;
        "[method]outgoing-request.set-authority"(this: Resource<HostOutgoingRequest>, authority: Option<String>)
            => wire::HostOutgoingRequest::set_authority;
        "[method]outgoing-request.headers"(this: Resource<HostOutgoingRequest>) => wire::HostOutgoingRequest::headers;
    }
    Ok(())
}

fn add_options(to: &mut LinkerInstance<'_, CallState>) -> wasmtime::Result<()> {
    forward! { to:
        "[constructor]request-options"() => wire::HostRequestOptions::new;
        "[method]request-options.connect-timeout"(this: Resource<RequestOptions>)
            => wire::HostRequestOptions::connect_timeout;
        "[method]request-options.set-connect-timeout"(this: Resource<RequestOptions>, time: Option<Duration>)
            => wire::HostRequestOptions::set_connect_timeout;
        "[method]request-options.first-byte-timeout"(this: Resource<RequestOptions>)
            => wire::HostRequestOptions::first_byte_timeout;
        "[method]request-options.set-first-byte-timeout"(this: Resource<RequestOptions>, time: Option<Duration>)
            => wire::HostRequestOptions::set_first_byte_timeout;
        "[method]request-options.between-bytes-timeout"(this: Resource<RequestOptions>)
            => wire::HostRequestOptions::between_bytes_timeout;
        "[method]request-options.set-between-bytes-timeout"(this: Resource<RequestOptions>, time: Option<Duration>)
            => wire::HostRequestOptions::set_between_bytes_timeout;
    }
    Ok(())
}

fn add_response(to: &mut LinkerInstance<'_, CallState>) -> wasmtime::Result<()> {
    forward! { to:
        "[method]incoming-response.status"(this: Resource<HostIncomingResponse>) => wire::HostIncomingResponse::status;
        "[method]incoming-response.headers"(this: Resource<HostIncomingResponse>)
            => wire::HostIncomingResponse::headers;
        "[method]incoming-response.consume"(this: Resource<HostIncomingResponse>)
            => wire::HostIncomingResponse::consume;
        "[method]future-incoming-response.get"(this: Resource<HostFutureIncomingResponse>)
            => wire::HostFutureIncomingResponse::get;
        "[method]future-trailers.get"(this: Resource<HostFutureTrailers>) => wire::HostFutureTrailers::get;
        "[static]incoming-body.finish"(this: Resource<HostIncomingBody>) => wire::HostIncomingBody::finish;
    }
    to.func_wrap(
        "[method]future-incoming-response.subscribe",
        |mut cx: Cx<'_>, (this,): (Resource<HostFutureIncomingResponse>,)| {
            enter(&mut cx, 0)?;
            let state = cx.data_mut();
            let inner = named(wire::HostFutureIncomingResponse::subscribe(
                &mut state.http(),
                this,
            ))?;
            state
                .push(Pollable::Http(inner))
                .map(|pollable| (pollable,))
        },
    )?;
    to.func_wrap(
        "[method]future-trailers.subscribe",
        |mut cx: Cx<'_>, (this,): (Resource<HostFutureTrailers>,)| {
            enter(&mut cx, 0)?;
            let state = cx.data_mut();
            let inner = named(wire::HostFutureTrailers::subscribe(&mut state.http(), this))?;
            state
                .push(Pollable::Http(inner))
                .map(|pollable| (pollable,))
        },
    )
}

fn add_bodies(to: &mut LinkerInstance<'_, CallState>) -> wasmtime::Result<()> {
    to.func_wrap(
        "[method]incoming-body.stream",
        |mut cx: Cx<'_>, (this,): (Resource<HostIncomingBody>,)| {
            enter(&mut cx, 0)?;
            let state = cx.data_mut();
            let stream = match named(wire::HostIncomingBody::stream(&mut state.http(), this))? {
                Ok(inner) => Ok(state.push(InputStream::Http(inner))?),
                Err(()) => Err(()),
            };
            Ok((stream,))
        },
    )?;
    to.func_wrap(
        "[method]outgoing-body.write",
        |mut cx: Cx<'_>, (this,): (Resource<HostOutgoingBody>,)| {
            enter(&mut cx, 0)?;
            let state = cx.data_mut();
            let stream = match named(wire::HostOutgoingBody::write(&mut state.http(), this))? {
                Ok(inner) => Ok(state.push(OutputStream::Http(inner))?),
                Err(()) => Err(()),
            };
            Ok((stream,))
        },
    )?;
    to.func_wrap(
        "[static]outgoing-body.finish",
        |mut cx: Cx<'_>,
         (this, trailers): (Resource<HostOutgoingBody>, Option<Resource<FieldMap>>)| {
            enter(&mut cx, 0)?;
            let finished =
                wire::HostOutgoingBody::finish(&mut cx.data_mut().http(), this, trailers);
            answer(finished).map(|value| (value,))
        },
    )?;
    to.func_wrap(
        "http-error-code",
        |mut cx: Cx<'_>, (fault,): (Resource<StreamFault>,)| {
            enter(&mut cx, 0)?;
            let code = match cx.data_mut().table.get(&fault)? {
                StreamFault::Http(code) => Some(code.clone()),
                StreamFault::File(_) => None,
            };
            Ok((code,))
        },
    )
}
