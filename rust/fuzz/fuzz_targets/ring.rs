#![no_main]
#[path = "../checks/ring.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|steps: Vec<(bool, u8)>| checks::check(&steps));
