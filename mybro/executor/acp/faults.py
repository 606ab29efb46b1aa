"""What can go wrong with an agent, as errors whose sentence is true and can be spoken."""

from __future__ import annotations

from collections.abc import Sequence

from mybro.errors import ExecutorError
from mybro.executor.acp.connection import SIGN_IN, RpcError
from mybro.executor.claude.faults import TurnError

_SAID_CHARS = 160

_STOPS = {
    "max_tokens": ("too_long", "The agent's answer grew too long, so it ended there"),
    "max_turn_requests": ("too_many_steps", "The agent stopped after too many steps"),
    "refusal": ("agent_refused", "The agent refuses to do that"),
    "cancelled": ("turn_failed", "The agent stopped by itself before it was done"),
}


def not_set() -> ExecutorError:
    return ExecutorError(
        "agent_not_set", "No agent is set", hint='Set executor.acp_command, such as "gemini --acp"'
    )


def missing(program: str) -> ExecutorError:
    return ExecutorError(
        "agent_missing", f"The agent {program} is not installed",
        hint="Install it, or set executor.acp_command to another one",
    )  # fmt: skip


def unheld() -> ExecutorError:
    return ExecutorError(
        "no_sandbox", "The agent does not work, because no sandbox would hold it",
        hint="Install bubblewrap, or set executor.sandbox to off",
    )  # fmt: skip


def in_sandbox(error: TurnError) -> TurnError:
    """An agent that does not begin may lack something that the sandbox keeps from it."""
    error.hint = f"{error.hint}. It runs in a sandbox: executor.sandbox = off lets it out".removeprefix(". ")
    return error


def signed_out() -> TurnError:
    return TurnError(
        "agent_signed_out", "The agent is not signed in", hint="Run it once in a terminal and sign in"
    )


def wrong_version(told: object) -> TurnError:
    version = f"version {told}" if isinstance(told, int) else "another version"
    return TurnError(
        "agent_version", f"The agent speaks {version} of the Agent Client Protocol, not version 1",
        hint="Get a version of the agent that speaks version 1",
    )  # fmt: skip


def not_acp() -> TurnError:
    return TurnError(
        "agent_not_acp", "What the agent sends is not the Agent Client Protocol",
        hint="Look whether executor.acp_command needs a flag that turns the protocol on",
    )  # fmt: skip


def died() -> TurnError:
    return TurnError(
        "agent_died", "The agent ended unexpectedly", hint="It is started again with the next request",
        retryable=True,
    )  # fmt: skip


def silent(seconds: float) -> TurnError:
    span = f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"
    return TurnError(
        "agent_silent", f"The agent gave no sign of life for {span}, so I stopped it", retryable=True
    )


def of_error(error: RpcError) -> TurnError:
    """An error reply of the agent's, with what it says of it."""
    if error.code == SIGN_IN:
        return signed_out()
    said = " ".join(error.message.removeprefix("Internal error:").split()).rstrip(".")
    said = said if len(said) <= _SAID_CHARS else said[:_SAID_CHARS].rsplit(" ", 1)[0] + "…"
    told = f"The agent could not do that: {said}" if said else "The agent could not do that"
    return TurnError("agent_failed", told, retryable=True)


def of_stop(reason: object) -> TurnError | None:
    """The error in a prompt's end; None for an ordinary one, and for what is not known here."""
    found = _STOPS.get(str(reason))
    return TurnError(*found, retryable=True) if found else None


def no_such_model(wanted: str, offered: Sequence[str]) -> TurnError:
    return TurnError(
        "no_such_model", f"The agent does not offer the model {wanted}",
        hint=f"Set executor.model to one of {', '.join(offered[:6])}" if offered else "Unset executor.model",
    )  # fmt: skip
