"""What a session may do unasked, what it may not, and what is asked in one sentence that can be spoken."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from mybro.events import Choice, Risk
from mybro.executor.checkpoint.entry import Limits
from mybro.executor.claude.checks import covered, is_check, is_doctor
from mybro.executor.claude.dangers import find_danger
from mybro.executor.claude.effects import Danger, in_text
from mybro.executor.claude.gate import Reach, is_secret, reach_of
from mybro.executor.claude.gate.recipes import hidden_commands
from mybro.executor.claude.messages import Json, PermissionAsked
from mybro.executor.claude.overwriting import (
    far_target,
    gone_for_good,
    is_inside,
    is_protected,
    lost_target,
    overwritten,
)
from mybro.executor.claude.steps import short_command
from mybro.executor.claude.tools import TOOLS, Way
from mybro.executor.words import read_out

_OWN = "mcp__mybro__"
"""Our own tools: to speak, to ask, to notify, to look at the journal."""

_DETAIL_CHARS = 20_000
_LONGEST = 20_000
"""A command of more characters is not judged but asked about."""
_LIMITS = Limits()

_log = logging.getLogger(__name__)


Choices = tuple[tuple[str, str, tuple[Choice, ...]], ...]
"""Of each question: as the model put it, the same to speak, and the possible answers."""


@dataclass(frozen=True, slots=True)
class Allow:
    """Nothing needs to be asked."""


@dataclass(frozen=True, slots=True)
class Deny:
    """Not in this job."""

    why: str
    """What the model is told."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A yes is needed."""

    text: str
    detail: str
    risk: Risk = "write"
    object: str = ""
    key: str | None = None
    """What a yes "for the rest of the session" covers: the same again. None where it must be asked anew."""
    plan: bool = False


@dataclass(frozen=True, slots=True)
class AskChoices:
    """Questions of the model, to be answered one after the other."""

    questions: Choices


Verdict = Allow | Deny | Ask | AskChoices


@dataclass(frozen=True, slots=True)
class Grant:
    """A tool use may go ahead."""

    arguments: Json
    """As it asked for, or with the person's answers in them."""


Decision = Grant | Deny
"""What became of a verdict, if need be with a person's help."""

READ_ONLY = Deny("This is a question: change nothing and run nothing. Answer from what you can read.")
NOT_HERE = Deny("There is no such tool here. Do without it.")


def judge(asked: PermissionAsked, repo: Path, *, read_only: bool, limits: Limits = _LIMITS) -> Verdict:
    """Decide about one tool use in a repository; `read_only` for a job that only answers.

    `limits` say which files no checkpoint brings back. Whatever goes wrong in judging, a person is asked.
    """
    try:
        return _judge(asked, repo, limits, read_only=read_only)
    except Exception as error:
        # Its words may hold the command, so that only its kind is told.
        _log.warning("a use of %s could not be judged: %s", asked.tool, type(error).__name__)
        return READ_ONLY if read_only else _unjudged(asked)


def _unjudged(asked: PermissionAsked) -> Ask:
    detail = str(asked.arguments.get("command") or "") or repr(asked.arguments)[:_DETAIL_CHARS]
    return _ask(f"use {asked.tool} in a way that could not be judged", detail)


def _judge(asked: PermissionAsked, repo: Path, limits: Limits, *, read_only: bool) -> Verdict:
    tool, arguments = asked.tool, asked.arguments
    if tool.startswith(_OWN):
        return Allow()
    match TOOLS.get(tool):
        case "free":
            return Allow()
        case "off":
            return NOT_HERE
        case "choices":
            return _choices(arguments)
        case "read":
            return _read(arguments, repo)
        case "page":
            host = urlsplit(str(arguments.get("url"))).hostname or "a web page"
            return _ask(f"read a page of {host}", arguments, risk="read", key=f"{tool} {host}")
        case "search":
            query = _short(arguments.get("query"))
            return _ask(f"search the web for {query}", arguments, risk="read", key=tool)
        case way if read_only:
            return _run_reading(way, arguments, repo)
        case "plan":
            plan = str(arguments.get("plan") or "")
            return Ask("It has a plan. Shall it go ahead?", plan[:_DETAIL_CHARS], plan=True)
        case "write":
            return _write(arguments, repo, limits)
        case "command":
            return _run(str(arguments.get("command") or ""), repo, limits)
    return _use(tool, arguments)


def _use(tool: str, arguments: Json) -> Ask:
    """A tool of a server, or one that is not known: what it does is not known either."""
    effect, key = f"use the tool {tool}", tool
    if tool.startswith("mcp__"):
        server, _, name = tool.removeprefix("mcp__").partition("__")
        effect = f"use {name.replace('_', ' ')} of {server.replace('_', ' ')}"
    elif TOOLS.get(tool) == "skill":
        skill = str(arguments.get("skill") or arguments.get("command") or "").lstrip("/") or "that it names"
        effect, key = f"use the skill {skill}", f"{tool} {skill}"
    elif TOOLS.get(tool) == "server":
        server = str(arguments.get("server") or "the tool servers")
        effect, key = f"look at what {server} offers", f"{tool} {server}"
    return _ask(effect, arguments, key=key)


