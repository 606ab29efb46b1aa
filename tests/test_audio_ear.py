from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from mybro.config import AudioSettings
from mybro.errors import AudioError, Problem
from mybro.events import (
    AudioBlock,
    LevelMeasured,
    ListeningStarted,
    SourceClosed,
    SourceOpened,
    SourceTroubled,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)
from tests.audio_tools import (
    HOP,
    Pcm,
    dev_clips,
    noise,
    read_pcm,
    speech_bounds,
    speech_mask,
    trimmed,
    zeros,
)
from tests.ear_tools import Heard, clip, heard
from tests.fakes.audio import MemorySource, ScriptedSource

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Case:
    """Sound, and where in it the labelled speech of each recording begins and ends."""

    pcm: Pcm
    labels: tuple[tuple[int, int], ...]
    mask_at: tuple[tuple[int, Pcm], ...]


def cases(count: int, seed: int) -> Iterator[Case]:
    """Speech from sample 0, after pauses of 0.3 to 3 s, and after 0.7 s of dead zeros, in turn."""
    rng = np.random.default_rng(seed)
    clips = [(read_pcm(c.path), c.kind == "synthetic") for c in dev_clips()]
    for number in range(count):
        (first, clean), (second, also_clean) = (clips[i] for i in rng.choice(len(clips), 2, replace=False))
        tail = noise(1.0, rng)
        match number % 3:
            case 0:
                parts, speech = [trimmed(first), tail], [0]
            case 1:
                pause = noise(rng.uniform(0.3, 3.0), rng)
                parts, speech = [trimmed(first), pause, trimmed(second), tail], [0, 2]
            case _:
                parts, speech = [zeros(0.7), trimmed(first), tail], [1]
        starts = np.concatenate([[0], np.cumsum([len(p) for p in parts])])
        bounds = [
            (int(starts[i]) + a, int(starts[i]) + b) for i in speech for a, b in [speech_bounds(parts[i])]
        ]
        # A person's recording has noise in its pauses that the level alone takes for speech.
        masks = [(int(starts[i]), parts[i]) for i in speech if clean and also_clean]
        yield Case(np.concatenate(parts), tuple(bounds), tuple(masks))


async def missed(case: Case, settings: AudioSettings | None = None) -> list[int]:
    """The samples of a case's labelled speech that are in no captured segment."""
    segments = [e.utterance.audio for e in (await heard(case.pcm, settings=settings)).ended()]
    wanted = [at for bounds in case.labels for at in bounds]
    # And everything between: every 10 ms of labelled speech.
    for start, pcm in case.mask_at:
        for hop in np.flatnonzero(speech_mask(pcm)):
            wanted += [start + int(hop) * HOP, start + int(hop + 1) * HOP]
    return [at for at in wanted if not any(s.start <= at <= s.end for s in segments)]


async def test_labelled_speech_lies_inside_what_is_captured_in_100_of_100_cases() -> None:
    lost = {number: await missed(case) for number, case in enumerate(cases(100, seed=2))}
    assert len(lost) == 100
    assert {number: samples for number, samples in lost.items() if samples} == {}


@pytest.mark.parametrize("vad", ["webrtc", "silero+webrtc"])
async def test_the_other_detectors_lose_no_labelled_speech_in_quiet_either(vad: str) -> None:
    settings = AudioSettings.model_validate({"vad": vad})
    assert [await missed(case, settings) for case in cases(30, seed=3)] == [[]] * 30


async def test_captured_sound_is_the_source_sample_for_sample() -> None:
    for case in cases(6, seed=5):
        for event in (await heard(case.pcm)).ended():
            audio = event.utterance.audio
            assert audio.pcm == case.pcm[audio.start : audio.end].tobytes()
            assert audio.start <= event.utterance.speech_start < event.utterance.speech_end <= audio.end


async def test_how_the_sound_is_chopped_changes_nothing() -> None:
    (case,) = list(cases(2, seed=11))[1:]
    runs = []
    for lengths in ([320], [512], [1], [7, 4000, 160], [len(case.pcm)]):
        result = Heard()
        await result.listen(MemorySource(case.pcm.tobytes(), block_samples=lengths))
        runs.append(result.events)
    assert all(run == runs[0] for run in runs)
    assert sum(isinstance(e, SpeechEnded) for e in runs[0]) >= 1


# ------------------------------------------------------------------ the order of events


async def test_a_command_gives_its_events_in_order() -> None:
    result = await heard(clip("01_piper_joe"))
    assert result.names == [
        "SourceOpened", "ListeningStarted", "SpeechStarted", "SpeechSustained", "SpeechPaused", "SpeechEnded",
        "SourceClosed",
    ]  # fmt: skip
    (ended,) = result.ended()
    assert ended.reason == "quiet"
    paused = next(e for e in result.events if isinstance(e, SpeechPaused))
    assert paused.turn == ended.turn == 1
    assert paused.utterance.speech_end == ended.utterance.speech_end
    assert ended.utterance.audio.end - ended.utterance.speech_end >= 500 * 16


