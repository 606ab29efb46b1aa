//! What the fuzzer checks, on inputs by chance: bytes, and pieces of what the parsers look for.

#[path = "../../fuzz/checks/chance.rs"]
mod chance;
#[path = "../../fuzz/checks/scan.rs"]
mod scan;
#[path = "../../fuzz/checks/symbols.rs"]
mod symbols;

use chance::Chance;

const PIECES: [&[u8]; 20] = [
    b"key",
    b"\n",
    b"\n",
    b" ",
    b"a",
    b"z",
    b"\tb",
    b"xy",
    "é".as_bytes(),
    b"\r\n",
    b"\xff",
    b"def run(",
    b"):\n  ",
    b"class X_1:",
    b" = ",
    b"Name",
    b"\0",
    b"(",
    b"\"\"\"",
    b"\xc3",
];

fn text(chance: &mut Chance) -> Vec<u8> {
    let count = chance.below(60);
    (0..count)
        .flat_map(|_| match chance.below(8) {
            0 => vec![chance.next() as u8],
            _ => PIECES[chance.below(PIECES.len())].to_vec(),
        })
        .collect()
}

#[test]
fn many_patterns_find_what_each_finds() {
    let mut chance = Chance(3);
    for _ in 0..100 {
        scan::check(&text(&mut chance));
    }
}

#[test]
fn symbols_stand_where_they_are_said_to_be() {
    let mut chance = Chance(4);
    let reader = symbols::reader();
    for _ in 0..400 {
        symbols::check(&reader, &text(&mut chance));
    }
}
