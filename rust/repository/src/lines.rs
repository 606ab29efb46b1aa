//! Patterns that lie within a line and have a fixed word: only the lines with that word are looked at.

use std::cmp::Reverse;
use std::ops::Range;

use memchr::{memchr, memrchr};
use regex_automata::util::prefilter::Prefilter;
use regex_automata::util::syntax;
use regex_automata::{MatchKind, Span};
use regex_syntax::hir::{Class, Hir, HirKind};

/// More words than this say too little about a line.
const MOST_WORDS: usize = 16;
/// Shorter words are in too many lines.
const LONG: usize = 3;

/// Finds the lines in which a pattern can match.
pub(crate) struct Lines(Prefilter);

impl Lines {
    /// None where a match may be longer than a line, or need not have a word.
    pub(crate) fn of(pattern: &str, config: &syntax::Config) -> Option<Self> {
        let parsed = syntax::parse_with(pattern, config).ok()?;
        let words = within_a_line(&parsed).then(|| words(&parsed))??;
        Prefilter::new(MatchKind::LeftmostFirst, &words).map(Self)
    }

    /// The first such line that begins at an offset or after it, without its end.
    pub(crate) fn next(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let rest = Span::from(from..text.len());
        let found = (from < text.len()).then(|| self.0.find(text, rest))??;
        let start = memrchr(b'\n', &text[from..found.start]).map_or(from, |at| from + at + 1);
        let end = memchr(b'\n', &text[found.end..]).map_or(text.len(), |at| found.end + at);
        Some(start..end)
    }
}

fn within_a_line(part: &Hir) -> bool {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => !literal.0.contains(&b'\n'),
        HirKind::Class(Class::Bytes(class)) => class
            .iter()
            .all(|range| !(range.start()..=range.end()).contains(&b'\n')),
        HirKind::Class(Class::Unicode(_)) => false,
        HirKind::Repetition(repeated) => within_a_line(&repeated.sub),
        HirKind::Capture(group) => within_a_line(&group.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().all(within_a_line),
    }
}

type Words = Vec<Vec<u8>>;

/// Words of which every match has one; None where there are none, or too many.
fn words(part: &Hir) -> Option<Words> {
    match part.kind() {
        HirKind::Alternation(parts) => {
            let each: Option<Vec<Words>> = parts.iter().map(words).collect();
            each.map(|each| each.concat())
                .filter(|all| all.len() <= MOST_WORDS)
        }
        HirKind::Repetition(repeated) if repeated.min > 0 => words(&repeated.sub),
        HirKind::Literal(_) | HirKind::Capture(_) | HirKind::Concat(_) => {
            let mut found = Vec::new();
            let mut run = Vec::new();
            gather(part, &mut run, &mut found);
            end(&mut run, &mut found);
            found.into_iter().max_by_key(|words| {
                let shortest = words.iter().map(Vec::len).min().unwrap_or(0);
                (shortest >= LONG, Reverse(words.len()), shortest)
            })
        }
        _ => None,
    }
}

/// What stands in a row: runs of bytes, and parts that have words of their own.
fn gather(part: &Hir, run: &mut Vec<u8>, found: &mut Vec<Words>) {
    match part.kind() {
        HirKind::Literal(literal) => run.extend_from_slice(&literal.0),
        HirKind::Capture(group) => gather(&group.sub, run, found),
        HirKind::Concat(parts) => parts.iter().for_each(|part| gather(part, run, found)),
        HirKind::Empty | HirKind::Look(_) => {}
        _ => {
            end(run, found);
            found.extend(words(part));
        }
    }
}

fn end(run: &mut Vec<u8>, found: &mut Vec<Words>) {
    if !run.is_empty() {
        found.push(vec![std::mem::take(run)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pattern: &str) -> Hir {
        let config = syntax::Config::new().utf8(false).unicode(false);
        syntax::parse_with(pattern, &config).unwrap()
    }

    fn told(pattern: &str) -> Option<Vec<String>> {
        let words = words(&parsed(pattern))?;
        Some(
            words
                .iter()
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect(),
        )
    }

    #[test]
    fn every_match_has_one_of_the_words() {
        let one = |word: &str| Some(vec![word.to_owned()]);
        assert_eq!(told(r"(?m:^)([ \t]*)el(if [^:\n]*:)"), one("elif "));
        assert_eq!(
            told(r"(?m:^)[ \t]*(?:async[ \t]+)?def[ \t]+(test\w*)\("),
            one("test")
        );
        assert_eq!(told(r"\w+\.(?:pop|clear)\("), told("pop|clear"));
        assert_eq!(told(r"(?:abcd)+x{0,3}"), one("abcd"));
        assert_eq!(told(r"(?i:word)"), None);
        assert_eq!(told(r"a|\w"), None);
        assert_eq!(told(r"(?:a|b)?"), None);
    }

    #[test]
    fn what_may_be_longer_than_a_line_is_known() {
        for pattern in [r"a\s", r"a[^b]", r"a(?s:.)", "a\nb", r"(?:x|\n)a", r"(\W)a"] {
            assert!(!within_a_line(&parsed(pattern)), "{pattern}");
        }
        for pattern in [r"(?m:^)a[^\n]*(?m:$)", r"a{2,}[ \t]|\bb", "(?-s:.)"] {
            assert!(within_a_line(&parsed(pattern)), "{pattern}");
        }
    }

    #[test]
    fn lines_are_found_one_by_one() {
        let config = syntax::Config::new().utf8(false).unicode(false);
        let lines = Lines::of(r"(?m:^)word \w", &config).unwrap();
        let text = b"no\na word word \n\nword ";
        assert_eq!(lines.next(text, 0), Some(3..15));
        assert_eq!(lines.next(text, 16), Some(17..22));
        assert_eq!(lines.next(text, 23), None);
        assert!(Lines::of(r"\w", &config).is_none());
        assert!(Lines::of(r"word\s", &config).is_none());
    }
}
