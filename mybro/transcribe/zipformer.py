"""sherpa-onnx: streaming Zipformer transducers, which hear speech while it grows and pay for what is new.

A transducer has no prompt; the names in it are boosted instead, each from the tokens that spell it.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mybro.errors import ModelLoadError, TranscriptionError
from mybro.transcribe.growing import Growing, cased, names_in
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Recognition, Setup

if TYPE_CHECKING:
    from mybro.transcribe.recogniser import Sound

MAX_THREADS = 2
PATHS = 4
"""Readings that are followed at once, so that a boost has something to choose from."""
BOOST = 1.5
"""Added to the logarithm of a token's probability, for each token of a name."""
AFTER_S = 0.64
"""Silence after the speech: a chunk of the encoder, and what it looks ahead."""
PIECE_S = 10.0
"""So much is handed over at once, so that features do not pile up."""
_SPACE = "\u2581"
"""How a token says that a word begins with it."""


class Zipformer:
    """One streaming transducer."""

    window_s = 300.0
    searches = False

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._recogniser: Any = None
        self._capitals = False
        self._boosts = False
        self._stream: Any = None
        self._growing = Growing()
        self._boosted = ""

    def load(self) -> None:
        import sherpa_onnx

        if self._setup.compute_type == "float16":
            raise TranscriptionError(
                "compute_type_unknown",
                "sherpa-onnx does not compute in float16",
                hint="mybro config set transcribe.compute_type auto",
            )
        folder = Path(self._setup.path)
        half = self._setup.compute_type != "float32"
        files = {part: weights(folder, part, small=half) for part in ("encoder", "decoder", "joiner")}
        tokens = folder / "tokens.txt"
        try:
            pieces = read_tokens(tokens)
            with tempfile.TemporaryDirectory() as scratch:
                self._boosts = any(piece.startswith(_SPACE) for piece in pieces)
                self._recogniser = sherpa_onnx.OnlineRecognizer.from_transducer(
                    tokens=str(tokens),
                    **{part: str(path) for part, path in files.items()},
                    num_threads=min(MAX_THREADS, os.cpu_count() or 1),
                    decoding_method="modified_beam_search",
                    max_active_paths=PATHS,
                    hotwords_score=BOOST,
                    modeling_unit="bpe" if self._boosts else "cjkchar",
                    bpe_vocab=str(_spelling(pieces, Path(scratch))) if self._boosts else "",
                )
        except (OSError, RuntimeError, ValueError) as error:
            raise self._unloadable(str(error)) from error
        spelled = [piece.strip(_SPACE) for piece in pieces if piece[0] != "<"]
        self._capitals = not any(piece.islower() for piece in spelled)

    def languages(self) -> Sequence[str]:
        return ()

    def recognise(self, sound: Sound, hints: Hints) -> Recognition:
        import numpy as np

        started = time.perf_counter()
        boosted = self._boost(hints.prompt)
        rest = self._growing.rest(sound)
        if self._stream is None or rest is None or boosted != self._boosted:
            self._stream, self._boosted, rest = self._begun(boosted), boosted, sound
        stream = self._stream
        for at in range(0, len(rest), int(PIECE_S * SAMPLE_RATE)):
            self._feed(stream, rest[at : at + int(PIECE_S * SAMPLE_RATE)])
        if not hints.unfinished:
            self._feed(stream, np.zeros(int(AFTER_S * SAMPLE_RATE), np.float32))
            stream.input_finished()
            self._decode(stream)
            # A stream that has ended takes no more.
            self._stream = None
            self._growing.forget()
        result = self._recogniser.get_result_all(stream)
        chances = list(result.ys_probs)
        return Recognition(
            text=cased(result.text.strip()),
            language=hints.language or "en",
            average_logprob=sum(chances) / len(chances) if chances else 0.0,
            tokens=len(result.tokens),
            timings_ms={"decode": (time.perf_counter() - started) * 1e3},
        )

    def _feed(self, stream: Any, sound: Sound) -> None:
        stream.accept_waveform(SAMPLE_RATE, sound)
        self._decode(stream)

    def _decode(self, stream: Any) -> None:
        while self._recogniser.is_ready(stream):
            self._recogniser.decode_stream(stream)

    def _boost(self, prompt: str) -> str:
        """The names of a prompt as the recogniser wants them: one after another, a stroke between two."""
        names = names_in(prompt) if self._boosts else []
        return "/".join(name.upper() if self._capitals else name for name in names)

    def _begun(self, boosted: str) -> Any:
        return self._recogniser.create_stream(boosted) if boosted else self._recogniser.create_stream()

    def _unloadable(self, why: str) -> ModelLoadError:
        return ModelLoadError(
            "model_not_loaded",
            f"the weights of {self._setup.model} cannot be loaded: {why}",
            hint=f"Check them with: mybro models verify {self._setup.model} --backend sherpa-onnx",
        )


def weights(folder: Path, part: str, *, small: bool) -> Path:
    """One of the three files of a transducer; of two the 8-bit one, or the other.

    Raises `ModelLoadError`.
    """
    # The decoder is a table of a megabyte or two: in 8 bits it gains nothing.
    small = small and part != "decoder"
    found = sorted(folder.glob(f"{part}*.onnx"), key=lambda path: (("int8" in path.name) != small, path.name))
    if not found:
        raise ModelLoadError(
            "model_not_loaded", f"{folder} holds no {part} of a transducer", hint="See: mybro models list"
        )
    return found[0]


def read_tokens(path: Path) -> list[str]:
    """The pieces of `tokens.txt`, by their number. Raises `ValueError`."""
    pieces: dict[int, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        piece, _, number = line.rpartition(" ")
        if number:
            pieces[int(number)] = piece or " "
    if not pieces or sorted(pieces) != list(range(len(pieces))):
        raise ValueError("tokens.txt does not number its tokens")
    return [pieces[number] for number in range(len(pieces))]


def _spelling(pieces: Sequence[str], scratch: Path) -> Path:
    """How words are spelled in tokens: their order is that of the merges that made them."""
    path = scratch / "bpe.vocab"
    path.write_text("".join(f"{piece}\t{-at}\n" for at, piece in enumerate(pieces)), encoding="utf-8")
    return path
