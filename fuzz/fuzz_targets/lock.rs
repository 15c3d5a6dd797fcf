//! See `leasehold_fuzz::lock`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leasehold_fuzz::lock::check(data));
