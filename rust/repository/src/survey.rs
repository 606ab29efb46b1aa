//! One look at many files for all words and shapes that anybody looks for: most files are done after it.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Instant;

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};
use rayon::prelude::*;

use crate::pattern::Pattern;

/// What stands for any byte above 127.
pub const NOT_ASCII: &[u8] = b"\x80";
/// What stands for bytes that are no UTF-8.
pub const NOT_UTF8: &[u8] = b"\xff";
const BITS: usize = u64::BITS as usize;

/// A shape that text can have. It is looked for where one of its words is, and everywhere if it has none.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Indices into the survey's words.
    pub words: Vec<usize>,
    /// One: it matches. Two: what both match is the same, or what their groups capture in a row.
    pub patterns: Vec<String>,
    /// Of one pattern: what it matches, or what its groups capture, is the same in two places.
    pub twice: bool,
    /// The kinds of files that it is looked for in; in others it may be. None: in all.
    pub kinds: Vec<u8>,
}

struct Seeker {
    words: Vec<usize>,
    first: Pattern,
    second: Option<Pattern>,
    twice: bool,
    kinds: Vec<u8>,
}

/// Words, whose capitals count as small letters, and shapes.
pub struct Survey {
    words: AhoCorasick,
    /// For each of the automaton's words, its index into the words that were given.
    numbers: Vec<usize>,
    not_ascii: Option<usize>,
    not_utf8: Option<usize>,
    count: usize,
    shapes: Vec<Seeker>,
}

/// A set of marks: the words' in their order, then the shapes'.
pub type Marks = Vec<u64>;

impl Survey {
    /// Shapes are for bytes; an error tells which one cannot be used.
    pub fn new(words: &[Vec<u8>], shapes: &[Shape]) -> Result<Self, String> {
        let numbers: Vec<usize> = (0..words.len())
            .filter(|&at| !(words[at].is_empty() || [NOT_ASCII, NOT_UTF8].contains(&&*words[at])))
            .collect();
        Ok(Self {
            words: automaton(numbers.iter().map(|&at| &words[at]))
                .map_err(|error| error.to_string())?,
            numbers,
            not_ascii: words.iter().position(|word| word == NOT_ASCII),
            not_utf8: words.iter().position(|word| word == NOT_UTF8),
            count: words.len(),
            shapes: shapes.par_iter().map(seeker).collect::<Result<_, _>>()?,
        })
    }

    /// How many numbers a set of marks has.
    pub fn width(&self) -> usize {
        (self.count + self.shapes.len()).div_ceil(BITS)
    }

    /// What is in a text of this kind.
    pub fn marks(&self, text: &[u8], kind: u8) -> Marks {
        let mut marks = vec![0; self.width()];
        for found in self.words.find_overlapping_iter(text) {
            set(&mut marks, self.numbers[found.pattern().as_usize()]);
        }
        if !text.is_ascii() {
            let bad = self.not_utf8.filter(|_| std::str::from_utf8(text).is_err());
            for number in self.not_ascii.into_iter().chain(bad) {
                set(&mut marks, number);
            }
        }
        for (number, shape) in self.shapes.iter().enumerate() {
            let asked = shape.kinds.is_empty() || shape.kinds.contains(&kind);
            let may = shape.words.is_empty() || shape.words.iter().any(|&word| has(&marks, word));
            if may && (!asked || shape.is_in(text)) {
                set(&mut marks, self.count + number);
            }
        }
        marks
    }

    /// The same of each file; None for what is a link, cannot be read, is larger than `most` bytes or comes late.
    pub fn files(
        &self,
        root: &Path,
        paths: &[(Vec<u8>, u8)],
        most: u64,
        until: Option<Instant>,
    ) -> Vec<Option<Marks>> {
        paths
            .par_iter()
            .map_init(Vec::new, |buffer, (path, kind)| {
                if until.is_some_and(|until| Instant::now() > until) {
                    return None;
                }
                let path = root.join(std::ffi::OsStr::from_bytes(path));
                read(&path, most, buffer).then(|| self.marks(buffer, *kind))
            })
            .collect()
    }
}

impl Seeker {
    fn is_in(&self, text: &[u8]) -> bool {
        if let Some(second) = &self.second {
            let known: HashSet<_> = self.first.captured(text).collect();
            return !known.is_empty() && second.captured(text).any(|one| known.contains(&one));
        }
        if self.twice {
            let mut known = HashSet::new();
            return self.first.captured(text).any(|one| !known.insert(one));
        }
        self.first.is_in(text)
    }
}

fn automaton<'a>(words: impl Iterator<Item = &'a Vec<u8>>) -> Result<AhoCorasick, BuildError> {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .ascii_case_insensitive(true)
        .build(words)
}

