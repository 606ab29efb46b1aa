"""What tells speech from other sound, in noise, and what listening costs while nobody speaks.

python -m benchmarks.vad_bench [--json] [--quick] [--audio DIR]

auc               area under the ROC curve over all 10 ms of all recordings, each between two seconds of
                  noise, in white noise, typing, a fan and music at 0 to 20 dB; the peer is WebRTC's
                  detector, its four modes together as one score
auc_webrtc        the same area of the peer, beside its best single mode
auc, KIND         each noise alone; "voices" are others who talk at the same time, at 10 and 20 dB, and the
                  peer there is the same detector without regard to level (audio.near_only)
typing            false starts of an utterance in minutes of typing, loud and soft; the peer is WebRTC
idle_cpu          percent of one core for capture, guard and ear together while nobody speaks, in the real
                  sound process where there is a sound server; the peer is the detector alone, and live, an
                  open microphone of which nothing is made
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from benchmarks.harness import report
from benchmarks.noises import Noise, fan, music, typing, voices_of, white
from benchmarks.recordings import Recording, add_audio_option, recordings
from mybro.audio.detector import Detector, SileroDetector, make_detector
from mybro.audio.ear import Ear
from mybro.audio.guard import EchoGuard
from mybro.audio.hearing import Hearing
from mybro.audio.microphone import MicrophoneSource
from mybro.audio.near import NearDetector
from mybro.audio.onset import Onset
from mybro.audio.sound import SoundProcess
from mybro.audio.source import BLOCK_SAMPLES
from mybro.audio.webrtc import WebRtcDetector
from mybro.config import AudioSettings
from mybro.events import BYTES_PER_SAMPLE, SAMPLE_RATE, AudioBlock, Event, SpeechStarted
from tests.audio_tools import HOP, Pcm, noise, speech_mask
from tests.sound_server import SoundServer, missing

KINDS: dict[str, Noise] = {"white": white, "typing": typing, "fan": fan, "music": music}
SNRS_DB = (0, 5, 10, 15, 20)
VOICES_DB = (10, 20)
ROOM_S = 2.0
QUICK = 6
"""Recordings, spread over all voices."""
IDLE_S, QUICK_IDLE_S = 30.0, 8.0
SETTLE_S = 4.0
"""After so long without a sound, listening costs least."""
TYPING_DBFS = (-12, -24, -36)
"""Of the loudest key."""
WEBRTC = 4
"""Modes of WebRTC's detector."""

Mask = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


def auc(scores: Scores, speech: Mask) -> float:
    """The chance that a stretch of speech scores higher than one without."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    yes = int(speech.sum())
    return float((rank[speech].sum() - yes * (yes + 1) / 2) / (yes * (len(speech) - yes)))


def scores(detector: Detector, pcm: Pcm, count: int) -> Scores:
    """What a detector says of each 10 ms."""
    detector.reset()
    size, raw = detector.frame_samples, pcm.tobytes()
    frames = len(pcm) // size
    found = np.array([detector.probability(raw[i * size * 2 : (i + 1) * size * 2]) for i in range(frames)])
    return found[np.minimum((np.arange(count) * HOP + HOP // 2) // size, frames - 1)]


def in_noise(clip: Pcm, kind: Noise, snr_db: float, rng: np.random.Generator) -> tuple[Pcm, Mask]:
    """A recording between two stretches of noise, and where it holds speech."""
    room = np.zeros(int(ROOM_S * SAMPLE_RATE))
    sound = np.concatenate([room, clip.astype(np.float64), room])
    quiet = np.zeros(len(room) // HOP, np.bool_)
    mask = speech_mask(clip)
    speech = clip[: len(mask) * HOP][np.repeat(mask, HOP)].astype(np.float64)
    added = kind(len(sound), rng)
    gain = np.sqrt(np.mean(speech**2) / np.mean(added**2)) * 10 ** (-snr_db / 20)
    mixed = np.clip(sound + gain * added + noise(len(sound) / SAMPLE_RATE, rng), -32768, 32767)
    return mixed.astype(np.int16), np.concatenate([quiet, mask, quiet])


class Set:
    """Scores of several detectors over the same sound."""

    def __init__(self, detectors: dict[str, Detector]) -> None:
        self._detectors = detectors
        self.scores: dict[str, list[Scores]] = {name: [] for name in detectors}
        self.speech: list[Mask] = []

    def add(self, clips: Sequence[Pcm], kind: Noise, snr_db: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        for clip in clips:
            pcm, mask = in_noise(clip, kind, snr_db, rng)
            self.speech.append(mask)
            for name, detector in self._detectors.items():
                self.scores[name].append(scores(detector, pcm, len(mask)))

    def auc(self, *names: str, first: int = 0) -> float:
        """Of the mean of these detectors' scores, from the first-th recording on."""
        together = sum(np.concatenate(self.scores[name][first:]) for name in names)
        return auc(np.asarray(together), np.concatenate(self.speech[first:]))


