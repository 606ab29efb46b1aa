"""Everyday calls of builders, testers and linters: a known verb, and options that steer the show.

Most options mean the same wherever they occur: how much is said, which tests run, how many at once.
Those that name what to load, run or overwrite are in no list here; a call with one of them is asked about.
"""

from __future__ import annotations

import re

from mybro.executor.claude.gate.place import Place, Reach, Rule
from mybro.executor.claude.gate.tables import either
from mybro.executor.claude.gate.words import Command, Word
from mybro.vocabulary import lines
from mybro.vocabulary import words as word_lists

_WORDS = word_lists("routines")
_OPTIONS, _STYLES = _WORDS["OPTIONS"], _WORDS["STYLES"]
_STYLED = re.compile(r"(--(format|formatter|reporters?|output-format|message-format|error-format)|-reporter)")

_MILD = ("no-", "show-", "max-", "min-")
_SETTINGS = re.compile(r"--?(config|config-file|configuration|rcfile)")
_WRITTEN = re.compile(r"-(cover|cpu|mem|block)profile|-func|--?(out(put)?|report|junit-?xml)(-file)?")
_USUAL = re.compile(
    r"(\./)?(pyproject\.toml|(mypy|tox|pytest)\.ini|setup\.cfg|\.flake8|\.pylintrc|tsconfig[\w.-]*\.json|phpunit\.xml(\.dist)?"
    r"|phpstan\.neon(\.dist)?|(jest|vitest|vite|eslint|playwright|prettier)\.config\.[cm]?[jt]s|\.eslintrc(\.\w+)?|\.prettierrc"
    r"|\.pre-commit-config\.yaml|\.swiftlint\.yml|\.golangci\.ya?ml|\.rubocop\.yml|Debug|Release|debug|release|\w+Classpath)"
)
"""Settings that are found without being named, too."""


def options_fine(words: list[Word], own: str, place: Place) -> bool:
    """Whether words are options that are harmless everywhere, or match `own`, and places to read."""
    after = ""
    for word in words:
        text = word.text
        if text is None:
            if not (word.glob or (word.values is None and word.local)) or not place.reads(word):
                return False
            after = ""
        elif text.startswith("-"):
            name, _, value = text.partition("=")
            if not re.fullmatch(own, text) and not (_common(name) and _value(name, value, place)):
                return False
            after = name if not value else ""
        elif "://" in text or not _value(after, text, place):
            return False
        else:
            after = ""
    return True


def _common(name: str) -> bool:
    plain = name.lstrip("-")
    return not plain or (name.startswith("--") and (plain in _OPTIONS or plain.startswith(_MILD)))


def _value(name: str, text: str, place: Place) -> bool:
    if _SETTINGS.fullmatch(name) and text:
        return _USUAL.fullmatch(text) is not None and place.reads(Word((text,)))
    if _STYLED.fullmatch(name) and text:
        return text in _STYLES
    if _WRITTEN.fullmatch(name) and place.is_temporary(text):
        return True
    return place.reads(Word((text.removeprefix("~") if name == "--tag" else text,)))


def calls(verbs: str, own: str, reach: Reach) -> Rule:
    """A rule: the first words match `verbs`, the rest are fine."""
    head = re.compile(verbs)

    def rule(command: Command, place: Place) -> Reach | None:
        words = command.words[1:]
        for count in range(min(len(words), 4), -1, -1):
            told = " ".join(word.text or "''" for word in words[:count])
            if head.fullmatch(told) and options_fine(words[count:], own, place):
                return reach
        return None

    return rule


def _table(section: str, reach: Reach) -> dict[str, Rule]:
    found: dict[str, list[Rule]] = {}
    for line in lines("routines")[section]:
        names, verbs, own = [part.strip() for part in re.split(r" :(?= )", line)]
        for name in names.split():
            found.setdefault(name, []).append(calls(verbs, own, reach))
    return {name: either(*rules) for name, rules in found.items()}


LOOKS = _table("ROUTINE_LOOKS", Reach.READS)
RULES = _table("ROUTINES", Reach.WRITES)
