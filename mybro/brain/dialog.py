"""The last five turns, and what "it", "that file" and "do the same for…" mean in their light."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mybro import naming
from mybro.intent import Action, Intent
from mybro.words import Word, join, split

WINDOW = 5
"""Turns that are kept."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One sentence, what was understood, and what came of it."""

    text: str
    intent: Intent
    outcome: str = ""
    """A sentence, as it was spoken; empty while the work goes on."""


@dataclass(frozen=True, slots=True)
class Dialog:
    """The last turns, oldest first. A value: `add` and `settle` return another one."""

    turns: tuple[Turn, ...] = field(default=())

    def add(self, text: str, intent: Intent, outcome: str = "") -> Dialog:
        """The dialog with one more turn; what steers mybro itself is left out."""
        if intent.kind == "control" and intent.action not in (Action.UNDO, Action.REDO):
            return self
        return Dialog((*self.turns, Turn(text, intent, outcome))[-WINDOW:])

    def settle(self, outcome: str) -> Dialog:
        """The dialog with the outcome of its last turn."""
        if not self.turns:
            return self
        last = self.turns[-1]
        return Dialog((*self.turns[:-1], Turn(last.text, last.intent, outcome)))

    @property
    def path(self) -> str | None:
        """The file that was named last."""
        return next((found for turn in reversed(self.turns) if (found := _path(turn))), None)

    @property
    def symbol(self) -> str | None:
        """The symbol that was named last, under its present name."""
        return next((found for turn in reversed(self.turns) if (found := _symbol(turn))), None)

    @property
    def branch(self) -> str | None:
        """The branch that was named last."""
        return next(
            (turn.intent.arguments.branch for turn in reversed(self.turns) if turn.intent.arguments.branch),
            None,
        )


def _path(turn: Turn) -> str | None:
    if turn.intent.arguments.path:
        return turn.intent.arguments.path
    words = split(turn.text)
    for at, word in enumerate(words):
        if word.norm == "dot" and 0 < at < len(words) - 1:
            start = at - 1
            while start >= 2 and words[start - 1].norm in ("slash", "underscore", "dash", "dot"):
                start -= 2
            end = at + 2
            while end < len(words) and len(words[end].norm) == 1 and len(words[end - 1].norm) == 1:
                end += 1
            return naming.path(join(words[start:end]))
        if re.fullmatch(r"[\w./~-]*\w\.[A-Za-z]\w{0,9}", word.text) and not word.text[0].isdigit():
            return word.text
    return None


def _symbol(turn: Turn) -> str | None:
    return turn.intent.arguments.new_name or turn.intent.arguments.symbol


_SYMBOL_NOUNS = "function|method|class|variable|symbol|constant|name|parameter|field|property|component"
_SYMBOL_VERBS = re.compile(
    r"^((?:please |can you |could you |now |then |and )*)"
    r"(rename|find (?:all )?(?:the )?(?:usages|uses|references|callers) (?:of|to)"
    r"|who calls|where (?:is|do we use))"
    rf" (?:it|(?:that|this|the same) (?:{_SYMBOL_NOUNS}))\b",
    re.IGNORECASE,
)
_SYMBOL_FILE = re.compile(r"\b(?:that|this|the same) (?:file|module)\b", re.IGNORECASE)
_FILE_VERBS = re.compile(
    r"^((?:please |can you |could you |now |then |and )*)"
    r"((?:re)?format|lint|diff|(?:run |run all )?(?:the )?tests? (?:in|for|of)"
    r"|show me the diff (?:of|for)) it\b",
    re.IGNORECASE,
)
_BRANCH = re.compile(r"\b(?:that|this|the same) branch\b", re.IGNORECASE)
_SAME = re.compile(
    r"^\W*(?:(?:please|now|and|then|ok|okay|can you|could you)\W+)*"
    r"(?:do|make|apply) (?:exactly )?(?:the same|that|this|it|likewise)"
    r"(?: thing| change| changes)?(?: again| too)?"
    r" (?:for|to|in|on|with) (?P<object>.+?)\W*(?:(?:please|too|as well|now)\W*)*$",
    re.IGNORECASE,
)  # fmt: skip
_OBJECT = re.compile(
    r"\b(?P<before>to|in|for|of|on|from|into) (?P<object>(?:the |my |our |every )?[^,;.!?]+(?:\.\w+)?)$",
    re.IGNORECASE,
)


def resolve(text: str, dialog: Dialog) -> str:
    """The sentence with what it points back to put in, where that is safe; otherwise as it is.

    A pronoun is replaced only where a local command needs its object; a coding session and a language
    model get the window and can do better than a rule.
    """
    if len(text) > 500 or not dialog.turns:
        return text
    if (same := _SAME.match(text)) is not None and (again := _again(same["object"], dialog)):
        return again
    if symbol := dialog.symbol:
        text = _SYMBOL_VERBS.sub(lambda m: f"{m[1]}{m[2]} {symbol}", text)
    if path := dialog.path:
        text = _SYMBOL_FILE.sub(lambda _: path, text)
        text = _FILE_VERBS.sub(lambda m: f"{m[1]}{m[2]} {path}", text)
    if branch := dialog.branch:
        text = _BRANCH.sub(lambda _: f"the branch {branch}", text)
    return text


def _again(thing: str, dialog: Dialog) -> str | None:
    """The last request with another object: "add type hints to the parser" becomes "… to the lexer"."""
    last = next(
        (turn for turn in reversed(dialog.turns) if turn.intent.kind in ("task", "question", "local")), None
    )
    if last is None or split(thing)[:1] == []:
        return None
    said = last.text.rstrip(" .!?")
    if (path := _path(last)) is not None and naming.path(thing) is not None:
        for spelling in (path, _spoken(last.text, path)):
            if spelling and spelling in said:
                return said.replace(spelling, thing)
    if (match := _OBJECT.search(said)) is not None:
        return f"{said[: match.start('object')]}{thing}"
    return f"{said}, but for {thing}"


def _spoken(text: str, path: str) -> str | None:
    """The stretch of `text` that says `path`."""
    words: list[Word] = split(text)
    for start in range(len(words)):
        for end in range(start + 1, min(len(words), start + 12) + 1):
            if (
                words[start].norm not in ("the", "file", "a", "in")
                and naming.path(join(words[start:end])) == path
            ):
                return join(words[start:end])
    return None