def _ask(
    effect: str, detail: Json | str, *, risk: Risk = "write", destroys: str = "", key: str | None = None
) -> Ask:
    shown = detail if isinstance(detail, str) else json.dumps(detail, indent=2, ensure_ascii=False)
    return Ask(f"It wants to {effect}. Yes or no?", shown[:_DETAIL_CHARS], risk, destroys, key)


# ---------------------------------------------------------------------------- files


def _read(arguments: Json, repo: Path) -> Verdict:
    place = _path(arguments)
    if _holds_secrets(place, arguments):
        name = PurePath(place or "").name or "files"
        return _ask(f"read {name}, which may hold secrets", arguments, risk="read", key=f"read {place}")
    if place is None or is_inside(repo / place, repo):
        return Allow()
    effect = f"read {PurePath(place).name or place} outside the repository"
    return _ask(effect, place, risk="read", key=f"read {place}")


def _write(arguments: Json, repo: Path, limits: Limits) -> Verdict:
    place = _path(arguments)
    if place is None:
        return Deny("No file was named.")
    name = PurePath(place).name
    if not is_inside(repo / place, repo):
        effect = f"write the file {name} outside the repository"
    elif is_protected(repo / place, repo):
        effect = f"change {name}, which steers git or Claude itself"
    elif is_secret(name, glob=False) and (repo / place).exists():
        effect = f"change {name}, which may hold secrets"
    elif gone_for_good([repo / place], repo, limits):
        effect = f"write over {name}, which git ignores and no checkpoint keeps"
    else:
        return Allow()
    return _ask(effect, arguments, risk="destructive", destroys=name)


def _holds_secrets(place: str | None, arguments: Json) -> bool:
    """Whether a file that is to be read, or a pattern for names, is one of those known to hold secrets."""
    pattern = str(arguments.get("glob") or "")
    return is_secret(PurePath(place or "").name, glob=False) or (
        bool(pattern) and is_secret(PurePath(pattern).name, glob="*" in pattern or "?" in pattern)
    )


def _path(arguments: Json) -> str | None:
    for name in ("file_path", "notebook_path", "path"):
        value = arguments.get(name)
        if isinstance(value, str) and value:
            return str(Path(value).expanduser())
    return None


# ---------------------------------------------------------------------------- commands


def _run(command: str, repo: Path, limits: Limits) -> Verdict:
    if len(command) > _LONGEST:
        danger = in_text(command)
        if danger is not None:
            return _ask(danger.effect, command, risk="destructive", destroys=danger.object)
        return _ask("run a command that is too long to judge", command)
    hidden, reach = _hidden_danger(command, repo), reach_of(command, repo, limits)
    if hidden is None and reach is not None:
        return Allow()
    danger = find_danger(command, repo) or hidden or far_target(command, repo)
    danger = danger or lost_target(command, repo, limits)
    if danger is not None:
        return _ask(danger.effect, command, risk="destructive", destroys=danger.object)
    if is_doctor(command, repo):
        return Allow()
    effect = overwritten(command, repo) or f"run {short_command(command)}"
    return _ask(effect, command, key=f"Bash {covered(command)}")


def _run_reading(way: Way | None, arguments: Json, repo: Path) -> Verdict:
    command = str(arguments.get("command") or "")
    if way != "command" or len(command) > _LONGEST or _hidden_danger(command, repo) is not None:
        return READ_ONLY
    reach = reach_of(command, repo)
    known = is_doctor(command, repo) or (reach is not None and is_check(command, repo))
    reads = reach is Reach.READS or known
    return Allow() if reads else READ_ONLY


def _hidden_danger(command: str, repo: Path) -> Danger | None:
    """What is destructive in what a command calls by a name that the repository gives it."""
    hidden = (find_danger(line, repo) for line in hidden_commands(command, repo))
    return next(filter(None, hidden), None)


# ---------------------------------------------------------------------------- questions of the model


def _choices(arguments: Json) -> Verdict:
    found: list[tuple[str, str, tuple[Choice, ...]]] = []
    for question in arguments.get("questions") or ():
        try:
            options = tuple(
                Choice(str(option["label"]), str(option.get("description") or ""))
                for option in question.get("options") or ()
            )
            spoken = read_out(str(question["question"]), [option.label for option in options])
            if question.get("multiSelect") and len(options) > 1:
                spoken += " You may name several."
            found.append((str(question["question"]), spoken, options))
        except (KeyError, TypeError, AttributeError):
            return Deny("The question has no text or no labels.")
    return AskChoices(tuple(found)) if found else Deny("There is no question in it.")


def _short(value: object) -> str:
    words = str(value or "something").split()
    return " ".join(words[:8]) + (" and so on" if len(words) > 8 else "")
