"""What was said and no agent has yet: handed over in the order of speech, and within reach of a stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mybro.events import JobStopped
from mybro.executor.hand import Report


@dataclass(slots=True, eq=False)
class Coming:
    """One thing to be done."""

    job: int | None
    agent: str | None
    """Whom it is for; None for whoever has the focus, empty for whoever worked last."""
    stopped: bool = False
    """Whether it is not to be begun, of which the end is told already."""
    begun: bool = False
    """Whether a stop finds it elsewhere."""
    joining: bool = False
    """Whether it may be part of other work by now, and so end with that."""

    def begin(self) -> bool:
        """From now on a stop finds it elsewhere; False where one came before."""
        self.begun = not self.stopped
        return self.begun


class Line:
    """All that comes."""

    def __init__(self, emit: Report) -> None:
        self.order = asyncio.Lock()
        """Held by what is handed over: "second agent" counts those who were named before."""
        self._emit = emit
        self._coming: list[Coming] = []
        self._closed = False

    @contextlib.contextmanager
    def join(self, job: int | None, agent: str | None) -> Iterator[Coming]:
        """Be within reach of a stop from now on."""
        coming = Coming(job, agent, stopped=self._closed)
        self._coming.append(coming)
        try:
            yield coming
        finally:
            self._coming.remove(coming)

    async def stop(self, chosen: Callable[[Coming], bool]) -> int:
        """Let what is chosen not begin, and tell its end at once; returns how many that were."""
        found = [one for one in self._coming if not (one.begun or one.stopped) and chosen(one)]
        for one in found:
            one.stopped = True
        for one in found:
            if one.job is not None and not one.joining:
                await self._emit(JobStopped(one.job))
        return len(found)

    def close(self) -> None:
        """Nothing is begun any more; without an end it is offered again in the next session."""
        self._closed = True
        for one in self._coming:
            one.stopped = True
