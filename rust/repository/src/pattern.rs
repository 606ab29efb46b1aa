//! One pattern in many texts, looked for where it can be.

use std::borrow::Cow;
use std::ops::Range;

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use crate::lines::Lines;

/// A regular expression for bytes.
pub(crate) struct Pattern {
    regex: Regex,
    /// Where it can match, if not anywhere.
    lines: Option<Lines>,
}

impl Pattern {
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        // To look for letters first pays where a match begins with them, and in one case only.
        let letters_first = pattern.starts_with("\\x") || pattern.starts_with("(?:\\x");
        let config = Regex::config()
            .utf8_empty(false)
            .auto_prefilter(letters_first);
        let syntax = syntax::Config::new().utf8(false).unicode(false);
        let regex = Regex::builder()
            .configure(config)
            .syntax(syntax)
            .build(pattern)
            .map_err(|error| format!("{pattern}: {error}"))?;
        let lines = Lines::of(pattern, &syntax).filter(|_| !letters_first);
        Ok(Self { regex, lines })
    }

    /// The first part of the text, from an offset on, in which there may be matches: a line, or all of it.
    fn part(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        match &self.lines {
            Some(lines) => lines.next(text, from),
            None => (from == 0).then_some(0..text.len()),
        }
    }

    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        let mut part = self.part(text, 0);
        while let Some(here) = part {
            if self.regex.is_match(Input::new(text).range(here.clone())) {
                return true;
            }
            part = self.part(text, here.end + 1);
        }
        false
    }

    /// What its groups capture in a row, match by match; without groups, the matches.
    pub(crate) fn captured<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Cow<'a, [u8]>> {
        let mut found = self.regex.create_captures();
        let mut part = self.part(text, 0);
        std::iter::from_fn(move || {
            let one = loop {
                let here = part.as_mut()?;
                let after = here.end + 1;
                let next = (here.start <= here.end)
                    .then(|| self.regex.search(&Input::new(text).range(here.clone())))
                    .flatten();
                if let Some(one) = next {
                    here.start = one.end().max(one.start() + 1);
                    break one;
                }
                part = self.part(text, after);
            };
            if self.regex.captures_len() == 1 {
                return Some(Cow::Borrowed(&text[one.range()]));
            }
            let here = Input::new(text).range(one.range()).anchored(Anchored::Yes);
            self.regex.search_captures(&here, &mut found);
            let mut groups = found
                .iter()
                .skip(1)
                .flatten()
                .map(|span| &text[span.range()]);
            let first = groups.next().unwrap_or_default();
            Some(groups.fold(Cow::Borrowed(first), |row, group| match group {
                [] => row,
                group => Cow::Owned([&row, group].concat()),
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &Pattern, text: &[u8]) -> Vec<Vec<u8>> {
        pattern.captured(text).map(Cow::into_owned).collect()
    }

    #[test]
    fn line_by_line_the_same_is_found_as_in_all_of_the_text() {
        let texts: [&[u8]; 6] = [
            b"",
            b"\n",
            b"elif a: elif b:\n  elif a:",
            b"x elif\nelif a b: elif:\r\nelif c:\n",
            b"\n\nelif (:\nelif d:",
            b"elif",
        ];
        for told in [
            r"elif [^:\n]*:",
            r"(?m:^)( *)el(if [^:\n]*:)",
            r"[ ]*elif(?m:$)",
        ] {
            let mut pattern = Pattern::new(told).unwrap();
            assert!(pattern.lines.is_some());
            let here: Vec<_> = texts.iter().map(|text| found(&pattern, text)).collect();
            let whether = texts.map(|text| pattern.is_in(text));
            pattern.lines = None;
            let there: Vec<_> = texts.iter().map(|text| found(&pattern, text)).collect();
            assert_eq!(here, there, "{told}");
            assert_eq!(whether, texts.map(|text| pattern.is_in(text)));
            assert!(here.iter().any(|one| !one.is_empty()));
        }
    }
}
