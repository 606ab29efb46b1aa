"""Fetching weights from the Hugging Face hub: resumable, with sizes and sha256 checked.

Plain HTTP: the hub's own library no longer keeps what an interrupted download has got.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mybro import __version__
from mybro.errors import ModelError
from mybro.models.catalogue import ESSENTIAL, WEIGHT_FILES, Backend, Model
from mybro.models.files import Pin, folder_of, locked, measure, put, storing, write_manifest
from mybro.models.store import Weights, named

if TYPE_CHECKING:
    import httpx

HUB = "https://huggingface.co"
TRIES = 5
"""Without a byte received in between."""
REVISION = ".revision"
_CHUNK = 1 << 18
_REPORT_S = 0.1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is."""

    model: Model
    done: int
    """Bytes on this machine, those of an earlier try included."""
    total: int


Report = Callable[[Progress], None]


def fetch(
    model: Model, report: Report | None = None, *, wait: Callable[[float], None] = time.sleep
) -> Weights:
    """Download a model into mybro's store; goes on where an earlier download stopped.

    Blocks, for minutes. Raises `ModelError`; what has been received stays for the next try.
    """
    if not model.repo:
        raise ModelError("not_on_hub", f"{model.name} is a folder and cannot be fetched")
    target = folder_of(model)
    partial = target.with_name(f".{target.name}.partial")
    with locked(target), _client() as client, storing():
        revision, pins = _listing(client, model)
        _keep_only(partial, revision)
        _check_room(partial, pins)
        meter = _Meter(model, sum(pin.size for pin in pins.values()), report)
        for name, pin in pins.items():
            _download(client, f"/{model.repo}/resolve/{revision}/{name}", partial / name, pin, meter, wait)
        meter.tell(last=True)
        (partial / REVISION).unlink()
        held = measure(partial)
        wrong = [name for name, pin in pins.items() if held[name] != (pin if pin.sha256 else held[name])]
        if wrong:
            # What is damaged cannot be gone on from.
            shutil.rmtree(partial)
            raise ModelError(
                "download_damaged",
                f"what was received of {model.name} is damaged: {', '.join(wrong)}",
                hint="Try again",
                retryable=True,
            )
        write_manifest(partial, model, held, source=f"{model.repo}@{revision}")
        if target.is_dir():
            shutil.rmtree(target)
        put(partial, target)
    return Weights(model, target, "cache")


def fetcher(report: Report | None = None) -> Callable[[Backend, str], Weights]:
    """`fetch` for a backend and a name, as transcription asks for weights that are missing."""
    return lambda backend, name: fetch(named(backend, name), report)


def _client() -> httpx.Client:
    import httpx

    token = os.environ.get("HF_TOKEN")
    return httpx.Client(
        base_url=os.environ.get("HF_ENDPOINT") or HUB,
        headers={"User-Agent": f"mybro/{__version__}"}
        | ({"Authorization": f"Bearer {token}"} if token else {}),
        follow_redirects=True,
        timeout=httpx.Timeout(30.0, connect=10.0),
    )


