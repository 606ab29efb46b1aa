"""Real voices, listened to by measurement; and programs in the place of those that only a Mac has."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from mybro.config import SpeakSettings
from mybro.errors import SpeakError
from mybro.speak import avspeech_macos, espeak, piper, say
from mybro.speak.avspeech import AvSpeech
from mybro.speak.program import output_of
from mybro.speak.speaker import Speaker, choose
from mybro.speak.wave import SampleStream
from tests import speak_children
from tests.requirements import need

pytestmark = pytest.mark.integration

SENTENCE = "Twelve passed, two failed."


async def spoken(speaker: Speaker, text: str) -> tuple[npt.NDArray[np.float64], int]:
    """The sound, -1 to 1, and the number of chunks it came in."""
    async with aclosing(speaker.synthesize(text)) as chunks:
        parts = [chunk async for chunk in chunks]
    return np.frombuffer(b"".join(parts), "<i2") / 32768, len(parts)


async def until(condition: Callable[[], object]) -> None:
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not come to that within half a minute")


def below() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def assert_like_speech(sound: npt.NDArray[np.float64], rate: int, seconds: tuple[float, float]) -> None:
    assert seconds[0] < len(sound) / rate < seconds[1]
    assert 0.02 < np.sqrt(np.mean(sound**2)) < 0.5
    assert np.mean(np.abs(sound) > 0.999) < 0.001, "clipped"
    frames = np.sqrt(np.mean(sound[: len(sound) // 512 * 512].reshape(-1, 512) ** 2, axis=1))
    assert frames.max() > 4 * frames.min(), "a voice is louder and softer by turns"


@pytest.fixture
def real_espeak() -> Speaker:
    need(shutil.which("espeak-ng"), "espeak-ng: install it with the system's package manager")
    return espeak.make(SpeakSettings())


@pytest.fixture
async def real_piper() -> AsyncIterator[piper.Piper]:
    installed = importlib.util.find_spec("piper") and importlib.util.find_spec(piper.VOICE_PACKAGE)
    need(installed, "piper: pip install 'mybro[voice]'")
    speaker = piper.make(SpeakSettings())
    yield speaker
    await speaker.aclose()


async def test_espeak_speaks(real_espeak: Speaker) -> None:
    sound, chunks = await spoken(real_espeak, SENTENCE)
    assert_like_speech(sound, real_espeak.sample_rate, (1.0, 4.0))
    assert chunks > 3, "it begins before the sentence is finished"


async def test_a_higher_rate_is_quicker(real_espeak: Speaker) -> None:
    quick = espeak.make(SpeakSettings(rate_wpm=380))
    slow, _ = await spoken(real_espeak, SENTENCE)
    fast, _ = await spoken(quick, SENTENCE)
    assert len(fast) < 0.7 * len(slow)


@pytest.mark.parametrize("text", ["-v evil -w /dev/null", "--help", "$(reboot); `id`", "<break time='9s'/>"])
async def test_text_is_never_an_option_or_an_order(real_espeak: Speaker, text: str) -> None:
    sound, _ = await spoken(real_espeak, text)
    assert 0.3 < len(sound) / real_espeak.sample_rate < 8


async def test_breaking_off_kills_the_synthesizer(real_espeak: Speaker) -> None:
    before = below()
    chunks = real_espeak.synthesize("This is a sentence of some length. " * 200)
    await anext(chunks)
    assert len(below() - before) == 1
    await chunks.aclose()
    assert below() == before


async def test_piper_speaks_in_a_child_that_stays_warm(real_piper: piper.Piper) -> None:
    before = below()
    assert (await spoken(real_piper, ""))[1] == 0
    child = below() - before
    first, chunks = await spoken(real_piper, SENTENCE)
    second, _ = await spoken(real_piper, "Done.")
    assert_like_speech(first, real_piper.sample_rate, (1.0, 5.0))
    assert len(second) < len(first) and chunks > 1
    assert len(child) == 1 and below() - before == child
    await real_piper.aclose()
    await real_piper.aclose()
    assert below() == before


async def test_breaking_piper_off_kills_it_and_the_next_sentence_is_the_right_one(
    real_piper: piper.Piper,
) -> None:
    before = below()
    long = asyncio.create_task(spoken(real_piper, "one two three four five six seven eight nine ten " * 12))
    await until(lambda: below() - before)
    long.cancel()
    await asyncio.gather(long, return_exceptions=True)
    assert below() == before
    sound, _ = await spoken(real_piper, "Done.")
    assert len(sound) / real_piper.sample_rate < 2


async def test_piper_is_started_again_after_it_was_killed(real_piper: piper.Piper) -> None:
    before = below()
    await spoken(real_piper, "Done.")
    (child,) = below() - before
    psutil.Process(child).kill()
    with pytest.raises(SpeakError, match="piper ended"):
        await spoken(real_piper, SENTENCE)
    sound, _ = await spoken(real_piper, SENTENCE)
    assert len(sound) > real_piper.sample_rate


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (SpeakSettings(piper_path="no-such-program", voice="{folder}/v.onnx"), "no_piper"),
        (SpeakSettings(voice="{folder}/missing.onnx"), "no_piper_voice"),
        (SpeakSettings(voice="{folder}/bad.onnx"), "bad_piper_voice"),
    ],
)
def test_what_piper_lacks_is_said(settings: SpeakSettings, code: str, tmp_path: Path) -> None:
    (tmp_path / "v.onnx.json").write_text('{"audio": {"sample_rate": 16000}}')
    (tmp_path / "bad.onnx.json").write_text("{}")
    voice = (settings.voice or "").format(folder=tmp_path)
    if code == "bad_piper_voice":
        settings = settings.model_copy(update={"piper_path": shutil.which("sh")})
    with pytest.raises(SpeakError) as caught:
        piper.make(settings.model_copy(update={"voice": voice}))
    assert caught.value.code == code


# --------------------------------------------------------------------- what only a Mac has, by its interface


@pytest.fixture
def fake_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    speak_children.program(tmp_path, "say", speak_children.SAY)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SAY_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


async def test_say_gets_its_text_on_stdin_and_its_sound_is_read(fake_say: Path) -> None:
    speaker = say.make(SpeakSettings(voice="Samantha", rate_wpm=200))
    sound, chunks = await spoken(speaker, "-v is no option")
    assert len(sound) == speaker.sample_rate == 22_050 and chunks > 1
    *arguments, text = fake_say.read_text().splitlines()  # noqa: ASYNC240
    assert text == "TEXT -v is no option"
    assert arguments[:6] == ["--file-format=WAVE", "--data-format=LEI16@22050", "-r", "200", "-v", "Samantha"]
    assert arguments[6] == "-o" and arguments[8:] == ["-f", "-"]
    assert not Path(arguments[7]).exists(), "the file is gone"  # noqa: ASYNC240
    assert (await spoken(speaker, ""))[1] == 0
    await speaker.aclose()


async def test_breaking_say_off_kills_it(fake_say: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAY_MODE", "hang")
    before = below()
    task = asyncio.create_task(spoken(say.make(SpeakSettings()), SENTENCE))
    await until(fake_say.exists)
    assert below() != before
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert below() == before


async def test_a_failing_say_is_a_readable_error(fake_say: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAY_MODE", "fail")
    with pytest.raises(SpeakError, match="say ended with status 3"):
        await spoken(say.make(SpeakSettings()), SENTENCE)


@pytest.fixture
async def avspeech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AvSpeech]:
    name = speak_children.module(tmp_path, "tone_child", speak_children.AVSPEECH)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    speaker = AvSpeech("Samantha", 190, name)
    yield speaker
    await speaker.aclose()


async def test_macos_speech_comes_from_one_child(avspeech: AvSpeech) -> None:
    before = below()
    assert (await spoken(avspeech, ""))[1] == 0
    child = below() - before
    sound, chunks = await spoken(avspeech, SENTENCE)
    assert (len(sound), chunks, avspeech.sample_rate) == (9600, 4, 24_000)
    await spoken(avspeech, SENTENCE)
    assert len(child) == 1 and below() - before == child


@pytest.mark.parametrize(("text", "said"), [("fail", "no such voice"), ("die", "ended before")])
async def test_macos_speech_that_fails_is_a_readable_error_and_starts_again(
    avspeech: AvSpeech, text: str, said: str
) -> None:
    with pytest.raises(SpeakError, match=said):
        await spoken(avspeech, text)
    assert (await spoken(avspeech, SENTENCE))[1] == 4


async def test_breaking_macos_speech_off_kills_its_child(avspeech: AvSpeech) -> None:
    before = below()
    chunks = avspeech.synthesize("hang")
    await anext(chunks)
    assert below() != before
    await chunks.aclose()
    assert below() == before


def test_macos_samples_and_rates_are_converted() -> None:
    floats = np.array([0.0, 0.5, -1.0, 2.0], np.float32).tobytes()
    assert np.frombuffer(avspeech_macos.to_int16(floats, True), "<i2").tolist() == [0, 16383, -32767, 32767]
    assert avspeech_macos.to_int16(b"\1\2", False) == b"\1\2"
    assert avspeech_macos.utterance_rate(190) == 0.5
    assert avspeech_macos.utterance_rate(500) == 0.75


# --------------------------------------------------------------------- programs and choice


async def test_a_program_that_does_not_start_is_a_readable_error(tmp_path: Path) -> None:
    with pytest.raises(SpeakError, match="x did not start: No such file"):
        await anext(output_of([str(tmp_path / "missing")], "text", "x"))


async def test_a_program_that_reads_nothing_does_no_harm() -> None:
    text = "word " * 100_000
    assert [chunk async for chunk in output_of(["true"], text, "true")] == []


@pytest.mark.parametrize(
    ("here", "platform", "settings", "name", "why"),
    [
        ("espeak-ng", "linux", SpeakSettings(voice="x.onnx"), "espeak-ng", "there is no voice for piper"),
        ("espeak-ng say", "darwin", SpeakSettings(), "say", "AVFoundation"),
        ("", "linux", SpeakSettings(voice="x.onnx"), "text only", "espeak-ng is not installed"),
        ("espeak-ng", "linux", SpeakSettings(backend="espeak"), "espeak-ng", "The settings ask for"),
        ("espeak-ng", "linux", SpeakSettings(backend="none"), "text only", "The settings ask for"),
        ("espeak-ng", "linux", SpeakSettings(backend="say", voice="x.onnx"), "espeak-ng", "no `say` here"),
        ("espeak-ng", "linux", SpeakSettings(backend="elevenlabs", voice="x.onnx"), "espeak-ng", "no key"),
        ("espeak-ng", "linux", SpeakSettings(backend="openai", voice="x.onnx"), "espeak-ng", "no key"),
    ],
)
def test_the_best_voice_that_is_here_is_chosen(
    here: str, platform: str, settings: SpeakSettings, name: str, why: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for program in here.split():
        speak_children.program(tmp_path, program, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    for key in ("OPENAI_API_KEY", "ELEVENLABS_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    chosen = choose(settings, platform=platform)
    assert chosen.speaker.name == name
    assert why in chosen.why and chosen.why.endswith(".") and chosen.why[0].isupper()


def test_a_voice_that_failed_is_not_chosen_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speak_children.program(tmp_path, "espeak-ng", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = SpeakSettings(backend="espeak", voice="x.onnx")
    assert choose(settings, without={"espeak-ng"}, platform="linux").speaker.name == "text only"


# --------------------------------------------------------------------- sound on its way


def wav(rate: int = 16_000, channels: int = 1, bits: int = 16, name: bytes = b"fmt ") -> bytes:
    head = name + (16).to_bytes(4, "little") + (1).to_bytes(2, "little") + channels.to_bytes(2, "little")
    head += rate.to_bytes(4, "little") + bytes(6) + bits.to_bytes(2, "little")
    return b"RIFF" + b"\xff" * 4 + b"WAVE" + head + b"data" + b"\xff" * 4 + b"\1\0\2\0\3"


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_a_wav_may_come_in_pieces_of_any_size(step: int) -> None:
    stream, raw = SampleStream(), wav()
    samples = b"".join(stream.feed(raw[at : at + step]) for at in range(0, len(raw), step))
    assert (samples, stream.sample_rate) == (b"\1\0\2\0", 16_000)


@pytest.mark.parametrize(
    "raw",
    [
        b"this is no sound at all",
        wav(channels=2),
        wav(bits=8),
        wav(rate=0),
        b"RIFF1234WAVE" + b"junk\0\0\0\0" * 9000,
    ],
)
def test_another_kind_of_sound_is_refused(raw: bytes) -> None:
    with pytest.raises(SpeakError):
        SampleStream().feed(raw)


def test_raw_samples_are_taken_where_they_are_expected() -> None:
    raw, header = SampleStream(24_000), SampleStream(24_000)
    assert raw.feed(b"\1\0") == b"" and raw.feed(b"\2\0" * 10) == b"\1\0" + b"\2\0" * 10
    assert header.feed(wav()) == b"\1\0\2\0" and header.sample_rate == 16_000
