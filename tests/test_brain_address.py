"""To whom a sentence is said."""

from __future__ import annotations

import pytest

from mybro.brain.address import address
from mybro.brain.brain import Brain
from mybro.clock import MonotonicClock
from mybro.config import BrainSettings
from mybro.intent import Action
from mybro.naming import agent_label, agent_name

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "agent", "rest"),
    [
        ("Second agent, stop.", "2", "stop."),
        ("second agent run the tests", "2", "run the tests"),
        ("the third agent: add a parser", "3", "add a parser"),
        ("Agent two, what are you doing?", "2", "what are you doing?"),
        ("agent number 3 undo that", "3", "undo that"),
        ("Parser agent, add a tokenizer.", "parser", "add a tokenizer."),
        ("ask the parser agent why the test fails", "parser", "why the test fails"),
        ("tell the second agent to use FastAPI", "2", "use FastAPI"),
        ("have agent 2 run the tests", "2", "run the tests"),
        ("stop the second agent", "2", "stop"),
        ("Pause the docs agent.", "docs", "pause"),
        ("stop agent one", "1", "stop"),
        ("all agents, pause", "all", "pause"),
        ("everyone, stop", "all", "stop"),
        ("start a new agent to write the docs", "new", "write the docs"),
        ("new agent, write the docs", "new", "write the docs"),
        ("start an agent called docs to write the readme", "docs", "write the readme"),
        ("run the tests, second agent", "2", "run the tests"),
        ("okay, second agent, go on", "2", "go on"),
        ("main agent, run the tests", "1", "run the tests"),
    ],
)
def test_an_address_is_taken_off(text: str, agent: str, rest: str) -> None:
    found = address(text)
    assert found is not None
    assert (found.agent, found.rest.lower().rstrip(".")) == (agent, rest.lower().rstrip("."))


@pytest.mark.parametrize(
    "text",
    [
        "run the tests",
        "switch to the second agent",
        "talk to agent one",
        "next agent",
        "use the other agent",
        "set the user agent header to curl",
        "the user agent, as sent, is wrong",
        "add an agent class",
        "support agent dashboards need a filter",
        "second agent",
        "stop",
        "rename agent to worker",
        "",
        "ask the user for a name",
        "tell me about the agent",
    ],
)
def test_what_speaks_to_nobody_in_particular(text: str) -> None:
    assert address(text) is None


def test_names_have_one_form() -> None:
    assert [agent_name(name) for name in ("Second", "two", "2nd", "2", "Parser", "the")] == [
        "2", "2", "2", "2", "parser", None
    ]  # fmt: skip
    assert (agent_label("2"), agent_label("docs")) == ("second agent", "docs agent")


@pytest.mark.parametrize(
    ("text", "agent", "action"),
    [
        ("Second agent, run the tests.", "2", Action.TEST),
        ("second agent, stop", "2", Action.STOP),
        ("stop the second agent", "2", Action.STOP),
        ("third agent, undo that", "3", Action.UNDO),
        ("docs agent, write a readme", "docs", None),
        ("What did the parser agent change?", "parser", Action.CHANGES),
        ("what has the second agent done since I left", "2", Action.CHANGES),
        ("what is the parser agent doing", "parser", Action.STATUS),
        ("is the docs agent done?", "docs", Action.STATUS),
        ("what did the parser agent cost", "parser", Action.COSTS),
        ("how much has the second agent spent today?", "2", Action.COSTS),
        ("docs agent, what did that cost", "docs", Action.COSTS),
        ("how much budget does the docs agent have left", "docs", Action.COSTS),
        ("ask the parser agent why", "parser", None),
        ("run the tests", None, Action.TEST),
        ("switch to the second agent", None, Action.SWITCH_AGENT),
    ],
)
async def test_an_intent_says_whom_it_is_for(text: str, agent: str | None, action: Action | None) -> None:
    intent = await Brain(BrainSettings(provider="none"), MonotonicClock()).understand(text)
    assert (intent.agent, intent.action) == (agent, action)
