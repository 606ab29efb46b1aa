"""Recordings from a folder: FLAC files, and a *.jsonl beside them that says what they hold."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from tests.audio_tools import AUDIO, Pcm, read_pcm, trimmed


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording, 16 kHz mono."""

    text: str
    voice: str
    pcm: Pcm
    """From the first sound of speech to the last."""


def add_audio_option(options: argparse.ArgumentParser) -> None:
    options.add_argument(
        "--audio", type=Path, default=AUDIO, metavar="DIR", help="FLAC recordings with a *.jsonl beside them"
    )


def recordings(folder: Path) -> list[Recording]:
    """All recordings that the lists in a folder name and that are there."""
    found = []
    for listing in sorted(folder.rglob("*.jsonl")):
        for line in listing.read_text().splitlines():
            row = json.loads(line)
            path = listing.parent / row["file"]
            if path.is_file():
                pcm = trimmed(read_pcm(path))
                found.append(Recording(row.get("text", ""), row.get("voice", "unknown"), pcm))
    if not found:
        raise SystemExit(f"{folder} holds no recordings with a *.jsonl beside them")
    return found
