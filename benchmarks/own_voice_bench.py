"""How well an enrolled voice is told from others: three sentences enrol it, the others are judged.

    python -m benchmarks.own_voice_bench [--json] [--quick] [--audio DIR]

The voices are this machine's, unlike each other as people are, and those of DIR's recordings that have five
sentences. The peer is what needs no network: mean and spread of 19 cepstral coefficients. Needs the weights
(`uv pip install --no-deps resemblyzer==0.1.4`).

    auc, auc_db10              area under the curve over all pairs of a voice and a sentence, clean and in
                               pink noise at 10 dB
    owner_refused, others_heard          shares at the limit that a session takes, clean
    owner_refused_db10, others_heard_db10    the same in noise
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.harness import report
from benchmarks.intent_parity_bench import noisy
from benchmarks.recordings import add_audio_option, recordings
from benchmarks.spoken import speak, voices
from benchmarks.wake_bench import ORDINARY
from mybro.audio.own_voice import OWNER, SHORTEST_S, conditions, enrol, speech_of
from mybro.audio.voice_model import Array, VoiceModel
from mybro.events import SAMPLE_RATE
from tests.audio_tools import Pcm, read_pcm

ENROLLED = 3
LEAST = 5
Row = npt.NDArray[np.floating]


def speakers(folder: Any, *, quick: bool) -> dict[str, list[Pcm]]:
    """Sentences by voice. Those of the machine that sound like people: espeak-ng's are all of one machine."""
    texts = ORDINARY[: 6 if quick else len(ORDINARY)]
    found: dict[str, list[Pcm]] = {}
    for voice in voices():
        if not voice.startswith("espeak"):
            found[voice] = [read_pcm(path) for path in speak([(voice, text) for text in texts])]
    recorded: dict[str, list[Pcm]] = {}
    for each in recordings(folder):
        recorded.setdefault(each.voice, []).append(each.pcm)
    names = {name.partition("-")[2] for name in found} | {name.replace("-", "_") for name in found}
    for voice, sounds in recorded.items():
        long = [pcm for pcm in sounds if len(speech_of(pcm.tobytes())) > SHORTEST_S * SAMPLE_RATE]
        if len(long) >= LEAST and voice not in names:
            found[voice] = long[: 6 if quick else 14]
    return found


def cepstra(model: VoiceModel, speech: Array) -> Row:
    """Mean and spread of cepstral coefficients over the louder frames."""
    bands = np.log(model._mel(speech) + 1e-9)
    louder = bands[bands.mean(axis=1) > np.percentile(bands.mean(axis=1), 40)]
    count = bands.shape[1]
    turn = np.cos(np.pi / count * (np.arange(count) + 0.5)[None] * np.arange(1, 20)[:, None])
    rows = louder @ turn.T
    return unit(np.concatenate([rows.mean(axis=0), rows.std(axis=0)]))


def unit(rows: Row) -> Row:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))


def likenesses(
    known: Mapping[str, Row], rows: Mapping[str, Sequence[Row]]
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Of each voice with its own sentences, and with those of the others."""
    own, others = [], []
    for name, voice in known.items():
        for speaker, each in rows.items():
            for at, row in enumerate(each):
                if speaker != name:
                    others.append(float((voice @ row).max()))
                elif at >= ENROLLED:
                    own.append(float((voice @ row).max()))
    return np.array(own), np.array(others)


def auc(own: npt.NDArray[np.floating], others: npt.NDArray[np.floating]) -> float:
    return round(float((own[:, None] > others[None]).mean()), 3)


def speech(sentences: Sequence[Pcm]) -> list[Array]:
    return [speech_of(pcm.tobytes()) for pcm in sentences]


def judged(said: Mapping[str, list[Pcm]], embed: Callable[[Array], Row]) -> dict[str, list[Row]]:
    return {name: [embed(one) for one in speech(each)] for name, each in said.items()}


def figures(said: Mapping[str, list[Pcm]]) -> dict[str, Any]:
    model = VoiceModel.load()
    known = {
        name: enrol(model, [pcm.tobytes() for pcm in each[:ENROLLED]]).rows for name, each in said.items()
    }

    def by_peer(one: Array) -> Row:
        return cepstra(model, one)

    # Enrolled as ours is: in the same noises, too.
    peers = {
        name: unit(
            np.stack([np.mean([*map(by_peer, part)], axis=0) for part in conditions(speech(each[:ENROLLED]))])
        )
        for name, each in said.items()
    }
    found: dict[str, Any] = {}
    for mark in ("", "_db10"):
        used = dict(said)
        if mark:
            used = {
                name: [noisy(pcm, "pink", at) for at, pcm in enumerate(each)] for name, each in said.items()
            }
        own, others = likenesses(known, judged(used, model.embed))
        peer = likenesses(peers, judged(used, by_peer))
        found[f"auc{mark}"] = {"ours": auc(own, others), "peer": auc(*peer), "of": len(own) + len(others)}
        found[f"owner_refused{mark}"] = {"unit": f"share of {len(own)}", "ours": _share(own < OWNER)}
        found[f"others_heard{mark}"] = {"unit": f"share of {len(others)}", "ours": _share(others >= OWNER)}
    return found


def _share(which: npt.NDArray[np.bool_]) -> float:
    return round(float(which.mean()), 4)


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--json", action="store_true", help="one JSON object")
    options.add_argument("--quick", action="store_true", help="six sentences of each voice")
    add_audio_option(options)
    chosen = options.parse_args()
    said = speakers(chosen.audio, quick=chosen.quick)
    report(figures(said), as_json=chosen.json, notes=[f"{name}: {len(each)}" for name, each in said.items()])


if __name__ == "__main__":
    main()
