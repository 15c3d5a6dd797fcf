//! What one call may use up, counted while it runs, and the name of what ran out.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Instant;

use wasmtime::{AsContextMut, ResourceLimiter};

/// Something a lease limits, or a fixed cap of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// `limits.fuel`.
    Fuel,
    /// `limits.wall_ms`, in real or in virtual time.
    Wall,
    /// `limits.memory_bytes`, over all memories and tables of the call together.
    Memory,
    /// The wasm stack ([`STACK_BYTES`]).
    Stack,
    /// `limits.output_bytes`: standard output and error, attachments and the result together.
    Output,
    /// The log volume ([`LOG_BYTES`]).
    Log,
    /// `limits.write_bytes`.
    Write,
    /// `limits.open_files`, or [`RESOURCES`].
    Handles,
    /// Bytes moved by one host call ([`TRANSFER_BYTES`]).
    Transfer,
    /// Header fields of one message, in number or size.
    Headers,
}

impl Limit {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Limit::Fuel => "FUEL-EXHAUSTED",
            Limit::Wall => "TIME-EXCEEDED",
            Limit::Memory => "MEMORY-EXCEEDED",
            Limit::Stack => "STACK-EXHAUSTED",
            Limit::Output => "OUTPUT-EXCEEDED",
            Limit::Log => "LOG-EXCEEDED",
            Limit::Write => "WRITE-QUOTA",
            Limit::Handles => "HANDLES-EXCEEDED",
            Limit::Transfer => "TRANSFER-EXCEEDED",
            Limit::Headers => "HEADERS-EXCEEDED",
        }
    }

    /// The field of the lease that would have to grow, if it is one.
    pub fn field(self) -> Option<&'static str> {
        match self {
            Limit::Fuel => Some("limits.fuel"),
            Limit::Wall => Some("limits.wall_ms"),
            Limit::Memory => Some("limits.memory_bytes"),
            Limit::Output => Some("limits.output_bytes"),
            Limit::Write => Some("limits.write_bytes"),
            Limit::Handles => Some("limits.open_files"),
            Limit::Stack | Limit::Log | Limit::Transfer | Limit::Headers => None,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Fuel => "fuel",
            Limit::Wall => "time",
            Limit::Memory => "memory",
            Limit::Stack => "stack",
            Limit::Output => "output",
            Limit::Log => "log messages",
            Limit::Write => "written bytes",
            Limit::Handles => "handles",
            Limit::Transfer => "bytes in one host call",
            Limit::Headers => "header fields",
        })
    }
}

/// Wasm stack of a call, in bytes.
pub const STACK_BYTES: usize = 1 << 20;
/// Log messages of a call, in bytes of text (each message also costs [`LOG_LINE_BYTES`]).
pub const LOG_BYTES: u64 = 1 << 20;
/// What one log message costs beside its text, in bytes.
pub const LOG_LINE_BYTES: u64 = 64;
/// Live resources of a call (streams, pollables, walks, …) beside its open files.
pub const RESOURCES: usize = 4096;
/// Bytes that one host call may move into or out of the host.
pub const TRANSFER_BYTES: usize = 16 << 20;
/// Handles that the component may hold in all its tables.
pub const COMPONENT_HANDLES: usize = 16_384;
/// Core instances of one component.
pub const INSTANCES: usize = 64;
/// Memories, and tables, of one component.
pub const MEMORIES: usize = 16;

/// Fuel of any host call.
pub(crate) const FUEL_CALL: u64 = 400;
/// Further fuel of a host call that asks the operating system.
pub(crate) const FUEL_SYSTEM: u64 = 8_000;
/// Further fuel of sending a request: resolving, connecting and encrypting are the host's work.
pub(crate) const FUEL_REQUEST: u64 = 1_000_000;
/// Fuel of a byte that the guest gets or gives, or may see.
pub(crate) const FUEL_BYTE: u64 = 1;

/// Why the host ends a call from within a host function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The guest asked to exit with this code.
    Exit(u8),
    /// A limit that is not to be survived.
    Exceeded(Limit),
    /// Somebody outside ended the call.
    Stopped(Stop),
    /// An import that the plugin has, and may not use.
    ImportDenied,
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Halt::Exit(code) => write!(f, "exit {code}"),
            Halt::Exceeded(limit) => write!(f, "{limit} exceeded"),
            Halt::Stopped(stop) => write!(f, "ended: {stop:?}"),
            Halt::ImportDenied => f.write_str("an import that no lease can grant"),
        }
    }
}

