"""Stands for PyObjC's `Metal` module: the calls that mybro makes of it, with the emulator as the GPU.

Which calls Apple's API has is not shown by this; what mybro does with them is.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from metal.emu.runner import Emulator


class Contents:
    def __init__(self, data: bytearray) -> None:
        self._data = data

    def as_buffer(self, length: int) -> memoryview:
        return memoryview(self._data)[:length]


class Buffer:
    def __init__(self, data: bytearray) -> None:
        self.data = data

    def contents(self) -> Contents:
        return Contents(self.data)


class Commands:
    """A command buffer and its only encoder."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._buffers: dict[int, Buffer] = {}
        self._values: dict[int, bytes] = {}
        self._launch: Any = None
        self.committed = self.waited = False

    def computeCommandEncoder(self) -> Commands:  # noqa: N802
        return self

    def setComputePipelineState_(self, pipeline: Any) -> None:  # noqa: N802
        self._kernel = pipeline.name

    def setBytes_length_atIndex_(self, data: bytes, length: int, index: int) -> None:  # noqa: N802
        assert len(data) == length
        self._values[index] = data

    def setBuffer_offset_atIndex_(self, buffer: Buffer, offset: int, index: int) -> None:  # noqa: N802
        assert offset == 0
        self._buffers[index] = buffer

    def dispatchThreadgroups_threadsPerThreadgroup_(self, groups: Any, size: Any) -> None:  # noqa: N802
        self._launch = tuple(a * b for a, b in zip(groups, size, strict=True)), size

    def endEncoding(self) -> None:  # noqa: N802
        assert self._launch is not None

    def commit(self) -> None:
        self.committed = True
        made = {i: self._emulator.upload(np.frombuffer(b.data, np.uint8)) for i, b in self._buffers.items()}
        self._emulator.launch(self._kernel, made, self._values, *self._launch)
        for index, number in made.items():
            data = self._buffers[index].data
            data[:] = self._emulator.download(number, len(data), np.uint8).tobytes()

    def waitUntilCompleted(self) -> None:  # noqa: N802
        assert self.committed
        self.waited = True

    def error(self) -> None:
        return None

    def GPUStartTime(self) -> float:  # noqa: N802
        return 1.0

    def GPUEndTime(self) -> float:  # noqa: N802
        return 1.5


class Options:
    """MTLCompileOptions, of a system that has math modes or of one that has not."""

    def __init__(self, modern: bool) -> None:
        self.modern = modern
        self.said: list[tuple[str, Any]] = []

    def alloc(self) -> Options:
        return self

    def init(self) -> Options:
        return self

    def respondsToSelector_(self, name: str) -> bool:  # noqa: N802
        return self.modern and name == "setMathMode:"

    def setMathMode_(self, mode: int) -> None:  # noqa: N802
        self.said.append(("mode", mode))

    def setFastMathEnabled_(self, enabled: bool) -> None:  # noqa: N802
        self.said.append(("fast", enabled))


class FakeMetal:
    """The module, the device, its queue and its library in one."""

    def __init__(self, emulator: Emulator, *, modern: bool = True, most: int = 1024) -> None:
        self._emulator, self._most = emulator, most
        self.MTLCompileOptions = Options(modern)
        self.source = ""
        self.commands: list[Commands] = []

    def MTLCreateSystemDefaultDevice(self) -> FakeMetal:  # noqa: N802
        return self

    def MTLSizeMake(self, x: int, y: int, z: int) -> tuple[int, int, int]:  # noqa: N802
        return x, y, z

    def newCommandQueue(self) -> FakeMetal:  # noqa: N802
        return self

    def commandBuffer(self) -> Commands:  # noqa: N802
        self.commands.append(Commands(self._emulator))
        return self.commands[-1]

    def newBufferWithBytes_length_options_(self, data: bytes, length: int, options: int) -> Buffer:  # noqa: N802
        assert len(data) == length > 0
        return Buffer(bytearray(data))

    def newBufferWithLength_options_(self, length: int, options: int) -> Buffer:  # noqa: N802
        assert length > 0
        return Buffer(bytearray(length))

    def newLibraryWithSource_options_error_(self, source: str, options: Any, error: None) -> Any:  # noqa: N802
        self.source = source
        return (None, "no") if not source else (self, None)

    def newFunctionWithName_(self, name: str) -> Any:  # noqa: N802
        return SimpleNamespace(name=name) if name in self._emulator.types() else None

    def newComputePipelineStateWithFunction_error_(self, function: Any, error: None) -> Any:  # noqa: N802
        most = self._most
        return SimpleNamespace(name=function.name, maxTotalThreadsPerThreadgroup=lambda: most), None
