"""What a sentence asks for: the one schema that grammar, language models and hands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Action(StrEnum):
    """What a control or local intent does."""

    STOP = "stop"
    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    MUTE = "mute"
    UNMUTE = "unmute"
    YES = "yes"
    NO = "no"
    REPEAT = "repeat"
    STATUS = "status"
    COSTS = "costs"
    HELP = "help"
    UNDO = "undo"
    REDO = "redo"
    QUIT = "quit"
    TEST = "test"
    LINT = "lint"
    FORMAT = "format"
    GIT_STATUS = "git_status"
    DIFF = "diff"
    COMMIT = "commit"
    BRANCH = "branch"
    PUSH = "push"
    PULL_REQUEST = "pull_request"
    DOCTOR = "doctor"
    EXPLAIN_FINDING = "explain_finding"
    FIX_FINDINGS = "fix_findings"
    DELEGATE_FINDINGS = "delegate_findings"
    ADD_PACKAGE = "add_package"
    REMOVE_PACKAGE = "remove_package"
    UPGRADE_PACKAGES = "upgrade_packages"
    OUTDATED = "outdated"
    AUDIT = "audit"
    NEW_PROJECT = "new_project"
    RENAME = "rename"
    FIND_USAGES = "find_usages"
    CHANGES = "changes"
    SWITCH_REPOSITORY = "switch_repository"
    SWITCH_AGENT = "switch_agent"


Kind = Literal["control", "local", "task", "question", "chat"]
Risk = Literal["read", "write", "destructive"]
Source = Literal["grammar", "claude", "openai", "fallback"]

CONTROL = frozenset(
    {
        Action.STOP, Action.CANCEL, Action.PAUSE, Action.RESUME, Action.MUTE, Action.UNMUTE, Action.YES,
        Action.NO, Action.REPEAT, Action.STATUS, Action.COSTS, Action.HELP, Action.UNDO, Action.REDO,
        Action.QUIT,
    }
)  # fmt: skip
"""The actions that steer mybro itself; every other action is local work."""


class Arguments(BaseModel):
    """What an action needs beside its target. A field that the sentence does not give is None."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    old_name: str | None = Field(None, description="rename: the symbol's present name")
    new_name: str | None = Field(None, description="rename: the symbol's new name")
    symbol: str | None = Field(None, description="find_usages: the symbol to look for")
    path: str | None = Field(None, description="a file or folder, relative to the repository")
    message: str | None = Field(None, description="commit, pull_request: the message or title")
    branch: str | None = Field(None, description="branch, push: the branch's name")
    remote: str | None = Field(None, description="push: the remote's name")
    name: str | None = Field(
        None,
        description="new_project, switch_*: the name that was said; *_package, upgrade_packages: the "
        "packages, as they are written (httpx rich); explain_finding: a check's id (PY06); "
        "fix_findings: 'the unsafe ones too' where unsafe fixes are asked for",
    )
    since: str | None = Field(None, description="changes: since when, as it was said: I left, this morning")
    template: str | None = Field(None, description="new_project: the template's name")
    count: int | None = Field(None, ge=1, le=1000, description="undo, redo: how many steps")
    number: int | None = Field(None, ge=1, le=1000, description="*_finding, *_findings: which of the list")


class Intent(BaseModel):
    """One sentence, understood."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    kind: Kind = Field(description="control steers mybro; local needs no model; task changes code; "
                                   "question only reads; chat needs no repository")  # fmt: skip
    action: Action | None = Field(None, description="set if and only if kind is control or local")
    arguments: Arguments = Field(default_factory=Arguments)
    target: str | None = Field(None, description="the main object, as the person named it")
    agent: str | None = Field(None, description="whom it is for: a number, a name, new or all; usually null")
    risk: Risk = Field("read", description="read, write (can be undone) or destructive")
    confidence: float = Field(1.0, ge=0.0, le=1.0)
    needs_confirmation: bool = Field(False, description="wait for a spoken yes before doing it")
    reply: str | None = Field(None, description="a short sentence to speak, for chat and control")
    source: Source = "grammar"
    text: str = Field(description="the sentence this was understood from")

    @model_validator(mode="after")
    def _action_fits_kind(self) -> Intent:
        if (self.kind in ("control", "local")) != (self.action is not None):
            raise ValueError("an action belongs to control and local intents, and only to them")
        if self.action is not None and (self.kind == "control") != (self.action in CONTROL):
            raise ValueError(f"{self.action} is not a {self.kind} action")
        return self


def intent_schema() -> dict[str, Any]:
    """The published JSON schema (2020-12) of `Intent`."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Intent.model_json_schema()}
