//! What went wrong with an exchange, and where.

use std::fmt;

use wasip2::http::types::{ErrorCode, HeaderError, http_error_code};
use wasip2::io::streams::StreamError;

use crate::names::{code_name, header_error_name};

/// The steps of an exchange at which something can go wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// The method was set.
    Method,
    /// The scheme was set.
    Scheme,
    /// The authority was set.
    Authority,
    /// Path and query were set.
    Path,
    /// The header fields were set.
    Headers,
    /// A time-out was set.
    Options,
    /// The request was handed over.
    Handle,
    /// The body was sent.
    Upload,
    /// The trailers of the request were set.
    Trailers,
    /// The answer was waited for.
    Answer,
    /// The body of the answer was read.
    Download,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Method => "method",
            Self::Scheme => "scheme",
            Self::Authority => "authority",
            Self::Path => "path",
            Self::Headers => "headers",
            Self::Options => "options",
            Self::Handle => "handle",
            Self::Upload => "upload",
            Self::Trailers => "trailers",
            Self::Answer => "answer",
            Self::Download => "download",
        })
    }
}

/// What went wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Where.
    pub step: Step,
    /// The name of the error in `wasi:http`; `refused` where that gives none, `closed` where a stream ended too early.
    pub code: &'static str,
    /// What the error carries.
    pub detail: Option<String>,
}

impl Fault {
    pub(crate) fn refused(step: Step) -> Self {
        Self::named(step, "refused")
    }

    pub(crate) fn named(step: Step, code: &'static str) -> Self {
        Self {
            step,
            code,
            detail: None,
        }
    }

    pub(crate) fn of_code(step: Step, error: &ErrorCode) -> Self {
        let (code, detail) = code_name(error);
        Self { step, code, detail }
    }

    pub(crate) fn of_header(step: Step, name: &str, error: &HeaderError) -> Self {
        Self {
            step,
            code: header_error_name(error),
            detail: Some(name.to_owned()),
        }
    }

    pub(crate) fn of_stream(step: Step, error: &StreamError) -> Self {
        match error {
            StreamError::Closed => Self::named(step, "closed"),
            StreamError::LastOperationFailed(error) => match http_error_code(error) {
                Some(code) => Self::of_code(step, &code),
                None => Self {
                    step,
                    code: "internal-error",
                    detail: Some(error.to_debug_string()),
                },
            },
        }
    }
}

/// `HTTP-request-denied`, or with what it carries `DNS-error (NXDOMAIN)`.
impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code)?;
        match &self.detail {
            // It may be the other side's words.
            Some(detail) => write!(formatter, " ({})", detail.escape_debug()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_reads_as_its_code_and_what_that_carries() {
        let fault = Fault::of_code(Step::Handle, &ErrorCode::HttpRequestDenied);
        assert_eq!(fault.to_string(), "HTTP-request-denied");
        let words = Some("bad\u{1b}[2J".to_owned());
        let fault = Fault::of_code(Step::Answer, &ErrorCode::InternalError(words));
        assert_eq!(fault.to_string(), "internal-error (bad\\u{1b}[2J)");
        let fault = Fault::of_header(Step::Headers, "host", &HeaderError::Forbidden);
        assert_eq!(fault.to_string(), "forbidden (host)");
    }
}
