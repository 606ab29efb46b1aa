//! Any bytes, many patterns: what is found is what each pattern finds in the line by itself.

use mybro_repository::scan::Scanner;

const PATTERNS: [&str; 6] = ["key", r"^a", r"z$", r"\s+b", r"[^x]+y", "é"];

pub fn check(text: &[u8]) {
    let scanner = Scanner::new(&PATTERNS).unwrap();
    let all = scanner.lines(text);
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    for (line, pattern, found) in &all {
        assert_eq!(lines[*line - 1], *found);
        assert!(*pattern < PATTERNS.len());
    }
    assert!(all
        .windows(2)
        .all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1)));
    let alone = PATTERNS.map(|pattern| Scanner::new(&[pattern]).unwrap());
    let expected: usize = alone.iter().map(|one| one.lines(text).len()).sum();
    assert_eq!(all.len(), expected);
}
