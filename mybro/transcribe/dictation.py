"""Dictated code: "snake case user id equals open bracket" is `user_id = [`.

After "dictate", and after "type" or "write" where symbols follow, the whole rest is code. In any other
sentence only casing commands, flags and spelling are carried out: "rename it to camel case user id".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from mybro.transcribe.code_line import Line, symbol_of
from mybro.transcribe.numbers import read_number
from mybro.vocabulary import lines

T = TypeVar("T")

_DATA = lines("dictation")
_DICTATE = re.compile(
    r"^\W*(?:(?:please|now|ok|okay|and|then)\W+)*(?P<verb>dictate|type (?:out|in)|type|enter"
    r"|write (?:out|down|literally|exactly)|write)\b[:,.]?\s+(?P<rest>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_WORD = re.compile(r"[^\s]+")
_FLAG_BEGINS = re.compile(
    r"(\b(?:dash dash|double dash|minus minus) (?:no|dry|without)) (?!dash\b|hyphen\b)(?=\w)", re.IGNORECASE
)
"""No flag ends with these words."""
_LONGEST_CASE = 8
_AS_IN = ("as", "in")
_PUNCTUATION = ",.;:!?"


def _table(name: str) -> dict[tuple[str, ...], str]:
    table = {}
    for line in _DATA[name]:
        spoken, _, written = line.partition("=> ")
        for phrase in spoken.split("|"):
            table[tuple(phrase.split())] = written.strip()
    return table


_SYMBOLS = {phrase: symbol_of(written) for phrase, written in _table("SYMBOLS").items()}
_QUOTES = _table("QUOTES")
_CASES = _table("CASES")
_AT_START = _table("AT_START")
_AFTER_OPERATOR = _table("AFTER_OPERATOR")
_AFTER_DOT = _table("AFTER_DOT")
_ENDS = frozenset(" ".join(_DATA["ENDS"]).split())
_LONGEST = max(len(phrase) for table in (_SYMBOLS, _QUOTES, _CASES) for phrase in table)
_TELLING = re.compile(
    r"(?:open|close|left|right|empty|double|triple) \w+|equals|semicolon|quote|underscore|colon|comma"
)


def written(text: str) -> str:
    """A sentence with what was dictated in it written as it is to stand in code."""
    text = _FLAG_BEGINS.sub(r"\1 dash ", text)
    found = _DICTATE.match(text)
    if found is not None and _is_dictation(found["verb"].lower(), found["rest"]):
        lead = text[: found.start("rest")].rstrip(" :,.")
        return f"{lead}: {code(found['rest'])}"
    return _in_sentence(text)


def _is_dictation(verb: str, rest: str) -> bool:
    if verb not in ("type", "write", "enter"):
        return True
    words = [_norm(word) for word in rest.split()]
    cased = any(_longest(words, at, _CASES)[1] for at in range(len(words)))
    return cased or len(_TELLING.findall(" ".join(words))) > 1 or " equals " in f" {' '.join(words)} "


def _norm(word: str) -> str:
    return word.lower().strip(_PUNCTUATION + "\"'`")


def _longest(words: Sequence[str], at: int, table: Mapping[tuple[str, ...], T]) -> tuple[T | None, int]:
    """The entry whose phrase begins at `at`, and its number of words; (None, 0) for none."""
    for size in range(min(_LONGEST, len(words) - at), 0, -1):
        entry = table.get(tuple(words[at : at + size]))
        if entry is not None:
            return entry, size
    return None, 0


# ---------------------------------------------------------------------------- code


def code(spoken: str) -> str:
    """What was spoken, as code. The recogniser's own punctuation counts for nothing: symbols are said."""
    raw = [word for word in (match[0].strip(_PUNCTUATION) for match in _WORD.finditer(spoken)) if word]
    words = [_norm(word) for word in raw]
    line = Line()
    at = 0
    while at < len(words):
        at += _step(raw, words, at, line)
    return line.out


def _step(raw: Sequence[str], words: Sequence[str], at: int, line: Line) -> int:
    """Write what stands at `at`; returns how many words that took."""
    if words[at] == "literal" and at + 1 < len(words):
        line.word(raw[at + 1])
        return 2
    case, taken = _longest(words, at, _CASES)
    if case is not None:
        joint = "underscore" if case in ("upper", "lower") else ""
        end = _end_of_case(
            words,
            at + taken,
            lambda place: words[place] != joint and bool(_longest(words, place, _SYMBOLS)[1]),
        )
        if end > at + taken:
            line.word(_cased(words[at + taken : end], case))
            return end - at
    quote, taken = _longest(words, at, _QUOTES)
    if quote is not None:
        line.quote(quote)
        return taken
    if flags := _letter_flags(words, at, line):
        line.word(f"-{flags}")
        return 1 + len(flags)
    symbol, taken = _longest(words, at, _SYMBOLS)
    if symbol is not None:
        line.symbol(symbol)
        return taken
    return _plain(raw, words, at, line)


def _letter_flags(words: Sequence[str], at: int, line: Line) -> str:
    """The letters of a flag that begins at `at`: "dash m", and at the end of a line "dash l a"."""
    letters = ""
    for word in words[at + 1 :] if words[at] in ("dash", "minus") else ():
        if len(word) != 1 or not word.isalpha():
            break
        letters += word
    if len(letters) > 1 and at + 1 + len(letters) == len(words) and words[at] == "dash":
        return letters
    return "" if line.after_name else letters[:1]


