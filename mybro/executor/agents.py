"""One of several agents, and which of them a name means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mybro.errors import ExecutorError
from mybro.executor.jobs import Executor
from mybro.executor.words import listed
from mybro.naming import agent_label


class Agent:
    """One of the crew."""

    place: Path
    executor: Executor

    def __init__(self, name: str) -> None:
        self.name = name
        """What it is called: "second", "parser"."""

    @property
    def label(self) -> str:
        return agent_label(self.name)


def find(name: str, agents: Sequence[Agent]) -> Agent | None:
    """The one of that name or, by a digit, of that place in the order in which they came."""
    if name.isdigit():
        return agents[int(name) - 1] if 0 < int(name) <= len(agents) else None
    return next((agent for agent in agents if agent.name == name), None)


def nobody(name: str, agents: Sequence[Agent]) -> ExecutorError:
    """That none of them is called so."""
    there = listed([agent.label for agent in agents], len(agents))
    return ExecutorError("no_such_agent", f"there is no {agent_label(name)}", hint=f"There is the {there}.")
