"""The files that an agent reads and writes through us: `fs/read_text_file` and `fs/write_text_file`."""

from __future__ import annotations

from pathlib import Path

from mybro.executor.acp.connection import INTERNAL, INVALID_PARAMS, NOT_FOUND, RpcError
from mybro.executor.claude.messages import Json

_MAX_BYTES = 16 * 1024 * 1024


def path_of(params: Json) -> Path:
    """The file that a request names. Raises `RpcError` where that is not an absolute path."""
    path = params.get("path")
    if not isinstance(path, str) or not Path(path).is_absolute() or "\0" in path:
        raise RpcError(INVALID_PARAMS, "path must be an absolute path")
    return Path(path)


def content_of(params: Json) -> str:
    """What a request wants written."""
    content = params.get("content")
    if not isinstance(content, str):
        raise RpcError(INVALID_PARAMS, "content must be text")
    return content


def read(params: Json) -> Json:
    """The file's text, or of it `limit` lines from line `line` (from 1) on. Raises `RpcError`."""
    path = path_of(params)
    first, limit = params.get("line"), params.get("limit")
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise RpcError(NOT_FOUND, "there is no such file") from None
    except OSError as error:
        raise RpcError(INTERNAL, f"it cannot be read: {error.strerror}") from None
    if len(raw) > _MAX_BYTES:
        raise RpcError(INTERNAL, "the file is too large")
    text = raw.decode("utf-8", "replace")
    if isinstance(first, int) or isinstance(limit, int):
        begin = max(first - 1, 0) if isinstance(first, int) else 0
        end = begin + max(limit, 0) if isinstance(limit, int) else None
        text = "".join(text.splitlines(keepends=True)[begin:end])
    return {"content": text}


def write(params: Json) -> Json:
    """Write the file, and the folders that it lacks. Raises `RpcError`."""
    path, content = path_of(params), content_of(params)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise RpcError(INTERNAL, f"it cannot be written: {error.strerror}") from None
    return {}
