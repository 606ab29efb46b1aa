#![no_main]
#[path = "../checks/resample.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|given: (u16, u16, Vec<i16>, u8)| {
    checks::check(given.0, given.1, &given.2, given.3);
});