async def test_speech_that_goes_on_after_a_pause_is_one_turn() -> None:
    rng = np.random.default_rng(1)
    words = trimmed(clip("01_piper_joe"))
    result = await heard(np.concatenate([words, noise(0.35, rng), words, noise(1.0, rng)]))
    started = [e for e in result.events if isinstance(e, SpeechStarted)]
    resumed = [e for e in result.events if isinstance(e, SpeechResumed)]
    assert len(started) == 1 and resumed and resumed[-1].turn == 1
    assert len(result.ended()) == 1


async def test_the_end_of_a_file_ends_the_utterance() -> None:
    (ended,) = (await heard(trimmed(clip("03_piper_joe")))).ended()
    assert ended.reason == "source"


async def test_levels_come_about_ten_times_a_second_and_measure() -> None:
    tone = (np.sin(np.arange(32000) * 0.1) * 16384).astype(np.int16)
    levels = [e for e in (await heard(tone)).events if isinstance(e, LevelMeasured)]
    assert 18 <= len(levels) <= 22
    assert levels[5].peak_dbfs == pytest.approx(-6.0, abs=0.1)
    assert levels[5].rms_dbfs == pytest.approx(-9.0, abs=0.2)
    silent = [e for e in (await heard(zeros(0.5))).events if isinstance(e, LevelMeasured)]
    assert {e.rms_dbfs for e in silent} == {-120.0}


async def test_noise_and_typing_begin_no_turn() -> None:
    rng = np.random.default_rng(3)
    result = await heard(noise(10.0, rng, dbfs=-35))
    assert "SpeechStarted" not in result.names


# ------------------------------------------------------------------ dead and troubled sources


async def test_dead_sound_is_said_after_a_second_and_not_again_for_half_a_minute() -> None:
    live = Heard()
    await live.listen(MemorySource(np.concatenate([zeros(40.0), clip("02_piper_joe")]).tobytes(), live=True))
    troubles = [e for e in live.events if isinstance(e, SourceTroubled)]
    assert [t.problem.code for t in troubles] == ["dead_sound", "dead_sound"]
    assert all(t.problem.hint for t in troubles)
    # "Listening" is said only once there is sound.
    assert live.names.index("ListeningStarted") > live.names.index("SourceTroubled")
    listening = next(e for e in live.events if isinstance(e, ListeningStarted))
    assert listening.sample >= 40 * 16000
    # A file may be silent: nobody can do anything about it.
    assert "SourceTroubled" not in (await heard(zeros(3.0))).names


async def test_listening_is_said_again_after_dead_sound() -> None:
    room = noise(0.5, np.random.default_rng(4))
    result = await heard(np.concatenate([room, zeros(1.5), room]), live=True)
    assert result.names == [
        "SourceOpened", "ListeningStarted", "SourceTroubled", "ListeningStarted", "SourceClosed",
    ]  # fmt: skip


async def test_a_device_that_vanishes_ends_the_utterance_and_comes_back() -> None:
    words = trimmed(clip("00_piper_joe"))[:24000]
    gone = Problem("device_gone", "The microphone is gone", "Plug it in")
    again = 90_000
    result = Heard()
    await result.listen(
        ScriptedSource([AudioBlock(0, words.tobytes()), gone, AudioBlock(again, words.tobytes())])
    )
    first, second = result.ended()
    assert (first.turn, second.turn) == (1, 2)
    assert first.utterance.audio.end == len(words)
    assert second.utterance.audio.start >= again
    assert SourceTroubled(gone) in result.events
    assert result.events[-1] == SourceClosed("script", 3)


async def test_a_short_gap_does_not_cut_a_sentence() -> None:
    words = trimmed(clip("00_piper_joe"))
    blocks = [AudioBlock(0, words[:16000].tobytes()), AudioBlock(16640, words[16640:].tobytes())]
    (ended,) = [e for e in (await Heard().listen(ScriptedSource(blocks))) if isinstance(e, SpeechEnded)][:1]
    audio = ended.utterance.audio
    assert audio.start == 0 and audio.end > 20000
    assert audio.pcm[16000 * 2 : 16640 * 2] == bytes(640 * 2)


async def test_blocks_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="before"):
        await Heard().listen(ScriptedSource([AudioBlock(0, bytes(640)), AudioBlock(100, bytes(640))]))


async def test_a_source_that_fails_gives_what_was_heard_then_its_error() -> None:
    words = trimmed(clip("01_piper_joe"))
    result = Heard()
    source = MemorySource(words.tobytes(), then=AudioError("damaged_sound", "it is damaged"))
    with pytest.raises(AudioError, match="damaged"):
        await result.listen(source)
    assert result.names[-2:] == ["SpeechEnded", "SourceClosed"]
    assert source.closed


async def test_the_name_is_said_with_the_first_sound() -> None:
    result = Heard()
    await result.listen(MemorySource(b"", name="nothing"))
    assert result.events == [SourceClosed("nothing")]
    await result.listen(MemorySource(bytes(64), name="some", live=True))
    assert SourceOpened("some", True) in result.events


# ------------------------------------------------------------------ the key, and being deaf
