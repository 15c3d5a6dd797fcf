//! `wasi:random`: bytes from a seed that stands in the intent. Nothing here is secret; a plugin that needs secrets gets them
//! by lease.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::bindings::system::wasi::random::{insecure, insecure_seed, random};
use super::{Door, Host, enter, enter_with};
use crate::limits::{Halt, Limit, TRANSFER_BYTES};
use crate::state::CallState;

/// The two streams of a call: what a guest takes from the one does not move the other.
pub(crate) struct SeededRandom {
    secure: ChaCha20Rng,
    insecure: ChaCha20Rng,
}

impl SeededRandom {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let secure = ChaCha20Rng::from_seed(seed);
        let mut insecure = ChaCha20Rng::from_seed(seed);
        insecure.set_stream(1);
        SeededRandom { secure, insecure }
    }
}

fn fill(
    mut door: Door<'_>,
    len: u64,
    pick: fn(&mut SeededRandom) -> &mut ChaCha20Rng,
) -> wasmtime::Result<Vec<u8>> {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    // Fuel first: what is too much for the fuel is named so, and nothing is allocated for it.
    enter_with(&mut door, len)?;
    if len > TRANSFER_BYTES {
        return Err(Halt::Exceeded(Limit::Transfer).into());
    }
    let mut bytes = vec![0; len];
    pick(&mut door.get().random).fill_bytes(&mut bytes);
    Ok(bytes)
}

impl random::Host for CallState {}
impl random::HostWithStore<CallState> for Host {
    fn get_random_bytes(door: Door<'_>, len: u64) -> wasmtime::Result<Vec<u8>> {
        fill(door, len, |random| &mut random.secure)
    }

    fn get_random_u64(mut door: Door<'_>) -> wasmtime::Result<u64> {
        enter(&mut door)?;
        Ok(door.get().random.secure.next_u64())
    }
}

impl insecure::Host for CallState {}
impl insecure::HostWithStore<CallState> for Host {
    fn get_insecure_random_bytes(door: Door<'_>, len: u64) -> wasmtime::Result<Vec<u8>> {
        fill(door, len, |random| &mut random.insecure)
    }

    fn get_insecure_random_u64(mut door: Door<'_>) -> wasmtime::Result<u64> {
        enter(&mut door)?;
        Ok(door.get().random.insecure.next_u64())
    }
}

impl insecure_seed::Host for CallState {}
impl insecure_seed::HostWithStore<CallState> for Host {
    fn insecure_seed(mut door: Door<'_>) -> wasmtime::Result<(u64, u64)> {
        enter(&mut door)?;
        let random = &mut door.get().random.insecure;
        Ok((random.next_u64(), random.next_u64()))
    }
}
