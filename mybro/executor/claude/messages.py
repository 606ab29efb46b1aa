"""What the CLI says, typed: what is used of it and no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mybro.executor.claude.context import Context

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Started:
    """A turn began (`system/init`, repeated every turn)."""

    session: str
    model: str
    version: str


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of a prompt, by its uuid: "queued", "started", "completed" or "cancelled"."""

    prompt: str
    state: str


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of the answer as it streams."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """The model works, without words to show."""

    chars: int = 0
    """Of a tool's arguments that were written."""
    thought_chars: int = 0
    thought: int = 0
    """Tokens, as the CLI estimates them."""


@dataclass(frozen=True, slots=True)
class StepBegan:
    """A model has taken in a request; told again with each block of the answer, under the same `id`."""

    id: str
    model: str
    usage: Json
    """As the API tells it: `input_tokens`, `cache_read_input_tokens`, `cache_creation_input_tokens`."""
    agent: str | None = None
    """The subagent whose request it was."""


@dataclass(frozen=True, slots=True)
class StepEnded:
    """The session's own step is over, and gave so many tokens; of subagents that is not told."""

    tokens: int
    goes_on: bool = False
    """Whether it was as long as it may be, so that the CLI has the model go on without asking."""


@dataclass(frozen=True, slots=True)
class Said:
    """A whole block of text; `error` names an API error that the CLI turned into words."""

    text: str
    error: str = ""
    agent: str | None = None
    """The subagent that says it."""


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """The model calls a tool; a permission question may follow."""

    id: str
    name: str
    arguments: Json
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """A tool gave its result, or was denied."""

    id: str
    text: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class Retrying:
    """The API did not answer well; the CLI waits and tries again."""

    attempt: int
    status: int | None
    """HTTP status; None for a connection that broke."""
    error: str


@dataclass(frozen=True, slots=True)
class PermissionAsked:
    """The CLI waits for `allow` or `deny` under this `request`."""

    request: str
    tool: str
    arguments: Json
    tool_use: str = ""


@dataclass(frozen=True, slots=True)
class HookAsked:
    """The CLI asks before it uses a tool or, with `step`, before the model is given a prompt or what its
    tools gave or, with `summary`, before the model sums up a conversation that has grown too long.
    """

    request: str
    step: bool = False
    summary: bool = False
    agent: str | None = None
    """The subagent whose tool or step it is."""
    tool: str = ""
    chars: int = 0
    """Of what the model would be given."""
    found: tuple[str, ...] = ()
    """Tools that it has looked for, and is going to be told of."""
    context: Context | None = None
    """What a step of the session itself begins with, where the CLI counts that."""


@dataclass(frozen=True, slots=True)
class ControlAsked:
    """The CLI wants something that is not known here, and waits."""

    request: str


@dataclass(frozen=True, slots=True)
class PermissionWithdrawn:
    """The CLI no longer waits for the answer to `request`."""

    request: str


@dataclass(frozen=True, slots=True)
class ControlReplied:
    """The answer to a control request of ours."""

    request: str
    ok: bool
    body: Json
    error: str = ""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A turn's result. Judge it by `is_error`: `subtype` says "success" of API errors too."""

    is_error: bool
    subtype: str
    text: str
    session: str
    prompts: tuple[str, ...]
    """The uuids of the prompts that this turn took in; several may have been merged."""
    total_cost_usd: float
    """Cumulative, also across `--resume`."""
    usage: Json | None
    """By model, since the last result: `costUSD`, `inputTokens`, `outputTokens`…"""
    api_status: int | None
    reason: str
    """Such as "completed", "aborted_tools", "api_error", "budget_exhausted"."""
    errors: tuple[str, ...] = ()


CliAsked = HookAsked | ControlAsked
"""What the CLI asks of this side itself, and no person."""

Message = (
    Started | Followed | Words | Thinking | StepBegan | StepEnded | Said | ToolUsed | ToolEnded | Retrying
    | PermissionAsked | ControlAsked | HookAsked | PermissionWithdrawn | ControlReplied | TurnEnded
)  # fmt: skip
