#![no_main]
#[path = "../checks/scan.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|text: &[u8]| checks::check(text));
