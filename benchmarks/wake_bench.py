"""How often a wake phrase is missed, and how often it is found where nobody said it.

    python -m benchmarks.wake_bench [--json] [--quick] [--audio DIR] [--phrase "hey mybro"]

Sentences spoken by this machine's voices and the recordings of DIR go through the recogniser that a session
takes. The peer looks for the phrase as it is written.

    misses        share of sentences with the phrase, clean and in noise at 10 dB, in which it was not found
    false_wakes   of sentences without it, those that woke it
    commands      share of the commands said in the same breath that were left whole: the same words as the
                  recogniser heard behind the phrase
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
from mybro.audio.wake import WakePhrase, expectation
from mybro.clock import MonotonicClock
from mybro.config import TranscribeSettings
from mybro.events import AudioBlock
from mybro.transcribe.service import Transcription
from tests.audio_tools import Pcm, add_noise, read_pcm

COMMANDS = ("", "run the tests.", "undo that.", "open a pull request.", "show me the diff.")
ORDINARY = (
    "Hey, my brother called this morning.", "Maybe we should rename the function.", "Hey, can you hear me?",
    "He might row to the island.", "I may bring the notes tomorrow.", "My bro said the build is broken.",
    "Hi everybody, let us start.", "The main road is closed today.", "Hey, my boat needs paint.",
)  # fmt: skip
NOISY_DB = 10.0


async def heard(sounds: Sequence[Pcm], phrase: str) -> list[str]:
    service = Transcription(TranscribeSettings(prompt=expectation(phrase)), clock=MonotonicClock())
    await service.start()
    try:
        texts = []
        for number, pcm in enumerate(sounds):
            found = await service.transcribe(number, number, AudioBlock(0, pcm.tobytes()))
            texts.append(found.text if found else "")
        return texts
    finally:
        await service.aclose()


def as_written(phrase: str, text: str) -> bool:
    letters = "".join(c for c in text.lower() if c.isalnum() or c == " ").split()
    return letters[: len(phrase.split())] == phrase.lower().split()


def figures(
    calls: Sequence[str], commands: Sequence[str], others: Sequence[str], phrase: str
) -> dict[str, Any]:
    wake = WakePhrase(phrase)
    rests = [wake.rest(text) for text in calls]
    kept = [
        rest is not None and rest.lower().strip(" .!?,") == command.lower().strip(" .!?,")
        for rest, command in zip(rests, commands, strict=True)
        if command
    ]
    missed = sum(rest is None for rest in rests)
    woken = [text for text in others if wake.rest(text) is not None]
    by_letter = sum(not as_written(phrase, text) for text in calls)
    return {
        "misses": _share(missed, by_letter, len(calls)),
        "false_wakes": _share(len(woken), sum(as_written(phrase, t) for t in others), len(others)),
        "commands": {"unit": f"share of {len(kept)}", "ours": round(float(np.mean(kept)), 3)},
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
    texts = asyncio.run(heard([*clean, *noisy, *others], chosen.phrase))
    count = 2 * len(clean)
    commands = [command for _ in mouths for command in wished] * 2
    found = figures(texts[:count], commands, texts[count:], chosen.phrase)
    wake = WakePhrase(chosen.phrase)
    notes = [f"missed: {text!r}" for text in texts[:count] if wake.rest(text) is None][:60]
    notes += [f"woken by: {text!r}" for text in texts[count:] if wake.rest(text) is not None]
    report(found, as_json=chosen.json, notes=notes)


if __name__ == "__main__":
    main()
