"""What the model is told: that it hears dictated speech, and that its last words are spoken aloud."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mybro.executor import rulings
from mybro.executor.claude.overwriting import is_inside
from mybro.intent import Intent

_SPOKEN = """\
You are the hands of mybro, a program that a person talks to. Their requests are dictated speech, written down
by a machine, with no keyboard nearby:
- Identifiers may be spelled as English words ("parse line" for parse_line, "user dot pie" for user.py), and
  words may be misheard. Look for the nearest symbol or file in the repository before you conclude that
  something does not exist.
- Do what was asked and no more. If it is truly unclear which of several things is meant, {ask}
- The person can undo everything that you change in the repository with one word, so do not ask before
  ordinary edits.
- End with one or two short plain sentences that say what came of it. They are spoken aloud: no markdown, no
  code, no lists, and of a path only the last name.
"""

_ASK = "ask with\n  AskUserQuestion, briefly: the question is read aloud."
_SAY = "change\n  nothing and end with the question, briefly: it is read aloud."

_MEMORY = "The repository's own instructions (its CLAUDE.md):\n\n"
_MEMORY_CHARS = 20_000

_ONLY_READ = "(Answer in at most two short sentences, to be spoken aloud. Only read: change nothing.)"


_RENEWED = "(Your instructions have changed. From now on these hold, in place of the earlier ones:"
_NOW = "So far the instructions. Now the request:)"


def system_prompt(repo: Path, trusted: bool, *, asks: bool = True, rules: bool = True) -> str:
    """What is added to the CLI's own system prompt; `asks` for an agent with a tool that asks the person,
    `rules` to tell it the repository's rules.

    The CLI reads CLAUDE.md together with a repository's settings and hooks or not at all; its words, unlike
    those, run nothing, so they are passed on here.
    """
    spoken = _SPOKEN.format(ask=_ASK if asks else _SAY)
    if rules and (told := rulings.brief_for(repo)):
        spoken = f"{spoken}\n{told}"
    if trusted:
        return spoken
    try:
        if not is_inside(repo / "CLAUDE.md", repo):
            return spoken
        with (repo / "CLAUDE.md").open(encoding="utf-8", errors="replace") as file:
            memory = file.read(_MEMORY_CHARS).replace("\0", "")
    except OSError:
        return spoken
    return f"{spoken}\n{_MEMORY}{memory}"


def digest(instructions: str) -> str:
    """By which it is known whether a session has had them."""
    return hashlib.sha256(instructions.encode("utf-8", "replace")).hexdigest()[:16]


def renewed(instructions: str) -> str:
    """What is said before a request to a session that began with others: an agent holds on to its first."""
    return f"{_RENEWED}\n\n{instructions}\n\n{_NOW}"


def reads_only(intent: Intent) -> bool:
    """Whether the session may change nothing while it answers."""
    return intent.kind in ("question", "chat")


_ASIDE = """\
(Asked while you work, to be answered aloud: say the answer now, in at most two short plain sentences, before
you use another tool. Then go on with the work as before.)"""
_MORE = "(Said while you work: it belongs to the same task. Tell of it in your last words, too.)"


def added(intent: Intent) -> str:
    """The message for what is said during a turn: a question is answered aside, the rest is more work."""
    return f"{intent.text}\n\n{_ASIDE if reads_only(intent) else _MORE}"


def prompt(intent: Intent) -> str:
    """The message for an intent: the sentence as it was heard, with what the dialog adds to it."""
    lines = [intent.text]
    if intent.target and intent.target.casefold() not in intent.text.casefold():
        lines.append(f"(This is about: {intent.target})")
    if reads_only(intent):
        lines.append(_ONLY_READ)
    return "\n\n".join(lines)