def _plain(raw: Sequence[str], words: Sequence[str], at: int, line: Line) -> int:
    letters, taken = _spelling(words, at)
    if taken:
        line.word(letters)
        return taken
    if (words[at],) in _AFTER_DOT and line.out.endswith("."):
        line.word(_AFTER_DOT[words[at],])
        return 1
    if words[at] in ("v", "negative") and (value := read_number(words[at + 1 :]))[1]:
        line.word(f"{'v' if words[at] == 'v' else '-'}{value[0]}")
        return 1 + value[1]
    if line.at_start and tuple(words[at : at + 1]) in _AT_START:
        line.word(_AT_START[words[at],])
        return 1
    if words[at] == "number" and read_number(words[at + 1 :])[1]:
        at, skipped = at + 1, 1
    else:
        skipped = 0
    digits, taken = read_number(words[at:])
    if taken:
        line.word(digits)
        return taken + skipped
    if line.after_operator and (words[at],) in _AFTER_OPERATOR:
        line.word(_AFTER_OPERATOR[words[at],])
        return 1
    if words[at] in ("cap", "capital") and at + 1 < len(words):
        line.word(raw[at + 1].capitalize())
        return 2
    # A capital at the beginning is the recogniser's, not the person's.
    line.word(raw[at].lower() if at == 0 and raw[at].istitle() else raw[at])
    return 1


def _spelling(words: Sequence[str], at: int) -> tuple[str, int]:
    """Letters in a row: "s as in sierra q as in quebec", or "spell a b c"."""
    out, place = "", at
    while (
        place + 3 < len(words)
        and len(words[place]) == 1
        and list(words[place + 1 : place + 3]) == ["as", "in"]
    ):
        out, place = out + words[place], place + 4
    if out:
        return out, place - at
    if words[at] == "spell":
        place = at + 1
        while place < len(words) and len(words[place]) == 1:
            out, place = out + words[place], place + 1
    return (out, place - at) if out else ("", 0)


# ---------------------------------------------------------------------------- names


def _end_of_case(words: Sequence[str], start: int, is_end: Callable[[int], bool]) -> int:
    """Where the words of a casing command end."""
    end = start
    while end < len(words) and end - start < _LONGEST_CASE:
        if is_end(end) or words[end] in ("literal", "end") or _longest(words, end, _CASES)[1]:
            break
        end += 1
    return end


def _cased(words: Sequence[str], case: str) -> str:
    parts: list[str] = []
    at = 0
    while at < len(words):
        letters, taken = _spelling(words, at)
        digits, counted = ("", 0) if taken else read_number(words[at:])
        pieces = [letters or digits] if taken or counted else re.findall(r"[^\W_]+", words[at])
        parts += pieces
        at += max(1, taken, counted)
    title = [part[:1].upper() + part[1:] for part in parts]
    match case:
        case "camel":
            return "".join([*parts[:1], *title[1:]])
        case "pascal":
            return "".join(title)
        case "title":
            return " ".join(title)
        case "screaming":
            return "_".join(parts).upper()
        case "upper" | "lower":
            joined = " ".join(parts).replace(" underscore ", "_")
            return joined.upper() if case == "upper" else joined
        case "dunder":
            return f"__{''.join(parts)}__"
        case _:
            return {"snake": "_", "kebab": "-", "dot": ".", "slash": "/"}.get(case, "").join(parts)


_FLAG = re.compile(
    r"\b(?:dash dash|double dash|minus minus|--) ?(?P<name>[a-z]\w*(?:(?: dash |-)[a-z]\w+)*)", re.IGNORECASE
)
_LETTER_FLAG = re.compile(r"\b(?:dash|minus) (?P<name>[a-z])\b(?! (?:dash|minus|as in)\b)", re.IGNORECASE)
_LETTERS_AS_IN = re.compile(r"\b[a-z],? as in \w+(?:,? [a-z],? as in \w+)*", re.IGNORECASE)


def _in_sentence(text: str) -> str:
    text = _FLAG.sub(lambda found: "--" + found["name"].lower().replace(" dash ", "-"), text)
    text = _LETTER_FLAG.sub(lambda found: f"-{found['name']}", text)
    text = _LETTERS_AS_IN.sub(lambda found: "".join(re.findall(r"\b([a-z]),? as in", found[0].lower())), text)
    matches = list(_WORD.finditer(text))
    words = [_norm(match[0]) for match in matches]
    out, kept = "", 0
    at = 0
    while at < len(words):
        case, taken = _longest(words, at, _CASES)
        begin = at + taken
        if case is None or case in ("title", "upper", "lower", "dot", "slash", "flat", "dunder"):
            at += 1  # in a sentence these speak of casing, or are plain English
            continue
        end = _end_in_sentence(matches, words, begin)
        if end == begin or words[begin] in _ENDS | {"the", "a", "everywhere", "instead", "names", "naming"}:
            at = begin
            continue
        tail = re.search(rf"[{_PUNCTUATION}]*$", matches[end - 1][0])
        out += text[kept : matches[at].start()] + _cased(words[begin:end], case) + (tail[0] if tail else "")
        kept = matches[end - 1].end()
        at = end
    return out + text[kept:]


def _end_in_sentence(matches: Sequence[re.Match[str]], words: Sequence[str], start: int) -> int:
    def is_end(place: int) -> bool:
        closed = place > start and matches[place - 1][0][-1] in _PUNCTUATION
        return closed or (place > start and words[place] in _ENDS)

    return _end_of_case(words, start, is_end)