def _listing(client: httpx.Client, model: Model) -> tuple[str, dict[str, Pin]]:
    """The newest revision, and what its files must be."""
    import httpx

    try:
        answer = client.get(f"/api/models/{model.repo}", params={"blobs": "true"})
    except httpx.HTTPError as error:
        raise _unreachable(error) from error
    _check_status(answer.status_code, model.repo)
    try:
        info: dict[str, Any] = answer.json()
        pins = {
            entry["rfilename"]: Pin(int(entry["size"]), (entry.get("lfs") or {}).get("sha256", ""))
            for entry in info["siblings"]
            if _is_needed(entry["rfilename"], model)
        }
        revision = str(info["sha"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError("hub_answer_odd", "the hub's answer cannot be understood", retryable=True) from error
    weights = ESSENTIAL[model.backend][-1]
    if not any(fnmatch.fnmatch(name, pattern) for name in pins for pattern in weights):
        raise ModelError(
            "no_weights",
            f"{model.repo} holds no weights that {model.backend} reads",
            hint=f"It needs one of: {', '.join(WEIGHT_FILES[model.backend])}",
        )
    return revision, pins


def _is_needed(name: str, model: Model) -> bool:
    # A name with a folder in it could lead anywhere.
    return "/" not in name and any(fnmatch.fnmatch(name, pattern) for pattern in WEIGHT_FILES[model.backend])


def _keep_only(partial: Path, revision: str) -> None:
    """Make the folder of what was received; forget what belongs to another revision."""
    note = partial / REVISION
    if not note.is_file() or note.read_text() != revision:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        note.write_text(revision)


def _check_room(partial: Path, pins: dict[str, Pin]) -> None:
    have = sum((partial / name).stat().st_size for name in pins if (partial / name).is_file())
    need = sum(pin.size for pin in pins.values()) - have
    free = shutil.disk_usage(partial).free
    if need > free:
        raise ModelError(
            "disk_full",
            f"{need / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free",
            hint="Make room, or set MYBRO_CACHE_DIR to a folder on another disk",
        )


class _Meter:
    """Counts bytes and tells of them, a few times a second."""

    def __init__(self, model: Model, total: int, report: Report | None) -> None:
        self._model, self._total, self._report = model, total, report
        self._done = 0
        self._told = 0.0

    def add(self, count: int) -> None:
        self._done += count
        if time.monotonic() - self._told > _REPORT_S:
            self.tell()

    def tell(self, *, last: bool = False) -> None:
        self._told = time.monotonic()
        if self._report:
            self._report(Progress(self._model, self._total if last else self._done, self._total))


def _download(
    client: httpx.Client, url: str, path: Path, pin: Pin, meter: _Meter, wait: Callable[[float], None]
) -> None:
    """Append to `path` what is missing of it."""
    import httpx

    have = path.stat().st_size if path.is_file() else 0
    if have > pin.size:
        path.unlink()
        have = 0
    meter.add(have)
    failures = 0
    while have < pin.size:
        try:
            for count in _receive(client, url, path, have):
                have += count
                meter.add(count)
                failures = 0
            if have < pin.size:
                raise httpx.ReadError("the connection ended early")
        except httpx.HTTPError as error:
            failures += 1
            if failures >= TRIES:
                raise _unreachable(error) from error
            wait(min(0.5 * 2**failures, 8.0))
            have = _size_after(path, have, meter)
    if pin.size == 0:
        path.touch()


def _receive(client: httpx.Client, url: str, path: Path, have: int) -> Iterator[int]:
    """Append the rest of a file, yielding the bytes of each piece; negative where it had to begin anew."""
    # Compressed, a range would not be one of the file.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=headers) as answer:
        _check_status(answer.status_code, url)
        path.parent.mkdir(parents=True, exist_ok=True)
        if answer.status_code != 206 and have:
            yield -have
            path.unlink()
        with path.open("ab") as file:
            for piece in answer.iter_bytes(_CHUNK):
                file.write(piece)
                yield len(piece)


def _size_after(path: Path, counted: int, meter: _Meter) -> int:
    """What really is on the disk after a failure."""
    size = path.stat().st_size if path.is_file() else 0
    meter.add(size - counted)
    return size


def _check_status(status: int, what: str) -> None:
    if status < 400:
        return
    if status in (401, 403):
        raise ModelError(
            "hub_refuses",
            f"the hub does not give out {what}",
            hint="If it needs an account, set HF_TOKEN; else check the name",
        )
    if status == 404:
        raise ModelError("hub_unknown", f"the hub has no {what}", hint="Check the name")
    raise ModelError("hub_failed", f"the hub answered with status {status}", hint="Try later", retryable=True)


def _unreachable(error: Exception) -> ModelError:
    return ModelError(
        "hub_unreachable",
        f"the hub cannot be reached ({type(error).__name__})",
        hint="Check the connection and try again; what was received is kept",
        retryable=True,
    )
