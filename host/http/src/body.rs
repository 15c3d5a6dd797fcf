//! Bodies: the request's, held to its length, and the response's, held to its pace and cleared of secrets.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::error::{HttpError, Phase};
use crate::exchange::{Faults, clean_headers, excess};
use crate::patience::Patience;
use crate::redact::{Redaction, Redactor};

/// The body of a request, which ends with an error where it is not as long as the header says.
pub(crate) struct RequestBody<B> {
    inner: Pin<Box<B>>,
    /// What is still to come, where the header states the length.
    left: Option<u64>,
    /// Whether it is the guest that is waited for.
    waiting: Arc<AtomicBool>,
    faults: Arc<Faults>,
}

/// The body ended in a way that leaves nothing good to be sent. Why is noted elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("the body is no good")]
pub(crate) struct BadBody;

impl<B> RequestBody<B> {
    pub(crate) fn new(
        inner: B,
        left: Option<u64>,
        waiting: Arc<AtomicBool>,
        faults: Arc<Faults>,
    ) -> Self {
        Self {
            inner: Box::pin(inner),
            left,
            waiting,
            faults,
        }
    }

    fn fail(&self, error: HttpError) -> BadBody {
        let _ = self.faults.request.set(error);
        BadBody
    }

    /// Counts a frame.
    fn take(&mut self, length: usize) -> Result<(), BadBody> {
        let Some(left) = self.left else {
            return Ok(());
        };
        self.left = left.checked_sub(length as u64);
        match self.left {
            Some(_) => Ok(()),
            None => Err(self.fail(length_error("longer"))),
        }
    }
}

fn length_error(how: &str) -> HttpError {
    let message = format!("the body of the request is {how} than its content-length says");
    HttpError::BodyLength(message)
}

impl<B: Body<Data = Bytes>> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = BadBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BadBody>>> {
        let polled = self.inner.as_mut().poll_frame(context);
        self.waiting.store(polled.is_pending(), Ordering::Relaxed);
        Poll::Ready(match ready!(polled) {
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                Some(self.take(length).map(|()| frame))
            }
            Some(Err(_)) => Some(Err(self.fail(HttpError::RequestBody))),
            None if self.left.is_some_and(|left| left > 0) => {
                Some(Err(self.fail(length_error("shorter"))))
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream() && self.left.is_none_or(|left| left == 0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(|| self.inner.size_hint(), SizeHint::with_exact)
    }
}

/// The body of a response, cleared of secrets. It only gets on while the [`crate::Driver`] is polled too.
///
/// Its end is an error (`HTTP-BODY-LENGTH`) where less came than the header says, and where more had come by then; what
/// would come later is never read.
pub struct ResponseBody {
    inner: Incoming,
    redactor: Arc<Redactor>,
    redaction: Redaction,
    between: Duration,
    patience: Option<Patience>,
    trailers: Option<HeaderMap>,
    ended: bool,
    faults: Arc<Faults>,
}

impl ResponseBody {
    pub(crate) fn new(
        inner: Incoming,
        redactor: Arc<Redactor>,
        between: Duration,
        faults: Arc<Faults>,
    ) -> Self {
        Self {
            inner,
            redactor,
            redaction: Redaction::default(),
            between,
            patience: None,
            trailers: None,
            ended: false,
            faults,
        }
    }

    /// The next frame of the connection, or the end of waiting for it.
    fn poll_inner(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            self.patience = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(|error| self.broken(&error))));
        }
        let patience = self
            .patience
            .get_or_insert_with(|| Patience::new(self.between));
        ready!(patience.poll(context));
        let error = HttpError::timeout(Phase::BetweenBytes, self.between);
        Poll::Ready(Some(Err(error)))
    }

    fn broken(&self, error: &hyper::Error) -> HttpError {
        let fault = self.faults.request.get().cloned();
        fault.unwrap_or_else(|| HttpError::of_body(error))
    }

    /// What of the data is certain to have no secret in it.
    fn clean(&mut self, data: Bytes) -> Bytes {
        if self.redactor.is_empty() {
            return data;
        }
        self.redaction.feed(&self.redactor, &data).into()
    }

    fn rest(&mut self) -> Option<Frame<Bytes>> {
        let rest = self.redaction.finish(&self.redactor);
        (!rest.is_empty()).then(|| Frame::data(rest.into()))
    }

    fn fail(&mut self, error: HttpError) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        self.ended = true;
        Poll::Ready(Some(Err(error)))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        loop {
            if let Some(trailers) = self.trailers.take() {
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let frame = match ready!(self.poll_inner(context)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return self.fail(error),
                None => {
                    if self.faults.excess.load(Ordering::Relaxed) {
                        return self.fail(excess());
                    }
                    self.ended = true;
                    return Poll::Ready(self.rest().map(Ok));
                }
            };
            match frame.into_data() {
                Ok(data) => {
                    let data = self.clean(data);
                    if !data.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                }
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    self.trailers = Some(clean_headers(&self.redactor, trailers));
                    if let Some(rest) = self.rest() {
                        return Poll::Ready(Some(Ok(rest)));
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let nothing_held = self.redaction.held() == 0 && self.trailers.is_none();
        self.ended && nothing_held
    }

    fn size_hint(&self) -> SizeHint {
        let inner = self.inner.size_hint();
        let held = self.redaction.held() as u64;
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint.set_lower(inner.lower().saturating_add(held));
        hint
    }
}