impl std::error::Error for Halt {}

/// Why a call was ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The lease expired while the call ran.
    Expired,
    /// The caller cancelled it.
    Cancelled,
    /// The lease was revoked while the call ran.
    Revoked,
    /// The watch over running calls ended it, by its configured thresholds.
    Halted,
}

/// Ends a running call from another thread; clones share one switch.
#[derive(Clone, Debug, Default)]
pub struct StopSwitch(Arc<AtomicU8>);

impl StopSwitch {
    /// Asks the call to end. The first reason holds.
    pub fn stop(&self, why: Stop) {
        let value = match why {
            Stop::Expired => 1,
            Stop::Cancelled => 2,
            Stop::Revoked => 3,
            Stop::Halted => 4,
        };
        // A later reason does not overwrite the first one; either way the call ends.
        let _ = self
            .0
            .compare_exchange(0, value, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The reason, once somebody gave one.
    pub fn reason(&self) -> Option<Stop> {
        match self.0.load(Ordering::Relaxed) {
            1 => Some(Stop::Expired),
            2 => Some(Stop::Cancelled),
            3 => Some(Stop::Revoked),
            4 => Some(Stop::Halted),
            _ => None,
        }
    }
}

/// The wall deadline and the switch of one call.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    /// What reaching `at` means: the wall limit, or the lease's expiry.
    pub(crate) expiry: bool,
    pub(crate) switch: StopSwitch,
    pub(crate) watch: Watch,
}

impl Deadline {
    /// Whether the call has to end now, and why.
    pub(crate) fn check(&self) -> Result<(), Halt> {
        if let Some(stop) = self.switch.reason() {
            return Err(Halt::Stopped(stop));
        }
        let now = Instant::now();
        if now < self.at {
            if self.watch.says_revoked(now) {
                self.switch.stop(Stop::Revoked);
                return Err(Halt::Stopped(Stop::Revoked));
            }
            return Ok(());
        }
        Err(if self.expiry {
            Halt::Stopped(Stop::Expired)
        } else {
            Halt::Exceeded(Limit::Wall)
        })
    }
}

/// Looks now and then whether the lease of a running call was revoked.
#[derive(Clone)]
pub(crate) struct Watch(Arc<Looking>);

struct Looking {
    since: Instant,
    /// When to look next, in milliseconds since `since`.
    next: AtomicU64,
    revoked: Box<dyn Fn() -> bool + Send + Sync>,
}

/// How long it takes until a revocation ends a running call, in milliseconds.
const LOOK_MS: u64 = 100;

impl Watch {
    /// A watch that asks `revoked`, for the first time when the call has run for a while.
    pub(crate) fn new(revoked: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Watch(Arc::new(Looking {
            since: Instant::now(),
            next: AtomicU64::new(LOOK_MS),
            revoked: Box::new(revoked),
        }))
    }

