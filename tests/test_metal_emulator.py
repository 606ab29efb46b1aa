"""The emulator: what it gives to kernels, and what it catches."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from metal.emu import lint
from metal.emu.build import library, read
from metal.emu.coverage import lines
from metal.emu.runner import Emulator, EmulatorError
from metal.emu.tokens import MslError
from metal.emu.toolchain import Lane
from mybro.compute.emulator import EmulatorDevice
from tests import metal_cases
from tests.metal_cases import need_emulator

pytestmark = pytest.mark.integration

DATA = Path(__file__).parent / "data" / "metal"


@pytest.fixture(autouse=True)
def _compiler() -> None:
    need_emulator()


def wrong_lines(name: str) -> dict[str, set[int]]:
    """For each function of a file the lines that say of themselves that they are wrong."""
    found: dict[str, set[int]] = {}
    function = ""
    for number, line in enumerate((DATA / name).read_text().splitlines(), 1):
        begins = re.match(r"(?:kernel|inline) \w+ (\w+)\(", line)
        function = begins.group(1) if begins else function
        if "// wrong" in line:
            found.setdefault(function, set()).add(number)
    return found


def run(lane: Lane, name: str, kernel: str, seed: int = 0, groups: int = 1) -> np.ndarray:
    with Emulator(lane, [DATA / name], seed=seed) as emulator:
        y = emulator.allocate(64, np.float32)
        emulator.launch(kernel, {0: y}, {}, (64 * groups, 1, 1), (64, 1, 1))
        return emulator.download(y, 64, np.float32)


def named(report: str, name: str) -> set[int]:
    """The lines of a file that a report names."""
    return {int(line) for line in re.findall(rf"{re.escape(name)}:(\d+)", report)}


@pytest.mark.parametrize(("kernel", "wrong"), wrong_lines("bounds.metal").items())
def test_memory_out_of_bounds_is_found_in_its_line(kernel: str, wrong: set[int]) -> None:
    with (
        pytest.raises(EmulatorError, match=r"AddressSanitizer|out of bounds") as caught,
        Emulator("address", [DATA / "bounds.metal"]) as emulator,
    ):
        y = emulator.allocate(100, np.float32)
        threads = 100 if "behind" in kernel or "ragged" in kernel else 64
        emulator.launch(kernel, {0: y}, {}, (threads, 1, 1), (64, 1, 1))
    assert wrong & named(str(caught.value), "bounds.metal")


@pytest.mark.parametrize(("kernel", "wrong"), wrong_lines("undefined.metal").items())
def test_what_has_no_meaning_is_found_in_its_line(kernel: str, wrong: set[int]) -> None:
    with pytest.raises(EmulatorError, match="runtime error") as caught:
        run("address", "undefined.metal", kernel)
    assert wrong & named(str(caught.value), "undefined.metal")


@pytest.mark.parametrize(("kernel", "wrong"), wrong_lines("races.metal").items())
def test_a_race_is_found_in_its_lines(kernel: str, wrong: set[int]) -> None:
    with pytest.raises(EmulatorError, match="data race") as caught:
        run("thread", "races.metal", kernel, groups=32 if "another" in kernel else 1)
    assert wrong & named(str(caught.value), "races.metal")


@pytest.mark.parametrize(("kernel", "wrong"), wrong_lines("divergence.metal").items())
def test_lanes_that_part_are_found_in_their_lines(kernel: str, wrong: set[int]) -> None:
    with pytest.raises(EmulatorError, match="divergent synchronisation") as caught:
        run("plain", "divergence.metal", kernel)
    assert wrong & named(str(caught.value), "divergence.metal")


@pytest.mark.parametrize("kernel", re.findall(r"kernel void (\w+)", (DATA / "values.metal").read_text()))
def test_what_a_kernel_may_not_rely_on_gives_wrong_values(kernel: str) -> None:
    # In the plain order of lanes some of these would look right.
    try:
        right = [(run("plain", "values.metal", kernel, seed) == 1).all() for seed in (0, 1, 2)]
    except EmulatorError as error:
        assert "32768" in str(error), error  # one of the kernels is refused
        return
    assert not all(right)


def test_address_spaces_are_checked() -> None:
    wrong = set().union(*wrong_lines("spaces.metal").values())
    with pytest.raises(MslError) as caught:
        lint.check([DATA / "spaces.metal"])
    complaints = "\n".join(line for line in str(caught.value).splitlines() if "error:" in line)
    assert named(complaints, "spaces.metal") == wrong


def test_what_is_no_msl_is_refused_with_every_line() -> None:
    wrong = set().union(*wrong_lines("language.metal").values())
    with pytest.raises(MslError) as caught:
        read(DATA / "language.metal")
    assert named(str(caught.value), "language.metal") == wrong


def test_the_library_passes_the_lint() -> None:
    lint.check(library())


@pytest.fixture(scope="module")
def plain() -> Iterator[Emulator]:
    need_emulator()
    with Emulator(files=[DATA / "plain.metal"], seed=3) as emulator:
        yield emulator


def test_a_ragged_grid_has_smaller_threadgroups_at_its_edges(plain: Emulator) -> None:
    y = plain.allocate(10 * 7, np.uint32)
    plain.launch("positions", {0: y}, {}, (10, 7, 1), (4, 3, 1))
    got = plain.download(y, 70, np.uint32).reshape(7, 10)
    across, down = np.repeat([4, 4, 2], [4, 4, 2]), np.repeat([3, 3, 1], [3, 3, 1])
    assert np.array_equal(got, across[None, :] * 100 + down[:, None])


@pytest.mark.parametrize("threads", [64, 40])
def test_operations_of_a_simdgroup(threads: int, plain: Emulator) -> None:
    y = plain.allocate(16 * threads, np.uint32)
    plain.launch("simdgroup", {0: y}, {}, (threads, 1, 1), (threads, 1, 1))
    got = plain.download(y, 16 * threads, np.uint32).reshape(threads, 16)
    for i in range(threads):
        lane, size = i % 32, min(32, threads - i // 32 * 32)
        ones = [
            size * (size - 1) // 2,
            3,
            size - 1,
            lane + 1,
            lane,
            7,
            2,
            int(size > 9),
            int(size <= 9),
            0x55,
        ]
        assert list(got[i][:10]) == ones
        assert list(got[i][10:]) == [
            6,
            lane,
            i // 32,
            -(-threads // 32),
            32,
            np.float32(lane).view(np.uint32),
        ]


def test_vectors_and_atomics(plain: Emulator) -> None:
    y, z = plain.allocate(4 * 100, np.float32), plain.upload(np.zeros(3, np.int32))
    plain.launch("vectors", {0: y, 1: z}, {}, (100, 1, 1), (32, 1, 1))
    got = plain.download(y, 400, np.float32).reshape(100, 4)
    assert np.array_equal(got, np.array([8, 6, 4, 2], np.float32) + np.clip(np.arange(100), 1, 2)[:, None])
    assert plain.download(z, 3, np.int32).tolist() == [99, -99, 255]


def test_a_kernel_without_an_end_is_ended() -> None:
    with Emulator(files=[DATA / "plain.metal"], patience_s=2) as emulator:
        y = emulator.upload(np.ones(1, np.uint32))
        with pytest.raises(EmulatorError, match="did not end within 2 s"):
            emulator.launch("endless", {0: y}, {}, (1, 1, 1), (1, 1, 1))
        with pytest.raises(EmulatorError):
            emulator.close()


def test_the_fibers_of_the_c_library_do_as_well() -> None:
    with Emulator("portable", seed=6) as emulator:
        device = EmulatorDevice(emulator)
        for case in metal_cases.of_length(np.random.default_rng(6), 2049):
            case.judge(case.run(device))


def test_the_host_is_told_what_it_did_wrong(plain: Emulator) -> None:
    y = plain.allocate(4, np.uint32)
    with pytest.raises(EmulatorError, match="1 to 1024"):
        plain.launch("positions", {0: y}, {}, (2048, 1, 1), (2048, 1, 1))
    with pytest.raises(EmulatorError, match="no such kernel"):
        plain.launch("nothing", {0: y}, {}, (1, 1, 1), (1, 1, 1))
    # And goes on.
    plain.launch("positions", {0: y}, {}, (4, 1, 1), (4, 1, 1))
    assert plain.download(y, 4, np.uint32).tolist() == [401] * 4


@pytest.mark.parametrize("lane", ["address", "thread"])
def test_the_sanitizers_find_nothing_in_the_library(lane: Lane) -> None:
    # A third of the shapes with ThreadSanitizer, which takes five times as long; the trials have them all.
    chance, step = np.random.default_rng(3), 3 if lane == "thread" else 1
    cases = (metal_cases.of_length(chance, n) for n in (33, 2049))
    with Emulator(lane, seed=5) as emulator:
        device = EmulatorDevice(emulator)
        for some in (*cases, itertools.islice(metal_cases.of_shapes(chance), 0, None, step)):
            for case in some:
                case.judge(case.run(device))


def test_every_line_of_the_library_is_run(tmp_path: Path) -> None:
    with Emulator("coverage", counts=tmp_path) as emulator:
        device = EmulatorDevice(emulator)
        for case in metal_cases.everything(4, (33, 2049)):
            case.run(device)
    found = lines(library(), tmp_path)
    assert {file.name for file in found} >= {file.name for file in library()}
    missed = [
        f"{file.name}:{line}" for file, seen in found.items() for line, count in seen.items() if not count
    ]
    assert not missed
