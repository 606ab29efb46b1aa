"""The symbols of many files: by the engine on all cores where it is built, else one after the other."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mybro.index.languages import GRAMMARS
from mybro.index.symbols import Symbol, symbols
from mybro.native import engine

BATCH = 512
"""Files that are read before the first of them are told."""


def symbols_of(
    root: Path, files: Sequence[tuple[str, str]], *, trees: bool = True
) -> Iterator[tuple[Symbol, ...]]:
    """What each file defines; files are given by path and language. What cannot be read has none."""
    for at in range(0, len(files), BATCH):
        batch = files[at : at + BATCH]
        readers = [_reader(language) if trees else None for _, language in batch]
        wanted = [
            (os.fsencode(path), reader) for (path, _), reader in zip(batch, readers, strict=True) if reader
        ]
        native = engine()
        told = iter(native.symbols_of_files(root, wanted) if native and wanted else ())
        for (path, language), reader in zip(batch, readers, strict=True):
            yield (
                tuple(map(Symbol._make, next(told))) if reader else _read(root / path, language, trees=trees)
            )


def _read(path: Path, language: str, *, trees: bool) -> tuple[Symbol, ...]:
    if path.is_symlink():
        return ()
    try:
        return tuple(symbols(language, path.read_bytes(), trees=trees))
    except (OSError, RecursionError):
        return ()


def _reader(language: str) -> Any:
    """The engine's reader of a language; None where it, or the language's grammar, is missing."""
    native = engine()
    return _native_reader(native, language) if native else None


@functools.cache
def _native_reader(native: Any, language: str) -> Any:
    grammar = GRAMMARS.get(language)
    if grammar is None:
        return None
    try:
        # The grammars are the ones that Python uses, too: the same version finds the same symbols.
        made = getattr(importlib.import_module(grammar.module), grammar.function)()
        return native.SymbolReader(made, grammar.query)
    except (ImportError, AttributeError, TypeError, ValueError):
        return None
