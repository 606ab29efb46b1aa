#![no_main]
#[path = "../checks/symbols.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|source: &[u8]| checks::check(&checks::reader(), source));
