"""Where weights are on this machine: a folder, mybro's cache, an installed package, the hub's own cache."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mybro.config import cache_dir
from mybro.errors import ModelError
from mybro.models import hub, package
from mybro.models.catalogue import WEIGHT_FILES, Backend, Model, lookup, models

Origin = Literal["folder", "cache", "package", "hub"]


@dataclass(frozen=True, slots=True)
class Weights:
    """A model's files on this machine."""

    model: Model
    path: Path
    """The folder that holds them."""
    origin: Origin


def models_dir() -> Path:
    """mybro's own store of weights."""
    return cache_dir() / "models"


def folder_of(model: Model) -> Path:
    """Where mybro keeps a model, whether it is there or not."""
    return models_dir() / model.backend / model.slug


def holds_weights(folder: Path, backend: Backend) -> bool:
    """Whether a folder has what a backend needs to load."""
    if backend == "faster-whisper":
        return (folder / "model.bin").is_file()
    names = [name for name in WEIGHT_FILES[backend] if name.startswith(("weights", "model"))]
    return (folder / "config.json").is_file() and any((folder / name).is_file() for name in names)


def find(model: Model) -> Weights | None:
    """The model's weights if this machine has them; fetches nothing."""
    own = folder_of(model)
    if hub.is_complete(own) and holds_weights(own, model.backend):
        return Weights(model, own, "cache")
    packaged = package.folder(model)
    if packaged:
        return Weights(model, packaged, "package")
    shared = hub.shared_folder(model)
    if shared and holds_weights(shared, model.backend):
        return Weights(model, shared, "hub")
    return None


def resolve(backend: Backend, name: str) -> Weights:
    """The weights to load for a name, a hub repository or a folder.

    Raises `ModelError`: unknown_model, model_missing (it can be fetched) or a damaged package.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not holds_weights(folder, backend):
            raise ModelError(
                "no_weights", f"{folder} holds no weights for {backend}", hint="Name another folder"
            )
        return Weights(Model(name, backend, "", english_only=None), folder, "folder")
    model = named(backend, name)
    found = find(model)
    if found is None:
        raise ModelError(
            "model_missing",
            f"the speech model {model.name} is not on this machine",
            hint=f"Get it with: mybro models fetch {model.name} --backend {backend}",
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