fn seeker(shape: &Shape) -> Result<Seeker, String> {
    let mut compiled = shape.patterns.iter().map(|pattern| Pattern::new(pattern));
    Ok(Seeker {
        words: shape.words.clone(),
        first: compiled.next().ok_or("a shape without a pattern")??,
        second: compiled.next().transpose()?,
        twice: shape.twice,
        kinds: shape.kinds.clone(),
    })
}

fn set(marks: &mut Marks, number: usize) {
    marks[number / BITS] |= 1 << (number % BITS);
}

fn has(marks: &Marks, number: usize) -> bool {
    marks[number / BITS] & 1 << (number % BITS) != 0
}

fn read(path: &Path, most: u64, buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    // Neither a link is followed nor a pipe waited for.
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let Ok(file) = opened else { return false };
    let told = file.metadata();
    if !told.is_ok_and(|told| told.is_file() && told.len() <= most) {
        return false;
    }
    let whole = <&File>::take(&file, most + 1).read_to_end(buffer);
    whole.is_ok() && buffer.len() as u64 <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(words: &[usize], patterns: &[&str]) -> Shape {
        Shape {
            words: words.to_vec(),
            patterns: patterns.iter().map(ToString::to_string).collect(),
            twice: false,
            kinds: Vec::new(),
        }
    }

    fn marks(words: &[&[u8]], shapes: &[Shape], text: &[u8]) -> Vec<usize> {
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.to_vec()).collect();
        let survey = Survey::new(&words, shapes).unwrap();
        let found = survey.marks(text, 1);
        (0..words.len() + shapes.len())
            .filter(|&at| has(&found, at))
            .collect()
    }

    #[test]
    fn words_within_words_are_seen_in_any_case() {
        let words: [&[u8]; 6] = [
            b"request",
            b"requests",
            b"quest",
            b"jwt",
            NOT_ASCII,
            NOT_UTF8,
        ];
        assert_eq!(marks(&words, &[], b"import REQUESTS"), [0, 1, 2]);
        assert_eq!(marks(&words, &[], "ö jWt".as_bytes()), [3, 4]);
        assert_eq!(marks(&words, &[], b"\xff"), [4, 5]);
        assert_eq!(marks(&words, &[], b""), [0; 0]);
    }

    #[test]
    fn a_shape_is_looked_for_where_its_word_is() {
        let shapes = [
            shape(&[0], &[r"key\s*="]),
            shape(&[1], &["x"]),
            shape(&[], &["x"]),
        ];
        assert_eq!(marks(&[b"key", b"no"], &shapes, b"key = x"), [0, 2, 4]);
    }

    #[test]
    fn the_same_in_two_places() {
        let mut again = shape(&[0], &["(?m)^ *elif [^:]*:"]);
        again.twice = true;
        assert_eq!(
            marks(
                &[b"elif"],
                std::slice::from_ref(&again),
                b"elif a:\n elif a:\nelif b:"
            ),
            [0]
        );
        assert_eq!(
            marks(&[b"elif"], &[again], b"elif a:\nelif b:\nelif a:"),
            [0, 1]
        );
        let both = shape(&[0], &["(?m)^( *)el(if [^:]*:)", "(?m)^ *if [^:]*:"]);
        assert_eq!(
            marks(&[b"elif"], std::slice::from_ref(&both), b" if a:\nelif a:"),
            [0]
        );
        assert_eq!(marks(&[b"elif"], &[both], b" if a:\n elif a:"), [0, 1]);
        let mut empty = shape(&[], &["x*"]);
        empty.twice = true;
        assert_eq!(marks(&[], &[empty], b"ab"), [0]);
    }

    #[test]
    fn in_files_of_other_kinds_a_shape_may_be() {
        let mut elsewhere = shape(&[0], &["never"]);
        elsewhere.kinds = vec![2];
        assert_eq!(
            marks(&[b"key"], std::slice::from_ref(&elsewhere), b"key"),
            [0, 1]
        );
        elsewhere.kinds = vec![1];
        assert_eq!(marks(&[b"key"], &[elsewhere], b"key"), [0]);
    }

    #[test]
    fn what_cannot_be_read_is_not_known() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a"), "key").unwrap();
        std::fs::write(root.path().join("large"), "key, and more").unwrap();
        std::os::unix::fs::symlink("a", root.path().join("link")).unwrap();
        let survey = Survey::new(&[b"key".to_vec()], &[]).unwrap();
        let paths = ["a", "large", "link", "missing", "."].map(|path| (path.into(), 0));
        let found = survey.files(root.path(), &paths, 5, None);
        assert_eq!(found, [Some(vec![1]), None, None, None, None]);
        let late = survey.files(root.path(), &paths, 5, Some(Instant::now()));
        assert!(late.iter().all(Option::is_none));
        assert!(Survey::new(&[], &[shape(&[], &["("])]).is_err());
        assert!(Survey::new(&[], &[shape(&[], &[])]).is_err());
    }
}
