"""From the last sample of speech to the first thing that happens outside, beside two other arrangements.

    python -m benchmarks.voice_latency_bench --json [--quick] [--audio DIR] [--without-realtimestt]

Ours is `mybro run` with its defaults. The peers are WebRTC VAD with 800 ms of silence and faster-whisper
after it, and RealtimeSTT with its defaults; what they hear is typed into a session of mybro's, so that from
the text on all three do the same. All hear the same sound at the speed of speech and have the same weights.
What happens outside is a program started, a file changed, or a coding agent that has got its prompt. A
command that is carried out before the speech is over, and not taken back, is a cut-off, as is a sentence that
is heard in parts: it counts as never accepted.

Figures: accepted_over_serial and accepted_over_realtimestt (median ms, recordings as they are; by group:
complete commands, sentences; with pauses of 300 to 1200 ms at random word boundaries; without --quick also in
rooms with an echo, in noise of 15 dB), false_cutoffs (of all of these). DIR holds recordings and a *.jsonl
whose lines have "file" and "text", and may have "last_speech_sample" (at 16 kHz); else the last loud 10 ms
count.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import realtimestt_env
from benchmarks.harness import report
from benchmarks.voice_clips import Clip, clips, in_rooms, sample, with_pauses
from benchmarks.voice_scene import CACHE, Ear, Over, Process, Scene
from mybro.models import resolve

AUDIO = Path(__file__).parents[1] / "tests" / "audio"
MODEL = "tiny.en"
QUICK = 3
"""Recordings as they are, and as many with pauses."""
QUICK_S = 5.0
"""Only shorter ones, then."""
WINDOW_S = 15.0
SETTLE_S = 1.4
"""So long after the end of speech more may be heard, although something has happened already."""
IDLE_S = 2.0
"""So long after the words were heard something happens, if anything does."""
"""So long after the end of speech an effect is waited for."""
STAGGER_S = {"ours": 0.0, "serial": 0.5, "realtimestt": 1.4}
"""One after the other, so that no arrangement recognises while another does."""
NEVER = float("inf")
PLAIN = "as_they_are"


@dataclass
class Arm:
    """One arrangement."""

    name: str
    scene: Scene
    ear: Ear
    hears: Process
    acts: Process


@dataclass(frozen=True, slots=True)
class Turn:
    """A sentence as an arrangement heard it."""

    at: int
    """When it was known, in nanoseconds since 1970."""
    text: str
    until: int | None = None
    """How much sound had come in when its end was decided, where that is known."""

    def is_early(self, spoken: Over) -> bool:
        """Whether its end was decided before the speech was over."""
        return self.at < spoken.at if self.until is None else self.until <= spoken.sample


@dataclass(frozen=True, slots=True)
class Trial:
    """What one arrangement made of one recording."""

    clip: Clip
    ms: float | None
    """None where nothing happened outside."""
    cut_off: bool
    taken_back: int
    heard: str


def start(name: str, place: Path, ending: ExitStack) -> Arm:
    """An arrangement, ready to be spoken to."""
    (place / name).mkdir()
    scene = Scene(place / name)
    model = str(resolve("faster-whisper", MODEL).path)
    root = Path(__file__).parents[1]
    if name == "ours":
        command = [sys.executable, "-m", "mybro", "run", "--audio", "-", "--realtime", "--json", "--no-voice"]
        env = {"MYBRO_TRANSCRIBE__BACKEND": "faster-whisper", "MYBRO_TRANSCRIBE__MODEL": MODEL}
        scene.env |= env
        hears = acts = Process(command, scene, scene.repo)
        ending.callback(acts.close)
    else:
        peers = str(Path(__file__).with_name("voice_peers.py"))
        ears = {"serial": [sys.executable, peers, "serial", model]}
        if name == "realtimestt":
            silero = str(realtimestt_env.SILERO)
            ears[name] = [str(realtimestt_env.python()), peers, name, model, silero]
        acts = Process([sys.executable, "-m", "benchmarks.voice_typist", str(scene.repo)], scene, root)
        ending.callback(acts.close)
        hears = Process(ears[name], scene, scene.place)
        ending.callback(hears.close)
        hears.other = acts
    ear = Ear(hears.stdin)
    ending.callback(ear.close)
    return Arm(name, scene, ear, hears, acts)


def play(arms: Sequence[Arm], clip: Clip) -> dict[str, Trial]:
    """Play a recording to all of them."""
    since = {arm.name: (arm.scene.reset(), len(arm.acts.told), len(arm.hears.told)) for arm in arms}
    ends = {arm.name: arm.ear.speak(clip, STAGGER_S[arm.name]) for arm in arms}
    spoken = {name: end.get(timeout=60) for name, end in ends.items()}
    _wait(arms, spoken, since)
    return {arm.name: _trial(arm, clip, spoken[arm.name], *since[arm.name]) for arm in arms}


def _wait(arms: Sequence[Arm], spoken: Mapping[str, Over], since: Mapping[str, tuple[int, int, int]]) -> None:
    """Until all have done something and come to rest, or the window is over."""
    last = max(over.at for over in spoken.values())
    time.sleep(max(last / 1e9 + SETTLE_S - time.time(), 0))
    limit = last + int(WINDOW_S * 1e9)
    while time.time_ns() < limit:
        time.sleep(0.05)
        if all(_is_done(arm, spoken[arm.name], *since[arm.name]) for arm in arms):
            break
    end = time.monotonic() + 8
    while any(arm.acts.busy() for arm in arms) and time.monotonic() < end:
        time.sleep(0.05)


def _is_done(arm: Arm, spoken: Over, began: int, told: int, heard: int) -> bool:
    """Whether the whole of a recording was heard, and what it asks for has begun or will not."""
    words = [turn.at for turn in _turns(arm, told, heard) if not turn.is_early(spoken)]
    if not words:
        return False
    return any(at > words[-1] for at in arm.scene.effects(began)) or time.time_ns() - words[-1] > IDLE_S * 1e9


def _turns(arm: Arm, told: int, heard: int) -> list[Turn]:
    """The sentences that stand."""
    if arm.hears is not arm.acts:
        known = [t for t in arm.hears.told[heard:] if t.name == "Heard"]
        return [Turn(t.at, t.fields["text"], t.fields["until"]) for t in known]
    events = arm.acts.told[told:]
    joined = {t.fields["former"] for t in events if t.name == "TurnJoined"}
    final = [t for t in events if t.name == "Transcript" and t.fields["final"] and t.fields["text"]]
    return [Turn(t.at, t.fields["text"]) for t in final if t.fields["turn"] not in joined]


def _trial(arm: Arm, clip: Clip, spoken: Over, began: int, told: int, heard: int) -> Trial:
    turns = _turns(arm, told, heard)
    cut_off = len(turns) > 1 or any(turn.is_early(spoken) for turn in turns)
    after = max((turn.at for turn in turns), default=began)
    effect = next((at for at in arm.scene.effects(began) if at >= after), None)
    taken_back = sum(t.name == "TurnJoined" for t in arm.acts.told[told:])
    ms = NEVER if cut_off else None if effect is None else (effect - spoken.at) / 1e6
    return Trial(clip, ms, cut_off, taken_back, " | ".join(turn.text for turn in turns))


# ------------------------------------------------------------------------ figures


def beside(ours: Sequence[Trial], peer: Sequence[Trial]) -> dict[str, Any]:
    """Two medians, and their ratio: below 1, ours is quicker. What only one side did, the other never did."""
    pairs = [(a, b) for a, b in zip(ours, peer, strict=True) if a.ms is not None or b.ms is not None]
    if not pairs:
        return {"n": 0}
    mine, theirs = ([NEVER if t.ms is None else t.ms for t in side] for side in zip(*pairs, strict=True))
    a, b = statistics.median(mine), statistics.median(theirs)
    ratio = None if NEVER in (a, b) else round(a / b, 3)
    return {"unit": "ms", "ours": _ms(a), "peer": _ms(b), "ratio": ratio, "n": len(pairs)}


def _ms(value: float) -> float | str:
    return "never" if value == NEVER else round(value, 1)


def figures(sides: Mapping[str, Mapping[str, Sequence[Trial]]]) -> dict[str, Any]:
    """`sides`: for each kind of recording what each arrangement made of it; "as_they_are" is one of them."""
    plain = sides[PLAIN]
    peers = [name for name in plain if name != "ours"]
    found: dict[str, Any] = {}
    for name in peers:
        figure = beside(plain["ours"], plain[name])
        for group in ("complete", "sentence"):
            picked = [[t for t in plain[n] if t.clip.group == group] for n in ("ours", name)]
            figure[group] = beside(*picked)
        figure |= {kind: beside(side["ours"], side[name]) for kind, side in sides.items() if kind != PLAIN}
        found[f"accepted_over_{name}"] = figure
    cuts = {n: {kind: sum(t.cut_off for t in side[n]) for kind, side in sides.items()} for n in plain}
    ours, peer = sum(cuts["ours"].values()), min(sum(cuts[name].values()) for name in peers)
    found["false_cutoffs"] = {
        "unit": "recordings",
        "ours": ours,
        "peer": peer,
        "ratio": round(ours / peer, 3) if peer else float(ours > 0),
        "of": sum(len(side["ours"]) for side in sides.values()),
        "by_arm": cuts,
        "taken_back": sum(t.taken_back for side in sides.values() for t in side["ours"]),
    }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice_latency_bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} recordings, with and without pauses")
    parser.add_argument("--audio", type=Path, default=AUDIO, help="a folder of recordings and their list")
    parser.add_argument("--without-realtimestt", action="store_true", help="leave that peer out")
    parser.add_argument("--count", type=int, help="so many recordings, with and without pauses")
    parser.add_argument("--trials", type=Path, help="write each trial there, a JSON line each")
    asked = parser.parse_args()
    # Whoever ends it early leaves nothing running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    everything, left_out = clips(asked.audio)
    count = asked.count or (QUICK if asked.quick else len(everything))
    if asked.quick:
        everything = [clip for clip in everything if clip.seconds < QUICK_S] or everything
    chosen = sample(everything, count) if count < len(everything) else everything
    notes = [f"{left_out} recordings ask for nothing that could be seen outside"] if left_out else []
    names = ["ours", "serial", "realtimestt"]
    if asked.without_realtimestt:
        names.pop()
    else:
        try:
            realtimestt_env.python()
        except realtimestt_env.NotBuiltError as error:
            notes.append(str(error))
            names.pop()
    notes += _smart_turn()
    from faster_whisper import WhisperModel

    model = WhisperModel(str(resolve("faster-whisper", MODEL).path), device="cpu")
    kinds = {PLAIN: chosen, "with_pauses": with_pauses(chosen, model, seed=11)}
    if not asked.quick:
        kinds["in_rooms"] = in_rooms(chosen, seed=12)
    del model
    found = _measure(names, kinds, asked.trials)
    report(found, as_json=asked.json, notes=notes)


def _smart_turn() -> list[str]:
    """Fetch Smart Turn's weights for ours, once; a note where that fails."""
    import os

    from mybro.errors import ModelError
    from mybro.models import turn

    os.environ["MYBRO_CACHE_DIR"] = str(CACHE)
    try:
        if turn.weights() is None:
            turn.fetch(lambda _: None)
    except ModelError as error:
        return [f"without Smart Turn: {error.message}"]
    return []


def _measure(
    names: Sequence[str], kinds: Mapping[str, Sequence[Clip]], trials: Path | None
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="voice-latency-") as place, ExitStack() as ending:
        arms = [start(name, Path(place), ending) for name in names]
        for arm in arms:
            for process in {id(arm.hears): arm.hears, id(arm.acts): arm.acts}.values():
                if not process.ready.wait(90):
                    raise SystemExit(f"{arm.name} did not begin; its last words are in {arm.scene.place}")
        time.sleep(2)  # rehearsals and the warming up of the hands
        done = {kind: [play(arms, clip) for clip in chosen] for kind, chosen in kinds.items()}
    if trials is not None:
        rows = [
            {"file": t.clip.name, "kind": kind, "arm": name, "ms": None if t.ms is None else _ms(t.ms),
             "cut_off": t.cut_off, "taken_back": t.taken_back, "heard": t.heard, "pauses": t.clip.pauses_ms}
            for kind, side in done.items() for row in side for name, t in row.items()
        ]  # fmt: skip
        trials.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return figures(
        {kind: {name: [row[name] for row in side] for name in names} for kind, side in done.items()}
    )


if __name__ == "__main__":
    main()
