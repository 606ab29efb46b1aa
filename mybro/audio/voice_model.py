"""What a voice sounds like, as 256 numbers: Resemblyzer's network (GE2E, Apache-2.0), in numpy alone.

The package asks for torch, which nothing here needs: of it only the file of weights is read, so that it is
installed without what it asks for. The network is three LSTM layers over 1.6 s of a mel spectrogram.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from mybro.errors import ModelError
from mybro.events import SAMPLE_RATE
from mybro.ops.installed import in_package

Array = npt.NDArray[np.float32]

PACKAGE = "resemblyzer"
WEIGHTS = "pretrained.pt"
REQUIREMENT = "resemblyzer==0.1.4"
INSTALL = f"Install its weights: uv pip install --no-deps {REQUIREMENT} (16 MB; with pip: the same options)"
SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
LAYERS = 3
BANDS = 40
WINDOW = 400
HOP = 160
FRAMES = 160
"""Of a stretch that the network hears at once: 1.6 s."""
STEP = 80
MOST = 4
"""Stretches of one sound, spread over it: more of a long sentence tells nothing new."""
QUIETEST_RMS = 10 ** (-30 / 20)
"""Softer sound is made so loud."""


class VoiceModel:
    """The loaded network."""

    def __init__(self, weights: dict[str, Array]) -> None:
        self._weights = weights
        self._filters = _filters()
        self._hann = np.hanning(WINDOW + 1)[:-1].astype(np.float32)

    @classmethod
    def load(cls, path: Path | None = None) -> VoiceModel:
        """Raises `ModelError` where the weights are missing or not those that were measured."""
        path = path or in_package(PACKAGE, WEIGHTS)
        if path is None:
            raise ModelError(
                "voice_model_missing", "the weights that tell voices apart are missing", hint=INSTALL
            )
        raw = path.read_bytes()
        if hashlib.sha256(raw).hexdigest() != SHA256:
            raise ModelError(
                "voice_model_damaged", "the weights that tell voices apart are damaged", hint=INSTALL
            )
        return cls(read_weights(io.BytesIO(raw)))

    def embed(self, sound: Array) -> Array:
        """Mono sound between -1 and 1 at 16 kHz as a row of length 1, of shape (256,)."""
        rms = float(np.sqrt(np.mean(sound**2))) + 1e-9
        mel = self._mel(sound * np.float32(max(1.0, QUIETEST_RMS / rms)))
        if len(mel) < FRAMES:
            mel = np.resize(mel, (FRAMES, BANDS))
        count = min(MOST, 1 + (len(mel) - FRAMES) // STEP)
        starts = np.linspace(0, len(mel) - FRAMES, count).astype(int)
        rows = self._run(np.stack([mel[at : at + FRAMES] for at in starts]))
        return _unit(rows.mean(axis=0))

    def _mel(self, sound: Array) -> Array:
        padded = np.pad(sound, WINDOW // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
        power = np.abs(np.fft.rfft(frames * self._hann, axis=1)) ** 2
        return np.asarray(power @ self._filters.T, np.float32)

    def _run(self, mels: Array) -> Array:
        """(stretches, frames, bands) to (stretches, 256), each of length 1."""
        given = self._weights
        rows = mels.transpose(1, 0, 2)
        for layer in range(LAYERS):
            told = rows @ given[f"lstm.weight_ih_l{layer}"].T
            told += given[f"lstm.bias_ih_l{layer}"] + given[f"lstm.bias_hh_l{layer}"]
            rows = _lstm(told, given[f"lstm.weight_hh_l{layer}"])
        out = np.maximum(rows[-1] @ given["linear.weight"].T + given["linear.bias"], 0)
        return _unit(np.asarray(out, np.float32))


def _lstm(told: Array, back: Array) -> Array:
    frames, count, wide = told.shape
    state = np.zeros((count, wide // 4), np.float32)
    cell = state.copy()
    out = np.empty((frames, count, wide // 4), np.float32)
    for frame in range(frames):
        # Not by BLAS: its threads wait for each other longer than so small a product takes.
        gates = told[frame] + np.einsum("bi,ji->bj", state, back)
        taken, kept, new, shown = np.split(gates, 4, axis=1)
        cell = _sigmoid(kept) * cell + _sigmoid(taken) * np.tanh(new)
        state = _sigmoid(shown) * np.tanh(cell)
        out[frame] = state
    return out


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)), np.float32)


def _unit(rows: Array) -> Array:
    return np.asarray(rows / (np.linalg.norm(rows, axis=-1, keepdims=True) + 1e-9), np.float32)


def _filters() -> Array:
    """Slaney's mel bands, each of area one, of shape (bands, WINDOW / 2 + 1)."""
    log_step, linear = np.log(6.4) / 27, 200 / 3
    top = 15 + np.log(SAMPLE_RATE / 2 / 1000) / log_step
    mels = np.linspace(0, top, BANDS + 2)
    edges = np.where(mels < 15, mels * linear, 1000 * np.exp(log_step * (mels - 15)))
    hertz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    low, mid, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (hertz - low) / (mid - low), (high - hertz) / (high - mid)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low), np.float32)


# ------------------------------------------------------------------ torch's old file format


class _Ordered(dict[str, Any]):
    """In whose attributes torch keeps its remarks."""


class _Reader(pickle.Unpickler):
    """Makes nothing but dictionaries and the places of tensors, whatever a file asks for."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: ("tensor", storage, offset, shape, strides)
        if (module, name) == ("collections", "OrderedDict"):
            return _Ordered
        if module == "torch" and name.endswith("Storage"):
            return name
        raise pickle.UnpicklingError(f"{module}.{name} is not expected here")

    def persistent_load(self, pid: Any) -> Any:
        return pid[2]


def read_weights(file: BinaryIO) -> dict[str, Array]:
    """The tensors of `model_state` in a file that torch wrote before version 1.6. Raises `ModelError`."""
    try:
        for _ in range(3):  # the mark, the version, and what machine wrote it
            _Reader(file).load()
        state = _Reader(file).load()["model_state"]
        storages: dict[str, Array] = {}
        for key in _Reader(file).load():
            (size,) = struct.unpack("<q", file.read(8))
            storages[key] = np.frombuffer(file.read(4 * size), "<f4")
        return {name: _tensor(storages, *tensor[1:]) for name, tensor in state.items()}
    except (pickle.UnpicklingError, EOFError, KeyError, ValueError, TypeError, struct.error) as error:
        raise ModelError("voice_model_damaged", f"not a file of weights: {error}", hint=INSTALL) from error


def _tensor(
    storages: dict[str, Array], key: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> Array:
    size = int(np.prod(shape))
    expected = tuple(int(np.prod(shape[at + 1 :])) for at in range(len(shape)))
    if tuple(strides) != expected:
        raise ValueError("a tensor that is not in one piece")
    return storages[key][offset : offset + size].reshape(shape)
