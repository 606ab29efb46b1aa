"""Single words that choose one of several answers, said in noise, through the real ear and recogniser."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from mybro.audio.detector import make_detector
from mybro.audio.hearing import Hearing
from mybro.config import AudioSettings, WordsSettings
from mybro.events import AudioBlock, Choice, Risk, SpeechEnded, Transcribed
from mybro.pipeline.names import put_right
from mybro.pipeline.questions import open_answers
from mybro.pipeline.state import Question, State, Turn
from mybro.transcribe.answers import Answers, expected, is_place
from mybro.transcribe.listener import Listener
from mybro.transcribe.prompt import prompt_for
from mybro.transcribe.recogniser import Hints
from tests.audio_tools import AUDIO, Pcm, add_noise, read_pcm, zeros
from tests.transcribe_scene import loaded, model, sound

__all__ = ["model"]
pytestmark = pytest.mark.integration

DATABASES = ("Postgres", "SQLite", "Redis")


class Heard:
    """The real recogniser, in this process."""

    def __init__(self) -> None:
        self._listener = Listener(loaded("faster-whisper"))
        self.times = 0

    async def transcribe(
        self, turn: int, request: int, audio: AudioBlock, *, speculative: bool = False, expected: str = ""
    ) -> Transcribed | None:
        self.times += 1
        prompt = prompt_for("en", expected)
        heard = self._listener.transcribe(sound(np.frombuffer(audio.pcm, "<i2")), Hints(prompt))
        return Transcribed(turn, request, heard.text, "tiny.en", "en", average_logprob=heard.average_logprob)

    def drop(self, request: int) -> None: ...

    async def aclose(self) -> None: ...


def asking(*labels: str, risk: Risk = "write") -> State:
    question = Question(7, "Which?", risk=risk, choices=tuple(map(Choice, labels)))
    return State(turns={1: Turn(1, question=7), 2: Turn(2)}, questions={7: question})


def turn_of(pcm: Pcm) -> AudioBlock:
    """What the ear takes for the one turn in a recording."""
    chosen = AudioSettings()
    hearing = Hearing(chosen, make_detector(chosen), itertools.count(1).__next__, live=False)
    events = [*hearing.hear(AudioBlock(0, pcm.tobytes())), *hearing.flush()]
    (ended,) = [event for event in events if isinstance(event, SpeechEnded)]
    return ended.utterance.audio


def noisy(name: str, snr_db: float) -> AudioBlock:
    said = np.concatenate([zeros(0.9), read_pcm(AUDIO / f"{name}.flac"), zeros(1.1)])
    return turn_of(add_noise(said, "white", snr_db, np.random.default_rng(0)))


async def test_a_place_that_noise_hides_is_heard_where_a_question_is_open_and_nothing_else_is(
    model: str,
) -> None:
    state = asking(*DATABASES)
    heard = Heard()
    stands = put_right(WordsSettings(), heard, None, lambda turn: open_answers(state, turn))
    for name, snr_db, text in (
        ("three_piper_joe", 10, "three"),
        ("three_piper_joe", 5, "three"),
        ("two_flite_rms", 15, "two"),
    ):
        said = noisy(name, snr_db)
        found, other = [await stands.transcribe(turn, 4, said) for turn in (1, 2)]
        assert found is not None and found.request == 4 and found.text.lower().strip(".") == text
        # Where nothing is asked, it is what it was.
        assert other is not None and text not in other.text.lower()
    for name in ("er_flite_awb", "dev/03_flite_slt", "dev/02_piper_joe", "dev/23_flite_slt"):
        said = noisy(name, 10)
        answers = [await stands.transcribe(turn, 4, said) for turn in (1, 2)]
        assert answers[0] is not None and answers[1] is not None
        assert answers[0] == replace(answers[1], turn=1)
    # Commands are heard once, whatever is asked.
    heard.times = 0
    await stands.transcribe(1, 4, noisy("dev/02_piper_joe", 10))
    assert heard.times == 1


def test_nothing_that_could_do_harm_is_answered_by_what_is_hardly_heard() -> None:
    assert open_answers(asking(*DATABASES), 2) is None
    assert open_answers(asking(*DATABASES, risk="destructive"), 1) is None
    assert open_answers(asking("Yes, delete it", "No"), 1) is None
    assert open_answers(asking("Keep it", "OK"), 1) is None
    assert open_answers(asking("Keep it", "Delete the old one"), 1) is None


@pytest.mark.parametrize("text", ["Redis", "two", "The second.", "stop", "no", "undo that"])
def test_what_answers_or_commands_is_not_heard_again(text: str) -> None:
    answers = open_answers(asking(*DATABASES), 1)
    assert answers is not None and answers.settled(text)


@pytest.mark.parametrize("text", ["", "Read.", "Yeah.", "yes"])
def test_what_chooses_nothing_for_sure_is(text: str) -> None:
    answers = open_answers(asking("Blue", "Red", "Green"), 1)
    assert answers is not None and not answers.settled(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [("Two.", True), ("Two. Two.", True), ("The third.", True), ("Number 3.", True), ("Four.", False),
     ("Redis.", False), ("Stop.", False), ("One, two.", False), ("The", False), ("", False)],
)  # fmt: skip
def test_only_a_place_that_there_is_counts(text: str, place: bool) -> None:
    answers = Answers(DATABASES, lambda _text: False)
    assert is_place("Read.", text, -0.8, answers) is place
    assert is_place("", text, -0.5, answers) is place
    # Unlikely words count for less where nothing was heard at first.
    assert not is_place("Read.", text, -1.5, answers) and not is_place("", text, -0.8, answers)


def test_answers_and_places_are_told_as_people_say_them() -> None:
    told = expected(("Blue", "Red"))
    assert "Blue or Red? One, two. The first or second." in told
    assert "eight, nine. The first" in expected([str(at) for at in range(12)])
