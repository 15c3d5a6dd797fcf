//! `wasi:io/poll`: what a guest can wait for. A pollable of the clock is reached by advancing the clock; only for HTTP time passes.

use std::time::Duration;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynPollable;

use super::bindings::system::wasi::io::poll;
use super::http::streams as http;
use super::{Door, Host, enter, enter_with};
use crate::state::CallState;

/// `wasi:io/poll.pollable`.
pub enum Pollable {
    /// Streams: always.
    Ready,
    /// The clock: from this reading on, in nanoseconds since the start of the call.
    At(u64),
    /// Something of a request.
    Http(Resource<DynPollable>),
}

impl poll::Host for CallState {}
impl poll::HostWithStore<CallState> for Host {
    fn poll(mut door: Door<'_>, list: Vec<Resource<Pollable>>) -> wasmtime::Result<Vec<u32>> {
        enter_with(&mut door, list.len() * 8)?;
        let state = door.get();
        let mut times = Vec::with_capacity(list.len());
        // Those of HTTP, with their places in the list.
        let mut others: (Vec<u32>, Vec<u32>) = Default::default();
        for (place, pollable) in (0u32..).zip(&list) {
            times.push(match state.table.get(pollable)? {
                Pollable::Ready => Some(0),
                Pollable::At(when) => Some(*when),
                Pollable::Http(inner) => {
                    others.0.push(place);
                    others.1.push(inner.rep());
                    None
                }
            });
        }
        let first = times.iter().copied().flatten().min();
        let mut ready = Vec::new();
        if !others.1.is_empty() {
            let patience = first.map(|first| first.saturating_sub(state.clock.now()));
            let found = http::poll(state, &others.1, patience.map(Duration::from_nanos))?;
            ready.extend(found.iter().filter_map(|at| others.0.get(*at as usize)));
        } else if first.is_none() {
            return Err(wasmtime::Error::msg("poll of an empty list"));
        }
        if let Some(first) = first.filter(|_| ready.is_empty()) {
            state.clock.advance_to(first)?;
        }
        let now = state.clock.now();
        let due = (0u32..).zip(times);
        let due = due.filter(|(_, when)| when.is_some_and(|when| when <= now));
        ready.extend(due.map(|(place, _)| place));
        ready.sort_unstable();
        Ok(ready)
    }
}

impl poll::HostPollable for CallState {}
impl poll::HostPollableWithStore<CallState> for Host {
    fn ready(mut door: Door<'_>, pollable: Resource<Pollable>) -> wasmtime::Result<bool> {
        enter(&mut door)?;
        let state = door.get();
        let inner = match state.table.get(&pollable)? {
            Pollable::Ready => return Ok(true),
            Pollable::At(when) => return Ok(*when <= state.clock.now()),
            Pollable::Http(inner) => inner.rep(),
        };
        let ready = http::poll(state, &[inner], Some(Duration::ZERO))?;
        Ok(!ready.is_empty())
    }

    fn block(mut door: Door<'_>, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        let state = door.get();
        match state.table.get(&pollable)? {
            Pollable::Ready => {}
            Pollable::At(when) => state.clock.advance_to(*when)?,
            Pollable::Http(inner) => {
                let inner = inner.rep();
                http::poll(state, &[inner], None)?;
            }
        }
        Ok(())
    }

    fn drop(mut door: Door<'_>, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        let state = door.get();
        match state.table.delete(pollable)? {
            Pollable::Http(inner) => http::drop_pollable(state, inner),
            Pollable::Ready | Pollable::At(_) => Ok(()),
        }
    }
}
