//! What one running call has: its store's data. Made fresh for each call, never reused.

use std::collections::BTreeMap;
use std::sync::Arc;

use leasehold_files::{FsError, View};
use tokio::runtime::Runtime;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi_http::WasiHttpCtxView;

use crate::limits::{
    Deadline, Gauge, Halt, LOG_BYTES, LOG_LINE_BYTES, Limit, MemoryMeter, RESOURCES,
};
use crate::wasi::bindings::system::wasi::filesystem::types::ErrorCode;
use crate::wasi::clocks::VirtualClock;
use crate::wasi::filesystem::error_code;
use crate::wasi::http::net::Net;
use crate::wasi::random::SeededRandom;

/// One line of a plugin's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// What the plugin said: untrusted text.
    pub message: String,
}

/// Something a plugin attached to its call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Unique in the call.
    pub name: String,
    /// As the plugin gave it: untrusted text.
    pub media_type: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// What the guest has said so far, and how much it still may.
pub(crate) struct Output {
    cap: u64,
    left: u64,
    log_left: u64,
    gauge: Gauge,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) log: Vec<LogLine>,
    pub(crate) attachments: Vec<Attachment>,
}

impl Output {
    fn new(cap: u64, gauge: Gauge) -> Self {
        Output {
            cap,
            gauge,
            left: cap,
            log_left: LOG_BYTES,
            stdout: Vec::new(),
            stderr: Vec::new(),
            log: Vec::new(),
            attachments: Vec::new(),
        }
    }

    /// Takes `bytes` of the output limit.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Halt> {
        match self.left.checked_sub(bytes as u64) {
            Some(rest) => {
                self.left = rest;
                self.gauge.output(self.cap - rest);
                Ok(())
            }
            None => Err(Halt::Exceeded(Limit::Output)),
        }
    }

    pub(crate) fn stdout(&mut self, bytes: &[u8]) -> Result<(), Halt> {
        self.take(bytes.len())?;
        self.stdout.extend_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn stderr(&mut self, bytes: &[u8]) -> Result<(), Halt> {
        self.take(bytes.len())?;
        self.stderr.extend_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn log(&mut self, line: LogLine) -> Result<(), Halt> {
        let cost = LOG_LINE_BYTES.saturating_add(line.message.len() as u64);
        match self.log_left.checked_sub(cost) {
            Some(rest) => {
                self.log_left = rest;
                self.log.push(line);
                Ok(())
            }
            None => Err(Halt::Exceeded(Limit::Log)),
        }
    }
}

/// The data of one call's store.
pub(crate) struct CallState {
    pub(crate) table: ResourceTable,
    pub(crate) memory: MemoryMeter,
    pub(crate) deadline: Deadline,
    pub(crate) gauge: Gauge,
    /// The fuel that the call began with.
    fuel: u64,
    pub(crate) clock: VirtualClock,
    pub(crate) random: SeededRandom,
    /// HTTP, as far as the rights go.
    pub(crate) net: Net,
    /// The files of the call: a view, or none at all.
    pub(crate) files: Option<View>,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) stdin: Vec<u8>,
    pub(crate) inputs: BTreeMap<String, Vec<u8>>,
    pub(crate) output: Output,
    /// A limit that a host function refused with an error which the guest may survive.
    pub(crate) touched: Option<Limit>,
    /// Imports that were used and refused, and how often. Their names are those of the plugin: a fixed number of them.
    pub(crate) refused_imports: BTreeMap<String, u64>,
}

/// What [`CallState::new`] is made from.
pub(crate) struct CallParts {
    pub(crate) fuel: u64,
    pub(crate) gauge: Gauge,
    pub(crate) memory_bytes: u64,
    pub(crate) output_bytes: u64,
    pub(crate) deadline: Deadline,
    pub(crate) clock: VirtualClock,
    pub(crate) seed: [u8; 32],
    pub(crate) view: Option<View>,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) stdin: Vec<u8>,
    pub(crate) inputs: BTreeMap<String, Vec<u8>>,
    pub(crate) net: Net,
}

impl CallState {
    pub(crate) fn new(parts: CallParts) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES);
        CallState {
            table,
            memory: MemoryMeter::new(parts.memory_bytes, parts.gauge.clone()),
            deadline: parts.deadline,
            fuel: parts.fuel,
            clock: parts.clock,
            random: SeededRandom::new(parts.seed),
            net: parts.net,
            files: parts.view,
            args: parts.args,
            env: parts.env,
            stdin: parts.stdin,
            inputs: parts.inputs,
            output: Output::new(parts.output_bytes, parts.gauge.clone()),
            gauge: parts.gauge,
            touched: None,
            refused_imports: BTreeMap::new(),
        }
    }

    /// Tells whoever watches how much fuel is left.
    pub(crate) fn note_fuel(&self, left: u64) {
        self.gauge.fuel(self.fuel.saturating_sub(left));
    }

    /// Counts the use of an import that no lease can grant.
    pub(crate) fn refuse_import(&mut self, import: &str) {
        match self.refused_imports.get_mut(import) {
            Some(count) => *count += 1,
            None => {
                self.refused_imports.insert(import.to_owned(), 1);
            }
        }
    }

    /// Puts a resource into the table; a full one ends the call.
    pub(crate) fn push<R: Send + 'static>(&mut self, resource: R) -> wasmtime::Result<Resource<R>> {
        self.table
            .push(resource)
            .map_err(|_full| Halt::Exceeded(Limit::Handles).into())
    }

    /// HTTP as wasmtime-wasi-http sees it.
    pub(crate) fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.net.view(&mut self.table)
    }

    /// What it takes to wait for HTTP.
    pub(crate) fn waiting(
        &mut self,
    ) -> wasmtime::Result<(Arc<Runtime>, &mut ResourceTable, &Deadline)> {
        Ok((self.net.runtime()?, &mut self.table, &self.deadline))
    }

    /// The view. A guest has no descriptor without one, so its absence is a fault of the host.
    pub(crate) fn view(&self) -> wasmtime::Result<&View> {
        let view = self.files.as_ref();
        view.ok_or_else(|| wasmtime::Error::msg("a descriptor without a view"))
    }

    /// The code of a file error for the guest; remembers which limit it stands for.
    pub(crate) fn file_error(&mut self, error: &FsError) -> ErrorCode {
        let code = error_code(error);
        match code {
            ErrorCode::Quota => self.touched = self.touched.or(Some(Limit::Write)),
            ErrorCode::InsufficientMemory => {
                self.touched = self.touched.or(Some(Limit::Handles));
            }
            _ => {}
        }
        code
    }

    /// The limit that a guest which died may have died of.
    pub(crate) fn exceeded(&self) -> Option<Limit> {
        if self.memory.refused {
            return Some(Limit::Memory);
        }
        self.touched
    }
}
