//! One request and its answer.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{Builder, Connection};

use crate::body::{RequestBody, ResponseBody};
use crate::connect::Connected;
use crate::error::{HttpError, Phase};
use crate::io::{Io, Traffic};
use crate::outgoing::Outgoing;
use crate::patience::{MAX_HEADER_BYTES, MAX_HEADERS, MAX_INFORMATIONAL, Patience};
use crate::redact::Redactor;

/// Fields of a response that were about the connection, which is over for whoever reads them.
const CONNECTION_FIELDS: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// A response, as far as it is there.
pub struct Answered {
    /// Status, header and body. Secrets in header, body and trailers are replaced by `*`; a length stays what it was.
    pub response: Response<ResponseBody>,
    /// Has to be polled for the bodies of request and response to get on. Dropping it breaks the connection off.
    pub driver: Driver,
    /// The address and port at the other end.
    pub address: SocketAddr,
    /// How many bytes went over the connection; goes on counting.
    pub traffic: Arc<Traffic>,
}

/// What keeps the connection going. Ends with it; its error is the reason why it was broken off. May be polled again
/// after its end, and then says the same. Where the response is complete before the request's body is, that is the end:
/// the rest of the body is not sent.
#[must_use = "nothing gets on unless it is polled"]
pub struct Driver(Run);

enum Run {
    Going(Pin<Box<dyn Future<Output = Result<(), HttpError>> + Send>>),
    Ended(Result<(), HttpError>),
}

impl Future for Driver {
    type Output = Result<(), HttpError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Run::Going(run) = &mut self.0 {
            self.0 = Run::Ended(ready!(run.as_mut().poll(context)));
        }
        match &self.0 {
            Run::Going(_) => Poll::Pending,
            Run::Ended(end) => Poll::Ready(end.clone()),
        }
    }
}

impl Driver {
    fn new<B>(
        connection: Connection<Io, RequestBody<B>>,
        faults: Arc<Faults>,
        traffic: Arc<Traffic>,
    ) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let run = async move {
            let error = match connection.without_shutdown().await {
                Ok(parts) if parts.read_buf.is_empty() => return Ok(()),
                Ok(_) => {
                    faults.excess.store(true, Ordering::Relaxed);
                    excess()
                }
                Err(error) if traffic.is_answered() => HttpError::of_body(&error),
                Err(error) => HttpError::of_hyper(&error),
            };
            // Whoever read the request's body may have noted before what was wrong with it.
            Err(faults.request.get().cloned().unwrap_or(error))
        };
        Self(Run::Going(Box::pin(run)))
    }
}

/// What was found to be wrong by those who have no one to tell.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// With the body of the request.
    pub(crate) request: OnceLock<HttpError>,
    /// Whether more came than the response.
    pub(crate) excess: AtomicBool,
}

pub(crate) fn excess() -> HttpError {
    HttpError::BodyLength("the body of the response is longer than its header says".to_owned())
}

/// What is known while a response is waited for.
struct Waiting {
    traffic: Arc<Traffic>,
    /// Whether the guest's body is waited for.
    guest: Arc<AtomicBool>,
    informational: Arc<AtomicUsize>,
    faults: Arc<Faults>,
}

impl<B> Connected<B>
where
    B: Body<Data = Bytes> + Send + 'static,
{
    /// Sends the request and waits for the head of its response. Has to be called in a tokio runtime with time.
    ///
    /// # Errors
    /// `HTTP-TIMEOUT`, `HTTP-PROTOCOL`, `HTTP-BROKEN`, `HTTP-HEADERS`, `HTTP-BODY-LENGTH` and `HTTP-REQUEST-BODY` (of
    /// the request's body), `HTTP-UPGRADE`, `HTTP-ENCODING`.
    pub async fn send(self) -> Result<Answered, HttpError> {
        let address = self.address();
        let Self {
            outgoing,
            stream,
            limits,
            ..
        } = self;
        let waiting = Waiting {
            traffic: Arc::default(),
            guest: Arc::default(),
            informational: Arc::default(),
            faults: Arc::default(),
        };
        let redactor = Arc::clone(&outgoing.redactor);
        let io = Io::new(stream, Arc::clone(&waiting.traffic));
        let request = waiting.request(outgoing);
        let handshake = builder().handshake(io).await;
        let (mut sender, connection) = handshake.map_err(|error| HttpError::of_hyper(&error))?;
        let mut driver = Driver::new(
            connection,
            Arc::clone(&waiting.faults),
            Arc::clone(&waiting.traffic),
        );
        let answer = pin!(sender.send_request(request));
        let answer = waiting.answer(answer, &mut driver, limits.first_byte);
        let (head, body) = answer.await?.into_parts();
        check_response(head.status, &head.headers, &redactor)?;
        let headers = clean_headers(&redactor, head.headers);
        let Waiting {
            traffic, faults, ..
        } = waiting;
        let body = ResponseBody::new(body, redactor, limits.between_bytes, faults);
        let mut response = Response::new(body);
        *response.status_mut() = head.status;
        *response.headers_mut() = headers;
        Ok(Answered {
            response,
            driver,
            address,
            traffic,
        })
    }
}