def noisy(clips: Sequence[Pcm], settings: AudioSettings) -> dict[str, Any]:
    modes = [f"webrtc {mode}" for mode in range(WEBRTC)]
    detectors: dict[str, Detector] = {"ours": make_detector(settings)}
    detectors |= {name: WebRtcDetector(mode) for mode, name in enumerate(modes)}
    every, alone = Set(detectors), {}
    for seed, (name, kind) in enumerate(KINDS.items()):
        first = len(every.speech)
        for snr in SNRS_DB:
            every.add(clips, kind, snr, 100 * seed + snr)
        alone[name] = _beside(every.auc("ours", first=first), every.auc(*modes, first=first))
    peer = every.auc(*modes)
    best = max(every.auc(name) for name in modes)
    return {
        "auc": _beside(every.auc("ours"), peer),
        "auc_webrtc": _beside(peer, best),
        **{f"auc, {name}": figure for name, figure in alone.items()},
    }


def among_voices(recorded: Sequence[Recording], settings: AudioSettings) -> dict[str, Any]:
    """A person's own voice against four others."""
    found = {}
    for snr in VOICES_DB:
        both = Set({"plain": make_detector(settings), "near": NearDetector(make_detector(settings))})
        for voice in sorted({each.voice for each in recorded}):
            others = [each.pcm for each in recorded if each.voice != voice]
            if others:
                mine = [each.pcm for each in recorded if each.voice == voice]
                both.add(mine, voices_of(others), snr, snr)
        if both.speech:
            found[f"auc, voices at {snr} dB"] = _beside(both.auc("near"), both.auc("plain"))
    return found


def _beside(ours: float, peer: float) -> dict[str, Any]:
    return {"ours": round(ours, 4), "peer": round(peer, 4), "ratio": round(ours / peer, 3) if peer else None}


def false_starts(make: Callable[[], Detector], settings: AudioSettings) -> int:
    """Utterances that begin in a minute of typing at each loudness."""
    found = 0
    for seed, dbfs in enumerate(TYPING_DBFS):
        rng = np.random.default_rng(seed)
        keys = typing(60 * SAMPLE_RATE, rng)
        pcm = keys / np.abs(keys).max() * 32768 * 10 ** (dbfs / 20) + noise(60.0, rng)
        turns = iter(range(1, 100_000))
        hearing = Hearing(settings, make(), turns.__next__, live=False)
        events = hearing.hear(AudioBlock(0, pcm.astype(np.int16).tobytes()))
        found += sum(isinstance(event, SpeechStarted) for event in events)
    return found


# ------------------------------------------------------------------ what it costs


NOTHING = """
import sounddevice, time
form = dict(samplerate=16000, blocksize=320, channels=1, dtype="int16", latency="low")
sounddevice.RawInputStream(**form, callback=lambda *_: None).start()
time.sleep(600)
"""


