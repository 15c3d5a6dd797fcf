//! `wasi:cli`: arguments, environment, standard streams and exit. There is never a terminal.

use wasmtime::component::Resource;

use super::bindings::system::wasi::cli::{
    environment, exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr,
    terminal_stdin, terminal_stdout,
};
use super::io::{InputStream, OutputStream};
use super::{Door, Host, burn_bytes, enter};
use crate::limits::Halt;
use crate::state::CallState;

/// Where the guest finds its workspace, and its working directory.
///
/// It is the root, and the only one: with a second name beside it (`/workspace`, say) libraries that strip the leading slash
/// would take the relative path `workspace/x` for `x`.
pub(crate) const WORKSPACE: &str = "/";

impl environment::Host for CallState {}
impl environment::HostWithStore<CallState> for Host {
    fn get_environment(mut door: Door<'_>) -> wasmtime::Result<Vec<(String, String)>> {
        enter(&mut door)?;
        let env = door.get().env.clone();
        let bytes = env.iter().map(|(name, value)| name.len() + value.len());
        burn_bytes(&mut door, bytes.sum())?;
        Ok(env)
    }

    fn get_arguments(mut door: Door<'_>) -> wasmtime::Result<Vec<String>> {
        enter(&mut door)?;
        let args = door.get().args.clone();
        burn_bytes(&mut door, args.iter().map(String::len).sum())?;
        Ok(args)
    }

    fn initial_cwd(mut door: Door<'_>) -> wasmtime::Result<Option<String>> {
        enter(&mut door)?;
        Ok(Some(WORKSPACE.to_owned()))
    }
}

impl exit::Host for CallState {}
impl exit::HostWithStore<CallState> for Host {
    fn exit(mut door: Door<'_>, status: Result<(), ()>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        Err(Halt::Exit(u8::from(status.is_err())).into())
    }

    fn exit_with_code(mut door: Door<'_>, code: u8) -> wasmtime::Result<()> {
        enter(&mut door)?;
        Err(Halt::Exit(code).into())
    }
}

impl stdin::Host for CallState {}
impl stdin::HostWithStore<CallState> for Host {
    fn get_stdin(mut door: Door<'_>) -> wasmtime::Result<Resource<InputStream>> {
        enter(&mut door)?;
        door.get().push(InputStream::Stdin { at: 0 })
    }
}

impl stdout::Host for CallState {}
impl stdout::HostWithStore<CallState> for Host {
    fn get_stdout(mut door: Door<'_>) -> wasmtime::Result<Resource<OutputStream>> {
        enter(&mut door)?;
        door.get().push(OutputStream::Stdout)
    }
}

impl stderr::Host for CallState {}
impl stderr::HostWithStore<CallState> for Host {
    fn get_stderr(mut door: Door<'_>) -> wasmtime::Result<Resource<OutputStream>> {
        enter(&mut door)?;
        door.get().push(OutputStream::Stderr)
    }
}

/// A terminal: none is ever made.
pub enum Terminal {}

impl terminal_input::Host for CallState {}
impl terminal_input::HostTerminalInput for CallState {}
impl terminal_input::HostTerminalInputWithStore<CallState> for Host {
    fn drop(mut door: Door<'_>, terminal: Resource<Terminal>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        door.get().table.delete(terminal)?;
        Ok(())
    }
}

impl terminal_output::Host for CallState {}
impl terminal_output::HostTerminalOutput for CallState {}
impl terminal_output::HostTerminalOutputWithStore<CallState> for Host {
    fn drop(mut door: Door<'_>, terminal: Resource<Terminal>) -> wasmtime::Result<()> {
        enter(&mut door)?;
        door.get().table.delete(terminal)?;
        Ok(())
    }
}

impl terminal_stdin::Host for CallState {}
impl terminal_stdin::HostWithStore<CallState> for Host {
    fn get_terminal_stdin(mut door: Door<'_>) -> wasmtime::Result<Option<Resource<Terminal>>> {
        enter(&mut door)?;
        Ok(None)
    }
}

impl terminal_stdout::Host for CallState {}
impl terminal_stdout::HostWithStore<CallState> for Host {
    fn get_terminal_stdout(mut door: Door<'_>) -> wasmtime::Result<Option<Resource<Terminal>>> {
        enter(&mut door)?;
        Ok(None)
    }
}

impl terminal_stderr::Host for CallState {}
impl terminal_stderr::HostWithStore<CallState> for Host {
    fn get_terminal_stderr(mut door: Door<'_>) -> wasmtime::Result<Option<Resource<Terminal>>> {
        enter(&mut door)?;
        Ok(None)
    }
}
