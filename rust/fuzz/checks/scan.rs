//! Any bytes, many patterns: what is found is what each pattern finds in the line by itself.

use std::sync::LazyLock;

use mybro_repository::scan::Scanner;

const PATTERNS: [&str; 6] = ["key", r"^a", r"z$", r"\s+b", r"[^x]+y", "é"];

static TOGETHER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(&PATTERNS).unwrap());
static ALONE: LazyLock<[Scanner; 6]> =
    LazyLock::new(|| PATTERNS.map(|pattern| Scanner::new(&[pattern]).unwrap()));

pub fn check(text: &[u8]) {
    let all = TOGETHER.lines(text);
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    for (line, pattern, found) in &all {
        assert_eq!(lines[*line - 1], *found);
        assert!(*pattern < PATTERNS.len());
    }
    assert!(all
        .windows(2)
        .all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1)));
    let expected: usize = ALONE.iter().map(|one| one.lines(text).len()).sum();
    assert_eq!(all.len(), expected);
}
