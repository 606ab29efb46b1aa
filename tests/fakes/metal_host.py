"""Stands for the engine's `MetalDevice`: the calls that mybro makes of it, with the emulator as the GPU.

`rust/engine/src/metal.rs` has the same names and takes the same; `rust/check-macos.sh` compiles it.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from metal.emu.runner import Emulator


class Buffer:
    def __init__(self, data: bytearray) -> None:
        self.data = data


class MetalDevice:
    emulator: ClassVar[Emulator]
    most: ClassVar[int] = 1024
    there: ClassVar[bool] = True
    lacking: ClassVar[str] = ""

    def __init__(self, *, library: str | None = None, source: str | None = None) -> None:
        if (library is None) == (source is None):
            raise ValueError("a library, or a source")
        if source == "":
            raise RuntimeError("kernels_refused", "Metal did not take the kernels: no")
        self.source = source
        self.gpu_seconds = 0.0
        self.waiting = 0

    @classmethod
    def is_there(cls) -> bool:
        return cls.there

    def upload(self, data: bytes) -> Buffer:
        return Buffer(bytearray(data or b"\0"))

    def allocate(self, count: int) -> Buffer:
        return Buffer(bytearray(max(1, count)))

    def launch(
        self,
        kernel: str,
        arguments: list[tuple[int, Buffer | bytes]],
        groups: tuple[int, int, int],
        size: int,
    ) -> None:
        if size > self.most:
            raise RuntimeError(
                "gpu_too_small", f"{kernel} has {self.most} threads at most here, and needs {size}"
            )
        if kernel == self.lacking:
            raise RuntimeError("kernels_old", f"The built library has no {kernel}")
        buffers = {index: one for index, one in arguments if isinstance(one, Buffer)}
        values = {index: one for index, one in arguments if isinstance(one, bytes)}
        made = {at: self.emulator.upload(np.frombuffer(one.data, np.uint8)) for at, one in buffers.items()}
        self.emulator.launch(kernel, made, values, (groups[0] * size, *groups[1:]), (size, 1, 1))
        for at, number in made.items():
            data = buffers[at].data
            data[:] = self.emulator.download(number, len(data), np.uint8).tobytes()
            self.emulator.forget(number)
        self.waiting += 1

    def download(self, buffer: Buffer, count: int) -> bytes:
        self.gpu_seconds += 0.5 * self.waiting
        self.waiting = 0
        return bytes(buffer.data[:count])