impl Waiting {
    fn request<B>(&self, outgoing: Outgoing<B>) -> Request<RequestBody<B>> {
        let Outgoing {
            method,
            uri,
            headers,
            body,
            length,
            ..
        } = outgoing;
        let (guest, faults) = (Arc::clone(&self.guest), Arc::clone(&self.faults));
        let mut request = Request::new(RequestBody::new(body, length, guest, faults));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let informational = Arc::clone(&self.informational);
        hyper::ext::on_informational(&mut request, move |_| {
            informational.fetch_add(1, Ordering::Relaxed);
        });
        request
    }

    /// Drives the connection until there is an answer.
    async fn answer(
        &self,
        mut answer: Pin<&mut impl Future<Output = hyper::Result<Response<Incoming>>>>,
        driver: &mut Driver,
        limit: Duration,
    ) -> Result<Response<Incoming>, HttpError> {
        let mut sent = 0;
        let mut patience = Patience::new(limit);
        poll_fn(|context| {
            // The connection first: where it ends, that is what decides. Its error reaches the answer too.
            let _ = Pin::new(&mut *driver).poll(context);
            if self.is_flooded() {
                let message = "there is too much in front of the response";
                return Poll::Ready(Err(HttpError::Headers(message.to_owned())));
            }
            if let Poll::Ready(answer) = answer.as_mut().poll(context) {
                self.traffic.note_answer();
                return Poll::Ready(answer.map_err(|error| self.refusal(&error)));
            }
            // The other side gets its time once it has everything, and the guest takes as long as it likes.
            let progress = self.traffic.sent();
            if progress != sent || self.guest.load(Ordering::Relaxed) {
                sent = progress;
                patience.reset();
            }
            let expired = patience.poll(context);
            expired.map(|()| Err(HttpError::timeout(Phase::FirstByte, limit)))
        })
        .await
    }

    fn is_flooded(&self) -> bool {
        self.informational.load(Ordering::Relaxed) > MAX_INFORMATIONAL || self.traffic.is_flooded()
    }

    fn refusal(&self, error: &hyper::Error) -> HttpError {
        match self.faults.request.get() {
            Some(fault) => fault.clone(),
            None => HttpError::of_hyper(error),
        }
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEADER_BYTES)
        .max_buf_size(MAX_HEADER_BYTES);
    builder
}

/// Refuses what could be read in more than one way, or not be cleared of secrets.
fn check_response(
    status: StatusCode,
    headers: &HeaderMap,
    redactor: &Redactor,
) -> Result<(), HttpError> {
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(HttpError::Upgrade);
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        if !coding.as_bytes().eq_ignore_ascii_case(b"chunked") || codings.next().is_some() {
            let message = "its transfer-encoding is something else than chunked";
            return Err(HttpError::Protocol(message.to_owned()));
        }
        if headers.contains_key(CONTENT_LENGTH) {
            let message = "it has both a transfer-encoding and a content-length";
            return Err(HttpError::Protocol(message.to_owned()));
        }
    }
    if redactor.is_empty() {
        return Ok(());
    }
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    match codings.find(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        Some(coding) => {
            let coding = redactor.bytes(coding.as_bytes());
            let coding = String::from_utf8_lossy(&coding).chars().take(64).collect();
            Err(HttpError::Encoding(coding))
        }
        None => Ok(()),
    }
}

/// The header without fields of the connection, and without secrets in names and values.
pub(crate) fn clean_headers(redactor: &Redactor, mut headers: HeaderMap) -> HeaderMap {
    for name in CONNECTION_FIELDS {
        headers.remove(name);
    }
    if redactor.is_empty() {
        return headers;
    }
    let mut clean = HeaderMap::with_capacity(headers.keys_len());
    for (name, value) in &headers {
        // `*` is a character that names and values may have, so neither of the two fails.
        let name = HeaderName::from_bytes(&redactor.lowered(name.as_str().as_bytes()));
        let value = HeaderValue::from_bytes(&redactor.bytes(value.as_bytes()));
        if let (Ok(name), Ok(value)) = (name, value) {
            clean.append(name, value);
        }
    }
    clean
}
