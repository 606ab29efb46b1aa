"""Where sound comes from: one Protocol for microphones, files and pipes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from mybro.errors import Problem
from mybro.events import SAMPLE_RATE, AudioBlock

BLOCK_SAMPLES = SAMPLE_RATE // 50
"""20 ms: short enough for a lively meter and a quick onset, long enough to cost next to nothing."""


class AudioSource(Protocol):
    """A stream of 16 kHz mono 16-bit sound."""

    @property
    def name(self) -> str:
        """What a person would call it: a device's or a file's name."""
        ...

    @property
    def live(self) -> bool:
        """Whether it is heard as it happens. A live source is never slowed down: it drops, and counts."""
        ...

    @property
    def dropped_blocks(self) -> int:
        """Blocks lost so far because nobody took them in time."""
        ...

    def blocks(self) -> AsyncIterator[AudioBlock | Problem]:
        """The sound, once, from sample 0; a start later than the last end is a gap in it.

        A `Problem` says that nothing useful comes for now; blocks follow by themselves when it does.
        Ends where the sound does or after `aclose`. Raises `AudioError` where the source is of no use.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the device or file; a running `blocks` ends. Works twice."""
        ...
