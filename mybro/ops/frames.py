"""Length-prefixed frames: a JSON header and raw bytes, as children and parent exchange them."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # A child that has no loop of its own starts sooner without it.
    import asyncio
    import socket

Header = dict[str, Any]
_LENGTHS = struct.Struct("<II")
MAX_FRAME_BYTES = 256 * 1024 * 1024


def pack(header: Header, payload: bytes = b"") -> bytes:
    """One frame: two little-endian 32-bit lengths, the header as UTF-8 JSON, the payload.

    Raises `ValueError` for a frame above MAX_FRAME_BYTES, which no reader would take.
    """
    head = json.dumps(header, separators=(",", ":")).encode()
    _check(len(head), len(payload))
    return _LENGTHS.pack(len(head), len(payload)) + head + payload


async def read_frame(reader: asyncio.StreamReader) -> tuple[Header, bytes] | None:
    """The next frame, or None at the end of the stream (also in the middle of a frame).

    Raises `ValueError` for bytes that are no frame.
    """
    try:
        head, body = _lengths(await reader.readexactly(_LENGTHS.size))
        return _header(await reader.readexactly(head)), await reader.readexactly(body)
    except (EOFError, ConnectionError):
        return None


def read_frame_blocking(sock: socket.socket) -> tuple[Header, bytes] | None:
    """The same for a thread without a loop."""
    raw = _read_exactly(sock, _LENGTHS.size)
    if raw is None:
        return None
    head, body = _lengths(raw)
    header, payload = _read_exactly(sock, head), _read_exactly(sock, body)
    return None if header is None or payload is None else (_header(header), payload)


def _check(head: int, body: int) -> None:
    if head + body > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {head + body} bytes is larger than {MAX_FRAME_BYTES}")


def _lengths(raw: bytes) -> tuple[int, int]:
    head, body = _LENGTHS.unpack(raw)
    _check(head, body)
    return head, body


def _header(raw: bytes) -> Header:
    header = json.loads(raw)
    if not isinstance(header, dict):
        raise ValueError("a frame's header is not a JSON object")
    return header


def _read_exactly(sock: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        try:
            part = sock.recv(min(count - len(parts), 1 << 20))
        except ConnectionError:
            return None
        if not part:
            return None
        parts += part
    return bytes(parts)
