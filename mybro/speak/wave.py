"""Sound that is still being written, as samples."""

from __future__ import annotations

import struct

from mybro.errors import SpeakError

_LARGEST_HEADER = 64 * 1024


class SampleStream:
    """Takes bytes as they come and gives mono 16-bit samples: from a WAV, or raw where that is allowed.

    The sizes in a WAV's header are not believed: who streams one does not know them yet.
    """

    def __init__(self, raw_rate: int = 0) -> None:
        """`raw_rate` in hertz is that of bytes without a header; 0 insists on a WAV."""
        self.sample_rate = raw_rate
        """Hertz; certain once `feed` has given samples."""
        self._raw_allowed = raw_rate > 0
        self._pending = b""
        self._in_data = False

    def feed(self, raw: bytes) -> bytes:
        """Whole samples, as far as they have come. Raises `SpeakError` where it is no such sound."""
        self._pending += raw
        if not self._in_data:
            self._in_data = self._skip_header()
        if not self._in_data:
            return b""
        whole = len(self._pending) & ~1
        samples, self._pending = self._pending[:whole], self._pending[whole:]
        return samples

    def _skip_header(self) -> bool:
        head = self._pending
        if len(head) < 12:
            return False
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            if not self._raw_allowed:
                raise SpeakError("bad_sound", "the voice gave something that is not a WAV")
            return True
        at = 12
        while len(head) >= at + 8:
            name, size = head[at : at + 4], struct.unpack_from("<I", head, at + 4)[0]
            if name == b"data":
                self._pending = head[at + 8 :]
                return True
            if len(head) < at + 8 + size:
                break
            if name == b"fmt ":
                self._read_format(head[at + 8 : at + 8 + size])
            at += 8 + size + size % 2
        if len(head) > _LARGEST_HEADER:
            raise SpeakError("bad_sound", "the voice gave a WAV without samples")
        return False

    def _read_format(self, body: bytes) -> None:
        if len(body) < 16:
            raise SpeakError("bad_sound", "the voice gave a damaged WAV")
        _, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
        if (channels, bits) != (1, 16) or rate == 0:
            raise SpeakError("bad_sound", f"the voice gave {channels} channels of {bits} bits, not one of 16")
        self.sample_rate = rate
