//! Answers: waiting for one and reading it.

use wasip2::http::types::{FutureIncomingResponse, IncomingBody, IncomingResponse};
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, StreamError};

use crate::draft::Header;
use crate::fault::{Fault, Step};

/// An answer that may be on its way.
pub struct Pending(FutureIncomingResponse);

impl Pending {
    pub(crate) fn of(future: FutureIncomingResponse) -> Self {
        Self(future)
    }

    /// Ready when the answer or an error is there.
    pub fn subscribe(&self) -> Pollable {
        self.0.subscribe()
    }

    /// Waits for status and header fields.
    ///
    /// # Errors
    /// [`Fault`] where there is no answer.
    pub fn wait(self) -> Result<Answer, Fault> {
        loop {
            match self.0.get() {
                Some(Ok(Ok(response))) => return Answer::of(&response),
                Some(Ok(Err(code))) => return Err(Fault::of_code(Step::Answer, &code)),
                // It can be had once only, and nobody had it.
                Some(Err(())) => return Err(Fault::refused(Step::Answer)),
                None => self.0.subscribe().block(),
            }
        }
    }
}

/// An answer, the body of which is not read yet.
pub struct Answer {
    /// The status, 200 for instance.
    pub status: u16,
    /// The header fields, in the order in which they came.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Download,
}

impl Answer {
    fn of(response: &IncomingResponse) -> Result<Self, Fault> {
        let refused = |()| Fault::refused(Step::Download);
        let body = response.consume().map_err(refused)?;
        Ok(Self {
            status: response.status(),
            headers: response.headers().entries(),
            body: Download {
                stream: body.stream().map_err(refused)?,
                body,
            },
        })
    }
}

/// The body of an answer.
pub struct Download {
    // Dropped in this order: a stream may not outlive its body.
    stream: InputStream,
    body: IncomingBody,
}

impl Download {
    /// Waits for the next bytes, at most `max`; nothing at the end.
    ///
    /// # Errors
    /// [`Fault`] where the answer breaks off.
    pub fn next(&mut self, max: u64) -> Result<Option<Vec<u8>>, Fault> {
        loop {
            match self.stream.blocking_read(max) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Ok(Some(bytes)),
                Err(StreamError::Closed) => return Ok(None),
                Err(error) => return Err(Fault::of_stream(Step::Download, &error)),
            }
        }
    }

    /// Waits for the trailers, which follow the body; empty where there are none.
    ///
    /// # Errors
    /// [`Fault`] where the answer breaks off.
    pub fn trailers(self) -> Result<Vec<Header>, Fault> {
        let Self { stream, body } = self;
        drop(stream);
        let future = IncomingBody::finish(body);
        loop {
            match future.get() {
                Some(Ok(Ok(Some(fields)))) => return Ok(fields.entries()),
                Some(Ok(Ok(None))) => return Ok(Vec::new()),
                Some(Ok(Err(code))) => return Err(Fault::of_code(Step::Download, &code)),
                Some(Err(())) => return Err(Fault::refused(Step::Download)),
                None => future.subscribe().block(),
            }
        }
    }
}
