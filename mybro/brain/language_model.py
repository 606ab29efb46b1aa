"""What a language model does for the brain, whoever runs it: one Protocol, one prompt, one answer."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from mybro.brain.dialog import Dialog
from mybro.errors import BrainError
from mybro.intent import CONTROL, Action, Arguments, Intent, Kind, Risk, Source

UNSURE = 0.6
"""Below this confidence the harder model is asked."""


class LanguageModel(Protocol):
    """Something that turns a sentence into an intent."""

    has_harder: bool
    """Whether `hard` asks another model than usual."""

    async def understand(self, text: str, dialog: Dialog, *, hard: bool = False) -> Intent:
        """The intent of `text`; with `hard`, from the harder model.

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
    """What a model fills in of an `Intent`; defaults are for servers that do not hold to a schema."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Kind = Field(description=Intent.model_fields["kind"].description)
    action: Action | None = Field(None, description=Intent.model_fields["action"].description)
    arguments: Arguments = Field(
        default_factory=Arguments, description="what the action needs; what was not said is null"
    )
    target: str | None = Field(None, description=Intent.model_fields["target"].description)
    risk: Risk = Field("write", description=Intent.model_fields["risk"].description)
    confidence: float = Field(0.7, ge=0.0, le=1.0, description="0 to 1: how sure you are of kind and action")
    reply: str | None = Field(None, description=Intent.model_fields["reply"].description)


@functools.cache
def draft_schema() -> dict[str, Any]:
    """The JSON schema of `Draft` as structured outputs want it: all required, no extras, no references."""
    schema = Draft.model_json_schema()
    plain: dict[str, Any] = _plain(schema, schema.get("$defs", {}))
    return plain


_UNWANTED = frozenset({"default", "minimum", "maximum", "title", "$defs"})
"""Keywords that servers reject; the descriptions say the same."""


def _plain(node: Any, defs: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_plain(item, defs) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(
            {**defs[node["$ref"].rsplit("/", 1)[1]], **{k: v for k, v in node.items() if k != "$ref"}}, defs
        )
    plain = {
        key: _plain(value, defs)
        for key, value in node.items()
        if key not in _UNWANTED and key != "properties"
    }
    if "properties" in node:
        plain["properties"] = {name: _plain(value, defs) for name, value in node["properties"].items()}
        plain["required"] = list(node["properties"])
        plain["additionalProperties"] = False
    return plain


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
    try:
        given = json.loads(answer[start : end + 1])
        arguments = given.get("arguments") or {}
        known = {
            name: arguments[name] for name in Arguments.model_fields if arguments.get(name) not in ("", None)
        }
        draft = Draft.model_validate_json(json.dumps({**given, "arguments": known}))
        return _intent(draft, text, source)
    except (ValueError, AttributeError, TypeError) as error:
        # pydantic's and json's errors are ValueErrors; the others come from JSON of another shape.
        raise BrainError("bad_answer", "The language model's answer is no intent", retryable=True) from error


def _intent(draft: Draft, text: str, source: Source) -> Intent:
    """A draft as an intent. The action decides between control and local: models mix these two up."""
    kind, action = draft.kind, draft.action
    if kind not in ("control", "local"):
        action = None
    elif action is not None:
        kind = "control" if action in CONTROL else "local"
    return Intent(
        kind=kind,
        action=action,
        arguments=draft.arguments,
        target=draft.target or None,
        risk=draft.risk,
        confidence=draft.confidence,
        reply=draft.reply or None,
        source=source,
        text=text,
    )