async def live_percent(settings: AudioSettings, seconds: float) -> tuple[float, float] | None:
    """Processor time of sound process and ear, for each second in which nobody speaks; of a mere stream."""
    if missing():
        return None
    folder = Path(tempfile.mkdtemp(prefix="mybro-"))
    server = SoundServer(folder)
    try:
        await asyncio.to_thread(server.start)
        return await _idle(server, settings, seconds), await _of_nothing(server, seconds)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _idle(server: SoundServer, settings: AudioSettings, seconds: float) -> float:
    events: asyncio.Queue[Event] = asyncio.Queue()
    process = SoundProcess(env=server.env)
    source = MicrophoneSource(process)
    turns = iter(range(1, 100_000))
    listening = asyncio.create_task(Ear(settings, events.put, turns.__next__).listen(source))
    try:
        await asyncio.wait_for(events.get(), 30)
        await asyncio.sleep(SETTLE_S)
        assert process.pid is not None
        child = psutil.Process(process.pid)
        began, spent = time.monotonic(), _spent(child)
        await asyncio.sleep(seconds)
        return 100 * (_spent(child) - spent) / (time.monotonic() - began)
    finally:
        await source.aclose()
        await listening
        await process.aclose()


async def _of_nothing(server: SoundServer, seconds: float) -> float:
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", NOTHING, env=server.env)
    try:
        await asyncio.sleep(SETTLE_S)
        process = psutil.Process(child.pid)
        began, spent = time.monotonic(), _used(process)
        await asyncio.sleep(seconds)
        return 100 * (_used(process) - spent) / (time.monotonic() - began)
    finally:
        child.kill()
        await child.wait()


def _used(child: psutil.Process) -> float:
    times = child.cpu_times()
    return float(times.user + times.system)


def _spent(child: psutil.Process) -> float:
    return _used(child) + time.process_time()


def idle_percent(detector: Detector, settings: AudioSettings, seconds: float) -> float:
    """Percent of one core for everything that is done to the sound of a quiet room."""
    pcm = noise(seconds, np.random.default_rng(9)).tobytes()
    turns = iter(range(1, 100_000))
    guard, onset = EchoGuard(), Onset()
    hearing = Hearing(settings, detector, turns.__next__, live=False)
    size = BLOCK_SAMPLES * BYTES_PER_SAMPLE
    began = time.process_time()
    for index in range(len(pcm) // size):
        clean, echo, _ = guard.clean(index * 0.02, pcm[index * size : (index + 1) * size])
        onset.hear(clean, may_be_voice=False)
        assert not any(
            isinstance(e, SpeechStarted) for e in hearing.hear(AudioBlock(index * 320, clean, echo))
        )
    return 100 * (time.process_time() - began) / seconds


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--json", action="store_true", help="one JSON object")
    options.add_argument("--quick", action="store_true", help=f"{QUICK} recordings instead of all")
    add_audio_option(options)
    chosen = options.parse_args()
    settings = AudioSettings()
    recorded = recordings(chosen.audio)
    if chosen.quick:
        recorded = recorded[:: -(-len(recorded) // QUICK)]
    figures = noisy([each.pcm for each in recorded], settings)
    figures |= among_voices(recorded, settings)
    ours = false_starts(lambda: make_detector(settings), settings)
    figures["typing"] = {"ours": ours, "peer": false_starts(lambda: WebRtcDetector(3), settings)}
    seconds = QUICK_IDLE_S if chosen.quick else IDLE_S
    detectors: list[Detector] = [make_detector(settings), SileroDetector()]
    idle = [idle_percent(detector, settings, 2 * seconds) for detector in detectors]
    figures["idle_cpu"] = {"unit": "percent of one core", **_beside(idle[0], idle[1])}
    live = asyncio.run(live_percent(settings, seconds))
    if live is not None:
        figures["idle_cpu, live"] = {"unit": "percent of one core", **_beside(*live)}
    notes = [f"{len(recorded)} recordings"]
    report(figures, as_json=chosen.json, notes=notes)


if __name__ == "__main__":
    main()
