"""What is loaded instead where memory runs out."""

from __future__ import annotations

import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from mybro.clock import MonotonicClock
from mybro.models.files import folder_of, write_manifest
from mybro.models.store import named
from mybro.ops.supervision import SMALLER_VARIABLE
from mybro.transcribe.choice import setup_for
from mybro.transcribe.recogniser import Setup
from mybro.transcribe.smaller import Fit, smaller, steps_asked
from tests.transcribe_scene import block, model, settings
from tests.transcribe_service_scene import COMMAND, is_command, killed, replaced, service

__all__ = ["model"]
pytestmark = pytest.mark.integration


@pytest.fixture
def large(model: str) -> Setup:
    """A setup that says it is of a large model, and is not."""
    return replace(setup_for(settings()), model="small.en", compute_type="float32")


def test_down_goes_to_smaller_models_and_then_to_smaller_numbers(large: Setup) -> None:
    tiny = smaller(large, 1, "en")
    assert (tiny.model, tiny.compute_type) == ("tiny.en", "float32")
    assert Path(tiny.path, "config.json").is_file()
    for steps in (2, 7):
        last = smaller(large, steps, "en")
        assert (last.model, last.compute_type) == ("tiny.en", "int8")
    assert smaller(last, 1, "en") == last
    assert smaller(large, 0, "en") == large


def test_another_language_gets_no_model_for_english(large: Setup) -> None:
    assert smaller(replace(large, model="small"), 1, "de").model == "small"


def test_a_server_stays_as_it_is(model: str) -> None:
    remote = Setup("openai", "whisper-1", base_url="http://127.0.0.1:1")
    assert smaller(remote, 1, "en") == remote


def test_the_supervisors_wish() -> None:
    assert [steps_asked({SMALLER_VARIABLE: text}) for text in ("2", "", "x", "-1")] == [2, 0, 0, 0]
    assert steps_asked({}) == 0


async def test_only_want_of_memory_makes_it_smaller(large: Setup) -> None:
    fit = Fit("en", MonotonicClock(), {})
    for status in (None, -signal.SIGSEGV, 1, 0):
        assert await fit.after(status, large) == large
    once = await fit.after(-signal.SIGKILL, large)
    twice = await fit.after(-signal.SIGKILL, once)
    assert [(each.model, each.compute_type) for each in (once, twice)] == [
        ("tiny.en", "float32"), ("tiny.en", "int8"),
    ]  # fmt: skip
    assert fit.shrunk
    # A third time within an hour, the size is not the reason.
    assert await fit.after(-signal.SIGKILL, large) == large


async def test_a_session_begins_smaller_where_one_has_died(
    model: str, large: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SMALLER_VARIABLE, "1")
    assert (await Fit("en", MonotonicClock()).at_first(large)).model == "tiny.en"


async def test_a_worker_that_is_killed_is_followed_by_a_smaller_one(model: str) -> None:
    large = named("faster-whisper", "base.en")
    own = folder_of(large)
    shutil.copytree(setup_for(settings()).path, own)
    try:
        write_manifest(own, large, {}, source="test")
        async with service(model="base.en") as stt:
            assert stt.model == "base.en"
            former = killed(stt)
            await replaced(stt, former)
            assert (stt.name, stt.model) == ("faster-whisper", "tiny.en")
            heard = await stt.transcribe(1, 1, block(COMMAND))
            assert is_command(heard)
            assert heard
            assert heard.model == "faster-whisper/tiny.en"
            assert await stt.upgrade() is False
    finally:
        shutil.rmtree(own)
