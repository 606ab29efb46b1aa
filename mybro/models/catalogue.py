"""The speech models that mybro knows by name; any hub repository or folder can be used as well."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Backend = Literal["mlx-whisper", "faster-whisper", "sherpa-onnx", "parakeet-mlx"]

BACKENDS: tuple[Backend, ...] = ("mlx-whisper", "faster-whisper", "sherpa-onnx", "parakeet-mlx")
WHISPER: tuple[Backend, ...] = ("mlx-whisper", "faster-whisper")

WEIGHT_FILES: dict[Backend, tuple[str, ...]] = {
    "faster-whisper": (
        "config.json",
        "preprocessor_config.json",
        "model.bin",
        "tokenizer.json",
        "vocabulary.*",
    ),
    "mlx-whisper": ("config.json", "weights.safetensors", "weights.npz"),
    "sherpa-onnx": ("tokens.txt", "encoder*.int8.onnx", "decoder*.onnx", "joiner*.int8.onnx"),
    "parakeet-mlx": ("config.json", "model.safetensors"),
}
"""Patterns of the files that a backend reads; nothing else is fetched."""

ESSENTIAL: dict[Backend, tuple[tuple[str, ...], ...]] = {
    "faster-whisper": (("config.json",), ("model.bin",)),
    "mlx-whisper": (("config.json",), ("weights.safetensors", "weights.npz")),
    "sherpa-onnx": (("tokens.txt",), ("encoder*.onnx",), ("decoder*.onnx",), ("joiner*.onnx",)),
    "parakeet-mlx": (("config.json",), ("model.safetensors",)),
}
"""Patterns, of each group of which one file must be there."""

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Model:
    """One set of weights for one backend."""

    name: str
    """What a person types: "large-v3-turbo", "owner/repository" or a folder."""
    backend: Backend
    repo: str
    """On the Hugging Face hub; empty for a folder."""
    bytes_about: int | None = None
    """Approximate size of the download; None where it is not known."""
    licence: str = "MIT"
    english_only: bool | None = False
    """None: known only once the model is loaded."""

    @property
    def key(self) -> str:
        return f"{self.backend}/{self.name}"

    @property
    def slug(self) -> str:
        """The name of the model's folder in the cache."""
        return re.sub(r"[^\w.-]+", "--", self.name)


# The sizes are float16's: two bytes a parameter.
_SIZES: dict[str, int] = {
    "tiny": 75 * _MB,
    "base": 145 * _MB,
    "small": 484 * _MB,
    "medium": 1530 * _MB,
    "large-v3": 3090 * _MB,
    "large-v3-turbo": 1620 * _MB,
}
_ENGLISH = ("tiny", "base", "small", "medium")
_QUANTISED = {"4bit": 0.29, "8bit": 0.54, "q4": 0.29}
"""Suffix and share of the float16 size: the bits of a weight, and a scale and bias for each group."""


def _faster_whisper() -> list[Model]:
    def one(name: str, size: int, *, english: bool) -> Model:
        repo = f"Systran/faster-whisper-{name}"
        if name == "large-v3-turbo":
            repo = "mobiuslabsgmbh/faster-whisper-large-v3-turbo"
        return Model(name, "faster-whisper", repo, size, english_only=english)

    multilingual = [one(name, size, english=False) for name, size in _SIZES.items()]
    return [one(f"{name}.en", _SIZES[name], english=True) for name in _ENGLISH] + multilingual


def _mlx_whisper() -> list[Model]:
    # Only these names were seen in use; every other repository can be named in full.
    found = [
        Model(
            f"{name}.en",
            "mlx-whisper",
            f"mlx-community/whisper-{name}.en-mlx",
            _SIZES[name],
            english_only=True,
        )
        for name in _ENGLISH
    ]
    for name, size in _SIZES.items():
        turbo = name == "large-v3-turbo"
        repo = f"mlx-community/whisper-{name}" if turbo else f"mlx-community/whisper-{name}-mlx"
        found.append(Model(name, "mlx-whisper", repo, size))
        for suffix in ("q4",) if turbo else ("4bit", "8bit"):
            smaller = int(size * _QUANTISED[suffix])
            found.append(Model(f"{name}-{suffix}", "mlx-whisper", f"{repo}-{suffix}", smaller))
    return found


def _streaming() -> list[Model]:
    zipformer = "csukuangfj/sherpa-onnx-streaming-zipformer-en-2023-06-26"
    found = [
        Model("zipformer-en", "sherpa-onnx", zipformer, 150 * _MB, licence="Apache-2.0", english_only=True)
    ]
    for version, english in (("v2", True), ("v3", False)):
        name = f"parakeet-tdt-0.6b-{version}"
        repo = f"mlx-community/{name}"
        # In float32: four bytes a parameter.
        found.append(Model(name, "parakeet-mlx", repo, 2470 * _MB, licence="CC-BY-4.0", english_only=english))
    return found


_CATALOGUE: dict[str, Model] = {
    model.key: model for model in (*_mlx_whisper(), *_faster_whisper(), *_streaming())
}


def models(backend: Backend | None = None) -> list[Model]:
    """The catalogue, small models first within a backend."""
    return [model for model in _CATALOGUE.values() if backend in (None, model.backend)]


def lookup(backend: Backend, name: str) -> Model | None:
    """The model of that name, also for an owner/repository that is not in the catalogue.

    None where the name is neither.
    """
    known = _CATALOGUE.get(f"{backend}/{name}")
    if known:
        return known
    for model in models(backend):
        if model.repo == name:
            return model
    if re.fullmatch(r"[\w.-]+/[\w.-]+", name) and ".." not in name:
        return Model(name, backend, name, licence="see the repository", english_only=None)
    return None
