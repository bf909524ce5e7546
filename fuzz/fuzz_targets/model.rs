#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| seedsieve_fuzzing::model(data));
