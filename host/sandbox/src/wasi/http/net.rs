//! What one call has for HTTP: its rights, its secrets, what it has asked so far, and the runtime on which it asks.

use std::fmt::Write as _;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::BodyExt;
use leasehold_http::{Answered, Client, HttpError, Options, Outgoing, Phase, Placed, Traffic};
use leasehold_lease::{HttpGrant, Permit, Refusal, Target};
use leasehold_seal::{Class, Coded, Digest};
use leasehold_tape::{Draft, Durability, EffectHttp, TapeError};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
};

use crate::admission::Ticket;
use crate::outcome::{RefusedRequest, Request};
use crate::secrets::Held;
use crate::spec::{Recorder, keyed};

/// The most requests of a call.
pub(crate) const REQUESTS: usize = 1_024;
/// The most of them at one time.
pub(crate) const REQUESTS_AT_ONCE: usize = 16;
/// The most refused requests that are told apart.
const REFUSALS: usize = 64;

/// The network of one call. It costs nothing until something is asked.
pub(crate) struct Net {
    context: WasiHttpCtx,
    hooks: Hooks,
    runtime: Option<Arc<Runtime>>,
}

impl Net {
    /// The network that a ticket allows.
    pub(crate) fn new(ticket: &Ticket, client: &Arc<Client>) -> Self {
        let rights = &ticket.rights;
        Net {
            context: WasiHttpCtx::new(),
            hooks: Hooks {
                grant: rights.grant().to_owned(),
                entries: rights.http().to_vec(),
                secrets: ticket.secrets.clone(),
                client: Arc::clone(client),
                scribe: Arc::new(Scribe {
                    call: ticket.call.clone(),
                    salt: keyed(&ticket.recorder.salt_key, ticket.call.as_bytes()),
                    recorder: ticket.recorder.clone(),
                    log: Mutex::default(),
                }),
                room: Arc::new(Semaphore::new(REQUESTS_AT_ONCE)),
            },
            runtime: None,
        }
    }

    /// The same as wasmtime-wasi-http sees it.
    pub(crate) fn view<'a>(&'a mut self, table: &'a mut ResourceTable) -> WasiHttpCtxView<'a> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table,
            ctx: &mut self.context,
        }
    }

    /// The runtime on which connections get on, while the call waits for them.
    pub(crate) fn runtime(&mut self) -> wasmtime::Result<Arc<Runtime>> {
        if let Some(runtime) = &self.runtime {
            return Ok(Arc::clone(runtime));
        }
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        Ok(Arc::clone(self.runtime.insert(Arc::new(runtime))))
    }

    /// What was asked, and what was refused.
    pub(crate) fn finish(&mut self) -> (Vec<Request>, Vec<RefusedRequest>) {
        let log = std::mem::take(&mut *self.hooks.scribe.log());
        let requests = log.asked.into_iter().map(Asked::told).collect();
        (requests, log.refused)
    }
}

/// Decides on requests, and sends those that are allowed.
struct Hooks {
    grant: String,
    entries: Vec<HttpGrant>,
    secrets: Held,
    client: Arc<Client>,
    scribe: Arc<Scribe>,
    room: Arc<Semaphore>,
}

type Sent = (
    http::Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

impl WasiHttpHooks for Hooks {
    /// The host sets it, from the target that was decided on.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let outgoing = match self.decide(request) {
            Ok(outgoing) => outgoing,
            Err(error) => return Box::new(async { Err(error) }),
        };
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
            return Box::new(async { Err(Error::ConnectionLimitReached) });
        };
        let (client, scribe) = (Arc::clone(&self.client), Arc::clone(&self.scribe));
        let options = wishes(options);
        Box::new(async move {
            let (n, answered) = ask(&client, &scribe, outgoing, options).await?;
            let Answered {
                response, driver, ..
            } = answered;
            let broken = Arc::clone(&scribe);
            let response = response.map(|body| {
                let noted = move |error: HttpError| broken.failed(n, &error);
                body.map_err(noted).boxed_unsync()
            });
            let driven = async move {
                let ended = driver.await.map_err(|error| scribe.failed(n, &error));
                drop(permit);
                ended
            };
            Ok((response, Box::new(driven) as Box<_>))
        })
    }
}

impl Hooks {
    /// A request that the grant allows, with the secrets it may have; a refusal is noted.
    fn decide(&self, request: http::Request<WasiBody>) -> Result<Outgoing<WasiBody>, Error> {
        let (parts, body) = request.into_parts();
        let uri = &parts.uri;
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut place = String::new();
        // Writing to a string does not fail.
        let _ = write!(place, "{} {scheme}://{authority}", parts.method);
        let target = Target::parse(parts.method.as_str(), scheme, authority, path)
            .map_err(|refusal| self.scribe.refused(&place, &refusal))?;
        let place = place_of(&target);
        if self.scribe.log().asked.len() >= REQUESTS {
            return Err(Error::ConnectionLimitReached);
        }
        let permit = Permit::decide(&self.grant, &self.entries, target)
            .map_err(|refusal| self.scribe.refused(&place, &refusal))?;
        let placed: Vec<Placed<'_>> = self.secrets.placed().collect();
        let redactor = Arc::clone(self.secrets.redactor());
        Outgoing::new(permit, parts.headers, body, &placed, redactor)
            .map_err(|error| self.scribe.denied(&place, &error))
    }
}

