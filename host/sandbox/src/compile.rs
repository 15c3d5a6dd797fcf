//! Compiling a plugin in a process of its own.
//!
//! A compiler is a large program fed with bytes of a stranger. So it runs where a fault in it is worth nothing: in a child
//! that has an empty environment, can open neither files nor sockets (its limit of descriptors is what it already has), and
//! has limits of memory and time. What it answers with is native code that the host is going to run; that is as trusted as
//! the compiler itself, and no more is claimed.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use leasehold_seal::{Class, Coded};
use thiserror::Error;

use crate::adapt::adapt;
use crate::config::{Instances, config};
use crate::inspect::{Encoding, inspect};

/// The largest plugin that is looked at, in bytes.
pub const PLUGIN_BYTES: usize = 64 << 20;
/// Address space of the child, in bytes.
const CHILD_MEMORY: u64 = 6 << 30;
/// Processor time of the child, in seconds; both cores count.
const CHILD_CPU: u64 = 240;
/// Real time of the child.
const CHILD_WALL: Duration = Duration::from_secs(180);
/// Compiled code of one plugin, in bytes.
const CODE_BYTES: u64 = 512 << 20;

/// How to start the child: a program that calls [`compile_child`] at once.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// Why a plugin was not loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes are neither a component nor a core module, or are damaged.
    #[error("this is not a WebAssembly plugin: {0}")]
    NotWasm(String),
    /// It is larger than [`PLUGIN_BYTES`].
    #[error("the plugin has {0} bytes, more than the {PLUGIN_BYTES} that are looked at")]
    TooLarge(usize),
    /// It exports nothing that can be called.
    #[error("the plugin offers nothing to call: {0}")]
    World(String),
    /// It imports something that neither we nor WASI 0.2 have.
    #[error("the plugin imports {0}, which this host does not have")]
    Import(String),
    /// Its manifest cannot be read.
    #[error("the manifest in the plugin is not usable: {0}")]
    Manifest(String),
    /// The compiler refused it, or ran out of its own limits.
    #[error("the plugin could not be compiled: {0}")]
    Compile(String),
    /// The host could not start the compiler or keep what it made.
    #[error("{what}: {source}")]
    Host {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The engine could not be set up.
    #[error("the engine could not be set up: {0}")]
    Engine(String),
}

impl Coded for LoadError {
    fn code(&self) -> &'static str {
        match self {
            LoadError::NotWasm(_) => "PLUGIN-FORMAT",
            LoadError::TooLarge(_) => "PLUGIN-TOO-LARGE",
            LoadError::World(_) => "PLUGIN-WORLD",
            LoadError::Import(_) => "PLUGIN-IMPORT",
            LoadError::Manifest(_) => "MANIFEST-FORMAT",
            LoadError::Compile(_) => "PLUGIN-COMPILE",
            LoadError::Host { .. } => "COMPILER-FAULT",
            LoadError::Engine(_) => "ENGINE-FAULT",
        }
    }

    fn class(&self) -> Class {
        match self {
            LoadError::Host { .. } | LoadError::Engine(_) => Class::Fault,
            _ => Class::Integrity,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            LoadError::NotWasm(_) => {
                "give a component or a WASI 0.1 core module, as `leasehold plugin inspect FILE` accepts it".into()
            }
            LoadError::TooLarge(_) => "strip debug sections from the plugin".into(),
            LoadError::World(_) => {
                "export leasehold:plugin/gate@0.1, leasehold:plugin/adapter@0.1 or wasi:cli/run@0.2".into()
            }
            LoadError::Import(_) => {
                "see which imports it has with `leasehold plugin inspect FILE`; docs/authoring.md lists what exists".into()
            }
            LoadError::Manifest(_) => "docs/authoring.md has the form of the custom section leasehold:manifest".into(),
            LoadError::Compile(_) => {
                "threads, relaxed SIMD, 64-bit memories, exceptions and garbage collection are switched off".into()
            }
            LoadError::Host { .. } | LoadError::Engine(_) => "run `leasehold doctor`".into(),
        })
    }
}

impl Compiler {
    /// Compiles a plugin in a child process and gives its native code.
    pub(crate) fn compile(&self, plugin: &[u8]) -> Result<Vec<u8>, LoadError> {
        let host = |what| move |source| LoadError::Host { what, source };
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(host("the compiler could not be started"))?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (sender, answer) = std::sync::mpsc::channel();
        let (code, said) = std::thread::scope(|scope| {
            // A child that dies early closes the pipes; what it said on standard error tells why.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(plugin)));
            scope.spawn(move || sender.send(read_all(stdout, CODE_BYTES)));
            let said = scope.spawn(move || read_all(stderr, 64 << 10));
            let code = answer.recv_timeout(CHILD_WALL);
            if code.is_err() {
                // It may be gone already; the exit status below tells.
                let _ = child.kill();
            }
            (code, said.join().unwrap_or_default())
        });
        let status = child
            .wait()
            .map_err(host("the compiler could not be waited for"))?;
        let code = code.map_err(|_timeout| {
            LoadError::Compile(format!("not done after {} s", CHILD_WALL.as_secs()))
        })?;
        if !status.success() {
            let said = String::from_utf8_lossy(&said);
            let said = said.trim();
            return Err(LoadError::Compile(if said.is_empty() {
                format!("the compiler ended with {status}")
            } else {
                said.to_owned()
            }));
        }
        Ok(code)
    }
}

fn read_all(from: Option<impl Read>, cap: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        // A half answer fails to load; the exit status says why it was half.
        let _ = from.take(cap).read_to_end(&mut bytes);
    }
    bytes
}

/// The whole life of the child: limits first, then a plugin from `input`, then its native code to `output`.
///
/// # Errors
/// A sentence for the parent, which the child prints on standard error before it exits with a code other than 0.
pub fn compile_child(mut input: impl Read, mut output: impl Write) -> Result<(), String> {
    crate::lockdown::lock_down(CHILD_MEMORY, CHILD_CPU)?;
    let mut plugin = Vec::new();
    input
        .by_ref()
        .take(PLUGIN_BYTES as u64 + 1)
        .read_to_end(&mut plugin)
        .map_err(|error| format!("the plugin could not be read: {error}"))?;
    let code = compile_here(&plugin)?;
    output
        .write_all(&code)
        .and_then(|()| output.flush())
        .map_err(|error| format!("the code could not be handed over: {error}"))
}

/// Adapts a WASI 0.1 module, then validates and compiles.
fn compile_here(plugin: &[u8]) -> Result<Vec<u8>, String> {
    let facts = inspect(plugin).map_err(|error| error.to_string())?;
    let engine = wasmtime::Engine::new(&config(Instances::OnDemand))
        .map_err(|error| format!("{error:#}"))?;
    let adapted;
    let component = match facts.encoding {
        Encoding::Component => plugin,
        Encoding::Module => {
            adapted = adapt(plugin).map_err(|error| format!("{error:#}"))?;
            &adapted
        }
    };
    engine
        .precompile_component(component)
        .map_err(|error| format!("{error:#}"))
}
