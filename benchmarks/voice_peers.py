"""The other ears: raw sound on standard input as it is spoken, one text a line on standard output.

    python voice_peers.py serial MODEL_FOLDER
    python voice_peers.py realtimestt MODEL_FOLDER SILERO_ONNX

"ready" comes first. The file imports nothing of mybro: RealtimeSTT's own environment runs it, too.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

RATE = 16_000
BLOCK = RATE // 50
SILENCE_S = 0.8
ONSET_S = 0.1


def tell(text: str, until: int) -> None:
    """A text, and how many samples had come in when its end was decided."""
    line = json.dumps({"text": text, "at": time.time_ns(), "until": until})
    sys.__stdout__.write(line + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


def serial(folder: str) -> None:
    """WebRTC VAD, a fixed silence, then faster-whisper with its defaults: one after the other."""
    import numpy as np
    import webrtcvad
    from faster_whisper import WhisperModel

    model = WhisperModel(folder, device="cpu")
    detector = webrtcvad.Vad(3)

    def transcribe(pcm: bytes) -> str:
        sound = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
        return " ".join(part.text.strip() for part in model.transcribe(sound)[0])

    transcribe(bytes(2 * RATE))
    print("ready", flush=True)
    before, heard, voiced, quiet, fed = b"", b"", 0.0, 0.0, 0
    while len(block := sys.stdin.buffer.read(2 * BLOCK)) == 2 * BLOCK:
        fed += BLOCK
        speaks = detector.is_speech(block, RATE)
        if not heard:
            before = (before + block)[-RATE:]
            voiced = voiced + BLOCK / RATE if speaks else 0.0
            if voiced >= ONSET_S:
                heard, quiet = before, 0.0
            continue
        heard += block
        quiet = 0.0 if speaks else quiet + BLOCK / RATE
        if quiet >= SILENCE_S:
            text = transcribe(heard)
            before, heard, voiced = b"", b"", 0.0
            if text.strip():
                tell(text, fed)


def realtimestt(folder: str, silero: str) -> None:
    """`AudioToTextRecorder` with its defaults, fed as its documentation has it."""
    from RealtimeSTT import AudioToTextRecorder  # type: ignore[import-not-found]

    fed = ended = 0

    def stopped() -> None:
        nonlocal ended
        ended = fed

    recorder: Any = AudioToTextRecorder(
        model=folder, language="en", device="cpu", use_microphone=False, spinner=False, no_log_file=True,
        silero_onnx_model_path=silero, on_recording_stop=stopped,
    )  # fmt: skip

    def feed() -> None:
        nonlocal fed
        while block := sys.stdin.buffer.read(2 * BLOCK):
            fed += len(block) // 2
            recorder.feed_audio(block)
        # Nobody is there any more to hear for.
        os._exit(0)

    threading.Thread(target=feed, daemon=True).start()
    print("ready", flush=True)
    while True:
        if text := recorder.text():
            tell(text, ended)


if __name__ == "__main__":
    if sys.argv[1] == "serial":
        serial(sys.argv[2])
    else:
        realtimestt(sys.argv[2], sys.argv[3])
