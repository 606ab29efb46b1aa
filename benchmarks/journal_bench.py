"""What it costs to have a sentence on disk, beside a bare sqlite3 commit of the same text.

    python -m benchmarks.journal_bench [--json] [--quick]

Both write to the same disk with the same settings (WAL, every commit synced), turn by turn in one run.
The peer appends an event's JSON to one table and does nothing else; `record` also brings utterance,
transcript, intent, job and cost up to date, off the event loop.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mybro.events import (
    AudioBlock,
    Envelope,
    Event,
    JobFinished,
    JobStarted,
    Outcome,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Understood,
    Utterance,
)
from mybro.intent import Action, Intent
from mybro.journal import Journal
from mybro.journal.codec import encode

SENTENCE = "rename the function that loads the settings to read settings"
SOUND = AudioBlock(0, bytes(2 * 16_000 * 3))
WARM_UP = 20
"""Turns before the measurement: SQLAlchemy compiles each statement once."""
TOGETHER = 10


def turn_events(turn: int) -> list[Event]:
    """The events of a turn without its sound."""
    intent = Intent(kind="local", action=Action.RENAME, risk="write", text=SENTENCE)
    outcome = Outcome("Renamed in 3 files", detail="x" * 400, changed=("a.py", "b.py"), cost_usd=0.01)
    return [
        SpeechStarted(turn, 8000),
        Transcript(turn, SENTENCE, True, 56_000, model="faster-whisper/tiny.en", processing_ms=210.0),
        Understood(turn, intent, 0.4),
        JobStarted(turn, turn, "renaming", "before"),
        JobFinished(turn, outcome),
    ]


class Peer:
    """sqlite3 of the standard library, blocking."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "peer.db", isolation_level=None)
        for setting in ("journal_mode=WAL", "synchronous=FULL", "fullfsync=ON"):
            self._connection.execute(f"PRAGMA {setting}").fetchall()
        self._connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT)")

    def write(self, events: Sequence[Event]) -> float:
        """Commit one after the other; returns the seconds it took."""
        began = time.perf_counter()
        for event in events:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("INSERT INTO event (body) VALUES (?)", (encode(event),))
            self._connection.execute("COMMIT")
        return time.perf_counter() - began

    def close(self) -> None:
        self._connection.close()


class Ours:
    """A journal, and the numbers that its events bear."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._seq = 0

    async def write(self, events: Sequence[Event]) -> float:
        """Record all at once; returns the seconds it took."""
        envelopes = []
        for event in events:
            self._seq += 1
            envelopes.append(Envelope(self._seq, self._seq / 100, event))
        began = time.perf_counter()
        await asyncio.gather(*map(self._journal.record, envelopes))
        return time.perf_counter() - began


async def measure(turns: int) -> dict[str, list[float]]:
    """Seconds: "ours" and "peer" for one event, "ours_together" and "peer_together" for TOGETHER of them,
    "sound" for three seconds of speech."""
    found: dict[str, list[float]] = {
        "ours": [], "peer": [], "ours_together": [], "peer_together": [], "sound": []
    }  # fmt: skip

    def note(name: str, seconds: float, turn: int) -> None:
        if turn >= WARM_UP:
            found[name].append(seconds)

    with tempfile.TemporaryDirectory() as name:
        journal = await Journal.open(Path(name) / "journal.db")
        await journal.begin(Path(name))
        ours, peer = Ours(journal), Peer(Path(name))
        for turn in range(turns + WARM_UP):
            spoken = SpeechEnded(turn, Utterance(SOUND, 8000, 40_000))
            note("sound", await ours.write([spoken]), turn)
            for event in turn_events(turn):
                note("ours", await ours.write([event]), turn)
                note("peer", peer.write([event]), turn)
            many = [SpeechStarted(turn, sample) for sample in range(TOGETHER)]
            note("ours_together", await ours.write(many), turn)
            note("peer_together", peer.write(many), turn)
        peer.close()
        await journal.aclose()
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """In milliseconds."""
    return 1000 * sorted(values)[min(len(values) - 1, int(share * len(values)))]


def figure(ours: Sequence[float], peer: Sequence[float]) -> dict[str, float]:
    medians = [1000 * statistics.median(values) for values in (ours, peer)]
    return {
        "ours": round(medians[0], 3),
        "peer": round(medians[1], 3),
        "ratio": round(medians[0] / medians[1], 2),
    }


def main() -> None:
    logging.disable()
    found = asyncio.run(measure(30 if "--quick" in sys.argv else 300))
    figures = {
        "record_over_sqlite": figure(found["ours"], found["peer"]),
        "record_together_over_sqlite": figure(found["ours_together"], found["peer_together"]),
    }
    if "--json" in sys.argv:
        print(json.dumps({"figures": figures}))
        return
    for name, values in found.items():
        row = (f"{share:.0%} {percentile(values, share):7.2f} ms" for share in (0.5, 0.95, 0.99))
        print(f"{name:16}", *row, sep="  ")
    for name, each in figures.items():
        print(f"{name}: {each['ours']} ms over {each['peer']} ms = {each['ratio']}")


if __name__ == "__main__":
    main()
