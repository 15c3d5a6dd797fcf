//! See `leasehold_fuzz::http_target`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leasehold_fuzz::http_target::check(data));
