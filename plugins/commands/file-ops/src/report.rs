//! The report: what became of each operation, and the exit code.

use serde::Serialize;

use crate::request::Operation;

/// What is printed, as one line of JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    version: u32,
    status: Status,
    /// Why a request was refused as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    operations: Vec<Line>,
}

/// What became of an operation or of the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    /// It was done.
    Done,
    /// It failed; of the request: an operation failed.
    Failed,
    /// It was not tried, because of another that failed.
    NotRun,
    /// The request is not well formed; nothing was tried.
    Refused,
}

#[derive(Debug, Serialize)]
struct Line {
    op: &'static str,
    path: String,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Report {
    /// Everything was done.
    pub(crate) fn done(operations: &[Operation]) -> Self {
        let lines = operations
            .iter()
            .map(|operation| Line::new(operation, Status::Done))
            .collect();
        Self {
            version: 1,
            status: Status::Done,
            error: None,
            operations: lines,
        }
    }

    /// The request is not well formed.
    pub(crate) fn refused(reason: String) -> Self {
        Self {
            version: 1,
            status: Status::Refused,
            error: Some(reason),
            operations: Vec::new(),
        }
    }

    /// The operation at `at` failed while it was carried out, after those before it.
    pub(crate) fn stopped(operations: &[Operation], at: usize, reason: String) -> Self {
        Self::failed(operations, at, reason, Status::Done)
    }

    /// The operation at `at` does not fit the tree, so nothing was done.
    pub(crate) fn unfit(operations: &[Operation], at: usize, reason: String) -> Self {
        Self::failed(operations, at, reason, Status::NotRun)
    }

    /// 0 when everything was done, 1 when an operation failed, 2 when the request was refused.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.status {
            Status::Done => 0,
            Status::Failed | Status::NotRun => 1,
            Status::Refused => 2,
        }
    }

    pub(crate) fn json(&self) -> String {
        // The type has no maps and no numbers that JSON does not know.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn failed(operations: &[Operation], at: usize, reason: String, before: Status) -> Self {
        let mut lines: Vec<Line> = operations
            .iter()
            .map(|operation| Line::new(operation, Status::NotRun))
            .collect();
        for line in &mut lines[..at] {
            line.status = before;
        }
        lines[at].status = Status::Failed;
        lines[at].error = Some(reason);
        Self {
            version: 1,
            status: Status::Failed,
            error: None,
            operations: lines,
        }
    }
}

impl Line {
    fn new(operation: &Operation, status: Status) -> Self {
        Self {
            op: operation.name(),
            path: operation.path().to_owned(),
            status,
            error: None,
        }
    }
}
