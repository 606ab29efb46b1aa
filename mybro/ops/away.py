"""Whether the person has left: the screen is locked, or the lid is closed.

macOS: the I/O registry as `ioreg -a` prints it (`IOConsoleLocked`, `AppleClamshellState`). Linux: logind's
`LockedHint`, and ACPI's lid state. A system that says neither is taken for attended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import plistlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

ANSWER_S = 2.0
LIDS = Path("/proc/acpi/button/lid")

_MACOS = ("ioreg", "-a", "-d", "1", "-r", "-c", "IOPMrootDomain"), ("ioreg", "-a", "-n", "Root", "-d", "1")


def locked_by_logind(answer: str) -> bool:
    """From `loginctl show-session --property=LockedHint --value`."""
    return answer.strip() == "yes"


def lid_closed(folder: Path = LIDS) -> bool:
    """Whether a lid is known and closed."""
    with contextlib.suppress(OSError):
        return any("closed" in state.read_text() for state in folder.glob("*/state"))
    return False


def locked_by_ioreg(answer: bytes) -> bool:
    """From `ioreg -a`: whether the console is locked or the lid closed."""
    try:
        parsed = plistlib.loads(answer)
    except (plistlib.InvalidFileException, ValueError, ExpatError):
        return False
    return any(
        entry.get("IOConsoleLocked") is True or entry.get("AppleClamshellState") is True
        for entry in _dictionaries(parsed)
    )


async def is_away(platform: str = sys.platform) -> bool:
    """Ask the system; False where it does not say."""
    if platform == "darwin":
        return any([locked_by_ioreg(await _output(*command)) for command in _MACOS])
    if await asyncio.to_thread(lid_closed):
        return True
    session = os.environ.get("XDG_SESSION_ID")
    if not session:
        return False
    command = ("loginctl", "show-session", session, "--property=LockedHint", "--value")
    return locked_by_logind((await _output(*command)).decode(errors="replace"))


def _dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, list):
        for item in value:
            yield from _dictionaries(item)


async def _output(*command: str) -> bytes:
    """What a command prints; nothing where it is missing, fails or takes too long."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return b""
    try:
        async with asyncio.timeout(ANSWER_S):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return b""
    return output
