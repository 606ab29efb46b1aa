"""What the machine is told to be, and how it is looked at."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from mybro.ops.system import EVERY_S, System, gpu_of, machine, processor_of

pytestmark = pytest.mark.unit


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


def test_looks_are_shared_for_a_moment(tmp_path: Path) -> None:
    clock = Hand()
    system = System(clock, tmp_path / "not" / "there" / "yet")
    first = system.look()
    clock.time += EVERY_S / 2
    assert system.look() is first
    clock.time += EVERY_S
    later = system.look()
    assert later is not first
    assert later.load.memory_total == first.load.memory_total == psutil.virtual_memory().total
    assert 0 < later.load.memory_available <= later.load.memory_total
    assert later.load.cpu is not None
    assert 0 <= later.load.cpu <= 1
    assert 0 < later.disk_free <= later.disk_total


def test_the_machine_is_asked_once() -> None:
    found = machine()
    assert machine() is found
    assert found.system
    assert found.architecture
    assert 1 <= found.cores <= (psutil.cpu_count() or 1)
    assert found.python.startswith("3.")


def test_processors_names() -> None:
    assert processor_of("processor\t: 0\nmodel name\t: AMD EPYC 7B13 \nflags\t: fpu\n") == "AMD EPYC 7B13"
    assert (
        processor_of("processor\t: 0\nBogoMIPS\t: 48.00\n\nModel\t\t: Raspberry Pi 5\n") == "Raspberry Pi 5"
    )
    assert processor_of("") == ""


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        (json.dumps({"SPDisplaysDataType": [{"_name": "x", "sppci_model": "Apple M3 Max"}]}), "Apple M3 Max"),
        (json.dumps({"SPDisplaysDataType": []}), ""),
        (json.dumps([1]), ""),
        ("system_profiler: error", ""),
        ("", ""),
    ],
)
def test_macos_names_its_gpu(profile: str, name: str) -> None:
    assert gpu_of(profile) == name
