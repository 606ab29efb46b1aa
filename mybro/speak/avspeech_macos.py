"""The child that holds macOS's synthesizer: one for its whole life, pumped by the main thread's run loop."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mybro.ops.child import parent_socket
from mybro.ops.frames import Header, pack, read_frame_blocking

_NATURAL_WPM = 190.0
_NATURAL_RATE = 0.5
"""AVSpeechUtteranceDefaultSpeechRate."""
_TURN_S = 0.01
_LONGEST_S = 30.0


def utterance_rate(rate_wpm: float) -> float:
    """AVSpeechUtterance's rate, 0 to 1, for words per minute."""
    return min(0.75, max(0.1, _NATURAL_RATE * rate_wpm / _NATURAL_WPM))


def to_int16(raw: bytes, is_float: bool) -> bytes:
    """Samples as they travel: 16-bit little-endian. Floats are -1 to 1."""
    if not is_float:
        return raw
    scaled = np.clip(np.frombuffer(raw, dtype=np.float32), -1.0, 1.0) * 32767.0
    return scaled.astype("<i2").tobytes()


def main(argv: Sequence[str]) -> int:
    """Speak what the parent sends until it hangs up."""
    import AVFoundation

    # A synthesizer for each sentence is known to crash; this one lives as long as the process.
    synthesizer = AVFoundation.AVSpeechSynthesizer.alloc().init()
    with parent_socket(argv) as sock:

        def send(rate: int, pcm: bytes) -> None:
            sock.sendall(pack({"sample_rate": rate}, pcm))

        while frame := read_frame_blocking(sock):
            try:
                _speak(AVFoundation, synthesizer, frame[0], send)
                sock.sendall(pack({"end": True}))
            except TimeoutError as error:
                sock.sendall(pack({"error": str(error)}))
    return 0


def _speak(av: Any, synthesizer: Any, request: Header, send: Callable[[int, bytes], None]) -> None:
    import Foundation

    utterance = av.AVSpeechUtterance.speechUtteranceWithString_(request["text"])
    utterance.setRate_(utterance_rate(request["rate_wpm"]))
    if request["voice"] and (voice := _voice(av, request["voice"])) is not None:
        utterance.setVoice_(voice)
    finished = False

    def take(buffer: Any) -> None:
        nonlocal finished
        frames = buffer.frameLength()
        if frames == 0:
            finished = True
            return
        form = buffer.format()
        is_float = form.commonFormat() == av.AVAudioPCMFormatFloat32
        channel = (buffer.floatChannelData() if is_float else buffer.int16ChannelData())[0]
        send(round(form.sampleRate()), to_int16(bytes(channel.as_buffer(frames)), is_float))

    synthesizer.writeUtterance_toBufferCallback_(utterance, take)
    until = time.monotonic() + _LONGEST_S
    loop = Foundation.NSRunLoop.currentRunLoop()
    while not finished:
        if time.monotonic() > until:
            raise TimeoutError("no end of the sentence")
        loop.runUntilDate_(Foundation.NSDate.dateWithTimeIntervalSinceNow_(_TURN_S))


def _voice(av: Any, wished: str) -> Any:
    """The installed voice of that name or identifier, or None."""
    for voice in av.AVSpeechSynthesisVoice.speechVoices():
        if wished in (voice.identifier(), voice.name()):
            return voice
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv))
