"""Which agent a sentence speaks to: "second agent, run the tests", "ask the parser agent why"."""

from __future__ import annotations

import re
from typing import NamedTuple

from mybro.naming import ORDINALS, agent_name

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ORDINAL = "|".join(ORDINALS) + "|[1-9](?:st|nd|rd|th)"
_NUMBER = "|".join(_NUMBERS) + "|[1-9]"
_NAME = r"[a-z][\w-]*"
_LEAD = r"(?:(?:hey|ok|okay|and|so|now|um|uh|please)[,.]?\s+)*"


class Address(NamedTuple):
    """To whom, and what."""

    agent: str
    """A number from 1 on, a name in lower case, "all", or "new" for one that is yet to be."""
    rest: str
    """The sentence without the address; empty for none."""


_FORMS = [
    re.compile(_LEAD + form + r"$", re.IGNORECASE | re.DOTALL)
    for form in (
        rf"(?:the\s+)?(?P<agent>{_ORDINAL})\s+agent\b[,:.]?\s+(?P<rest>.+)",
        rf"agent\s+(?:number\s+)?(?P<agent>{_NUMBER})\b[,:.]?\s+(?P<rest>.+)",
        rf"(?:the\s+)?(?P<agent>{_NAME})\s+agent\s*[,:]\s+(?P<rest>.+)",
        rf"(?:ask|tell|have|let|get)\s+(?:the\s+)?(?P<agent>{_ORDINAL}|{_NAME})\s+agent\s+(?:to\s+)?(?P<rest>.+)",
        rf"(?:ask|tell|have|let|get)\s+agent\s+(?P<agent>{_NUMBER})\s+(?:to\s+)?(?P<rest>.+)",
        rf"(?P<rest>stop|cancel|pause|resume)\s+(?:the\s+)?(?P<agent>{_ORDINAL}|{_NAME})\s+agent[.!]?",
        rf"(?P<rest>stop|cancel|pause|resume)\s+agent\s+(?:number\s+)?(?P<agent>{_NUMBER})[.!]?",
        r"(?P<agent>all)\s+(?:the\s+)?agents\s*[,:]?\s+(?P<rest>.+)",
        r"(?P<agent>every(?:one|body))\s*,\s+(?P<rest>.+)",
        rf"(?:start|make|create|spawn|open|use)\s+(?:a|an|another|a\s+new|the)?\s*agent\s+(?:called|named)\s+"
        rf"(?P<agent>{_NAME})\s*(?:to|and|,|:)\s+(?P<rest>.+)",
        r"(?:start|make|create|spawn|use)\s+(?:a\s+)?(?P<agent>new|another)\s+agent\s*(?:to|for|and|,|:)\s+"
        r"(?P<rest>.+)",
        r"(?P<agent>new|another)\s+agent\s*[,:]\s+(?P<rest>.+)",
        rf"(?P<rest>.+?),\s+(?:the\s+)?(?P<agent>{_ORDINAL}|{_NAME})\s+agent[.!?]?",
        rf"(?P<rest>.+?),\s+agent\s+(?P<agent>{_NUMBER})[.!?]?",
    )
]


_WHO = rf"(?:the\s+)?(?P<agent>{_ORDINAL}|{_NAME})\s+agent"
_ABOUT = [
    (re.compile(_LEAD + form + r"\s*[.!?]?$", re.IGNORECASE | re.DOTALL), rest)
    for form, rest in (
        (rf"what\s+(?:did|has|have)\s+{_WHO}\s+(?:changed?|do|done|written|made)", "catch me up"),
        (
            rf"what\s+(?:did|has|have)\s+{_WHO}\s+(?:changed?|do|done|written|made)\s+(?P<since>since\s+.+?)",
            "what changed {since}",
        ),
        (rf"what(?:'s|\s+is|\s+was)\s+{_WHO}\s+(?:doing|up\s+to|working\s+on|at)", "what are you doing"),
        (rf"(?:how\s+is|how's)\s+{_WHO}\s+(?:doing|going|coming\s+along|getting\s+on)", "what are you doing"),
        (
            rf"(?:what|how\s+much|how\s+many\s+tokens)\s+(?:did|has|have|does)\s+{_WHO}"
            rf"\s+(?:costs?|spend|spent|used?|burned)(?:\s+(?:us|me))?(?P<since>\s+.+?)?",
            "how much have you spent{since}",
        ),
        (
            rf"how\s+much\s+(?:of\s+its\s+)?(?:budget|money)\s+(?:does|has)\s+{_WHO}\s+(?:have\s+|got\s+)?left",
            "how much budget is left",
        ),
        (rf"is\s+{_WHO}\s+(?:still\s+)?(?:done|busy|finished|working|at\s+work|stuck)", "what are you doing"),
    )
]
"""Questions about an agent, and the same as one asks the agent itself."""


def address(text: str) -> Address | None:
    """The agent that is named at the start or end of a sentence, and the sentence without it."""
    said = text.strip()
    for form in _FORMS:
        found = form.match(said)
        if found is not None and found["rest"].strip(" ,.!?"):
            agent = agent_name(found["agent"])
            if agent is not None:
                return Address(agent, found["rest"].strip(" ,"))
    for form, rest in _ABOUT:
        found = form.match(said)
        if found is not None and (agent := agent_name(found["agent"])) is not None:
            return Address(agent, rest.format(**found.groupdict("")))
    return None
