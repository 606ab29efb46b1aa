#![no_main]
#[path = "../checks/symbols.rs"]
mod checks;

use std::sync::LazyLock;

use mybro_repository::symbols::Reader;

static READER: LazyLock<Reader> = LazyLock::new(checks::reader);

libfuzzer_sys::fuzz_target!(|source: &[u8]| checks::check(&READER, source));
