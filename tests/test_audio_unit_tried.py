"""A voice-processing unit on trial in the place where it would work, and what is kept of the trial."""

from __future__ import annotations

import asyncio
import importlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mybro.audio.capture import Captured
from mybro.audio.devices import Device
from mybro.audio.playout import Playout
from mybro.audio.sound import SoundProcess
from mybro.audio.source import BLOCK_SAMPLES
from mybro.audio.unit_choice import UnitChoice, make_unit_choice
from mybro.audio.unit_trial import UnitTrial, Verdict
from mybro.audio.unit_tried import TriedCapture, blocks_of, make_capture
from mybro.audio.voice_unit import UnitCapture, VoiceUnitError
from mybro.events import AudioBlock
from tests.audio_driver import LIMIT_S, Driver, Listening, until
from tests.requirements import need
from tests.test_audio_unit_trial import heard, pcm

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("needs_portaudio")]
pytest_plugins = ["tests.audio_driver"]

DESK = Device(0, "Desk", 1, 0, 48_000, default_input=True)
BOX = Device(1, "Box", 0, 2, 48_000, default_output=True)


@pytest.fixture
def needs_portaudio() -> None:
    """`CallbackStop` is sounddevice's."""
    try:
        importlib.import_module("sounddevice")
    except OSError as error:
        need(None, f"PortAudio: {error}")


class Toy:
    """A unit that hears what it is given."""

    def __init__(self, *, rate: int = 16_000, opens: bool = True) -> None:
        self.rate = rate
        self.opens = opens
        self.running = False

    def start(self, heard: Callable[[float, bytes], None], wanted: Callable[[float, int], bytes]) -> None:
        if not self.opens:
            raise VoiceUnitError("it is a toy")
        self.heard, self.wanted, self.running = heard, wanted, True

    def stop(self) -> None:
        self.running = False


def tried(
    unit: Toy, verdicts: list[Verdict], changed: Callable[[], None] = lambda: None
) -> tuple[TriedCapture, Toy]:
    """With another toy for the plain microphone."""
    plain = Toy()
    capture = TriedCapture(
        UnitCapture(DESK, verdicts.append, lambda: plain),
        UnitCapture(DESK, verdicts.append, lambda: unit),
        UnitTrial(),
        verdicts.append,
        changed,
    )
    return capture, plain


async def run(
    unit_hears: np.ndarray, seed: int = 1
) -> tuple[list[Verdict], list[Captured], Toy, Toy, list[int]]:
    """A whole conversation, as the sound process takes it."""
    room, changes = heard(seed), list[int]()
    verdicts: list[Verdict] = []
    blocks: list[Captured] = []
    unit = Toy()
    capture, plain = tried(unit, verdicts, lambda: changes.append(len(blocks)))
    capture.open()
    ours, theirs = pcm(room.both), pcm(unit_hears)

    async def take() -> None:
        async for block in capture.blocks():
            blocks.append(block)
            for part, (at, sound) in enumerate(blocks_of(block)):
                number = block.start // BLOCK_SAMPLES + part
                if not changes:
                    audible, echo = room.audible[number], room.echo[number]
                    capture.judged(at, sound, audible=audible, echo=echo)

    taking = asyncio.create_task(take())
    began = time.monotonic() - len(ours) / 16_000
    for number in range(len(room.audible)):
        start = number * BLOCK_SAMPLES
        at = began + start / 16_000
        for toy, sound in ((unit, theirs), (plain, ours)):
            if toy.running:
                toy.heard(at, sound[start : start + BLOCK_SAMPLES].tobytes())
        await asyncio.sleep(0)
        if number % 10 == 9:
            await asyncio.sleep(0.002)
    capture.close()
    await asyncio.wait_for(taking, LIMIT_S)
    await capture.aclose()
    return verdicts, blocks, unit, plain, changes


