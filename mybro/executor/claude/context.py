"""What a model is going to be told at a session's next step, as the CLI itself counts it: no model is asked.

Measured with Claude Code 2.1.329, which counts by the length of what is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

REQUEST = "get_context_usage"
FIELDS = {"detail": "summary"}
"""From what is known already. Without it the CLI has the API count, or a model: that costs money."""
_SINCE = (2, 1, 329)
"""The version of the CLI that is known to heed this."""
_NAME_CHARS = 10
_CHARS_PER_TOKEN = 2.5
_UNKNOWN_TOKENS = 2000.0
"""Of a tool that the CLI has but does not count one by one."""


@dataclass(frozen=True, slots=True)
class Context:
    """In tokens."""

    model: str
    fixed: float
    """All but the conversation: instructions, tools, servers, helpers, skills, memory."""
    tools: Mapping[str, float]
    """Of each tool of a server, by name: some are told only once the model looks for them."""

    def of(self, names: Iterable[str]) -> float:
        return sum(self.tools.get(name, _UNKNOWN_TOKENS) for name in names)


def can_count(version: object) -> bool:
    """Whether a CLI of this version counts without costs."""
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", str(version))
    return numbers is not None and tuple(map(int, numbers.groups())) >= _SINCE


def read(told: Mapping[str, Any]) -> Context | None:
    """The CLI's answer; None where it is none."""
    try:
        used = [one for one in told["categories"] if one["kind"] == "used" and one["id"] != "messages"]
        fixed = float(sum(one["tokens"] for one in used))
        tools = {str(one["name"]): float(one["tokens"]) for one in told["mcpTools"]}
        # The names of those that are told later are told at once.
        names = [str(one["name"]) for one in told["mcpTools"] if not one["isLoaded"]]
        listed = sum(len(name) + _NAME_CHARS for name in names) / _CHARS_PER_TOKEN
        return Context(str(told["model"]), fixed + listed, tools)
    except (KeyError, TypeError, ValueError):
        return None