    fn says_revoked(&self, now: Instant) -> bool {
        let looking = &self.0;
        let ran = now.saturating_duration_since(looking.since).as_millis();
        let ran = u64::try_from(ran).unwrap_or(u64::MAX);
        let next = looking.next.load(Ordering::Relaxed);
        // One of the threads of a call looks at a time.
        let turn = ran >= next
            && (looking.next)
                .compare_exchange(
                    next,
                    ran.saturating_add(LOOK_MS),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok();
        turn && (looking.revoked)()
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

/// What a running call uses, for whoever watches it from another thread; clones share one gauge.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<Figures>);

#[derive(Debug, Default)]
struct Figures {
    fuel: AtomicU64,
    memory: AtomicU64,
    output: AtomicU64,
    written: AtomicU64,
}

/// One reading of a [`Gauge`]. The figures are those of the last host call or, of a guest that calls nothing, of the last portion
/// of fuel: at most about a millisecond of the guest's own work behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Fuel used, at least.
    pub fuel: u64,
    /// Memory in use, in bytes.
    pub memory: u64,
    /// Output said, in bytes.
    pub output: u64,
    /// Bytes written to files.
    pub written: u64,
}

impl Gauge {
    /// What is used now.
    pub fn read(&self) -> Usage {
        let figures = &self.0;
        Usage {
            fuel: figures.fuel.load(Ordering::Relaxed),
            memory: figures.memory.load(Ordering::Relaxed),
            output: figures.output.load(Ordering::Relaxed),
            written: figures.written.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn fuel(&self, used: u64) {
        self.0.fuel.store(used, Ordering::Relaxed);
    }

    pub(crate) fn more_fuel(&self, used: u64) {
        self.0.fuel.fetch_add(used, Ordering::Relaxed);
    }

    pub(crate) fn output(&self, used: u64) {
        self.0.output.store(used, Ordering::Relaxed);
    }

    pub(crate) fn wrote(&self, bytes: u64) {
        self.0.written.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Takes fuel for work that the host does on the guest's behalf, and says how much is left.
///
/// Only to be called inside a host function: there the guest's code has saved the counter before and loads it after.
pub(crate) fn burn(store: &mut impl AsContextMut, units: u64) -> wasmtime::Result<u64> {
    let mut store = store.as_context_mut();
    let left = store.get_fuel()?;
    match left.checked_sub(units) {
        Some(rest) => store.set_fuel(rest).map(|()| rest),
        None => {
            store.set_fuel(0)?;
            Err(Halt::Exceeded(Limit::Fuel).into())
        }
    }
}

/// One cap over all memories and tables of a call.
#[derive(Debug)]
pub(crate) struct MemoryMeter {
    cap: u64,
    used: u64,
    /// The most that was in use at once, in bytes.
    pub(crate) peak: u64,
    /// Whether something was refused.
    pub(crate) refused: bool,
    gauge: Gauge,
}

/// What one table element costs, in bytes.
const TABLE_ELEMENT: u64 = 16;

impl MemoryMeter {
    pub(crate) fn new(cap: u64, gauge: Gauge) -> Self {
        MemoryMeter {
            cap,
            used: 0,
            peak: 0,
            refused: false,
            gauge,
        }
    }

    fn grow(&mut self, from: u64, to: u64) -> bool {
        let more = to.saturating_sub(from);
        match self.used.checked_add(more) {
            Some(total) if total <= self.cap => {
                self.used = total;
                self.peak = self.peak.max(total);
                self.gauge.0.memory.store(total, Ordering::Relaxed);
                true
            }
            _ => {
                self.refused = true;
                false
            }
        }
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // A module's own maximum is not ours to report: such a growth fails by the module's word, without being counted.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.grow(current as u64, desired as u64))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.grow(
            (current as u64).saturating_mul(TABLE_ELEMENT),
            (desired as u64).saturating_mul(TABLE_ELEMENT),
        ))
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }

    fn tables(&self) -> usize {
        MEMORIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_memories_and_a_table_share_one_cap() {
        let mut meter = MemoryMeter::new(200_000, Gauge::default());
        assert!(meter.memory_growing(0, 65_536, None).unwrap());
        assert!(meter.memory_growing(0, 65_536, None).unwrap());
        assert!(!meter.memory_growing(65_536, 3 * 65_536, None).unwrap());
        assert!(meter.refused);
        assert!(meter.table_growing(0, 1_000, None).unwrap());
        assert!(!meter.table_growing(1_000, 10_000, None).unwrap());
        assert_eq!(meter.peak, 2 * 65_536 + 16_000);
    }

    #[test]
    fn a_modules_own_maximum_is_not_named_as_ours() {
        let mut meter = MemoryMeter::new(1 << 30, Gauge::default());
        assert!(!meter.memory_growing(0, 2, Some(1)).unwrap());
        assert!(!meter.refused);
    }

    #[test]
    fn growth_does_not_overflow() {
        let mut meter = MemoryMeter::new(u64::MAX - 1, Gauge::default());
        assert!(!meter.table_growing(0, usize::MAX, None).unwrap());
        assert!(meter.refused);
    }

    #[test]
    fn the_first_reason_to_stop_holds() {
        let switch = StopSwitch::default();
        assert_eq!(switch.reason(), None);
        switch.stop(Stop::Revoked);
        switch.stop(Stop::Cancelled);
        assert_eq!(switch.reason(), Some(Stop::Revoked));
    }
}
