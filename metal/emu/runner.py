"""Runs kernels in a child process that stays for as long as the emulator is open."""

from __future__ import annotations

import itertools
import os
import select
import struct
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, cast

import numpy as np
import numpy.typing as npt

from metal.emu.build import library, program
from metal.emu.toolchain import Lane, find

if TYPE_CHECKING:
    from io import BufferedReader

Array = npt.NDArray[Any]
Size = tuple[int, int, int]

_SANITISER = "halt_on_error=1:exitcode=66:detect_leaks=0:abort_on_error=0:symbolize=1"


class EmulatorError(Exception):
    """A kernel that did what it must not: the sanitizer's report, or the scheduler's complaint."""


class Emulator:
    """Buffers and kernels on the emulated device.

    Args:
        lane: `plain`; `portable`, without our own assembly; or with a sanitizer or coverage compiled in.
        files: the `.metal` files; the library's own if none are given.
        seed: decides the order in which lanes and threadgroups run; 0 is the plain order.
        workers: how many threadgroups run at once.
        counts: the folder for the counts of the coverage lane.
        patience_s: how long a command may take.
    """

    def __init__(
        self,
        lane: Lane = "plain",
        files: Sequence[Path] = (),
        *,
        seed: int = 0,
        workers: int = 2,
        counts: Path | None = None,
        patience_s: float = 600.0,
    ) -> None:
        self.seed, self.workers = seed, workers
        self._patience_s = patience_s
        self._path = program(files or library(), lane)
        self._ids = itertools.count(1)
        self._forgotten: list[int] = []
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._child = subprocess.Popen(
            [str(self._path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints,
            env=_environment(counts),
        )  # fmt: skip
        self._in = cast("IO[bytes]", self._child.stdin)
        # Unbuffered, so that select tells whether there is more.
        self._out = cast("BufferedReader", self._child.stdout).detach()

    def upload(self, array: Array) -> int:
        """A buffer with the array's bytes; returns its number."""
        data = np.ascontiguousarray(array)
        number = next(self._ids)
        self._send(b"W" + struct.pack("<IQ", number, data.nbytes), data.reshape(-1).view(np.uint8).data)
        return number

    def allocate(self, count: int, dtype: npt.DTypeLike) -> int:
        """A buffer full of garbage for `count` elements; returns its number."""
        number = next(self._ids)
        self._send(b"A" + struct.pack("<IQ", number, count * np.dtype(dtype).itemsize))
        return number

    def download(self, number: int, count: int, dtype: npt.DTypeLike, size: int | None = None) -> Array:
        """A copy of a buffer's first `count` elements; `size` is how many it has, if that is more."""
        self._send(b"R" + struct.pack("<I", number))
        result = np.empty(count if size is None else size, dtype)
        if result.nbytes:
            self._receive(result.view(np.uint8).data)
        return result[:count]

    def forget(self, number: int) -> None:
        """Give a buffer back, with the next command."""
        self._forgotten.append(number)

    @property
    def closed(self) -> bool:
        return self._in.closed or self._child.poll() is not None

    def launch(
        self, kernel: str, buffers: Mapping[int, int], values: Mapping[int, bytes], threads: Size, group: Size
    ) -> None:
        """Run a kernel over `threads` threads, in threadgroups of `group`; smaller ones at the edges.

        Args:
            kernel: its host name.
            buffers: from the index in the kernel's signature to a buffer's number.
            values: from the index to the bytes of a constant.

        Raises:
            EmulatorError: what the kernel did wrong.
        """
        name = kernel.encode()
        parts = [b"L", struct.pack("<I", len(name)), name, struct.pack("<I", len(buffers))]
        parts += [struct.pack("<II", index, number) for index, number in buffers.items()]
        parts.append(struct.pack("<I", len(values)))
        parts += [struct.pack("<II", index, len(value)) + value for index, value in values.items()]
        parts.append(struct.pack("<8I", *threads, *group, self.seed, self.workers))
        self._send(b"".join(parts))
        status, message = self._answer()
        if status:
            raise EmulatorError(f"{kernel}: {message}")

    def types(self) -> dict[str, list[str]]:
        """For each kernel the types of its buffers' elements and their sizes, as `float2:8`."""
        self._send(b"K")
        rows = [line.split() for line in self._answer()[1].splitlines()]
        return {name: types for name, *types in rows}

    def close(self) -> None:
        """End the child; it writes its coverage. May be called twice.

        Raises:
            EmulatorError: the child complained while it was ending.
        """
        if self._in.closed:
            return
        self._in.close()
        status = self._child.wait(timeout=60)
        self._out.close()
        report = self._report()
        self._complaints.close()
        if status:
            raise EmulatorError(report or f"the emulator ended with status {status}")

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self.close()
        except (EmulatorError, OSError):
            if kind is None:
                raise

    def __del__(self) -> None:
        child = getattr(self, "_child", None)
        if child is not None and child.poll() is None:
            child.kill()
            child.wait()
        for pipe in (self._in, self._out, self._complaints) if child is not None else ():
            pipe.close()

    def _send(self, *parts: bytes | memoryview) -> None:
        freed = [b"F" + struct.pack("<I", self._forgotten.pop()) for _ in range(len(self._forgotten))]
        try:
            for part in (*freed, *parts):
                self._in.write(part)
            self._in.flush()
        except OSError:
            self._died()

    def _answer(self) -> tuple[int, str]:
        head = bytearray(8)
        self._receive(memoryview(head))
        status, length = struct.unpack("<II", head)
        message = bytearray(length)
        self._receive(memoryview(message))
        return status, message.decode()

    def _receive(self, room: memoryview) -> None:
        done = 0
        while done < len(room):
            if not select.select([self._out], [], [], self._patience_s)[0]:
                self._child.kill()
                self._died(f"a kernel did not end within {self._patience_s:g} s")
            count = self._out.readinto(room[done:])
            if not count:
                self._died()
            done += count

    def _died(self, why: str = "") -> NoReturn:
        status = self._child.wait(timeout=60)
        raise EmulatorError(why or self._report() or f"the emulator died with status {status}")

    def _report(self) -> str:
        self._complaints.seek(0)
        return self._complaints.read().decode(errors="replace").strip()


def _environment(counts: Path | None) -> dict[str, str]:
    tools = find()
    symbolizer = tools.tool("llvm-symbolizer") if tools else None
    options = f"{_SANITISER}:external_symbolizer_path={symbolizer}" if symbolizer else _SANITISER
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    if counts is not None:
        kept["GCOV_PREFIX"] = str(counts)
    return {**kept, "ASAN_OPTIONS": options, "TSAN_OPTIONS": options}
