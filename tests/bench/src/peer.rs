//! The same guests in wasmtime alone: the settings of `leasehold-sandbox`, fuel included, and the host functions of wasmtime-wasi.

use std::path::Path;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceTable, ResourceType};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OperatorCost, PoolingAllocationConfig,
    Store, WasmFeatures,
};
use wasmtime_wasi::p2::bindings::sync::CommandPre;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::Fault;

mod bindings {
    wasmtime::component::bindgen!({
        path: ["../../wit/0.1"],
        inline: "
            package leasehold:bench@0.1.0;
            world judge { export leasehold:plugin/gate@0.1.0; }
        ",
        world: "leasehold:bench/judge",
    });
}
use bindings::JudgePre;
use bindings::exports::leasehold::plugin::gate::{Outcome, Subject};

/// What a call can burn: as much as on our side.
const FUEL: u64 = 1 << 50;
/// What a program can print, in bytes.
const OUTPUT: usize = 1 << 20;

/// Everything a call has here.
struct State {
    table: ResourceTable,
    wasi: WasiCtx,
}

impl State {
    fn new(wasi: WasiCtx) -> Self {
        State {
            table: ResourceTable::new(),
            wasi,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// How the pool gets memory back after a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pool {
    /// As the sandbox sets it: what was touched is reset and stays mapped.
    AsOurs,
    /// As wasmtime does where nothing is set: everything is given back to the system.
    AsItComes,
}

/// A gate, ready to be called.
pub(crate) struct Gate {
    engine: Engine,
    pre: JudgePre<State>,
}

impl Gate {
    pub(crate) fn new(bytes: &[u8], pool: Pool) -> Result<Gate, Fault> {
        let engine = Engine::new(&config(pool))?;
        let component = Component::new(&engine, bytes)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        refuse_ours(&mut linker, &component)?;
        let pre = JudgePre::new(linker.instantiate_pre(&component)?)?;
        Ok(Gate { engine, pre })
    }

    /// Instantiates it in a fresh store and asks it, with this configuration.
    pub(crate) fn call(&self, config: &str) -> Result<(), Fault> {
        let mut store = Store::new(&self.engine, State::new(WasiCtxBuilder::new().build()));
        store.set_fuel(FUEL)?;
        let instance = self.pre.instantiate(&mut store)?;
        let subject = Subject {
            config: config.to_owned(),
            changed: None,
            inputs: Vec::new(),
        };
        let gate = instance.leasehold_plugin_gate();
        match gate.call_check(&mut store, &subject)? {
            Ok(verdict) if verdict.outcome == Outcome::Pass => Ok(()),
            other => Err(format!("the gate did not pass: {other:?}").into()),
        }
    }
}

/// A program, ready to be run.
pub(crate) struct Program {
    engine: Engine,
    pre: CommandPre<State>,
}

impl Program {
    pub(crate) fn new(bytes: &[u8]) -> Result<Program, Fault> {
        let engine = Engine::new(&config(Pool::AsOurs))?;
        let component = Component::new(&engine, bytes)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        let pre = CommandPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Program { engine, pre })
    }

    /// Runs it with these arguments and a folder to read; gives what it printed.
    pub(crate) fn run(&self, args: &[&str], workspace: &Path) -> Result<String, Fault> {
        let stdout = MemoryOutputPipe::new(OUTPUT);
        let mut wasi = WasiCtxBuilder::new();
        // Without it every read of a file goes to a thread of its own and back.
        wasi.allow_blocking_current_thread(true)
            .arg("program")
            .args(args)
            .stdout(stdout.clone())
            .preopened_dir(workspace, "/", FsPerms::ReadOnly)?;
        let mut store = Store::new(&self.engine, State::new(wasi.build()));
        store.set_fuel(FUEL)?;
        let instance = self.pre.instantiate(&mut store)?;
        match instance.wasi_cli_run().call_run(&mut store)? {
            Ok(()) => Ok(String::from_utf8_lossy(&stdout.contents()).into_owned()),
            Err(()) => Err("the program failed".into()),
        }
    }
}

/// What decides over the speed of a guest in the sandbox's `config.rs`.
fn config(kind: Pool) -> Config {
    let mut cost = OperatorCost::default();
    cost.variable.memory_grow_per_page = 255;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(16)
        .total_core_instances(128)
        .total_memories(32)
        .total_tables(128)
        .total_stacks(16)
        .max_memory_size(1 << 32)
        .table_elements(1 << 16)
        .max_unused_warm_slots(16);
    if kind == Pool::AsOurs {
        pool.linear_memory_keep_resident(1 << 20)
            .pagemap_scan(Enabled::Auto)
            .table_keep_resident(8 << 10);
    }
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .operator_cost(cost)
        .concurrency_support(false)
        .max_wasm_stack(1 << 20)
        .async_stack_size(2 << 20)
        .cranelift_nan_canonicalization(true)
        .wasm_features(WasmFeatures::RELAXED_SIMD | WasmFeatures::THREADS, false)
        .wasm_backtrace_max_frames(None)
        .native_unwind_info(false)
        .generate_address_map(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Host functions of our own interface that no gate here calls.
fn refuse_ours(linker: &mut Linker<State>, component: &Component) -> wasmtime::Result<()> {
    let engine = component.engine();
    for (name, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else {
            continue;
        };
        if !name.starts_with("leasehold:plugin/") {
            continue;
        }
        let mut stubs = linker.instance(name)?;
        for (item, ty) in instance.exports(engine) {
            match ty.ty {
                ComponentItem::ComponentFunc(_) => {
                    stubs.func_new(item, |_store, _ty, _params, _results| {
                        Err(wasmtime::Error::msg("not measured"))
                    })?;
                }
                ComponentItem::Resource(_) => {
                    stubs.resource(item, ResourceType::host::<Never>(), |_store, _rep| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// What a walk would be.
enum Never {}
