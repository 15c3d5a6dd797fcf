//! How the probe uses things up.

use std::hint::black_box;
use std::io::Write;

use crate::report::{Failure, Report};

type Attempt = Result<Report, Failure>;

/// Loops for ever.
pub(crate) fn spin() -> Attempt {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

/// A fixed amount of arithmetic: the same instructions in every run.
pub(crate) fn work(rounds: u64) -> Attempt {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..rounds {
        state = black_box(state.rotate_left(7) ^ round).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    Ok(Report::new().text("state", &format!("{state:016x}")))
}

/// Works for a while and then traps.
pub(crate) fn spin_then_trap(rounds: u64) -> Attempt {
    work(rounds)?;
    trap()
}

/// Traps at once.
pub(crate) fn trap() -> Attempt {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort();
}

/// Panics: a message on stderr, then a trap.
#[expect(clippy::panic, reason = "this is what the test wants to see")]
pub(crate) fn fall_over() -> Attempt {
    panic!("the probe was asked to panic");
}

/// Takes memory in blocks of 1 MiB and touches it, up to `bytes`, or without end when that is 0.
pub(crate) fn eat_memory(bytes: u64) -> Attempt {
    const BLOCK: usize = 1 << 20;
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    while bytes == 0 || ((blocks.len() * BLOCK) as u64) < bytes {
        let mut block = Vec::new();
        block
            .try_reserve_exact(BLOCK)
            .map_err(|_| Failure::named("ENOMEM"))?;
        block.resize(BLOCK, 1);
        blocks.push(black_box(block));
    }
    Ok(Report::new().number("bytes", (blocks.len() * BLOCK) as u64))
}

/// Fills 16 MiB for ever; each round is one instruction of the machine (`memory.fill`).
pub(crate) fn fill_memory() -> Attempt {
    let mut block = vec![0_u8; 16 << 20];
    let mut value = 0_u8;
    loop {
        value = value.wrapping_add(1);
        block.fill(value);
        black_box(&mut block);
    }
}

/// Calls itself for ever.
pub(crate) fn recurse() -> Attempt {
    Ok(Report::new().number("depth", deeper(1)))
}

fn deeper(depth: u64) -> u64 {
    let here = black_box(depth);
    if here == 0 {
        0
    } else {
        deeper(here + 1) + black_box(here)
    }
}

/// Writes `bytes` bytes, or without end when that is 0.
pub(crate) fn pour(mut out: impl Write, bytes: u64) -> Attempt {
    let block = [b'.'; 4096];
    let mut done = 0;
    while bytes == 0 || done < bytes {
        let count = if bytes == 0 {
            block.len()
        } else {
            block.len().min((bytes - done) as usize)
        };
        out.write_all(&block[..count])?;
        done += count as u64;
    }
    out.flush()?;
    drop(out);
    Ok(Report::new().number("bytes", done))
}

/// Asks for `bytes` bytes of randomness, in host calls of at most `piece` bytes.
pub(crate) fn random(bytes: u64, piece: u64) -> Attempt {
    let mut buffer: Vec<u8> = Vec::new();
    let length = usize::try_from(piece.min(bytes)).map_err(|_| Failure::usage())?;
    buffer
        .try_reserve_exact(length)
        .map_err(|_| Failure::named("ENOMEM"))?;
    buffer.resize(length, 0);
    let mut left = bytes;
    while left > 0 {
        let count = left.min(buffer.len() as u64);
        fill_random(&mut buffer[..count as usize])?;
        left -= count;
    }
    Ok(Report::new().number("bytes", bytes))
}

/// Fills the buffer with the randomness that the host gives.
#[cfg(target_os = "wasi")]
#[expect(
    unsafe_code,
    reason = "the C library cuts requests into pieces of 256 bytes; this asks for all at once"
)]
pub(crate) fn fill_random(buffer: &mut [u8]) -> Result<(), Failure> {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn random_get(buffer: *mut u8, length: usize) -> u16;
    }
    // SAFETY: the pointer and the length are those of one buffer.
    match unsafe { random_get(buffer.as_mut_ptr(), buffer.len()) } {
        0 => Ok(()),
        number => Err(std::io::Error::from_raw_os_error(i32::from(number)).into()),
    }
}

/// Fills the buffer with the randomness that the host gives.
#[cfg(not(target_os = "wasi"))]
pub(crate) fn fill_random(buffer: &mut [u8]) -> Result<(), Failure> {
    use std::io::Read;
    std::fs::File::open("/dev/urandom")?.read_exact(buffer)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pouring_stops_at_the_number_of_bytes() {
        let mut out = Vec::new();
        assert!(pour(&mut out, 5000).is_ok());
        assert_eq!(out.len(), 5000);
    }
}
