//! How much of everything, and how long.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use crate::error::{HttpError, Phase};

/// The most fields in a header, in either direction.
pub const MAX_HEADERS: usize = 100;
/// The largest header, in bytes, in either direction; also of the trailers of a response.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;
/// The most informational responses (1xx) in front of a response.
pub const MAX_INFORMATIONAL: usize = 8;

/// The longest that is waited. Only time counts in which the runtime was there to wait: one that stands still while its
/// owner does something else uses up no more than a quarter of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the name to be resolved, and then for a connection to any of the addresses: 10 s.
    pub connect: Duration,
    /// For the TLS handshake: 10 s.
    pub tls: Duration,
    /// For the whole head of the response, counted from the last byte of the request that the other side took: 30 s.
    pub first_byte: Duration,
    /// For the next bytes of the response's body: 30 s.
    pub between_bytes: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            tls: Duration::from_secs(10),
            first_byte: Duration::from_secs(30),
            between_bytes: Duration::from_secs(30),
        }
    }
}

/// Shorter times that a guest asks for. Longer ones than the [`Limits`] change nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// See [`Limits::connect`]; holds for [`Limits::tls`] too.
    pub connect: Option<Duration>,
    /// See [`Limits::first_byte`].
    pub first_byte: Option<Duration>,
    /// See [`Limits::between_bytes`].
    pub between_bytes: Option<Duration>,
}

impl Limits {
    pub(crate) fn with(self, options: Options) -> Self {
        let least =
            |limit: Duration, wish: Option<Duration>| wish.map_or(limit, |it| it.min(limit));
        Self {
            connect: least(self.connect, options.connect),
            tls: least(self.tls, options.connect),
            first_byte: least(self.first_byte, options.first_byte),
            between_bytes: least(self.between_bytes, options.between_bytes),
        }
    }
}

/// Into how many pieces a wait is cut.
const PIECES: u32 = 4;

/// A timer that runs out after so many pieces of waiting, one after the other. However long nobody polled it, one piece
/// has passed; so what was waited for has had its chance in the others.
pub(crate) struct Patience {
    limit: Duration,
    left: u32,
    sleep: Pin<Box<Sleep>>,
}

impl Patience {
    /// Has to be called in a runtime with a clock.
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit,
            left: PIECES,
            sleep: Box::pin(sleep(limit / PIECES)),
        }
    }

    /// Begins anew.
    pub(crate) fn reset(&mut self) {
        self.left = PIECES;
        self.arm();
    }

    /// Ready when all pieces have passed.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.left > 0 {
            ready!(self.sleep.as_mut().poll(context));
            self.left -= 1;
            self.arm();
        }
        Poll::Ready(())
    }

    fn arm(&mut self) {
        let next = Instant::now() + self.limit / PIECES;
        self.sleep.as_mut().reset(next);
    }
}

/// Waits for a future, but not for ever.
pub(crate) async fn within<F: Future>(
    limit: Duration,
    phase: Phase,
    future: F,
) -> Result<F::Output, HttpError> {
    let mut future = pin!(future);
    let mut patience = Patience::new(limit);
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        patience
            .poll(context)
            .map(|()| Err(HttpError::timeout(phase, limit)))
    })
    .await
}
