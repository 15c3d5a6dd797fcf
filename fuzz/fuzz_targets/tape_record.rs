//! See `leasehold_fuzz::tape_record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leasehold_fuzz::tape_record::check(data));
