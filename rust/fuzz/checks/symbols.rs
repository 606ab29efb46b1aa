//! Any bytes as Python source: what is defined stands where it is said to be.

use mybro_repository::symbols::{Reader, KINDS, LONGEST_NAME};

const QUERY: &str = "(function_definition name: (identifier) @function)\
    (class_definition name: (identifier) @class)(assignment left: (identifier) @variable)";

pub fn reader() -> Reader {
    Reader::new(tree_sitter_python::LANGUAGE.into(), QUERY).unwrap()
}

pub fn check(reader: &Reader, source: &[u8]) {
    let lines: Vec<&[u8]> = source.split(|byte| *byte == b'\n').collect();
    let found = reader.symbols(source);
    assert!(found.windows(2).all(|pair| pair[0].line <= pair[1].line));
    for one in found {
        assert!((2..=LONGEST_NAME).contains(&one.name.chars().count()));
        assert!(one.kind < KINDS.len() && one.uses > 0);
        let line = String::from_utf8_lossy(lines[one.line - 1]);
        assert!(line.contains(one.name.as_str()) || one.name.contains(['\n', '\u{fffd}']));
    }
}