async def test_a_proved_unit_takes_over_in_a_pause_without_a_seam() -> None:
    room = heard(1)
    verdicts, blocks, unit, plain, changes = await run(0.03 * room.ours + room.person)
    assert [each.result for each in verdicts] == ["proved"]
    assert len(changes) == 1 and not room.audible[changes[0] - 1]
    assert not plain.running and not unit.running
    ends = [block.start + len(block.pcm) // 2 for block in blocks]
    assert all(block.start >= end for block, end in zip(blocks[1:], ends, strict=False))
    assert len(blocks) > changes[0] + 20
    last = np.frombuffer(b"".join(block.pcm for block in blocks[changes[0] + 1 :]), "<i2").astype(float)
    assert np.mean(last**2) < 0.5 * np.mean(pcm(room.both)[changes[0] * BLOCK_SAMPLES :].astype(float) ** 2)


async def test_one_that_fails_is_let_go_and_the_plain_microphone_goes_on() -> None:
    room = heard(1)
    verdicts, blocks, unit, _, changes = await run(room.both)
    assert [each.result for each in verdicts] == ["failed"]
    assert not changes and not unit.running
    taken = np.frombuffer(b"".join(block.pcm for block in blocks), "<i2")
    assert 0 <= len(room.audible) - len(taken) // BLOCK_SAMPLES <= 1
    assert abs(float(np.std(taken)) / float(np.std(pcm(room.both))) - 1) < 0.05


async def test_one_that_delivers_nothing_is_let_go() -> None:
    verdicts: list[Verdict] = []
    unit = Toy()
    capture, plain = tried(unit, verdicts)
    capture.open()
    for number in range(200):
        capture.judged(number / 50, bytes(2 * BLOCK_SAMPLES), audible=False, echo=False)
    await until(lambda: not unit.running)
    assert [each.why for each in verdicts] == ["stays silent"] and plain.running
    capture.close()
    await capture.aclose()


async def test_what_is_played_goes_through_a_unit_that_sounds() -> None:
    unit, ended = Toy(rate=48_000), []
    capture = UnitCapture(DESK, lambda _: None, lambda: unit)
    capture.open()
    said = np.asarray(8000 * np.sin(np.arange(16_000) * 0.05), "<i2")
    playout = Playout(16_000, 1.0, lambda: ended.append(True))
    playout.open(BOX, capture)
    playout.feed(said.tobytes(), last=True)
    parts = []
    while not ended:
        parts.append(np.frombuffer(unit.wanted(time.monotonic(), 512), "<i2"))
        assert len(parts) < 200
    played = np.concatenate(parts)
    assert abs(len(played) - 48_000) < 1000
    assert abs(float(np.std(played[4800:40_000])) / float(np.std(said)) - 1) < 0.05
    assert 16_000 - playout.close() < 500
    assert not np.any(np.frombuffer(unit.wanted(0.0, 512), "<i2"))
    capture.close()
    await capture.aclose()


async def test_a_unit_that_goes_away_ends_what_it_plays() -> None:
    unit, ended = Toy(rate=48_000), []
    capture = UnitCapture(DESK, lambda _: None, lambda: unit)
    capture.open()
    playout = Playout(16_000, 1.0, lambda: ended.append(True))
    playout.open(BOX, capture)
    capture.close()
    assert ended == [True]
    playout.close()
    await capture.aclose()


def test_only_what_may_be_opened_is() -> None:
    def opened(unit: str, device: Device = DESK, **header: object) -> str:
        made = make_capture(device, {"unit": unit, **header}, {}, lambda _: None, lambda: None, Toy)
        return type(made).__name__

    async def all_of_them() -> None:
        assert opened("off") == "Capture"
        assert opened("auto") == "TriedCapture"
        assert opened("auto", proofs={"Desk": True}) == "UnitCapture"
        assert opened("auto", proofs={"Desk": False}) == "Capture"
        assert opened("auto", proofs={"Other": True}) == "TriedCapture"
        assert opened("on", proofs={"Desk": False}) == "UnitCapture"
        assert opened("on", refused=["Desk"]) == "Capture"
        assert opened("on", Device(3, "Other", 1, 0, 48_000)) == "Capture"

    asyncio.run(all_of_them())


# ---------------------------------------------------------------------- the session's side


def verdict(result: str, name: str = "Desk") -> dict[str, object]:
    return {"is": "unit", "name": name, "result": result, "why": "is a toy"}


def test_a_proof_is_kept_by_device_and_system(tmp_path: Path) -> None:
    file = tmp_path / "new" / "proofs.json"
    choice = UnitChoice("auto", file, "27.0")
    assert choice.judged(verdict("proved")) is None
    assert choice.judged(verdict("failed", "Hat")) is not None
    assert UnitChoice("auto", file, "27.0").ask()["proofs"] == {"Desk": True, "Hat": False}
    assert UnitChoice("auto", file, "27.1").ask()["proofs"] == {}


def test_a_failure_is_said_once(tmp_path: Path) -> None:
    choice = UnitChoice("auto", tmp_path / "proofs.json", "27.0")
    problem = choice.judged(verdict("failed"))
    assert problem and "Desk is a toy" in problem.message and "plain microphone" in problem.hint
    assert choice.judged(verdict("failed")) is None
    assert choice.ask()["refused"] == ["Desk"]
    assert choice.judged(verdict("undecided", "Hat")) is None


def test_a_proved_unit_that_dies_is_tried_anew_in_another_session(tmp_path: Path) -> None:
    file = tmp_path / "proofs.json"
    choice = UnitChoice("auto", file, "27.0")
    choice.judged(verdict("proved"))
    choice.opened("Desk", with_unit=True)
    assert choice.lost() is not None
    assert choice.lost() is None
    assert choice.ask()["refused"] == ["Desk"]
    assert UnitChoice("auto", file, "27.0").ask() == {"unit": "auto", "proofs": {}, "refused": []}
    on_trial = UnitChoice("auto", file, "27.0")
    on_trial.opened("Desk", with_unit=True)
    on_trial.lost()
    assert UnitChoice("auto", file, "27.0").ask()["proofs"] == {"Desk": False}


def test_a_microphone_without_a_unit_is_lost_without_a_word() -> None:
    choice = UnitChoice("auto")
    choice.opened("Desk", with_unit=False)
    assert choice.lost() is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"system": "27.0"}', '{"system": "27.0", "devices": [1]}'])
def test_a_broken_file_is_no_proof(tmp_path: Path, text: str) -> None:
    file = tmp_path / "proofs.json"
    file.write_text(text)
    choice = UnitChoice("auto", file, "27.0")
    assert choice.ask()["proofs"] == {}
    choice.judged(verdict("proved"))
    assert json.loads(file.read_text())["devices"] == {"Desk": True}


def test_elsewhere_nothing_is_asked_for() -> None:
    assert make_unit_choice("on", "linux").ask() == {}
    assert make_unit_choice("auto", "darwin").ask()["unit"] == "auto"
    assert make_unit_choice("off", "darwin").ask() == {}


@pytest.mark.parametrize("wish", ["auto", "on"])
async def test_where_no_unit_opens_it_is_said_once_and_sound_comes(
    driver: Driver, process: SoundProcess, wish: str, tmp_path: Path
) -> None:
    choice = UnitChoice("auto" if wish == "auto" else "on", tmp_path / "proofs.json", "27.0")
    for opening in range(2):
        async with Listening(process, unit=choice) as listening:
            await until(lambda: len(listening.blocks) > 10)
            assert [each.code for each in listening.problems] == ["voice_processing_failed"][opening:]
            assert all(isinstance(block, AudioBlock) for block in listening.blocks)
