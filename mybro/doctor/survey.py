"""One look at every text file for all words that anybody looks for: most files are done after it.

A search for each of some hundred words costs more than all that follows. Here four bytes stand for a word,
and all positions of many files are looked up at once in a table of such fours; capitals count as small
letters. So a mark says that a file may have the word, and no mark that it does not. The Rust engine does the
same on all cores, and looks for shapes besides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mybro.doctor.shapes import Group, Shape, for_engine
from mybro.native import repository

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]

NOT_ASCII = b"\x80"
"""Stands for any byte above 127."""
NOT_UTF8 = b"\xff"
"""Stands for bytes that are no UTF-8; where only Python looks, for any above 127."""
_LOOKED_AT = 1
"""The mark of every file that was looked at: it may have a word that was not asked for."""
UNKNOWN = -1
"""The marks of a file that was not looked at: it may have every word."""
LEAST_BYTES = 1 << 20
"""With less than this, the table costs more than it saves."""
_PATIENCE_S = 3600.0
_NOWHERE = 255
"""A kind that no file is of."""
_BATCH_BYTES = 1 << 19
_GRAM = 4
_MOST_CHARS = 64
"""Of a word: longer ones are looked for by their beginning."""
_SLOT_BITS = (16, 18, 20, 22, 24)
"""Of a table's number; a small one stays in the processor's cache."""
_FACTOR, _TRIES = 0x9E3779B1, 48
_FOLDED = bytes(byte | 0x20 for byte in range(256))
_COMMON = b" etaonisrlducpm_fghy.bvkx=,()'\":w\n-"
"""What code has most of, the most first."""


class Survey:
    """Which words may be in which files. Looks once, when it is first asked; may be asked by any thread."""

    def __init__(
        self,
        read: Callable[[str], bytes | None],
        paths: Iterable[str],
        words: Callable[[], Iterable[bytes | Shape]],
        deadline: float = float("inf"),
        root: Path | None = None,
        most_bytes: int = 1 << 30,
        languages: Mapping[str, str] | None = None,
    ) -> None:
        """`root`: where the paths are, for the engine; without it, or without the engine, `read` is asked."""
        self._read, self._paths, self._words, self._deadline = read, list(paths), words, deadline
        self._root, self._most_bytes, self._languages = root, most_bytes, languages or {}
        self._bits: dict[bytes | Shape, int] = {}
        self._marks: dict[str, int] = {}
        self._masks: dict[Group, int] = {}
        self._lock = threading.Lock()
        self._done = False

    def mask(self, group: Group) -> int:
        """The marks of these together; `UNKNOWN` where one of them was not asked for at the start."""
        self._once()
        if group not in self._masks:
            found = 0
            for one in group:
                found |= self._bit(one)
            self._masks[group] = found
        return self._masks[group]

    def _bit(self, one: bytes | Shape) -> int:
        if one in self._bits or isinstance(one, bytes):
            return self._bits.get(one, UNKNOWN)
        return self.mask(one.words)

    def marks(self, path: str) -> int:
        """The marks of all words that the file may have."""
        self._once()
        return self._marks.get(path, UNKNOWN)

    def may_have(self, path: str, group: Group) -> bool:
        """Whether the file may have one of these."""
        return self.marks(path) & self.mask(group) != 0

    def _once(self) -> None:
        if not self._done:
            with self._lock:
                if not self._done:
                    asked = dict.fromkeys(self._words())
                    words = [one for one in asked if isinstance(one, bytes)]
                    if not self._at_once(words, [one for one in asked if isinstance(one, Shape)]):
                        self._look(words)
                    self._done = True

    def _at_once(self, words: list[bytes], shapes: list[Shape]) -> bool:
        """Let the engine look; False where it is not there."""
        if self._root is None:
            return False
        words = list(dict.fromkeys([*words, *(word for shape in shapes for word in shape.words)]))
        number = {word: place for place, word in enumerate(words)}
        kinds = {name: kind for kind, name in enumerate(dict.fromkeys(("", *self._languages.values())))}
        told: list[tuple[Shape, repository.Shape]] = []
        for shape in shapes:
            if (patterns := for_engine(shape)) is not None:
                here = [number[word] for word in shape.words]
                where = bytes(kinds.get(name, _NOWHERE) for name in shape.languages)
                told.append((shape, repository.Shape(here, patterns, shape.twice, where)))
        found = repository.survey(
            self._root,
            [(path, kinds[self._languages.get(path, "")]) for path in self._paths],
            words,
            [shape for _, shape in told],
            most_bytes=self._most_bytes,
            seconds=min(self._deadline - time.monotonic(), _PATIENCE_S),
        )
        if found is None:
            return False
        everything: list[bytes | Shape] = [*words]
        everything += [shape for shape, _ in told]
        self._bits = {one: 2 << place for place, one in enumerate(everything)}
        self._marks = {
            path: marks << 1 | _LOOKED_AT
            for path, marks in zip(self._paths, found, strict=True)
            if marks is not None
        }
        return True

    def _look(self, words: list[bytes]) -> None:
        self._bits = {word: 2 << number for number, word in enumerate(words)}
        table = _Table([word for word in words if len(word) >= _GRAM], self._bits)
        # A single byte is found quickest: the rarest of a short word says that most files do not have it.
        short = [
            (bytes([max(word, key=_rarity)]), word, bit)
            for word, bit in self._bits.items()
            if isinstance(word, bytes) and 0 < len(word) < _GRAM and word not in (NOT_ASCII, NOT_UTF8)
        ]
        not_ascii = self._bits.get(NOT_ASCII, 0) | self._bits.get(NOT_UTF8, 0)
        batch: list[bytes] = []
        paths: list[str] = []
        size = 0
        for path in self._paths:
            if (data := self._read(path)) is None:
                continue
            found = _LOOKED_AT if data.isascii() else _LOOKED_AT | not_ascii
            for byte, word, bit in short:
                if byte in data and word in data:
                    found |= bit
            self._marks[path] = found
            batch.append(data)
            paths.append(path)
            size += len(data)
            if size >= _BATCH_BYTES:
                self._note(table, paths, batch)
                batch, paths, size = [], [], 0
                if time.monotonic() > self._deadline:
                    return
        self._note(table, paths, batch)

    def _note(self, table: _Table, paths: list[str], batch: list[bytes]) -> None:
        for number, bits in table.find(batch) if batch else ():
            self._marks[paths[number]] |= bits


class _Table:
    """Fours of bytes, each with the marks of the words that it stands for."""

    def __init__(self, words: list[bytes], bits: Mapping[bytes | Shape, int]) -> None:
        import numpy

        self._np = numpy
        told: dict[bytes, int] = {}
        for word in words:
            folded = word[:_MOST_CHARS].translate(_FOLDED)
            told[folded] = told.get(folded, 0) | bits[word]
        fours: dict[bytes, dict[bytes, int]] = {}
        ends: dict[bytes, tuple[int, bytes]] = {}
        for folded, bit in told.items():
            at = _rarest(folded, fours)
            four = folded[at : at + _GRAM]
            # A word with a four of its own is told by its end, too; of several words each is looked for.
            ends[four] = (0, four) if four in fours else (len(folded) - _GRAM - at, folded[-_GRAM:])
            fours.setdefault(four, {})[folded] = bit
        self._bits = list(fours.values())
        self._values = _numbers(numpy, fours)
        self._far = numpy.array([far for far, _ in ends.values()], dtype=numpy.int64)
        self._ends = _numbers(numpy, (end for _, end in ends.values()))
        self._factor, self._shift = next(self._apart())
        slots = self._slots(self._values)
        size = 1 << (32 - int(self._shift))
        self._used = numpy.zeros(size, dtype=numpy.bool_)
        self._used[slots] = True
        self._number = numpy.zeros(size, dtype=numpy.uint16)
        self._number[slots] = numpy.arange(len(slots), dtype=numpy.uint16)

    def _apart(self) -> Iterator[tuple[np.uint32, np.uint32]]:
        """Factors and shifts by which every four has a slot of its own."""
        for bits in _SLOT_BITS:
            self._shift = self._np.uint32(32 - bits)
            for number in range(_TRIES):
                self._factor = self._np.uint32(_FACTOR * (2 * number + 1) & 0xFFFFFFFF)
                if len(self._np.unique(self._slots(self._values))) == len(self._values):
                    yield self._factor, self._shift

    def _slots(self, values: Array) -> Array:
        return (values * self._factor) >> self._shift

    def find(self, batch: list[bytes]) -> Iterable[tuple[int, int]]:
        """The number of a file in the batch, and marks that it has."""
        numpy = self._np
        folded = numpy.frombuffer(b"\0\0\0".join(batch) + bytes(_MOST_CHARS), numpy.uint8) | numpy.uint8(0x20)
        starts = numpy.cumsum([0, *(len(data) + 3 for data in batch[:-1])])
        count = (len(folded) - _MOST_CHARS) // _GRAM + 1
        pairs: set[int] = set()
        for shift in range(_GRAM):
            values = folded[shift : shift + _GRAM * count].view("<u4")
            slots = self._slots(values)
            places = numpy.flatnonzero(self._used[slots])
            numbers = self._number[slots[places]]
            true = self._values[numbers] == values[places]
            places, numbers = places[true] * _GRAM + shift, numbers[true]
            true = self._ends[numbers] == _four_at(numpy, folded, places + self._far[numbers])
            files = numpy.searchsorted(starts, places[true], "right") - 1
            pairs.update(numpy.unique(files * len(self._bits) + numbers[true]).tolist())
        for pair in pairs:
            number, four = divmod(pair, len(self._bits))
            bits = self._bits[four]
            if len(bits) == 1:
                yield number, next(iter(bits.values()))
                continue
            text = batch[number].translate(_FOLDED)
            yield number, sum(bit for word, bit in bits.items() if word in text)


def _four_at(numpy: Any, data: Array, places: Array) -> Array:
    """The fours that begin at these places, as numbers."""
    found: Array = numpy.zeros(len(places), numpy.uint32)
    for number in range(_GRAM):
        found |= data[places + number].astype(numpy.uint32) << numpy.uint32(8 * number)
    return found


def _numbers(numpy: Any, fours: Iterable[bytes]) -> Array:
    found: Array = numpy.frombuffer(b"".join(fours), "<u4").astype(numpy.uint32)
    return found


def _rarity(byte: int) -> int:
    return _COMMON.find(byte) % 64


def _rarest(folded: bytes, taken: Container[bytes]) -> int:
    """Where in a word the four bytes begin that other text has least and that no other word has yet, if any.

    They leave room for the end, which is compared too.
    """

    def worth(at: int) -> tuple[bool, bool, int]:
        four = folded[at : at + _GRAM]
        room = at == 0 or at + 2 * _GRAM <= len(folded)
        return room, four not in taken, sum(map(_rarity, four))

    return max(range(len(folded) - _GRAM + 1), key=worth)
