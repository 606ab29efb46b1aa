"""Folders of weights: where they are, what is in them, and how they come into place at once or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mybro.config import cache_dir
from mybro.errors import ModelError
from mybro.models.catalogue import Model

MANIFEST = "mybro-model.json"
"""Which files there are, with sizes and sha256. Without it a folder in the store does not count."""


@dataclass(frozen=True, slots=True)
class Pin:
    """What a file must be."""

    size: int
    """Bytes."""
    sha256: str
    """Hexadecimal; empty where only the size is known."""


def models_dir() -> Path:
    """mybro's own store of weights."""
    return cache_dir() / "models"


def folder_of(model: Model) -> Path:
    """Where mybro keeps a model, whether it is there or not."""
    return models_dir() / model.backend / model.slug


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def faults(folder: Path, pins: dict[str, Pin], *, sizes_only: bool = False) -> list[str]:
    """What is wrong with the files of a folder, each in a few words; empty if they are whole."""
    wrong = []
    for name, pin in pins.items():
        try:
            size = (folder / name).stat().st_size
            if size != pin.size:
                wrong.append(f"{name} has {size} bytes instead of {pin.size}")
            elif pin.sha256 and not sizes_only and sha256_of(folder / name) != pin.sha256:
                wrong.append(f"{name} has another sha256")
        except FileNotFoundError:
            wrong.append(f"{name} is missing")
        except OSError as error:
            wrong.append(f"{name} cannot be read: {error.strerror}")
    return wrong


def measure(folder: Path) -> dict[str, Pin]:
    """Size and sha256 of every file in a folder."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    return {name: Pin((folder / name).stat().st_size, sha256_of(folder / name)) for name in names}


def write_manifest(folder: Path, model: Model, pins: dict[str, Pin], *, source: str) -> None:
    """Say what the files of `folder` must be from now on; `source` tells where they are from."""
    manifest = {
        "name": model.name,
        "backend": model.backend,
        "repo": model.repo,
        "source": source,
        "files": {name: {"bytes": pin.size, "sha256": pin.sha256} for name, pin in pins.items()},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a folder in the store; None where there is none that can be read."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        return manifest if isinstance(manifest, dict) else None
    except (OSError, ValueError):
        return None


def pins_of(manifest: dict[str, Any]) -> dict[str, Pin]:
    return {name: Pin(entry["bytes"], entry["sha256"]) for name, entry in manifest["files"].items()}


@contextlib.contextmanager
def building(target: Path) -> Iterator[Path]:
    """An empty folder that becomes `target` when the block ends well, and vanishes when it does not.

    If another process has put `target` in place meanwhile, that one stays.
    """
    with storing():
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            yield draft
            put(draft, target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def put(draft: Path, target: Path) -> None:
    """Give a finished folder its name; one of that name that is whole stays, and the draft is left alone."""
    draft.chmod(0o755)
    try:
        draft.rename(target)
    except OSError:
        if not (target / MANIFEST).is_file():
            raise


@contextlib.contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the right to change `target`; the kernel takes it back if this process dies.

    Raises `ModelError` where another process holds it.
    """
    with storing():
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(target.parent / f".{target.name}.lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelError(
                "model_busy",
                f"another program is changing {target.name} at this moment",
                hint="Try again when it has finished",
                retryable=True,
            ) from None
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def storing() -> Iterator[None]:
    """Turn what a disk can answer into a `ModelError`."""
    try:
        yield
    except OSError as error:
        raise ModelError(
            "store_unusable",
            f"the store of speech models cannot be written: {error.strerror or error}",
            hint=f"Make room or mend {models_dir()}, or set MYBRO_CACHE_DIR to another folder",
        ) from error
