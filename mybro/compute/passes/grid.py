"""Sizes of grids, and constants as bytes."""

from __future__ import annotations

import struct

THREADS = 256
"""Of a threadgroup: eight simdgroups, which every Apple GPU can hold."""


def groups_for(count: int, each: int) -> int:
    """How many threadgroups `count` elements make, `each` elements to a threadgroup; at least one."""
    return max(1, -(-count // each))


def pack(layout: str, *values: float) -> bytes:
    """Constants as a kernel reads them, in the struct module's letters."""
    return struct.pack("<" + layout, *values)
