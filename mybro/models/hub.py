"""Weights from the Hugging Face hub."""

from __future__ import annotations

import os
from pathlib import Path

from mybro.models.catalogue import Model

MANIFEST = "mybro-model.json"
"""Beside fetched weights: which files there are, with sizes and sha256. Written last."""


def is_complete(folder: Path) -> bool:
    """Whether a fetch into `folder` ran to its end."""
    return (folder / MANIFEST).is_file()


def shared_folder(model: Model) -> Path | None:
    """The model in the cache that programs on this machine share; None if it is not there."""
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