/// Connects, puts the request on the tape, and only then sends it.
async fn ask(
    client: &Client,
    scribe: &Scribe,
    outgoing: Outgoing<WasiBody>,
    options: Options,
) -> Result<(usize, Answered), Error> {
    let target = outgoing.target().clone();
    let secrets = outgoing.secrets().to_vec();
    let connected = match client.connect(outgoing, options).await {
        Ok(connected) => connected,
        Err(error) if error.class() == Class::Refused => {
            return Err(scribe.denied(&place_of(&target), &error));
        }
        Err(error) => {
            let n = scribe.record(&target, None, Vec::new())?;
            return Err(scribe.failed(n, &error));
        }
    };
    let n = scribe.record(&target, Some(connected.address().ip()), secrets)?;
    let answered = connected.send().await;
    let answered = answered.map_err(|error| scribe.failed(n, &error))?;
    scribe.answered(n, &answered);
    Ok((n, answered))
}

/// Keeps count of requests, and puts them on the tape.
struct Scribe {
    call: String,
    salt: [u8; 32],
    recorder: Recorder,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    asked: Vec<Asked>,
    refused: Vec<RefusedRequest>,
}

struct Asked {
    n: u64,
    place: String,
    status: Option<u16>,
    code: Option<&'static str>,
    traffic: Option<Arc<Traffic>>,
}

impl Asked {
    fn told(self) -> Request {
        let traffic = self.traffic;
        Request {
            n: self.n,
            place: self.place,
            status: self.status,
            code: self.code,
            sent: traffic.as_ref().map_or(0, |traffic| traffic.sent()),
            received: traffic.as_ref().map_or(0, |traffic| traffic.received()),
        }
    }
}

impl Scribe {
    /// Puts a request on the tape, before anything of it is sent. The intent before it is durable.
    fn record(
        &self,
        target: &Target,
        address: Option<std::net::IpAddr>,
        secrets: Vec<String>,
    ) -> Result<usize, Error> {
        let mut log = self.log();
        let at = log.asked.len();
        let effect = EffectHttp {
            address,
            call: self.call.clone(),
            host: target.host().to_string(),
            method: target.method().to_string(),
            n: at as u64,
            path: Digest::from_bytes(keyed(&self.salt, target.path_and_query().as_bytes())),
            port: target.port(),
            scheme: target.scheme().to_string(),
            secrets,
        };
        let tape = &self.recorder.tape;
        Draft::http(&effect)
            .and_then(|draft| tape.append(vec![draft], Durability::Written))
            // No record, no request.
            .map_err(|_error: TapeError| Error::InternalError(None))?;
        log.asked.push(Asked {
            n: at as u64,
            place: place_of(target),
            status: None,
            code: None,
            traffic: None,
        });
        Ok(at)
    }

    fn answered(&self, at: usize, answered: &Answered) {
        if let Some(asked) = self.log().asked.get_mut(at) {
            asked.status = Some(answered.response.status().as_u16());
            asked.traffic = Some(Arc::clone(&answered.traffic));
        }
    }

    /// Notes why a request failed; the first reason holds.
    fn failed(&self, at: usize, error: &HttpError) -> Error {
        if let Some(asked) = self.log().asked.get_mut(at) {
            asked.code.get_or_insert(error.code());
        }
        error_of(error)
    }

    /// Notes a request that the grant does not allow.
    fn refused(&self, place: &str, refusal: &Refusal) -> Error {
        self.note(refusal.code(), place, refusal.to_string(), refusal.hint());
        Error::HttpRequestDenied
    }

    /// Notes a request that was refused for its header, or for where it would have gone.
    fn denied(&self, place: &str, error: &HttpError) -> Error {
        self.note(error.code(), place, error.to_string(), error.hint());
        error_of(error)
    }

    fn note(&self, code: &'static str, place: &str, sentence: String, hint: Option<String>) {
        let refused = &mut self.log().refused;
        let same = |known: &&mut RefusedRequest| known.code == code && known.place == place;
        if let Some(known) = refused.iter_mut().find(same) {
            known.count += 1;
        } else if refused.len() < REFUSALS {
            refused.push(RefusedRequest {
                code,
                place: place.to_owned(),
                sentence,
                hint,
                count: 1,
            });
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Method, scheme, host and port: what of a request may stand where others read it.
fn place_of(target: &Target) -> String {
    format!(
        "{} {}://{}:{}",
        target.method(),
        target.scheme(),
        target.host(),
        target.port()
    )
}

fn wishes(options: Option<RequestOptions>) -> Options {
    let options = options.unwrap_or_default();
    Options {
        connect: options.connect_timeout,
        first_byte: options.first_byte_timeout,
        between_bytes: options.between_bytes_timeout,
    }
}

/// The word that `wasi:http` has for an error. What the other side said stays with the host.
fn error_of(error: &HttpError) -> Error {
    match error {
        HttpError::Dns { .. } => Error::DnsError {
            rcode: None,
            info_code: None,
        },
        HttpError::Address { .. } => Error::DestinationIpProhibited,
        HttpError::Connect { .. } => Error::ConnectionRefused,
        HttpError::Tls { .. } => Error::TlsCertificateError,
        HttpError::Timeout { phase, .. } => match phase {
            Phase::Dns => Error::DnsTimeout,
            Phase::Connect | Phase::Tls => Error::ConnectionTimeout,
            Phase::FirstByte => Error::HttpResponseTimeout,
            Phase::BetweenBytes => Error::ConnectionReadTimeout,
        },
        HttpError::Broken(_) => Error::HttpResponseIncomplete,
        HttpError::BodyLength(_) => Error::HttpResponseBodySize(None),
        HttpError::RequestBody => Error::HttpRequestBodySize(None),
        HttpError::Upgrade => Error::HttpUpgradeFailed,
        HttpError::Encoding(_) => Error::HttpResponseContentCoding(None),
        HttpError::SecretHeader(_) | HttpError::SecretPlain { .. } => Error::HttpRequestDenied,
        _ => Error::HttpProtocolError,
    }
}
