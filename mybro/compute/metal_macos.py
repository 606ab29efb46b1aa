"""The kernels on a Mac's GPU, for NumPy arrays: by the Rust engine, and where it is not built by PyObjC.

The library is the one that `make metal` built; where there is none, the driver compiles the sources.
"""

from __future__ import annotations

import importlib
import importlib.util
import platform
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mybro.compute import metal_native
from mybro.compute.device import Array, Buffer, Groups
from mybro.compute.metal_native import NativeDevice
from mybro.compute.sources import folder, kernels, whole_source
from mybro.errors import ComputeError

MATH_MODE_SAFE = 0
"""MTLMathModeSafe: compensated sums need additions in the order in which they are written."""


def missing() -> str:
    """Why the GPU cannot be used from here; empty if it can."""
    if platform.system() != "Darwin":
        return "this is no Mac"
    host = metal_native.host()
    if host is None and importlib.util.find_spec("Metal") is None:
        return "neither the engine (make rust) nor pyobjc-framework-Metal is installed"
    there = host.is_there() if host else importlib.import_module("Metal").MTLCreateSystemDefaultDevice()
    return "" if there else "there is no Metal device"


@cache
def shared() -> NativeDevice | MacDevice:
    """The device for all calls of this process. Raises `ComputeError`."""
    host, built = metal_native.host(), built_library()
    if host is None:
        return MacDevice()
    return metal_native.opened(host, str(built) if built else None, None if built else whole_source())


def built_library() -> Path | None:
    """The compiled library; None if it was not built."""
    places = (folder() / "build" / "mybro.metallib", folder() / "mybro.metallib")
    return next((place for place in places if place.exists()), None)


class MacDevice:
    """A device over an MTLDevice. Kernels run in the order of their launches; a download waits for them."""

    def __init__(self, api: Any = None) -> None:
        self._api = api or importlib.import_module("Metal")
        self._device = self._api.MTLCreateSystemDefaultDevice()
        self._queue = self._device.newCommandQueue()
        self._library = self._load()
        self._pipeline = cache(self._make_pipeline)
        self.gpu_seconds = 0.0
        """What the kernels so far took on the GPU, of those that were waited for."""
        self._running: list[Any] = []

    def upload(self, array: Any) -> Buffer:
        whole = np.ascontiguousarray(array)
        if not whole.size:
            return self.allocate(0, whole.dtype)
        made = self._device.newBufferWithBytes_length_options_(whole.tobytes(), whole.nbytes, 0)
        return Buffer(made, whole.size, whole.dtype)

    def allocate(self, count: int, dtype: npt.DTypeLike, *, zero: bool = False) -> Buffer:
        kind = np.dtype(dtype)
        # A buffer has at least one byte; Metal fills it with zeros.
        made = self._device.newBufferWithLength_options_(max(1, count * kind.itemsize), 0)
        return Buffer(made, count, kind)

    def launch(self, kernel: str, arguments: Sequence[Buffer | bytes], groups: Groups, size: int) -> None:
        pipeline = self._pipeline(kernel)
        most = pipeline.maxTotalThreadsPerThreadgroup()
        if size > most:
            raise ComputeError("gpu_too_small", f"{kernel} has {most} threads at most here, and needs {size}")
        commands = self._queue.commandBuffer()
        encoder = commands.computeCommandEncoder()
        encoder.setComputePipelineState_(pipeline)
        for parameter, argument in zip(kernels()[kernel].parameters, arguments, strict=True):
            if isinstance(argument, bytes):
                encoder.setBytes_length_atIndex_(argument, len(argument), parameter.index)
            else:
                encoder.setBuffer_offset_atIndex_(argument.handle, 0, parameter.index)
        make = self._api.MTLSizeMake
        encoder.dispatchThreadgroups_threadsPerThreadgroup_(make(*groups), make(size, 1, 1))
        encoder.endEncoding()
        commands.commit()
        self._running.append(commands)

    def download(self, buffer: Buffer, shape: Sequence[int]) -> Array:
        self.wait()
        count = int(np.prod(shape, dtype=np.int64))
        if count == 0:
            return np.empty(shape, buffer.dtype)
        view = buffer.handle.contents().as_buffer(count * buffer.dtype.itemsize)
        return np.frombuffer(view, buffer.dtype, count).reshape(shape).copy()

    def wait(self) -> None:
        """Until everything that was launched is done. Raises `ComputeError` if the GPU gave up."""
        running, self._running = self._running, []
        for commands in running:
            commands.waitUntilCompleted()
            if commands.error() is not None:
                raise ComputeError("gpu_failed", f"The GPU gave up: {commands.error()}")
            self.gpu_seconds += commands.GPUEndTime() - commands.GPUStartTime()

    def _load(self) -> Any:
        built = built_library()
        if built is not None:
            url = importlib.import_module("Foundation").NSURL.fileURLWithPath_(str(built))
            library, error = self._device.newLibraryWithURL_error_(url, None)
        else:
            options = self._api.MTLCompileOptions.alloc().init()
            if options.respondsToSelector_("setMathMode:"):
                options.setMathMode_(MATH_MODE_SAFE)
            else:
                options.setFastMathEnabled_(False)
            library, error = self._device.newLibraryWithSource_options_error_(whole_source(), options, None)
        if library is None:
            raise ComputeError("kernels_refused", f"Metal did not take the kernels: {error}")
        return library

    def _make_pipeline(self, name: str) -> Any:
        function = self._library.newFunctionWithName_(name)
        if function is None:
            raise ComputeError("kernels_old", f"The built library has no {name}", hint="Run make metal again")
        pipeline, error = self._device.newComputePipelineStateWithFunction_error_(function, None)
        if pipeline is None:
            raise ComputeError("kernels_refused", f"Metal did not take the kernel {name}: {error}")
        return pipeline
