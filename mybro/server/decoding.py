"""Recordings of clients are decoded in a process of its own: what breaks a codec does not break the session.

`python -m mybro.server.decoding` takes a file on standard input and gives samples, or an error as JSON,
behind a line that says which.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
import wave

from mybro.errors import ServerError
from mybro.server import sound

LIMIT_S = 60.0
"""An hour of sound takes a tenth of this."""
MEMORY_BYTES = 2 << 30
_OK, _FAILED = b"ok\n", b"failed\n"


async def decoded(content: bytes) -> bytes:
    """Mono 16-bit samples at 16 kHz of a recording in any container that is known. Raises `ServerError`."""
    if not content:
        raise ServerError("empty_sound", "the file is empty")
    if sound.kind_of(content) == "wav" and (pcm := _plain_wav(content)) is not None:
        return pcm
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mybro.server.decoding",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LIMIT_S):
            answer, _ = await child.communicate(content)
    except TimeoutError:
        raise ServerError("unreadable_sound", "the file took too long to read") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    return _answered(answer)


def _answered(answer: bytes) -> bytes:
    if answer.startswith(_OK):
        return answer[len(_OK) :]
    if answer.startswith(_FAILED):
        found = json.loads(answer[len(_FAILED) :])
        raise ServerError(found["code"], found["message"], hint=found["hint"])
    raise ServerError("unreadable_sound", "the file is damaged", hint="Record it again")


def _plain_wav(content: bytes) -> bytes | None:
    """The samples of a WAV that has them just as they are needed."""
    try:
        with wave.open(io.BytesIO(content)) as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            if form != (1, 2, sound.RATE) or file.getnframes() > sound.LONGEST_S * sound.RATE:
                return None
            pcm = file.readframes(file.getnframes())
    except (wave.Error, EOFError):
        return None
    return pcm[: len(pcm) & ~1] or None


def main() -> None:
    _be_modest()
    content = sys.stdin.buffer.read()
    try:
        answer = _OK + sound.decode(content)
    except ServerError as error:
        told = {"code": error.code, "message": error.message, "hint": error.hint}
        answer = _FAILED + json.dumps(told).encode()
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()


def _be_modest() -> None:
    """No more memory and time than a recording can need."""
    import resource

    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (int(LIMIT_S), int(LIMIT_S)))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if sys.platform == "linux":
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    main()
