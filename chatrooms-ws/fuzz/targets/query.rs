#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chatrooms_ws::properties::query(bytes));
