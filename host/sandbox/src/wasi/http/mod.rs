//! `wasi:http`, as far as it sends: types and plumbing are wasmtime-wasi-http's, prices and decisions ours.

pub(crate) mod net;
pub(crate) mod streams;
mod types;

use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::RequestOptions;
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host as _;
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;

use crate::limits::{FUEL_REQUEST, burn};
use crate::state::CallState;
use types::Cx;

/// How imports of the types begin, whatever their version.
pub(crate) const TYPES: &str = "wasi:http/types@";
/// How imports of the function that sends begin.
pub(crate) const HANDLER: &str = "wasi:http/outgoing-handler@";
/// The types as they are offered.
pub(crate) const OFFERED_TYPES: &str = "wasi:http/types@0.2.12";
const OFFERED_HANDLER: &str = "wasi:http/outgoing-handler@0.2.12";

/// Whether an item of the types is for those who serve requests.
pub(crate) fn serves(item: &str) -> bool {
    ["incoming-request", "outgoing-response", "response-outparam"]
        .iter()
        .any(|resource| item.contains(resource))
}

/// Adds what is offered.
pub(crate) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    types::add(&mut linker.instance(OFFERED_TYPES)?)?;
    linker.instance(OFFERED_HANDLER)?.func_wrap(
        "handle",
        |mut cx: Cx<'_>,
         (request, options): (
            Resource<HostOutgoingRequest>,
            Option<Resource<RequestOptions>>,
        )| {
            types::enter(&mut cx, 0)?;
            burn(&mut cx, FUEL_REQUEST)?;
            let state = cx.data_mut();
            // What leaves the call is its output.
            let size = types::size_of(state, &request)?;
            state.output.take(size)?;
            // Bodies and connections get on while the call waits, and only then.
            let runtime = state.net.runtime()?;
            let _entered = runtime.enter();
            let sent = state.http().handle(request, options);
            types::answer(sent).map(|value| (value,))
        },
    )
}
