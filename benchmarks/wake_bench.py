"""How often a wake phrase is missed, and how often it is found where nobody said it.

    python -m benchmarks.wake_bench [--json] [--quick] [--audio DIR] [--phrase "hey mybro"]

Sentences spoken by this machine's voices and the recordings of DIR go through the recogniser that a session
takes. The peer is told of the phrase in its prompt, and the phrase is looked for by sound in its text.

    misses        share of sentences with the phrase, clean and in noise at 10 dB, in which it was not found
    misses_clean  of the clean ones
    false_wakes   of sentences without it, those that woke it
    commands      share of the commands said in the same breath that were left whole: the same words as the
                  sentence holds behind the phrase
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.harness import report
from benchmarks.recordings import add_audio_option, recordings
from benchmarks.spoken import speak, voices
from benchmarks.wer import normalise
from mybro.audio.wake import WakePhrase
from mybro.clock import MonotonicClock
from mybro.config import TranscribeSettings
from mybro.events import AudioBlock, Transcribed
from mybro.transcribe.calling import expectation
from mybro.transcribe.service import Transcription
from tests.audio_tools import Pcm, add_noise, read_pcm

COMMANDS = ("", "run the tests.", "undo that.", "open a pull request.", "show me the diff.")
ORDINARY = (
    "Hey, my brother called this morning.", "Maybe we should rename the function.", "Hey, can you hear me?",
    "He might row to the island.", "I may bring the notes tomorrow.", "My bro said the build is broken.",
    "Hi everybody, let us start.", "The main road is closed today.", "Hey, my boat needs paint.",
    "Hey bro, run the tests.", "Hey, maybe run the tests.", "Hey Michael, show me the diff.",
    "Hey Margo, open the window.", "Hey, my browser crashed again.", "They might grow tomatoes.",
    "A compiler needs time.", "Okay, service is down on Friday.",
)  # fmt: skip
NOISY_DB = 10.0


async def heard(sounds: Sequence[Pcm], phrase: str) -> list[str | None]:
    """What was said behind the phrase; None where it was not said."""
    return [each.text if each.called else None for each in await _texts(sounds, TranscribeSettings(), phrase)]


async def heard_by_peer(sounds: Sequence[Pcm], phrase: str) -> list[str | None]:
    wake = WakePhrase(phrase)
    settings = TranscribeSettings(prompt=expectation(phrase))
    return [wake.rest(each.text) for each in await _texts(sounds, settings)]


async def _texts(
    sounds: Sequence[Pcm], settings: TranscribeSettings, call: str | None = None
) -> list[Transcribed]:
    service = Transcription(settings, clock=MonotonicClock(), call=call)
    await service.start()
    try:
        found = []
        for number, pcm in enumerate(sounds):
            one = await service.transcribe(number, number, AudioBlock(0, pcm.tobytes()))
            found.append(one or Transcribed(number, number, "", "none"))
        return found
    finally:
        await service.aclose()


Rests = Sequence[str | None]


def figures(ours: Rests, peer: Rests, commands: Sequence[str]) -> dict[str, Any]:
    """The first of the answers are to the clean commands, then to the noisy ones, then to other speech."""
    clean, calls = len(commands), 2 * len(commands)

    def missed(rests: Rests) -> int:
        return sum(rest is None for rest in rests)

    def kept(rests: Rests) -> float:
        pairs = [(a, b) for a, b in zip(rests[:calls], [*commands, *commands], strict=True) if b]
        return round(float(np.mean([a is not None and normalise(a) == normalise(b) for a, b in pairs])), 3)

    others = len(ours) - calls
    return {
        "misses": _share(missed(ours[:calls]), missed(peer[:calls]), calls),
        "misses_clean": _share(missed(ours[:clean]), missed(peer[:clean]), clean),
        "false_wakes": _share(others - missed(ours[calls:]), others - missed(peer[calls:]), others),
        "commands": {"unit": "share", "ours": kept(ours), "peer": kept(peer)},
    }


def _share(ours: int, peer: int, total: int) -> dict[str, Any]:
    ratio = round(ours / peer, 3) if peer else None
    return {"unit": f"share of {total}", "ours": round(ours / total, 4), "peer": round(peer / total, 4),
            "ratio": ratio}  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--json", action="store_true", help="one JSON object")
    options.add_argument("--quick", action="store_true", help="fewer sentences")
    options.add_argument("--phrase", default="hey mybro")
    add_audio_option(options)
    chosen = options.parse_args()
    rng = np.random.default_rng(11)
    mouths = voices()
    wished = COMMANDS[:2] if chosen.quick else COMMANDS
    lines = [(voice, f"{chosen.phrase}, {command}") for voice in mouths for command in wished]
    clean = [read_pcm(path) for path in speak(lines)]
    noisy = [add_noise(pcm, "white", NOISY_DB, rng) for pcm in clean]
    said = [(voice, text) for voice in mouths for text in (ORDINARY[:2] if chosen.quick else ORDINARY)]
    recorded = [each.pcm for each in recordings(chosen.audio)][:: 6 if chosen.quick else 1]
    others = [read_pcm(path) for path in speak(said)] + recorded
    everything = [*clean, *noisy, *others]
    commands = [command for _ in mouths for command in wished]
    ours = asyncio.run(heard(everything, chosen.phrase))
    found = figures(ours, asyncio.run(heard_by_peer(everything, chosen.phrase)), commands)
    names = [f"{voice}: {text}" for voice, text in [*lines, *lines, *said]]
    names += ["a recording"] * len(recorded)
    count = 2 * len(clean)
    notes = [f"missed: {name}" for name, rest in zip(names[:count], ours, strict=False) if rest is None]
    notes += [
        f"woken by: {name}"
        for name, rest in zip(names[count:], ours[count:], strict=True)
        if rest is not None
    ]
    report(found, as_json=chosen.json, notes=notes)


if __name__ == "__main__":
    main()
