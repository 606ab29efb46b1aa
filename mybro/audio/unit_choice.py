"""Whether the system's voice-processing unit is opened in place of the microphone, and what is known of it.

What a trial has shown is kept by the device's name, and forgotten with the next version of the system.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from platform import mac_ver
from typing import Literal

from mybro.config import data_dir
from mybro.errors import Problem
from mybro.ops.frames import Header

log = logging.getLogger(__name__)

Wish = Literal["auto", "on", "off"]
PROOFS = "voice_processing.json"
KEEP = 20
"""Devices that are remembered, the latest."""
INSTEAD = "The plain microphone is used, with mybro's own echo guard"


class UnitChoice:
    """One for a session: what it said once it does not say again."""

    def __init__(self, wish: Wish, file: Path | None = None, system: str = "") -> None:
        """`file` keeps what was shown; `system` is the version of the system for which that holds."""
        self._wish: Wish = wish
        self._file = file
        self._system = system
        self._proofs = self._read()
        self._given_up: set[str] = set()
        self._open: str | None = None

    def ask(self) -> Header:
        """What the sound process is told when it opens a microphone."""
        self._open = None
        if self._wish == "off":
            return {}
        return {"unit": self._wish, "proofs": self._proofs, "refused": sorted(self._given_up)}

    def opened(self, device: str, *, with_unit: bool) -> None:
        """A microphone was opened."""
        self._open = device if with_unit else None

    def judged(self, header: Header) -> Problem | None:
        """What the sound process found out, and what to tell of it."""
        device, why = str(header["name"]), str(header["why"])
        if header["result"] == "proved":
            self._note(device, True)
            return None
        self._open = None
        if header["result"] != "failed":
            return None
        return self._give_up(device, why)

    def lost(self) -> Problem | None:
        """The microphone went away: a unit that was open is not trusted again in this session."""
        device, self._open = self._open, None
        if device is None:
            return None
        return self._give_up(device, "went away with the microphone", again=bool(self._proofs.get(device)))

    def _give_up(self, device: str, why: str, *, again: bool = False) -> Problem | None:
        """With `again`, the next session tries it anew."""
        if self._wish == "auto":
            self._note(device, None if again else False)
        if device in self._given_up:
            return None
        self._given_up.add(device)
        message = f"The system's voice processing of {device} {why}"
        return Problem("voice_processing_failed", message, INSTEAD)

    # ------------------------------------------------------------------ the file

    def _read(self) -> dict[str, bool]:
        try:
            kept = json.loads(self._file.read_text("utf-8")) if self._file else {}
            if kept.get("system") != self._system:
                return {}
            return {str(name): bool(proved) for name, proved in kept["devices"].items()}
        except (OSError, ValueError, KeyError, AttributeError):
            return {}

    def _note(self, device: str, proved: bool | None) -> None:
        self._proofs.pop(device, None)
        if proved is not None:
            self._proofs[device] = proved
        self._proofs = dict(list(self._proofs.items())[-KEEP:])
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps({"system": self._system, "devices": self._proofs})
            fresh = self._file.with_suffix(".new")
            fresh.write_text(text, "utf-8")
            fresh.replace(self._file)
        except OSError as error:
            log.warning("%s cannot be written: %s", PROOFS, error.strerror)


def make_unit_choice(wish: Wish, platform: str = sys.platform) -> UnitChoice:
    """For a session; none is opened where the system has no such unit."""
    if platform != "darwin" or wish == "off":
        return UnitChoice("off")
    return UnitChoice(wish, data_dir() / PROOFS, mac_ver()[0])
