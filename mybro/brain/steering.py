"""Words said while a task is being done that correct it, or add to it."""

from __future__ import annotations

from mybro.words import norms

_PHRASES = """
no|nope|no no|actually|wait|wait no|no wait|hold on|scratch that|forget that|forget it|never mind|not that
not like that|i meant|i mean|sorry|change of plan|change of plans|on second thought|instead|rather|correction
"""
_LEADS = [tuple(phrase.split()) for line in _PHRASES.split("\n") for phrase in line.split("|") if phrase]
_NO_LEADS = {("wait", "for"), ("wait", "until"), ("wait", "a"), ("wait", "till"), ("actually", "what")}
_FEWEST = 2
"""Words after a lead that make it a correction rather than an answer."""


_ADDING = """
and also|and then|and|also|then|plus|oh and|and please|and while youre at it|while youre at it
while you are at it|after that|in addition|additionally|one more thing|another thing
and another thing|and one more thing
"""
_ADDING_LEADS = [
    tuple(phrase.split()) for line in _ADDING.split("\n") for phrase in line.split("|") if phrase
]
_ADDING_TAILS = [("too",), ("as", "well"), ("in", "addition"), ("also",)]


def adds(text: str) -> bool:
    """Whether a sentence, said while a task is being done, asks for more: "and also write a test"."""
    words = norms(text)
    led = max((len(lead) for lead in _ADDING_LEADS if tuple(words[: len(lead)]) == lead), default=0)
    tailed = next((len(tail) for tail in _ADDING_TAILS if tuple(words[-len(tail) :]) == tail), 0)
    return (led > 0 or tailed > 0) and len(words) - led - tailed >= _FEWEST


def redirects(text: str) -> bool:
    """Whether a sentence, said while a task is being done, asks for something else in its place."""
    words = norms(text)
    if tuple(words[:2]) in _NO_LEADS:
        return False
    led = max((len(lead) for lead in _LEADS if tuple(words[: len(lead)]) == lead), default=0)
    rest = words[led:]
    return len(rest) >= _FEWEST and (led > 0 or rest[-1] == "instead")
