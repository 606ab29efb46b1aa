"""Which weights this machine has: a folder, mybro's cache, an installed package, or the hub's own cache."""

from __future__ import annotations

import difflib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mybro.errors import ModelError
from mybro.models import package
from mybro.models.catalogue import ESSENTIAL, Backend, Model, lookup, models
from mybro.models.files import (
    MANIFEST,
    faults,
    folder_of,
    locked,
    models_dir,
    pins_of,
    read_manifest,
    storing,
)

Origin = Literal["folder", "cache", "package", "hub"]


@dataclass(frozen=True, slots=True)
class Weights:
    """A model's files on this machine."""

    model: Model
    path: Path
    """The folder that holds them."""
    origin: Origin


def holds_weights(folder: Path, backend: Backend) -> bool:
    """Whether a folder has what a backend needs to load."""
    return all(any(any(folder.glob(name)) for name in group) for group in ESSENTIAL[backend])


def find(model: Model) -> Weights | None:
    """The model's weights if this machine has them; fetches and converts nothing."""
    own = folder_of(model)
    packaged = package.folder(model)
    if packaged:
        return Weights(model, packaged, "package")
    if (own / MANIFEST).is_file() and holds_weights(own, model.backend):
        return Weights(model, own, "cache")
    shared = shared_folder(model)
    if shared and holds_weights(shared, model.backend):
        return Weights(model, shared, "hub")
    return None


def resolve(backend: Backend, name: str) -> Weights:
    """The weights to load for a name, a hub repository or a folder.

    Raises `ModelError`: unknown_model, no_weights, model_missing (it can be fetched), package_damaged.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not holds_weights(folder, backend):
            raise ModelError(
                "no_weights", f"{folder} holds no weights for {backend}", hint="Name another folder"
            )
        return Weights(Model(name, backend, "", english_only=None), folder.resolve(), "folder")
    if name.startswith((".", "/", "~")):
        raise ModelError("no_weights", f"there is no folder {name}", hint="See: mybro models list")
    model = named(backend, name)
    found = find(model)
    if found is None:
        raise ModelError(
            "model_missing",
            f"the speech model {model.name} is not on this machine",
            hint=f"Get it: mybro models fetch {model.name} --backend {backend}",
        )
    if found.origin == "package":
        found = Weights(model, package.prepare(model), "package")
    manifest = read_manifest(found.path)
    wrong = faults(found.path, pins_of(manifest), sizes_only=True) if manifest else []
    if wrong:
        raise ModelError(
            "model_damaged",
            f"the speech model {model.name} is damaged: {', '.join(wrong)}",
            hint=f"Remove it and it is made anew: mybro models remove {model.name} --backend {backend}",
        )
    return found


def named(backend: Backend, name: str) -> Model:
    """The model of that name. Raises `ModelError` with the nearest names."""
    model = lookup(backend, name)
    if model is None:
        near = difflib.get_close_matches(name, [model.name for model in models(backend)], n=3, cutoff=0.4)
        hint = f"Did you mean {' or '.join(near)}?" if near else "See: mybro models list"
        raise ModelError("unknown_model", f"{backend} has no model named {name}", hint=hint)
    return model


def verify(weights: Weights) -> list[str]:
    """What is wrong with the files, by size and sha256; empty if they are whole.

    Raises `ModelError` where there is nothing to compare with.
    """
    manifest = read_manifest(weights.path)
    if manifest is not None:
        return faults(weights.path, pins_of(manifest))
    if weights.origin == "package":
        source = package.packaged_folder()
        return faults(source, package.PINS) if source else ["the package is not installed"]
    raise ModelError(
        "not_verifiable",
        f"nothing is known about the files in {weights.path}",
        hint="Only what mybro fetched or came as a package can be verified",
    )


def remove(weights: Weights) -> int:
    """Delete a model from mybro's store; returns the bytes freed.

    Raises `ModelError` for what is not mybro's.
    """
    own = folder_of(weights.model)
    if weights.origin in ("folder", "hub") or not own.is_dir():
        where = {
            "package": f"it belongs to the package: pip uninstall {package.REQUIREMENT.partition('=')[0]}",
            "hub": f"other programs use it too: it lies in {weights.path}",
            "folder": "it is a folder of your own",
        }
        hint = where.get(weights.origin, "")
        raise ModelError("not_ours", f"mybro does not remove {weights.model.name}", hint=hint)
    with locked(own), storing():
        size = size_of(own)
        # The manifest goes first: from then on the folder does not count.
        (own / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(own)
    return size


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def shared_folder(model: Model) -> Path | None:
    """The model in the cache that the hub's programs on this machine share; None if it is not there."""
    if not model.repo:
        return None
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    repo = cache / f"models--{model.repo.replace('/', '--')}"
    try:
        revision = (repo / "refs" / "main").read_text().strip()
    except OSError:
        return None
    snapshot = repo / "snapshots" / revision
    return snapshot if snapshot.is_dir() else None


def installed() -> list[Weights]:
    """Everything in mybro's store that a fetch has finished, also what the catalogue does not list."""
    found = []
    for note in sorted(models_dir().glob(f"*/*/{MANIFEST}")):
        manifest = read_manifest(note.parent) or {}
        model = lookup(manifest.get("backend", ""), manifest.get("name", ""))
        if model:
            found.append(Weights(model, note.parent, "cache"))
    return found
