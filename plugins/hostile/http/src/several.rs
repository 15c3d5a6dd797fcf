//! More than one request.

use std::thread;
use std::time::Duration;

use http_exchange::{Draft, Url};
use serde_json::{Value, json};
use wasip2::http::types::{Fields, OutgoingRequest};
use wasip2::io::poll::{Pollable, poll};

use crate::report::{Attempt, Failure, Report};

/// Follows wherever it is led to, at most `count` times: other hosts, other schemes, other ports.
pub(crate) fn follow(url: &Url, count: u64) -> Attempt {
    let mut url = url.clone();
    let mut way = Vec::new();
    loop {
        let gone = |way: &[Value]| json!(way);
        let failed = |fault, way: &[Value]| Failure::from(fault).with("way", gone(way));
        let started = Draft::new("GET", &url).start(false);
        let pending = started.map_err(|fault| failed(fault, &way))?.pending;
        let answer = pending.wait().map_err(|fault| failed(fault, &way))?;
        way.push(json!([url.to_string(), answer.status]));
        let location = (answer.headers.iter())
            .find(|(name, _)| name.eq_ignore_ascii_case("location"))
            .filter(|_| (300..400).contains(&answer.status));
        let Some((_, location)) = location else {
            return Ok(Report::default()
                .with("status", answer.status)
                .with("way", gone(&way)));
        };
        if way.len() as u64 > count {
            return Err(Failure::named("too-many").with("way", gone(&way)));
        }
        let next = url.join(location);
        url = next.map_err(|reason| {
            Failure::named("location")
                .with("reason", reason)
                .with("way", gone(&way))
        })?;
    }
}

/// So many requests at once: all are handed over before any answer is waited for. It works when all are answered.
pub(crate) fn many(url: &Url, count: u64) -> Attempt {
    let mut open = Vec::new();
    for started in 0..count {
        let one = Draft::new("GET", url).start(false);
        open.push(
            one.map_err(|fault| Failure::from(fault).with("started", started))?
                .pending,
        );
    }
    let mut answered = 0_u64;
    while !open.is_empty() {
        let pollables: Vec<Pollable> = open.iter().map(|pending| pending.subscribe()).collect();
        let borrowed: Vec<&Pollable> = pollables.iter().collect();
        let mut ready = poll(&borrowed);
        drop(borrowed);
        drop(pollables);
        // From the last on, so that places stay what they are while answers are taken out.
        ready.sort_unstable();
        for place in ready.into_iter().rev() {
            let pending = open.remove(place as usize);
            let answer = pending.wait();
            answer.map_err(|fault| {
                Failure::from(fault)
                    .with("started", count)
                    .with("answered", answered)
            })?;
            answered += 1;
        }
    }
    Ok(Report::default()
        .with("started", count)
        .with("answered", answered))
}

/// Opens so many requests, waits for the beginnings of the answers and never reads on, for as long as its clock says.
pub(crate) fn hold(url: &Url, count: u64, milliseconds: u64) -> Attempt {
    let mut held = Vec::new();
    for index in 0..count {
        let answer = Draft::new("GET", url)
            .start(false)
            .and_then(|started| started.pending.wait());
        held.push(answer.map_err(|fault| Failure::from(fault).with("held", index))?);
    }
    thread::sleep(Duration::from_millis(milliseconds));
    let statuses: Vec<u16> = held.iter().map(|answer| answer.status).collect();
    Ok(Report::default()
        .with("held", held.len())
        .with("statuses", statuses))
}

/// Makes so many sets of header fields and so many requests, keeps them all, and sends none.
pub(crate) fn flood(url: &Url, count: u64) -> Attempt {
    let mut kept = Vec::new();
    for _ in 0..count {
        let request = OutgoingRequest::new(Fields::new());
        let set = request.set_authority(Some(url.authority()));
        set.map_err(|()| Failure::named("refused"))?;
        kept.push((Fields::new(), request));
    }
    Ok(Report::default().with("kept", kept.len()))
}
