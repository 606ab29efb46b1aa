"""Recordings: FLAC files beside the database. Everything here blocks; the journal calls it off the loop."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from mybro.errors import JournalError
from mybro.events import SAMPLE_RATE, AudioBlock
from mybro.journal import faults
from mybro.journal.place import sync_folder


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording on disk."""

    path: str
    """Relative to the recordings' folder."""
    sha256: str


def flac(audio: AudioBlock) -> bytes:
    """The samples as a FLAC file: mono, 16 bits, SAMPLE_RATE. Raises `JournalError`."""
    try:
        import numpy as np
        import soundfile

        buffer = io.BytesIO()
        samples = np.frombuffer(audio.pcm, dtype="<i2")
        soundfile.write(buffer, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    except (ImportError, OSError, RuntimeError) as error:  # also: no libsndfile for this machine
        raise JournalError(
            "no_flac", f"recordings cannot be kept ({type(error).__name__})",
            hint="Install libsndfile, or set journal.keep_audio to false",
        ) from error  # fmt: skip
    return buffer.getvalue()


def warm_up() -> None:
    """Load the encoder, so that the first recording does not wait for it."""
    flac(AudioBlock(0, bytes(2)))


def keep(folder: Path, path: str, audio: AudioBlock) -> Sound:
    """Write a recording; once this returns, it survives a power cut. Raises `JournalError`.

    It appears whole or not at all. On macOS `fsync` reaches the drive's cache, and the full flush of the
    database's commit that follows empties that cache, this file included.
    """
    data = flac(audio)
    target = folder / path
    part = target.with_suffix(f".{threading.get_ident()}.part")
    try:
        if not target.parent.is_dir():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            sync_folder(folder)
        handle = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with open(handle, "wb") as file:  # noqa: PTH123 - from a descriptor, for its permissions
            file.write(data)
            file.flush()
            os.fsync(handle)
        part.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise faults.from_os(error, target) from None
    return Sound(path, hashlib.sha256(data).hexdigest())


def load(path: Path, sha256: str | None = None) -> AudioBlock:
    """A recording's samples, from index 0. Raises `JournalError` where it is gone or not what was kept."""
    import soundfile

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise JournalError("recording_gone", "the recording is no longer there") from None
    except OSError as error:
        raise faults.from_os(error, path) from None
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise JournalError("recording_damaged", f"{path} is not the recording that was kept")
    try:
        samples, _ = soundfile.read(io.BytesIO(data), dtype="int16")
    except soundfile.LibsndfileError:
        raise JournalError("recording_damaged", f"{path} cannot be read as sound") from None
    return AudioBlock(0, samples.astype("<i2").tobytes())


def erase(folder: Path, path: str) -> None:
    """Remove a recording, and its folder with the last one. One that is gone already is no error."""
    target = folder / path
    try:
        target.unlink(missing_ok=True)
        if not any(target.parent.iterdir()):
            target.parent.rmdir()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise faults.from_os(error, target) from None
