"""What the mouth needs of a loudspeaker, and one that makes no sound."""

from __future__ import annotations

from typing import Protocol


class Playback(Protocol):
    """One stretch of sound on its way out."""

    @property
    def position(self) -> int:
        """Samples heard since it began."""
        ...

    async def write(self, pcm: bytes) -> None:
        """Take mono 16-bit samples; waits while enough are on their way."""
        ...

    async def finish(self) -> None:
        """Return once everything written has been heard."""
        ...

    def stop(self) -> None:
        """Be silent within one block; what was not heard is forgotten."""
        ...

    def duck(self, on: bool) -> None:
        """Go on much more softly, or as before."""
        ...


class PlayerPort(Protocol):
    """A loudspeaker."""

    async def play(self, sample_rate: int) -> Playback:
        """Begin a stretch of sound at this rate, in hertz. Raises `AudioError`."""
        ...


class _Unheard:
    """Takes every sample the moment it comes."""

    def __init__(self) -> None:
        self.position = 0

    async def write(self, pcm: bytes) -> None:
        self.position += len(pcm) // 2

    async def finish(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def duck(self, on: bool) -> None:
        pass


class SilentPlayer:
    """For a machine without a loudspeaker: a recording of what is said still works."""

    async def play(self, sample_rate: int) -> Playback:
        return _Unheard()
