"""Length-prefixed frames: a JSON header and raw bytes, as children and parent exchange them."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any

Header = dict[str, Any]
_LENGTHS = struct.Struct("<II")
MAX_FRAME_BYTES = 256 * 1024 * 1024


def pack(header: Header, payload: bytes = b"") -> bytes:
    """One frame: two little-endian 32-bit lengths, the header as UTF-8 JSON, the payload."""
    head = json.dumps(header, separators=(",", ":")).encode()
    return _LENGTHS.pack(len(head), len(payload)) + head + payload


def _lengths(raw: bytes) -> tuple[int, int]:
    head, body = _LENGTHS.unpack(raw)
    if head + body > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {head + body} bytes is larger than {MAX_FRAME_BYTES}")
    return head, body


async def read_frame(reader: asyncio.StreamReader) -> tuple[Header, bytes] | None:
    """The next frame, or None at the end of the stream (also in the middle of a frame)."""
    try:
        head, body = _lengths(await reader.readexactly(_LENGTHS.size))
        return json.loads(await reader.readexactly(head)), await reader.readexactly(body)
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return None


def read_frame_blocking(sock: socket.socket) -> tuple[Header, bytes] | None:
    """The same for a thread without a loop."""
    raw = _read_exactly(sock, _LENGTHS.size)
    if raw is None:
        return None
    head, body = _lengths(raw)
    header, payload = _read_exactly(sock, head), _read_exactly(sock, body)
    return None if header is None or payload is None else (json.loads(header), payload)


def _read_exactly(sock: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        try:
            part = sock.recv(min(count - len(parts), 1 << 20))
        except (ConnectionResetError, BrokenPipeError):
            return None
        if not part:
            return None
        parts += part
    return bytes(parts)
