"""Everything that the engine does, on one tree and one sound, as JSON: to be compared with and without it.

python -m tests.native_scene FOLDER
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import struct
import sys
import tempfile
from pathlib import Path

from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.checkpoint.stamps import Stamps, make_stamps, stamp
from mybro.native import in_use, machine, repository, resample, sound
from tests.fakes.shaking import deep_repository, whole

PATTERNS = [r"def \w+", "TODO", r"^import ", r"\bkey\s*=\s*[\"'][^\"']+[\"']", "x$", "é", r"\t"]


def plant(root: Path) -> None:
    """A tree with everything that a walk and a scan must bear."""
    draw = random.Random(7)
    words = ["def run", "TODO", "import os", 'key = "abc"', "x", "é", "\tindented", "plain", ""]
    for number in range(60):
        path = root / f"f{number % 7}" / f"{number}.py"
        path.parent.mkdir(exist_ok=True)
        end = draw.choice(["\n", "\r\n"])
        path.write_bytes(end.join(draw.choice(words) for _ in range(draw.randrange(40))).encode())
    (root / "binary").write_bytes(b"TODO\0TODO")
    (root / "latin").write_bytes(b"TODO \xe9\xff\n")
    (root / "empty").touch()
    (root / "large").write_bytes(b"TODO\n" * 2000)
    (root / "node_modules").mkdir()
    (root / "node_modules" / "x.js").write_text("TODO")
    (root / "up").symlink_to("..")
    (root / "gone").symlink_to("nowhere")


def look(root: Path) -> dict[str, object]:
    """What is found."""
    paths = repository.walk(root)
    asked = [*paths, "missing", "f1"]
    found = repository.scan(root, asked, PATTERNS, most_bytes=9_000)
    draw = random.Random(8)
    samples = [draw.choice([draw.randrange(-32768, 32768), 32767, -32768, 0]) for _ in range(5000)]
    pcm = struct.pack(f"<{len(samples)}h", *samples)
    ring = sound.make_ring(1000)
    flow = [
        (ring.push(pcm[2 * n : 2 * n + 2 * (n % 97)]), ring.pop(n % 89).hex()) for n in range(0, 4000, 53)
    ]
    smoother = sound.make_smoother(0.5, 0.35, 3, 8)
    probabilities = [draw.random() ** 2 for _ in range(3000)] + [float("nan")] * 20 + [0.5, 0.5, 0.5]
    return {
        "walk": paths,
        "scan": [(path, line, pattern, text.hex()) for path, line, pattern, text in found],
        "sha256": [each and each.hex() for each in repository.sha256(root, asked)],
        "stats": repository.stats(root, asked),
        "level": sound.level(pcm),
        "gains": [
            hashlib.sha256(sound.gain(pcm, by)).hexdigest() for by in (0.0, 0.3, 1.0, 2.5, -1.0, float("nan"))
        ],
        "ring": [flow, len(ring), ring.dropped],
        "smoothed": smoother.feed_all(probabilities),
        "speaking": smoother.speaking,
    }


def resampled() -> list[int]:
    """A noise with one rate after the other, in blocks: the same to one level of sixteen bits."""
    draw = random.Random(11)
    samples = struct.pack("<3000h", *(draw.randrange(-32768, 32768) for _ in range(3000)))
    found = b""
    for source, target in ((48000, 16000), (44100, 16000), (16000, 48000), (22050, 24000), (16000, 16000)):
        one = resample.make_resampler(source, target)
        for start in range(0, len(samples), 514):
            found += one.convert(samples[start : start + 514], start + 514 >= len(samples))
    return list(struct.unpack(f"<{len(found) // 2}h", found))


def note(stamps: Stamps, top: bytes) -> None:
    """Know all regular files as they are now."""
    for folder, _, files in os.walk(top):
        paths = [os.path.join(folder, name) for name in files]  # noqa: PTH118 - bytes
        regular = [path for path in paths if not os.path.islink(path)]  # noqa: PTH114
        stamps.put([(os.path.relpath(path, top), stamp(os.lstat(path))) for path in regular])


def shake(top: Path, draw: random.Random) -> None:
    """A few changes of any kind, below three folders."""
    for _ in range(12):
        path = top / draw.choice(["", "a", "a/b", "c"]) / draw.choice(["x", "y", "z", ".git", "\udcff"])
        done = draw.randrange(5)
        try:
            if done < 2:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(draw.randbytes(draw.randrange(1, 5000)))
            elif done == 2:
                path.unlink()
            elif done == 3:
                path.chmod(draw.choice([0o600, 0o755]))
            elif draw.random() < 0.5:
                path.symlink_to("x")
            else:
                os.utime(path, ns=(0, draw.choice([-5, 11_000_000_000 * 10**9])), follow_symlinks=False)
        except OSError:
            pass


def compared() -> list[object]:
    """Folders beside what was known of them, after one change and another."""
    draw, found = random.Random(12), list[object]()
    with tempfile.TemporaryDirectory() as place:
        top = Path(place)
        for _ in range(30):
            shake(top, draw)
            stamps, root = make_stamps(), os.fsencode(top)
            note(stamps, root)
            shake(top, draw)
            stamps.forget([b"a/y", b"nowhere/y"])
            folders = [b"", b"a", b"a/b", b"c", b"missing", b"x"]
            for told in stamps.look(root, folders):
                rows = told if isinstance(told, int) else [sorted(map(os.fsdecode, part)) for part in told]
                found.append(rows)
            found.append(sorted(map(os.fsdecode, stamps.outside({b"", b"c"}))))
    return found


def restored() -> list[bool]:
    """Whether what was done to a repository comes back exactly."""
    found = []
    for seed in (7, 8):
        with tempfile.TemporaryDirectory() as place:
            shaker = deep_repository(Path(place) / "repo", seed)
            store = CheckpointStore(Path(place) / "checkpoints", shaker.repo)
            before, was = store.take("before"), whole(shaker)
            shaker.shake(12)
            store.undo(before.id, store.take("after").id)
            found.append(whole(shaker) == was)
            store.close()
    return found


def main(root: Path) -> None:
    load = machine.Monitor().read()
    told = {
        "in_use": in_use(), "machine": load._asdict(), "resampled": resampled(),
        "found": {**look(root), "compared": compared(), "restored": restored()},
    }  # fmt: skip
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
