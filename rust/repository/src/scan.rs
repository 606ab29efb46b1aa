//! Looking for many patterns in many files at once.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rayon::prelude::*;
use regex_automata::meta::{BuildError, Regex};
use regex_automata::util::syntax;
use regex_automata::Input;

/// A NUL among these first bytes means that a file is no text.
const LOOKED_AT: usize = 8192;

/// A line that a pattern was found in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Index into the paths that were given.
    pub file: usize,
    /// From 1.
    pub line: usize,
    /// Index into the patterns that were given.
    pub pattern: usize,
    /// The line, without its end.
    pub text: Vec<u8>,
}

/// Several regular expressions, over bytes; "^" and "$" are those of a line.
pub struct Scanner {
    any: Regex,
    each: Vec<Regex>,
}

impl Scanner {
    pub fn new<P: AsRef<str>>(patterns: &[P]) -> Result<Self, Box<BuildError>> {
        // A match never crosses a line: "." and classes leave the line's end out.
        let syntax = syntax::Config::new()
            .utf8(false)
            .multi_line(true)
            .line_terminator(b'\n');
        let build = |patterns: &[&str]| {
            Regex::builder()
                .configure(Regex::config().utf8_empty(false))
                .syntax(syntax)
                .build_many(patterns)
                .map_err(Box::new)
        };
        let patterns: Vec<&str> = patterns.iter().map(AsRef::as_ref).collect();
        let each = patterns
            .iter()
            .map(|pattern| build(&[pattern]))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            any: build(&patterns)?,
            each,
        })
    }

    /// The lines of `text` in which patterns are found, each with every pattern that is in it.
    pub fn lines<'t>(&self, text: &'t [u8]) -> Vec<(usize, usize, &'t [u8])> {
        let mut found = Vec::new();
        let (mut at, mut number, mut counted) = (0, 1, 0);
        while at < text.len() {
            let Some(one) = self.any.search(&Input::new(text).range(at..)) else {
                break;
            };
            let (first, last) = (one.start(), one.end().saturating_sub(1).max(one.start()));
            // What is found may cross lines, and hide what is within one of them: all that it touches are looked at.
            let mut start = memchr::memrchr(b'\n', &text[..first.min(text.len() - 1)])
                .map_or(0, |end| end + 1)
                .max(at);
            while start <= last.min(text.len() - 1) {
                let rest = &text[start..];
                let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
                number += memchr::memchr_iter(b'\n', &text[counted..start]).count();
                counted = start;
                for (pattern, one) in self.each.iter().enumerate() {
                    if one.is_match(line) {
                        found.push((number, pattern, line));
                    }
                }
                start += line.len() + 1;
            }
            at = start;
        }
        found
    }

    /// All files, in their order; what cannot be read, is no text or is larger than `most` is left out.
    pub fn files(&self, root: &Path, paths: &[Vec<u8>], most: u64) -> Vec<Found> {
        let per_file: Vec<Vec<Found>> = paths
            .par_iter()
            .enumerate()
            .map_init(Vec::new, |buffer, (file, path)| {
                let path = root.join(std::ffi::OsStr::from_bytes(path));
                if !read(&path, most, buffer) {
                    return Vec::new();
                }
                let lines = self.lines(buffer);
                lines
                    .into_iter()
                    .map(|(line, pattern, text)| Found {
                        file,
                        line,
                        pattern,
                        text: text.to_vec(),
                    })
                    .collect()
            })
            .collect();
        per_file.into_iter().flatten().collect()
    }
}

fn read(path: &Path, most: u64, buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    let Ok(told) = std::fs::symlink_metadata(path) else {
        return false;
    };
    if !told.is_file() || told.len() > most {
        return false;
    }
    let whole = File::open(path).and_then(|mut file| file.read_to_end(buffer));
    if whole.is_err() || memchr::memchr(0, &buffer[..buffer.len().min(LOOKED_AT)]).is_some() {
        return false;
    }
    unify_ends(buffer);
    true
}

/// Make every CR LF an LF, so that "$" means the same in every file.
fn unify_ends(text: &mut Vec<u8>) {
    let Some(first) = memchr::memmem::find(text, b"\r\n") else {
        return;
    };
    let mut to = first;
    for from in first..text.len() {
        if text[from] != b'\r' || text.get(from + 1) != Some(&b'\n') {
            text[to] = text[from];
            to += 1;
        }
    }
    text.truncate(to);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(patterns: &[&str], text: &str) -> Vec<(usize, usize, String)> {
        let scanner = Scanner::new(patterns).unwrap();
        let lines = scanner.lines(text.as_bytes());
        lines
            .iter()
            .map(|(n, p, t)| (*n, *p, String::from_utf8_lossy(t).into_owned()))
            .collect()
    }

    #[test]
    fn every_pattern_of_a_line_is_told_once() {
        let text = "one\ntwo one two\n\nthree";
        let one_two = [
            (1, 0, "one".into()),
            (2, 0, "two one two".into()),
            (2, 1, "two one two".into()),
        ];
        assert_eq!(found(&["one", "two"], text), one_two);
        assert_eq!(
            found(&["^three$", "^$"], text),
            [(3, 1, String::new()), (4, 0, "three".into())]
        );
    }

    #[test]
    fn a_match_stays_in_its_line() {
        assert_eq!(
            found(&["a[^x]*b", r"a\s+b"], "a\nb\na b"),
            [(3, 0, "a b".into()), (3, 1, "a b".into())]
        );
        let hidden = [(2, 0, "key".into()), (3, 1, "xy".into())];
        assert_eq!(found(&["key", "[^z]+y$"], "a\nkey\nxy")[..1], hidden[..1]);
        assert!(found(&["x"], "").is_empty());
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        let scanner = Scanner::new(&["key"]).unwrap();
        assert_eq!(scanner.lines(b"\xff\xfe key \xff\n").len(), 1);
        assert!(Scanner::new(&["("]).is_err());
    }

    #[test]
    fn files_are_told_in_their_order() {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("a", "key\n"),
            ("b", "\0key\n"),
            ("c", "n\r\nkey\r\n"),
            ("d", "keykeykey"),
        ] {
            std::fs::write(root.path().join(name), text).unwrap();
        }
        let paths: Vec<Vec<u8>> = ["a", "b", "c", "d", "e", "."]
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let scanner = Scanner::new(&["key$"]).unwrap();
        let places: Vec<_> = scanner
            .files(root.path(), &paths, 8)
            .iter()
            .map(|f| (f.file, f.line))
            .collect();
        assert_eq!(places, [(0, 1), (2, 2)]);
    }
}
