"""The wake phrase in real speech, with the real recognisers."""

from __future__ import annotations

import pytest

from mybro.transcribe.listener import Listener
from mybro.transcribe.prompt import prompt_for
from mybro.transcribe.recogniser import Hints
from tests.audio_tools import AUDIO, read_pcm
from tests.transcribe_scene import loaded, model, sound

__all__ = ["model"]
pytestmark = pytest.mark.integration


@pytest.mark.parametrize("backend", ["faster-whisper", pytest.param("mlx-whisper", marks=pytest.mark.trial)])
def test_the_phrase_is_heard_and_what_sounds_like_it_is_not(model: str, backend: str) -> None:
    listener = Listener(loaded(backend))
    hints = Hints(prompt_for("en"), call="hey mybro")
    heard = listener.transcribe(sound(read_pcm(AUDIO / "hey_mybro_run_the_tests.flac")), hints)
    assert heard.called and heard.text.lower().startswith("run the test")
    other = listener.transcribe(sound(read_pcm(AUDIO / "hey_my_boat.flac")), hints)
    assert other.called is False and "paint" in other.text
