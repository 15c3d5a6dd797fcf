//! See `leasehold_fuzz::presentation`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leasehold_fuzz::presentation::check(data));
