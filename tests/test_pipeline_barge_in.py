"""Speaking over mybro: softer at once, cut on the sound, and on from there where nothing was meant."""

from __future__ import annotations

import pytest

from mybro import events as ev
from mybro.pipeline import effects as do
from mybro.pipeline.barge_in import is_nod
from mybro.pipeline.state import Mouth
from tests.transition_tools import Run, kinds, started, utterance

pytestmark = pytest.mark.unit

NEWS = "Twelve tests passed and two failed in the parser."


def speaking() -> Run:
    run = Run()
    run.feed(ev.SayStarted(8, NEWS))
    return run


def spoken_over(run: Run, text: str, turn: int = 1) -> list[do.Effect]:
    """What a sentence over the voice brings about, from its first sound."""
    effects = run.feed(ev.SpeechStarted(turn, 0), ev.SpeechSustained(turn, 3000))
    paused = run.feed(ev.SpeechPaused(turn, utterance()))
    (request,) = (effect.request for effect in paused if isinstance(effect, do.Transcribe))
    return effects + run.feed(ev.SpeechEnded(turn, utterance()), ev.Transcribed(turn, request, text, "test"))


def test_speech_softens_the_voice_and_cuts_it_when_it_lasts() -> None:
    run = speaking()
    assert run.feed(ev.SpeechStarted(1, 0)) == [do.Duck(on=True)]
    assert run.feed(ev.SpeechSustained(1, 3000)) == [do.HoldVoice(on=True)]
    assert run.feed(ev.SpeechSustained(1, 4000)) == []


@pytest.mark.parametrize("text", ["", "Mhm.", "Uh-huh.", "Okay.", "I see.", "Thank you."])
def test_where_nothing_is_meant_it_goes_on_from_where_it_was(text: str) -> None:
    run = speaking()
    effects = spoken_over(run, text)
    assert effects[-3:] == [do.ForgetTurn(1), do.Duck(on=False), do.HoldVoice(on=False)]
    assert "Hush" not in kinds(effects)
    assert run.state.mouth is Mouth.SPEAKING
    assert not run.state.cut


def test_an_echo_of_its_own_words_does_not_cut_it_for_good() -> None:
    assert do.HoldVoice(on=False) in spoken_over(speaking(), "twelve tests passed and two failed")


@pytest.mark.parametrize("text", ["show me the diff", "no", "stop", "okay run the tests"])
def test_words_end_what_was_being_said(text: str) -> None:
    run = speaking()
    effects = spoken_over(run, text)
    assert kinds(effects).index("Hush") < effects.index(do.HoldVoice(on=False))
    assert not run.state.cut


@pytest.mark.parametrize("text", ["okay", "Yeah.", "Yes."])
def test_a_nod_answers_where_something_is_asked(text: str) -> None:
    run = Run()
    job = started(run)
    asked = run.feed(ev.JobAsked(job, 3, "permission", "May I run the migration?", "write", "migrate"))
    (say,) = (effect for effect in asked if isinstance(effect, do.Say))
    run.feed(ev.SayStarted(say.speech, say.text))
    assert "Acknowledge" in kinds(spoken_over(run, text, turn=2))


def test_without_a_voice_a_nod_is_a_sentence_like_any_other() -> None:
    assert "Acknowledge" in kinds(Run().hear(1, "okay"))


def test_a_held_voice_stays_held_for_whoever_paused_it() -> None:
    run = Run()
    run.state = run.state.__class__(paused=True)
    run.feed(ev.SayStarted(8, NEWS))
    assert do.HoldVoice(on=False) not in spoken_over(run, "")


def test_the_end_of_the_sound_gives_the_voice_back() -> None:
    run = speaking()
    run.feed(ev.SpeechStarted(1, 0), ev.SpeechSustained(1, 3000))
    assert do.HoldVoice(on=False) in run.feed(ev.SourceClosed("microphone"))


def test_what_is_a_nod() -> None:
    nods = ("mhm", "Mm-hmm.", "Uh huh", "hmm", "Yeah, okay", "Oh, I see.", "Right.", "Aha!", "um", "Got it.",
            "Ha, ha, ha, ha.", "Heh.", "MHM.", "Write.", "Mm.", "H" + 40 * "m")  # fmt: skip
    words = ("stop", "no", "undo that", "okay do it", "yes, push", "i see a bug in it", "", "human", "test",
             "home", "mm, undo that", "ha, stop", "yeah but not the tests", 30 * "mh" + "x")  # fmt: skip
    assert [text for text in nods if not is_nod(text)] == []
    assert [text for text in words if is_nod(text)] == []
