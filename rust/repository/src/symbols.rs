//! What source files define, by tree-sitter. The grammars and the queries are the caller's.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rayon::prelude::*;
use tree_sitter::{Language, Parser, Query, QueryCursor, StreamingIterator};

pub const LONGEST_NAME: usize = 80;

/// Kinds, in the order in which one stands above another where a name is defined twice.
pub const KINDS: [&str; 6] = [
    "variable", "constant", "module", "function", "method", "class",
];
const VARIABLE: usize = 0;
const CONSTANT: usize = 1;

/// One name that a file defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    pub name: String,
    /// Index into `KINDS`.
    pub kind: usize,
    /// Of its first definition, from 1.
    pub line: usize,
    /// How often the name stands in the file.
    pub uses: usize,
}

/// A language's parser and what to look for.
pub struct Reader {
    language: Language,
    query: Query,
    /// For each of the query's captures, the index into `KINDS`.
    kinds: Vec<usize>,
}

impl Reader {
    /// Captures of the query are named as `KINDS`. An error tells why the two do not go together.
    pub fn new(language: Language, query: &str) -> Result<Self, String> {
        Parser::new()
            .set_language(&language)
            .map_err(|error| error.to_string())?;
        let query = Query::new(&language, query).map_err(|error| error.to_string())?;
        let kind_of = |name: &&str| {
            let found = KINDS.iter().position(|kind| kind == name);
            found.ok_or_else(|| format!("no kind is named {name}"))
        };
        let kinds = query.capture_names().iter().map(kind_of);
        let kinds = kinds.collect::<Result<_, _>>()?;
        Ok(Self {
            language,
            query,
            kinds,
        })
    }

    /// The names that a file defines, in the order of their first definition.
    pub fn symbols(&self, source: &[u8]) -> Vec<Symbol> {
        let mut parser = Parser::new();
        if parser.set_language(&self.language).is_err() {
            return Vec::new();
        }
        let Some(tree) = parser.parse(source, None) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut cursor = QueryCursor::new();
        let mut matches = cursor.matches(&self.query, tree.root_node(), source);
        while let Some(one) = matches.next() {
            for capture in one.captures() {
                let range = capture.node.byte_range();
                found.push((range.start, self.kinds[capture.index as usize], range.end));
            }
        }
        found.sort_unstable();
        told(source, &found)
    }
}

/// One symbol for each name; (start, kind, end) of definitions are in the order of the file.
fn told(source: &[u8], definitions: &[(usize, usize, usize)]) -> Vec<Symbol> {
    let mut places: HashMap<&[u8], usize> = HashMap::with_capacity(definitions.len());
    let mut first: Vec<(&[u8], usize, usize)> = Vec::new();
    for &(start, kind, end) in definitions {
        let name = &source[start..end];
        let at = *places.entry(name).or_insert_with(|| {
            first.push((name, start, kind));
            first.len() - 1
        });
        first[at].2 = first[at].2.max(kind);
    }
    let mut uses = vec![0_usize; first.len()];
    each_word(source, |word| {
        if let Some(at) = places.get(word) {
            uses[*at] += 1;
        }
    });
    let (mut line, mut counted) = (1, 0);
    let mut symbols = Vec::with_capacity(first.len());
    for (at, &(name, start, kind)) in first.iter().enumerate() {
        line += memchr::memchr_iter(b'\n', &source[counted..start]).count();
        counted = start;
        let name = String::from_utf8_lossy(name).into_owned();
        if !(2..=LONGEST_NAME).contains(&name.chars().count()) {
            continue;
        }
        symbols.push(Symbol {
            kind: if kind == VARIABLE && is_constant(&name) {
                CONSTANT
            } else {
                kind
            },
            name,
            line,
            uses: uses[at].max(1),
        });
    }
    symbols
}

fn each_word<'s>(source: &'s [u8], mut take: impl FnMut(&'s [u8])) {
    let begins = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$';
    let mut at = 0;
    while at < source.len() {
        if !begins(source[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < source.len() && (begins(source[at]) || source[at].is_ascii_digit()) {
            at += 1;
        }
        take(&source[start..at]);
    }
}

/// Written as constants are: `MAX_TRIES`, `_X2`.
fn is_constant(name: &str) -> bool {
    let bare = name.strip_suffix('\n').unwrap_or(name);
    let bare = bare.trim_start_matches('_').as_bytes();
    bare.len() > 1
        && bare[0].is_ascii_uppercase()
        && bare[1..]
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
}

/// The symbols of each file, by the reader that is given with it. What is a link or cannot be read has none.
pub fn files(root: &Path, wanted: &[(Vec<u8>, &Reader)]) -> Vec<Vec<Symbol>> {
    wanted
        .par_iter()
        .map(|(path, reader)| {
            let path = root.join(std::ffi::OsStr::from_bytes(path));
            if path.is_symlink() {
                return Vec::new();
            }
            std::fs::read(path).map_or_else(|_| Vec::new(), |source| reader.symbols(&source))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "(function_definition name: (identifier) @function)\
        (class_definition name: (identifier) @class)(assignment left: (identifier) @variable)";

    fn reader() -> Reader {
        Reader::new(tree_sitter_python::LANGUAGE.into(), QUERY).unwrap()
    }

    fn row(name: &str, kind: &str, line: usize, uses: usize) -> Symbol {
        let kind = KINDS.iter().position(|one| *one == kind).unwrap();
        Symbol {
            name: name.into(),
            kind,
            line,
            uses,
        }
    }

    #[test]
    fn a_file_tells_what_it_defines() {
        let source =
            b"MAX_TRIES = 3\nx = 1\n\ndef run(a):\n    run(MAX_TRIES)\n\nclass run: pass\n";
        let found = [
            row("MAX_TRIES", "constant", 1, 2),
            row("run", "class", 4, 3),
        ];
        assert_eq!(reader().symbols(source), found);
    }

    #[test]
    fn bytes_that_are_no_code_do_no_harm() {
        for junk in [
            &b""[..],
            b"\0\xff\xfe",
            &[b'('; 5000],
            "def ä(): 'ü".as_bytes(),
        ] {
            reader().symbols(junk);
        }
        let long = format!("{} = 1", "a".repeat(LONGEST_NAME + 1));
        assert!(reader().symbols(long.as_bytes()).is_empty());
    }

    #[test]
    fn a_query_goes_with_its_language() {
        let python = || Language::from(tree_sitter_python::LANGUAGE);
        assert!(Reader::new(python(), "(no_such_node) @class").is_err());
        assert!(Reader::new(python(), "(identifier) @spell").is_err());
    }

    #[test]
    fn files_are_told_in_their_order() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a"), "one = 1").unwrap();
        std::fs::write(root.path().join("b"), "two = 2").unwrap();
        std::os::unix::fs::symlink("a", root.path().join("link")).unwrap();
        let reader = reader();
        let paths = ["b", "missing", "link", "a"].map(|path| (path.as_bytes().to_vec(), &reader));
        let found = files(root.path(), &paths);
        let names: Vec<Vec<&str>> = found
            .iter()
            .map(|rows| rows.iter().map(|row| row.name.as_str()).collect())
            .collect();
        assert_eq!(names, [vec!["two"], vec![], vec![], vec!["one"]]);
    }
}
