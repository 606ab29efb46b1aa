"""What is read back before a yes is waited for."""

from __future__ import annotations

from mybro.intent import Action, Intent
from mybro.words import join, leads, split, tails


def readback(intent: Intent) -> str:
    """What is about to happen, as a short sentence to speak, and how to agree to it."""
    return f"{_summary(intent)}. Say yes to go on."


def _summary(intent: Intent) -> str:
    arguments = intent.arguments
    if intent.action is Action.PUSH:
        where = " ".join(filter(None, ["to", arguments.remote or "", arguments.branch or ""]))
        return "Push" if where == "to" else f"Push {where}"
    if intent.action is Action.PULL_REQUEST:
        return "Open a pull request" + (f" titled {arguments.message}" if arguments.message else "")
    if intent.action is not None and intent.action is not Action.COMMIT:
        return _sentence(" ".join(filter(None, [intent.action.replace("_", " "), intent.target or ""])))
    words = split(intent.text)
    *_, lead = leads([word.norm for word in words])
    *_, tail = tails([word.norm for word in words[lead:]])
    spoken = join(words[lead : len(words) - tail])
    if intent.target and intent.target.casefold() not in spoken.casefold():
        spoken = f"{spoken} ({intent.target})"
    return _sentence(spoken)


def _sentence(words: str, longest: int = 20) -> str:
    parts = words.split()
    short = " ".join(parts[:longest]) + (" and so on" if len(parts) > longest else "")
    return short[:1].upper() + short[1:]
