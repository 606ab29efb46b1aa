"""Sound as clients send and want it: containers and codecs to 16 kHz samples, and back."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from typing import Any, Literal

from mybro.errors import ServerError

RATE = 16_000
LONGEST_S = 3600.0
"""Of a recording that is sent in."""

Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]

_MAGIC: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"WAVE", "wav"),
    (lambda head: head[:4] == b"fLaC", "flac"),
    (lambda head: head[:4] == b"OggS", "ogg"),
    (lambda head: head[:4] == b"\x1aE\xdf\xa3", "matroska"),
    (lambda head: head[:3] == b"ID3", "mp3"),
    (lambda head: head[4:8] == b"ftyp", "mp4"),
    (lambda head: head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE6 == 0xE2, "mp3"),
)
_CODECS: dict[str, tuple[str, str, str, int]] = {
    "mp3": ("mp3", "libmp3lame", "audio/mpeg", 24_000),
    "opus": ("ogg", "libopus", "audio/ogg", 48_000),
    "aac": ("adts", "aac", "audio/aac", 24_000),
    "flac": ("flac", "flac", "audio/flac", 24_000),
}
"""Container, codec, media type and a rate that all of them know."""

MEDIA_TYPES: dict[str, str] = {
    "wav": "audio/wav", "pcm": "audio/pcm", **{name: codec[2] for name, codec in _CODECS.items()}
}  # fmt: skip


def kind_of(content: bytes) -> str:
    """FFmpeg's name of the container. Raises `ServerError` unreadable_sound.

    Only what is known here is opened: other containers may name files and addresses to read from.
    """
    head = content[:12]
    for fits, name in _MAGIC:
        if fits(head):
            return name
    raise ServerError(
        "unreadable_sound",
        "this is no sound that is taken here",
        hint="Send WebM, WAV, FLAC, MP3, OGG or M4A",
    )


def decode(content: bytes, longest_s: float = LONGEST_S) -> bytes:
    """Mono 16-bit samples at 16 kHz. Blocks: call it in a thread.

    Raises `ServerError`: unreadable_sound, empty_sound, sound_too_long.
    """
    if not content:
        raise ServerError("empty_sound", "the file is empty")
    kind = kind_of(content)
    import av

    most, pcm = int(longest_s * RATE) * 2, bytearray()
    try:
        with av.open(io.BytesIO(content), format=kind) as container:
            if not container.streams.audio:
                raise ServerError("empty_sound", "there is no sound in the file")
            for part in _resampled(av, container):
                pcm += part
                if len(pcm) > most:
                    raise ServerError("sound_too_long", f"a recording may last {longest_s:.0f} s")
    except (av.FFmpegError, ValueError) as error:
        if not pcm:
            message = f"the file is damaged ({type(error).__name__})"
            raise ServerError("unreadable_sound", message, hint="Record it again") from None
    if not pcm:
        raise ServerError("empty_sound", "there is no sound in the file")
    return bytes(pcm)


def _resampled(av: Any, container: Any) -> Iterator[bytes]:
    resampler = av.AudioResampler("s16", "mono", RATE)
    for frame in container.decode(audio=0):
        frame.pts = None
        for out in resampler.resample(frame):
            yield out.to_ndarray().tobytes()
    for out in resampler.resample(None):
        yield out.to_ndarray().tobytes()


def encode(pcm: bytes, rate: int, wanted: Format) -> bytes:
    """Mono 16-bit samples in a container. Blocks: call it in a thread."""
    if wanted == "wav":
        return wav(pcm, rate)
    import av
    import numpy as np

    if wanted == "pcm":
        # As OpenAI has it: raw samples at 24 kHz.
        return b"".join(_at_rate(av, np, pcm, rate, 24_000, "s16"))
    container_name, codec, _, target = _CODECS[wanted]
    file = io.BytesIO()
    with av.open(file, "w", format=container_name) as container:
        stream: Any = container.add_stream(codec, rate=target, layout="mono")
        for frame in _frames(av, np, pcm, rate, target, stream.format.name, stream.frame_size):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _frames(
    av: Any, np: Any, pcm: bytes, rate: int, target: int, sample_format: str, size: int | None = None
) -> Iterator[Any]:
    resampler = av.AudioResampler(sample_format, "mono", target, frame_size=size or None)
    samples = np.frombuffer(pcm, "<i2")
    for start in range(0, len(samples), rate):
        block = np.ascontiguousarray(samples[start : start + rate].reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
        frame.sample_rate = rate
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _at_rate(av: Any, np: Any, pcm: bytes, rate: int, target: int, sample_format: str) -> Iterator[bytes]:
    for frame in _frames(av, np, pcm, rate, target, sample_format):
        yield frame.to_ndarray().tobytes()


def wav(pcm: bytes, rate: int) -> bytes:
    """A WAV file of mono 16-bit samples."""
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * 2, 2, 16)
    return (
        b"RIFF" + struct.pack("<I", 36 + len(pcm)) + b"WAVEfmt " + form
        + b"data" + struct.pack("<I", len(pcm)) + pcm
    )  # fmt: skip
