"""Task, question or chat, without a model: what is left when no language model answers."""

from __future__ import annotations

from itertools import pairwise

from mybro import risk
from mybro.brain.verbs import ASKING, CHAT, READING, READING_PHRASES, VERBS
from mybro.intent import Intent, Kind
from mybro.words import bare, leads, norms

_CHANGING = (
    VERBS
    - READING
    - {"do", "get", "make sure", "print", "follow", "give", "call", "type", "go", "take", "set", "order"}
)
_CONDITIONS = frozenset({"if", "when", "once", "after", "before", "while", "since", "because"})
_READING = tuple(phrase + " " for phrase in READING_PHRASES)


def classify(text: str) -> Intent:
    """A task, a question or chat; a task where in doubt. Its source is "fallback", its risk judged."""
    kind, confidence = _kind(text)
    return risk.judge(Intent(kind=kind, confidence=confidence, source="fallback", text=text))


def _kind(text: str) -> tuple[Kind, float]:
    first, comma, rest_of_it = text[:4_000].partition(",")
    if comma and norms(first)[:1] and norms(first)[0] in _CONDITIONS and norms(rest_of_it):
        text = rest_of_it  # "when the tests pass, ..." asks for what stands after the comma
    words = norms(text[:4_000])
    if not words:
        return "chat", 0.0
    line = " ".join(words)
    if {line.strip(), " ".join(bare(words))} & CHAT or _is_greeting(words):
        return "chat", 0.9
    # "can you" is politeness only if a request follows: "will you need a key" asks.
    known = VERBS | READING | ASKING
    lead = next((at for at in reversed(list(leads(words))) if words[at] in known), 0)
    rest = words[lead:]
    requested = len(rest) < len(words) and words[0] in ASKING
    return _request_kind(rest, text.rstrip().endswith("?") and not requested)


def _is_greeting(words: list[str]) -> bool:
    return len(words) <= 4 and words[0] in {"hello", "hi", "thanks"} and not VERBS & set(words)


def _request_kind(words: list[str], question_mark: bool) -> tuple[Kind, float]:
    first, second, line = words[0], words[1] if len(words) > 1 else "", " ".join(words) + " "
    changes = any(word in ("and", "then") and after in _CHANGING for word, after in pairwise(words))
    if _is_odd_task(words):
        return "task", 0.7
    if line.startswith(_READING) or first in READING:
        return ("task", 0.7) if changes else ("question", 0.9)
    if first == "show" and len(words) < 7 and not set(words) & _NOT_SHOWN:
        return "question", 0.7
    if first in ASKING:
        if first in ("do", "have") and not question_mark and second and second not in _PERSONS:
            return "task", 0.6
        told = changes and not question_mark and first not in _ASKING_WHY
        return ("task", 0.6) if told else ("question", 0.9)
    if first in VERBS:
        return "task", 0.9
    return ("question", 0.6) if question_mark else ("task", 0.5)


def _is_odd_task(words: list[str]) -> bool:
    """A request that begins like a question: "do the same for…", "check that…", "find and replace…"."""
    first, second = words[0], words[1] if len(words) > 1 else ""
    match first:
        case "do":
            return "same" in words[:4] or second in ("it", "that", "this", "a")
        case "dont":
            return second not in ("you", "we", "i", "they")
        case "check":
            return second in ("that", "out", "in")
        case "read":
            return "from" in words
        case "find" | "search" | "look":
            return "replace" in words
    return False


_PERSONS = frozenset(
    {"you", "we", "i", "they", "the", "these", "those", "any", "all", "it", "our", "my", "tests"}
)
_NOT_SHOWN = frozenset(
    {"a", "an", "in", "on", "when", "while", "to", "as", "if", "after", "before", "for", "instead"}
)
"""What follows "show" where a program is to show something to its user."""
_ASKING_WHY = frozenset({"why", "what", "how", "where", "who", "when", "which", "whats"})
