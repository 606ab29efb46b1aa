"""What can go wrong with a session, as errors whose sentence is true and can be spoken."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor

from mybro.errors import ExecutorError
from mybro.executor.claude.messages import TurnEnded
from mybro.executor.hand import JobError

GET_CLAUDE = "Run `npm install -g @anthropic-ai/claude-code`, then run `claude` once to sign in"
SIGN_IN = "Run `claude` once in a terminal and sign in"

SIGN_IN_STATUS = frozenset({401, 403})
"""HTTP statuses that no retry mends."""


class TurnError(JobError):
    """A turn that failed."""


class LostSessionError(TurnError):
    """The CLI no longer has the session that was to be resumed."""


def missing(program: str) -> ExecutorError:
    """No CLI."""
    return ExecutorError("claude_missing", f"{program} is not installed", hint=GET_CLAUDE)


def signed_out() -> TurnError:
    return TurnError("claude_signed_out", "Claude Code is not signed in", hint=SIGN_IN)


def died(complaints: str) -> TurnError:
    """The process ended by itself; `complaints` are the last lines of its standard error."""
    if "root/sudo" in complaints:
        return TurnError("claude_refused", "Claude Code refuses to run as root with these settings")
    return TurnError(
        "claude_died", "The coding session ended unexpectedly",
        hint="It is resumed with the next request", retryable=True,
    )  # fmt: skip


def not_started(complaints: str) -> TurnError:
    """The process ended before it was ready."""
    if "No conversation found" in complaints:
        return LostSessionError("session_lost", "The last coding session is no longer there")
    return died(complaints)


def silent(seconds: float) -> TurnError:
    """No sign of life from the model or its tools."""
    return TurnError(
        "claude_silent", f"The coding session gave no sign of life for {_duration(seconds)}, so I stopped it",
        hint="Say it again to go on in the same session", retryable=True,
    )  # fmt: skip


def over_budget(budget_usd: float) -> TurnError:
    return TurnError(
        "budget_spent", f"The coding session has used up its budget of {_money(budget_usd)}",
        hint="Raise executor.budget_usd to go on",
    )  # fmt: skip


def over_day_budget(budget_usd: float, *, shared: bool = False) -> TurnError:
    """`shared`: what is left of it is promised to other agents at work."""
    budget = _day_words(budget_usd, shared=shared)
    return TurnError("budget_spent", f"{budget[:1].upper()}{budget[1:]} is used up", hint=_RAISE_DAY)


def near_budget(
    budget_usd: float, spent_usd: float, next_usd: float | None, why: str = "", *, at_most: bool = False
) -> TurnError:
    """Stopped before more than the session's budget is spent; without `next_usd` in the middle of a step.

    `at_most`: what was let go ahead unseen is counted as dear as it may have been.
    """
    amount = f"at most {_money(spent_usd)}" if at_most else _money(spent_usd)
    told = f"The coding session has spent {amount} of its budget of {_money(budget_usd)}"
    if spent_usd <= 0:
        told = f"The coding session has a budget of {_money(budget_usd)}"
    return TurnError(
        "budget_spent", f"{told}, so {_why(next_usd, why)}", hint="Raise executor.budget_usd to go on"
    )


def near_day_budget(
    budget_usd: float, left_usd: float, next_usd: float | None, why: str = "", *, shared: bool = False
) -> TurnError:
    """The same for the day's; `left_usd` is what is left of it, or of the share of it."""
    left = _money(_tenths(max(0.0, left_usd), floor))
    told = f"With only {left} left of {_day_words(budget_usd, shared=shared)}"
    return TurnError("budget_spent", f"{told}, {_why(next_usd, why)}", hint=_RAISE_DAY)


def _day_words(budget_usd: float, *, shared: bool) -> str:
    budget = f"today's coding budget of {_money(budget_usd)}"
    return f"this agent's share of {budget}" if shared else budget


def _why(next_usd: float | None, why: str) -> str:
    if next_usd is None:
        return "I stopped it in the middle of a step that was to cost more"
    return f"{why or 'I stopped it before its next step'}, which may cost {_money(_tenths(next_usd, ceil))}"


def _tenths(usd: float, way: Callable[[float], int]) -> float:
    """To tenths of a cent, up or down; the account is kept in millionths of a dollar."""
    return way(round(usd * 1000, 3)) / 1000


_RAISE_DAY = "Raise executor.budget_day_usd to go on"


def is_over_budget(result: TurnEnded) -> bool:
    return result.reason == "budget_exhausted" or result.subtype == "error_max_budget_usd"


def of_result(result: TurnEnded, api_error: str) -> TurnError:
    """The error in a result; `api_error` is the CLI's own name for it, where it gave one."""
    if result.subtype == "error_max_turns":
        return TurnError("too_many_steps", "The coding session stopped after too many steps", retryable=True)
    if result.api_status in SIGN_IN_STATUS or api_error == "authentication_failed":
        return signed_out()
    if api_error == "billing_error":
        return TurnError("no_credit", "The Claude account has no credit left", hint="Add credit to go on")
    if api_error == "model_not_found" or result.api_status == 404:
        return TurnError(
            "no_such_model", "Claude does not know the model that is set", hint="Mend executor.model"
        )
    if result.api_status == 413 or "prompt is too long" in result.text.lower():
        return TurnError(
            "too_long", "The conversation has grown too long for the model", hint="Start a new session"
        )
    return of_status(result.api_status, result.text)


def of_status(status: int | None, text: str) -> TurnError:
    """An API error by its HTTP status; None for a connection that broke."""
    if status == 429:
        return TurnError(
            "rate_limited", "Claude's rate limit is reached", hint="Try again later", retryable=True
        )
    if status == 529:
        return TurnError("overloaded", "Claude is overloaded", hint="Try again soon", retryable=True)
    if status is not None and status >= 500:
        return TurnError("server_error", "Claude's server has a fault", hint="Try again soon", retryable=True)
    if status is not None:
        return TurnError("request_refused", f"Claude refused the request with status {status}")
    if "malformed response" in text:
        return TurnError(
            "bad_answer", "What came back from Claude could not be read",
            hint="Look for a proxy or a sign-in page in between", retryable=True,
        )  # fmt: skip
    if "API Error" in text:
        return TurnError(
            "network_down", "The connection to Claude broke", hint="Look at the network", retryable=True
        )
    return TurnError("turn_failed", "The coding session could not finish that", retryable=True)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes"


def _money(usd: float) -> str:
    if 0 < usd < 0.095:
        cents = usd * 100
        return "1 cent" if round(cents, 1) == 1 else f"{cents:.1f} cents".replace(".0 ", " ")
    return f"{usd:.0f} dollars" if usd == int(usd) and usd != 1 else f"{usd:.2f} dollars"
