//! Outgoing HTTP for guests, over `wasi:http` 0.2: URLs, one request with its answer, and the words for what went wrong. The command
//! `fetch` and the hostile guest `hostile-http` have it in common.
//!
//! Nothing here decides what may be sent: that is the host's, by the lease. So a [`Draft`] can say anything that `wasi:http` can
//! say, sound or not. What sends exists inside a component only; elsewhere, in unit tests for instance, calling it panics.

mod answer;
mod draft;
mod fault;
mod names;
mod url;

pub use answer::{Answer, Download, Pending};
pub use draft::{Draft, Header, Started, Timeouts, Upload};
pub use fault::{Fault, Step};
pub use names::code_name;
pub use url::Url;
