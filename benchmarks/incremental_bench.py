"""Whether hearing ahead pays: rows of the encoder, and words, kept from an earlier look at the speech.

    python -m benchmarks.incremental_bench --json [--quick] [--audio DIR] [--model NAME]

At the end of a command of 2 to 4 s, faster-whisper's weights, our window: ours hears all of the sound; the
others keep something from a look at its first part, which has cost them nothing here. `rows` keeps what the
encoder made of the first 60 %, and encodes the rest with a second before it; `words` gives the decoder the
words that looks at 50 and 65 % agreed on, as they do in `mybro.transcribe.partials`.

Figures: rows and words (ms at the end, ours beside what they take; `wer_delta`: words in a hundred that they
get wrong beyond ours; `ahead_ms`: what the earlier looks take while the speech goes on), and encoder_share
(percent of our time that is the encoder's, the most that `rows` could ever gain).
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.harness import Stopwatch, beside, report
from benchmarks.stt_bench import AUDIO, Clip, clips, sample, timed
from benchmarks.wer import score
from mybro.events import SAMPLE_RATE
from mybro.models import resolve
from mybro.transcribe.partials import Agreement
from mybro.transcribe.prompt import clip as clipped
from mybro.transcribe.prompt import prompt_for, token_limit
from mybro.transcribe.recogniser import Setup
from mybro.transcribe.whisper_ct2 import CTranslate2Whisper
from mybro.transcribe.window import ROWS, SAMPLES_PER_ROW, rows_for

Sound = npt.NDArray[np.float32]
KEPT, LOOKS = 0.6, (0.5, 0.65)
CONTEXT_ROWS = 50
"""A second before what is new."""


class Ahead:
    """Our recogniser taken apart, for keeping some of it."""

    def __init__(self, model: str) -> None:
        from faster_whisper.tokenizer import Tokenizer

        self._recogniser = CTranslate2Whisper(
            Setup("faster-whisper", model, path=str(resolve("faster-whisper", model).path))
        )
        self._recogniser.load()
        whisper = self._recogniser._model
        self._tokenizer = Tokenizer(whisper.hf_tokenizer, False, task="transcribe", language="en")
        prompt = clipped(prompt_for("en"), self._tokenizer.encode)
        self._prompt = whisper.get_prompt(self._tokenizer, prompt, without_timestamps=True)
        self._whisper = whisper

    def rows(self, sound: Sound) -> Any:
        return self._recogniser._encode(sound.copy(), whole=False)

    def read(self, rows: Any, sound: Sound, words: str = "") -> str:
        """The text, begun with `words`."""
        known = self._tokenizer.encode(f" {words}") if words else []
        prompt = [*self._prompt, *known]
        limit = len(prompt) + token_limit(len(sound) / SAMPLE_RATE)
        answer = self._whisper.model.generate(rows, [prompt], beam_size=1, max_length=limit)[0]
        # Words that it was given are in its answer, too.
        return str(self._tokenizer.decode(answer.sequences_ids[0]).strip())

    def joined(self, kept: npt.NDArray[np.float32], sound: Sound, at: int) -> Any:
        """The rows of all, those before row `at` kept, the others encoded with a second before them."""
        from ctranslate2 import StorageView

        begin = max(0, at - CONTEXT_ROWS)
        new = np.array(self.rows(sound[begin * SAMPLES_PER_ROW :]))[:, at - begin :]
        both = np.concatenate([kept[:, :at], new], axis=1)[:, :ROWS]
        return StorageView.from_array(np.ascontiguousarray(both))


def measure(chosen: Sequence[Clip], model: str) -> dict[str, Any]:
    ahead, watch = Ahead(model), Stopwatch()
    texts: dict[str, list[str]] = {"ours": [], "rows": [], "words": []}
    shares: list[float] = []
    looked: dict[str, list[float]] = {"rows": [], "words": []}
    for at, clip in enumerate([chosen[0], *chosen]):
        sound = clip.pcm.astype(np.float32) / np.float32(32768)
        early = sound[: int(KEPT * len(sound))]
        begun = time.perf_counter()
        kept = np.array(ahead.rows(early))
        looked["rows"].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        agreed = Agreement()
        for share in LOOKS:
            part = sound[: int(share * len(sound))]
            agreed.add(ahead.read(ahead.rows(part), part))
        looked["words"].append(time.perf_counter() - begun)
        suffix = "" if at else " cold"
        begun = time.perf_counter()
        with watch(f"ours{suffix}"):
            rows = ahead.rows(sound)
            encoded = time.perf_counter()
            whole = ahead.read(rows, sound)
        shares.append((encoded - begun) / (time.perf_counter() - begun))
        with watch(f"rows{suffix}"):
            edge = min(len(early) // SAMPLES_PER_ROW - 10, rows_for(sound))
            by_rows = ahead.read(ahead.joined(kept, sound, edge), sound)
        with watch(f"words{suffix}"):
            by_words = ahead.read(ahead.rows(sound), sound, " ".join(agreed.words))
        if at:
            for name, text in (("ours", whole), ("rows", by_rows), ("words", by_words)):
                texts[name].append(text)
    rates = {
        name: score((clip.text, text) for clip, text in zip(chosen, found, strict=True)).percent
        for name, found in texts.items()
    }
    figures: dict[str, Any] = {
        name: {
            **beside(watch.spread(name), watch.spread("ours")),
            "wer_delta": round(rates[name] - rates["ours"], 2),
            "ahead_ms": round(1e3 * statistics.median(looked[name]), 1),
        }
        for name in ("rows", "words")
    }
    figures["encoder_share"] = {"unit": "percent", "ours": round(100 * statistics.median(shares), 1)}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.incremental_bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="16 recordings")
    parser.add_argument("--audio", type=Path, default=AUDIO, help="a folder of recordings and their list")
    parser.add_argument("--model", default="tiny.en")
    asked = parser.parse_args()
    chosen = timed([clip for clip in clips(asked.audio) if not clip.human])
    report(measure(sample(chosen) if asked.quick else chosen, asked.model), as_json=asked.json)


if __name__ == "__main__":
    main()
