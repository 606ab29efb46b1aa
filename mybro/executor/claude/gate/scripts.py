"""Small programs on a command line, in languages of which enough is understood."""

from __future__ import annotations

import re

from mybro.vocabulary import words as word_lists

_SED_ADDRESS = r"(?:(?:\d+|\$|/(?:[^/\\\n]|\\.)*/)(?:,(?:\+?\d+|\$|/(?:[^/\\\n]|\\.)*/))?\s*!?\s*)?"
_SED_PRINTS = re.compile(rf"{_SED_ADDRESS}(?:[pdq=nhHgGxDPN]|q\d*|\{{\s*[pdq=]\s*;?\s*\}})\s*")
_SED_REPLACES = re.compile(
    rf"{_SED_ADDRESS}s([/|#,@!:_%+])((?:(?!\1)[^\\\n]|\\[^\n])*)\1((?:(?!\1)[^\\\n]|\\[^\n])*)\1[gpIi0-9]*\s*"
)


def sed_only_prints(program: str) -> bool:
    """Whether a sed program neither writes files nor runs anything."""
    at = 0
    while at < len(program):
        found = _SED_REPLACES.match(program, at) or _SED_PRINTS.match(program, at)
        if found is None or program[found.end() : found.end() + 1] not in ("", ";", "\n"):
            return False
        at = found.end() + 1
        at += len(program[at:]) - len(program[at:].lstrip(" ;\n"))
    return bool(program)


def sed_only_replaces(program: str) -> bool:
    """Whether a sed program, applied to files, replaces certain words and no more."""
    found = _SED_REPLACES.fullmatch(program.strip().rstrip(";"))
    if found is None or not found[3] or (not re.search(r"\w\w", found[2]) and len(found[2]) > 1):
        return False
    return not re.search(r"(?<!\\)[.\]\w)][*+]|\\[wWsSD]|\[\^|(?<!\\)\.(?!\w)|\{|\||\\n", found[2])


def sed_edits(program: str) -> bool:
    """Whether a sed program for files that are written by hand changes, adds or drops certain lines."""
    at = 0
    while at < len(program):
        found = (
            _SED_REPLACES.match(program, at) or _SED_DROPS.match(program, at) or _SED_ADDS.match(program, at)
        )
        if found is None or (found.re is _SED_REPLACES and re.fullmatch(r"[\^$.*+()\\]*", found[2])):
            return False
        at = found.end()
        if program[at : at + 1] not in ("", ";", "\n"):
            return False
        at += 1
        at += len(program[at:]) - len(program[at:].lstrip(" ;\n"))
    return bool(program)


_LINE = r"(?:\d+|/(?=[^/\n]*\w\w)(?:[^/\\\n]|\\.)*/)"
_SED_DROPS = re.compile(rf"{_LINE}(?:,{_LINE})?\s*d\s*")
_SED_ADDS = re.compile(rf"(?:{_LINE}|\$)\s*[aic](?:\\\n?)?\s*[^\n]*")
_PERL_EDIT = re.compile(
    r"(?:s([/|#,!])((?:(?!\1)[^\\\n]|\\.)*)\1((?:(?!\1)[^\\\n@]|\\.)*)\1[gimsx]*\s*;?\s*)+"
)


def perl_edits(program: str) -> bool:
    """Whether `perl -pi -e` replaces certain words: nothing in it is computed, and nothing is run."""
    found = _PERL_EDIT.fullmatch(program)
    return (
        found is not None
        and re.search(r"\(\?\??\{|\$\{|@\{|\$\w+\W*\(|\\e", program) is None
        and re.search(r"\w", found[2]) is not None
    )


def awk_only_prints(program: str) -> bool:
    """Whether an awk program neither writes files nor runs anything."""
    bare = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', program)
    bare = re.sub(r"\|\||>=", " ", bare)
    if re.search(r"\bprintf?\b[^;}\n]*>|>\s*\"", bare):
        return False
    return not re.search(r"system|getline|@|\||>>|close|fflush|ENVIRON|ARGV|ARGC|\bload\b|include", bare)


_CALLED = word_lists("effects")["ONE_LINERS"]


def one_liner_computes(program: str) -> bool:
    """Whether a line in Ruby, PHP, R, Lua and the like computes and prints: every name in it is known."""
    if re.search(
        r"`|%x|\bopen|\||#\{|\$\{|\$\(", program.replace("||", "").replace("|>", "")
    ) and not re.fullmatch(r"[^`%]*\{ ?\|\w+\|[^`%]*", program):
        return False
    if re.search(r"\$\w+\s*\(|['\"]\s*\(", program):
        return False  # a name that is only known when it runs
    bare = re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", "0", program)
    made = set(re.findall(r"\$(\w+)|\b([a-z])\b", bare))
    names = {name for pair in made for name in pair if name}
    return all(word in _CALLED or word in names for word in re.findall(r"[A-Za-z_]\w*", bare))
