"""Which model an agent is to use, where it offers a choice: as an option of the session, or the older way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mybro.executor.acp import faults
from mybro.executor.acp.connection import Connection
from mybro.executor.claude.messages import Json


@dataclass(frozen=True, slots=True)
class Offer:
    """Models to choose from."""

    models: tuple[tuple[str, str], ...]
    """What each is called by programs, and by people."""
    current: str
    option: str | None
    """The session's option that holds it; None where `session/set_model` does that."""


async def choose(connection: Connection, session: str, opened: Json, wanted: str) -> None:
    """Have the agent use a model; nothing happens where it offers no choice.

    Raises `TurnError` no_such_model where it does, and this one is not among them.
    """
    offer = offered(opened)
    if offer is None:
        return
    model = match(offer, wanted)
    if model is None:
        raise faults.no_such_model(wanted, [name for name, _ in offer.models])
    if model == offer.current:
        return
    if offer.option is None:
        await connection.request("session/set_model", {"sessionId": session, "modelId": model})
    else:
        chosen = {"sessionId": session, "configId": offer.option, "value": model}
        await connection.request("session/set_config_option", chosen)


def offered(opened: Json) -> Offer | None:
    """What the answer to a session's opening offers."""
    for option in _objects(opened.get("configOptions")):
        if option.get("type") == "select" and "model" in (option.get("category"), option.get("id")):
            values = [entry for one in _objects(option.get("options")) for entry in _flat(one)]
            models = tuple((str(v["value"]), str(v.get("name") or "")) for v in values if "value" in v)
            return Offer(models, str(option.get("currentValue")), str(option.get("id")))
    older = opened.get("models")
    if isinstance(older, dict):
        found = _objects(older.get("availableModels"))
        models = tuple((str(m["modelId"]), str(m.get("name") or "")) for m in found if "modelId" in m)
        return Offer(models, str(older.get("currentModelId")), None)
    return None


def match(offer: Offer, wanted: str) -> str | None:
    """The one that is meant: by its whole name, else the first of whose names it is a part."""
    low = wanted.casefold()
    whole = (value for value, name in offer.models if low in (value.casefold(), name.casefold()))
    part = (value for value, name in offer.models if low in value.casefold() or low in name.casefold())
    return next(whole, None) or next(part, None)


def _flat(entry: Json) -> Iterator[Json]:
    """An entry, or those of a group."""
    if isinstance(entry.get("options"), list):
        yield from _objects(entry["options"])
    else:
        yield entry


def _objects(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
