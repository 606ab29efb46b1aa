"""This machine: what it is, and how hard it works. Looked at no more often than somebody can read it."""

from __future__ import annotations

import functools
import json
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mybro.clock import Clock, MonotonicClock
from mybro.config import data_dir
from mybro.native import in_use
from mybro.native.machine import Load, Monitor

EVERY_S = 1.0
"""Looks that come sooner get the one before; a shorter time would also measure little but itself."""
_COMMAND_S = 15.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What does not change while it runs; empty where it is not told."""

    system: str
    """Name and version: "macOS 26.1", "Debian GNU/Linux 12 (bookworm)"."""
    processor: str
    cores: int
    """That this process may use."""
    gpu: str
    architecture: str
    python: str
    monitor: str
    """Who looks: the Rust engine, or psutil."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the machine."""

    load: Load
    disk_total: int
    disk_free: int
    """Bytes, of the disk that holds mybro's data; 0 where it cannot be told."""


class System:
    """Looks at the machine for any number of askers. From one thread."""

    def __init__(self, clock: Clock | None = None, folder: Path | None = None) -> None:
        self._clock = clock or MonotonicClock()
        self._folder = folder or data_dir()
        self._monitor: Monitor | None = None
        self._newest: tuple[float, Look] | None = None

    def look(self) -> Look:
        """The newest look, at most EVERY_S old."""
        now = self._clock.now()
        if self._newest is not None and now - self._newest[0] < EVERY_S:
            return self._newest[1]
        if self._monitor is None:
            self._monitor = Monitor()
        found = Look(self._monitor.read(), *_disk(self._folder))
        self._newest = now, found
        return found


def _disk(folder: Path) -> tuple[int, int]:
    place = next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))
    try:
        usage = shutil.disk_usage(place)
    except OSError:
        return 0, 0
    return usage.total, usage.free


@functools.cache
def machine() -> Machine:
    """What this machine is. The first call may take a second on macOS: not from an event loop."""
    return Machine(
        _system(), _processor(), _cores(), _gpu(), platform.machine(), platform.python_version(), in_use()
    )


def _on_mac() -> bool:
    return platform.system() == "Darwin"


def _cores() -> int:
    # Containers and batch systems give a process less than there is.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _system() -> str:
    if _on_mac():
        return f"macOS {platform.mac_ver()[0]}"
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def _processor() -> str:
    if _on_mac():
        return _output("sysctl", "-n", "machdep.cpu.brand_string")
    return processor_of(_text(Path("/proc/cpuinfo"))) or platform.processor()


def processor_of(cpuinfo: str) -> str:
    """The processor's name in Linux's /proc/cpuinfo; empty where it has none, as on most ARM."""
    named = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(\S.*?)\s*$", cpuinfo, re.MULTILINE)
    return named[1] if named else ""


def _gpu() -> str:
    if _on_mac():
        return gpu_of(_output("system_profiler", "-json", "SPDisplaysDataType"))
    for name in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        if found := re.search(r"^Model:\s*(\S.*?)\s*$", _text(name), re.MULTILINE):
            return found[1]
    for card in sorted(Path("/sys/class/drm").glob("card[0-9]/device/uevent")):
        if found := re.search(r"^DRIVER=(\S+)$", _text(card), re.MULTILINE):
            return found[1]
    return ""


def gpu_of(profile: str) -> str:
    """The first GPU's name in what macOS's system_profiler prints as JSON."""
    try:
        return str(json.loads(profile)["SPDisplaysDataType"][0]["sppci_model"])
    except (ValueError, LookupError, TypeError):
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _output(*command: str) -> str:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_COMMAND_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
