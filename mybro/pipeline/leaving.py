"""Ending a session for another that takes over: at a moment when nothing is being said, asked or done."""

from __future__ import annotations

import asyncio

from mybro.errors import ChildError
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.state import Ear, Mouth, State

QUIET_S = 1.0
"""It has to last for this long."""
_LOOK_S = 0.05
LONGEST_S = 3600.0


async def leave(pipeline: Pipeline, patience_s: object) -> dict[str, bool]:
    """Wait for a quiet moment, then end the session. Raises `ChildError` not_quiet where there is none."""
    if not isinstance(patience_s, int | float) or not 0 < patience_s <= LONGEST_S:
        raise ChildError("bad_request", f"patience_s is a number up to {LONGEST_S:.0f}")
    loop = asyncio.get_running_loop()
    gives_up, since = loop.time() + patience_s, loop.time()
    while loop.time() - since < QUIET_S:
        if not is_quiet(pipeline.state):
            since = loop.time()
            if since > gives_up:
                raise ChildError(
                    "not_quiet", f"there was no quiet moment in {patience_s:.0f} s", hint="Try again later"
                )
        await asyncio.sleep(_LOOK_S)
    pipeline.ended.set()
    return {"left": True}


def is_quiet(state: State) -> bool:
    """Whether nothing would be lost."""
    said = state.ear in (Ear.HEARING, Ear.CLOSING) or state.mouth is not Mouth.SILENT
    return not (said or state.turns or state.jobs or state.questions or state.sweeping)
