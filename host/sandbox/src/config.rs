//! The settings of the engine: one place, since every one of them is part of what a replay needs to be the same.

use std::hash::{Hash, Hasher};

use leasehold_seal::Digest;
use sha2::{Digest as _, Sha256};
use wasmtime::{
    Config, Enabled, InstanceAllocationStrategy, OperatorCost, PoolingAllocationConfig,
    WasmFeatures,
};

use crate::limits::{
    FUEL_BYTE, FUEL_CALL, FUEL_REQUEST, FUEL_SYSTEM, INSTANCES, MEMORIES, STACK_BYTES,
};

/// The version of wasmtime, as in `Cargo.toml`; a test compares it with `Cargo.lock`.
pub const WASMTIME: &str = "48.0.8";

/// How instances get their memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instances {
    /// Mapped for each call: for a process that makes one.
    OnDemand,
    /// From a pool that is reserved at the start: for a process that makes many, at most this many at once.
    Pooled(u32),
}

/// Memory that a pooled slot may grow to: the most a 32-bit memory can have.
const MAX_MEMORY: usize = 1 << 32;

/// The settings under which plugins are compiled and run.
pub(crate) fn config(instances: Instances) -> Config {
    let mut config = Config::new();
    let mut cost = OperatorCost::default();
    // A page is 64 KiB that somebody has to clear; without this, growing would be the cheapest way to make the host work.
    cost.variable.memory_grow_per_page = 255;
    config
        .consume_fuel(true)
        .operator_cost(cost)
        .concurrency_support(false)
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(STACK_BYTES * 2)
        // Determinism: one bit pattern for NaN, no instruction whose result depends on the processor, no shared memory.
        .cranelift_nan_canonicalization(true)
        .wasm_features(WasmFeatures::RELAXED_SIMD | WasmFeatures::THREADS, false)
        .shared_memory(false)
        // What plugins do not need is not there to be attacked.
        .wasm_features(
            WasmFeatures::MEMORY64
                | WasmFeatures::EXCEPTIONS
                | WasmFeatures::FUNCTION_REFERENCES
                | WasmFeatures::CM_ASYNC,
            false,
        )
        .wasm_backtrace_max_frames(None)
        .native_unwind_info(false)
        .generate_address_map(false);
    if let Instances::Pooled(calls) = instances {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(calls)
            .total_core_instances(calls.saturating_mul(8))
            .total_memories(calls.saturating_mul(2))
            .total_tables(calls.saturating_mul(8))
            .total_stacks(calls)
            .max_core_instances_per_component(u32::try_from(INSTANCES).unwrap_or(u32::MAX))
            .max_memories_per_component(u32::try_from(MEMORIES).unwrap_or(u32::MAX))
            .max_tables_per_component(u32::try_from(MEMORIES).unwrap_or(u32::MAX))
            .max_memory_size(MAX_MEMORY)
            .table_elements(1 << 16)
            // A slot stays mapped from one call to the next: the pages that were touched are found (Linux 6.7) and reset, which
            // is cheaper than giving them back and faulting them in again, above all while other threads run.
            .linear_memory_keep_resident(1 << 20)
            .pagemap_scan(Enabled::Auto)
            .table_keep_resident(8 << 10)
            .max_unused_warm_slots(calls.min(64));
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

/// Names everything that the outcome of a call can depend on beside its own inputs: version, settings and the fuel of host
/// functions. Two engines of one id replay each other's calls.
pub(crate) fn engine_id(engine: &wasmtime::Engine) -> Digest {
    let mut state = HashBytes(Sha256::new());
    WASMTIME.hash(&mut state);
    env!("CARGO_PKG_VERSION").hash(&mut state);
    [FUEL_CALL, FUEL_SYSTEM, FUEL_REQUEST, FUEL_BYTE].hash(&mut state);
    engine.precompile_compatibility_hash().hash(&mut state);
    Digest::from_bytes(state.0.finalize().into())
}

/// A hasher that keeps all it is fed; `finish` is not what it is for.
struct HashBytes(Sha256);

impl Hasher for HashBytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_in_the_engine_id_is_the_one_that_is_built() {
        let lock = include_str!("../../../Cargo.lock");
        let entry = format!("name = \"wasmtime\"\nversion = \"{WASMTIME}\"\n");
        assert!(lock.contains(&entry), "Cargo.lock has another wasmtime");
    }

    #[test]
    fn a_pool_does_not_change_what_calls_come_to() {
        let id = |instances| engine_id(&wasmtime::Engine::new(&config(instances)).unwrap());
        assert_eq!(id(Instances::OnDemand), id(Instances::Pooled(4)));
        let mut other = config(Instances::OnDemand);
        other.cranelift_nan_canonicalization(false);
        let other = engine_id(&wasmtime::Engine::new(&other).unwrap());
        assert_ne!(id(Instances::OnDemand), other);
    }
}
