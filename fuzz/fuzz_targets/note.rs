//! See `leasehold_fuzz::note`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leasehold_fuzz::note::check(data));
