//! See `leasehold_fuzz::lease_document`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leasehold_fuzz::lease_document::check(data));
