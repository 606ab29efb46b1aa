"""What files define and how names sound, by the engine and by Python alone, as JSON: to be compared.

python -m tests.index_scene FOLDER
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Iterable
from pathlib import Path

from mybro import native
from mybro.index.extract import symbols_of
from mybro.index.files import listed
from mybro.index.languages import language_of, reader
from mybro.index.lexicon import sounds_of, spoken
from mybro.index.sound import likenesses
from mybro.index.symbols import Symbol


def broken(root: Path, path: str, language: str) -> bool:
    """Whether tree-sitter had to guess: its versions guess differently."""
    ready = reader(language)
    return ready is not None and ready.parser.parse((root / path).read_bytes()).root_node.has_error


def sounds(symbols: Iterable[Symbol]) -> list[str]:
    """How some of the names sound, and what is left of each when it is cut."""
    said = [one for symbol in symbols for one in sounds_of(spoken(symbol.name))]
    drawn = random.Random(3).sample(sorted(set(said)), 300)
    return [*drawn, *(one[1:] for one in drawn[:50]), "", "a"]


def alike(heard: list[str]) -> list[float]:
    return [fit for least in (0.0, 0.6, 0.8) for one in heard[::9] for fit in likenesses(one, heard, least)]


def main() -> None:
    root = Path(sys.argv[1])
    files = [(path, language) for path in listed(root) if (language := language_of(path))]
    told = [native.in_use()]
    fast = list(symbols_of(root, files))
    heard = sounds(one for found in fast for one in found)
    near = alike(heard)
    os.environ["MYBRO_NATIVE"] = "0"
    native.engine.cache_clear()
    told.append(native.in_use())
    slow = list(symbols_of(root, files))
    json.dump(
        {
            "in_use": told,
            "languages": sorted({language for _, language in files}),
            "symbols": sum(map(len, slow)),
            "likenesses": len(near),
            "far": max(abs(ours - theirs) for ours, theirs in zip(near, alike(heard), strict=True)),
            "same": sum(ours == theirs for ours, theirs in zip(fast, slow, strict=True)),
            "different": [
                {
                    "path": path,
                    "broken": broken(root, path, language),
                    "symbols": len(set(ours) ^ set(theirs)),
                }
                for (path, language), ours, theirs in zip(files, fast, slow, strict=True)
                if ours != theirs
            ],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
