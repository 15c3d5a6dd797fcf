//! See `leasehold_fuzz::trust_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leasehold_fuzz::trust_file::check(data));
