"""What a language model does for the brain, whoever runs it: one Protocol, one prompt, one answer."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mybro.brain.dialog import Dialog
from mybro.errors import BrainError
from mybro.intent import Action, Arguments, Intent, Kind, Risk, Source

UNSURE = 0.6
"""Below this confidence the harder model is asked."""


class LanguageModel(Protocol):
    """Something that turns a sentence into an intent."""

    async def understand(self, text: str, dialog: Dialog, *, hard: bool = False) -> Intent:
        """The intent of `text`; with `hard`, from the harder model if there is one.

        Raises BrainError, with `retryable` where another try may help.
        """
        ...

    async def warm_up(self) -> None:
        """Do what takes time before the first sentence: imports, connections. Never raises."""
        ...

    async def aclose(self) -> None:
        """Close connections; also twice."""
        ...


class Draft(BaseModel):
    """What a model fills in of an `Intent`."""

    model_config = ConfigDict(extra="forbid", title="Intent")

    kind: Kind = Field(description=Intent.model_fields["kind"].description)
    action: Action | None = Field(description=Intent.model_fields["action"].description)
    arguments: Arguments = Field(description="what the action needs; every field that was not said is null")
    target: str | None = Field(description=Intent.model_fields["target"].description)
    risk: Risk = Field(description=Intent.model_fields["risk"].description)
    confidence: float = Field(ge=0.0, le=1.0, description="0 to 1: how sure you are of kind and action")
    reply: str | None = Field(description=Intent.model_fields["reply"].description)


def draft_schema() -> dict[str, Any]:
    """The JSON schema of `Draft` as structured outputs want it: all required, nothing extra, no bounds."""
    schema: dict[str, Any] = _strict(Draft.model_json_schema())
    return schema


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": node["$ref"]}
    unwanted = {"default", "minimum", "maximum", "title"}
    kept = {
        key: _strict(value)
        for key, value in node.items()
        if key not in unwanted or not isinstance(value, (str, int, float, type(None)))
    }
    if "properties" in kept:
        kept["required"] = list(kept["properties"])
        kept["additionalProperties"] = False
    return kept


SYSTEM = resources.files("mybro.brain").joinpath("prompt.txt").read_text("utf-8")
"""What every model is told; it never changes within a session, so that it can be cached."""


def prompt(text: str, dialog: Dialog) -> str:
    """The message to the model: the window of earlier turns, then the sentence."""
    earlier = [
        json.dumps(
            {
                "said": turn.text[:300],
                "kind": turn.intent.kind,
                "action": turn.intent.action,
                "target": turn.intent.target,
                "outcome": turn.outcome[:200],
            },
            ensure_ascii=False,
        )
        for turn in dialog.turns
    ]
    window = "Earlier turns, oldest first:\n" + "\n".join(earlier) + "\n\n" if earlier else ""
    return f"{window}Sentence: {json.dumps(text[:4_000], ensure_ascii=False)}"


def read_draft(answer: str, text: str, source: Source) -> Intent:
    """The intent in a model's answer: JSON, alone, fenced or amid words. Raises BrainError without one."""
    start, end = answer.find("{"), answer.rfind("}")
    if start < 0 or end < start:
        raise BrainError("bad_answer", "The language model gave no intent", retryable=True)
    try:
        draft = Draft.model_validate_json(answer[start : end + 1])
    except ValidationError as error:
        raise BrainError(
            "bad_answer", "The language model's answer does not fit the schema", retryable=True
        ) from error
    fields = {name: getattr(draft, name) for name in Draft.model_fields}
    if draft.kind not in ("control", "local"):
        fields["action"] = None
    try:
        return Intent(**fields, source=source, text=text)
    except ValidationError as error:
        raise BrainError(
            "bad_answer", "The language model's answer contradicts itself", retryable=True
        ) from error
