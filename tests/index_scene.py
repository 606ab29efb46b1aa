"""What each file below a folder defines, by the engine and by Python alone, as JSON: to be compared.

python -m tests.index_scene FOLDER
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from mybro import native
from mybro.index.extract import symbols_of
from mybro.index.files import listed
from mybro.index.languages import language_of, reader


def broken(root: Path, path: str, language: str) -> bool:
    """Whether tree-sitter had to guess: its versions guess differently."""
    ready = reader(language)
    return ready is not None and ready.parser.parse((root / path).read_bytes()).root_node.has_error


def main() -> None:
    root = Path(sys.argv[1])
    files = [(path, language) for path in listed(root) if (language := language_of(path))]
    told = [native.in_use()]
    fast = list(symbols_of(root, files))
    os.environ["MYBRO_NATIVE"] = "0"
    native.engine.cache_clear()
    told.append(native.in_use())
    slow = list(symbols_of(root, files))
    json.dump(
        {
            "in_use": told,
            "languages": sorted({language for _, language in files}),
            "symbols": sum(map(len, slow)),
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
