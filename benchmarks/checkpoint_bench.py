"""What it costs to note the state of a whole working tree, beside what git offers for it.

    python -m benchmarks.checkpoint_bench [--json] [--quick]

One repository, the same few files changed before every measurement, both sides by turns:

    snapshot_ms    a checkpoint of 10,000 files of which 20 changed; the peer is `git add -A` and `write-tree`
                   with an index of its own
    restore_exact  the share of random sequences of work (edits, modes, links, index, branches, stash,
                   submodule, shell commands) that come back byte for byte; the peer restores the files of
                   that `write-tree` and cleans
    take    a checkpoint; the peer is as for snapshot_ms
    stash   the same checkpoints; the peer is `git stash create`, which leaves out what git does not track
    first   the first checkpoint of all; the peer's index and object store are empty too
    undo    taking the change back; the peer restores the tree that `write-tree` gave

Ours also keeps modes, empty folders, branches, the stash and the index, and is on disk (fsync) when it
returns; git's objects are not.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness import Stopwatch, beside, report, with_engine_if_any
from mybro.executor.checkpoint import CheckpointStore
from tests.fakes.executor import GIT_ENVIRONMENT, Shaker
from tests.fakes.shaking import deep_repository, whole

FILES, ROUNDS = 2000, 20
MANY, MANY_EDITED, MANY_ROUNDS = 10_000, 20, 15
SEQUENCES, QUICK_SEQUENCES = 40, 5
QUICK_FILES, QUICK_ROUNDS = 500, 7
EDITED = 10
FILE_CHARS = 4000


class Repository:
    """A tree of text files, some of them edited before every round."""

    def __init__(self, folder: Path, files: int) -> None:
        self.folder = folder
        self._random = random.Random(1)
        self._files = [folder / f"package{n % 40}" / f"module{n}.py" for n in range(files)]
        for file in self._files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self._text())
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "Begin")

    def edit(self, count: int = EDITED) -> None:
        for file in self._random.sample(self._files, count):
            file.write_text(self._text())

    def git(self, *arguments: str, **env: str) -> str:
        whole = {"PATH": os.environ["PATH"], **GIT_ENVIRONMENT, **env}
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, env=whole, check=True, capture_output=True, text=True).stdout.strip()

    def _text(self) -> str:
        return "\n".join(self._random.randbytes(31).hex() for _ in range(FILE_CHARS // 63))


def measure(place: Path, files: int, rounds: int) -> Stopwatch:
    watch = Stopwatch()
    repo = Repository(place / "repo", files)
    index = place / "index"
    shutil.copy(repo.folder / ".git/index", index)
    own = {"GIT_INDEX_FILE": str(index)}
    store = CheckpointStore(place / "checkpoints", repo.folder)
    after = store.take("warm up").id
    for _ in range(rounds):
        repo.git("add", "-A", **own)
        tree = repo.git("write-tree", **own)
        repo.edit()
        before = after
        with watch("take"):
            after = store.take("a job").id
        with watch("git add"):
            repo.git("add", "-A", **own)
            repo.git("write-tree", **own)
        with watch("git stash"):
            repo.git("stash", "create")
        with watch("undo"):
            store.undo(before, after)
        store.redo(before, after)
        with watch("git restore"):
            repo.git("restore", f"--source={tree}", "--worktree", "--", ".", **own)
        after = store.take("back").id
    store.close()
    first(watch, repo, place, max(3, rounds // 4))
    return watch


def first(watch: Stopwatch, repo: Repository, place: Path, rounds: int) -> None:
    """Both sides begin with nothing."""
    objects = place / "objects"
    own = {"GIT_INDEX_FILE": str(place / "new-index"), "GIT_OBJECT_DIRECTORY": str(objects)}
    for number in range(rounds):
        store = CheckpointStore(place / f"first{number}", repo.folder)
        with watch("first"):
            store.take("first")
        store.close()
        objects.mkdir()
        with watch("git add of all"):
            repo.git("add", "-A", **own)
            repo.git("write-tree", **own)
        shutil.rmtree(objects)
        (place / "new-index").unlink()


def snapshot(place: Path, rounds: int) -> Stopwatch:
    watch = Stopwatch()
    place.mkdir()
    repo = Repository(place / "repo", MANY)
    own = {"GIT_INDEX_FILE": str(place / "index")}
    shutil.copy(repo.folder / ".git/index", place / "index")
    store = CheckpointStore(place / "checkpoints", repo.folder)
    store.take("first")
    for _ in range(rounds + 1):
        repo.edit(MANY_EDITED)
        with watch("ours"):
            store.take("a job")
        with watch("peer"):
            repo.git("add", "-A", **own)
            repo.git("write-tree", **own)
    store.close()
    return watch


def exact(place: Path, sequences: int) -> dict[str, Any]:
    """How many random sequences of work each side takes back byte for byte."""
    place.mkdir()
    done = {"ours": 0, "peer": 0}
    seeds = range(4000, 4000 + sequences)
    for seed in seeds:
        for side, restored in (("ours", _ours), ("peer", _peer)):
            folder = place / f"{side}{seed}"
            folder.mkdir()
            done[side] += restored(folder, deep_repository(folder / "repo", seed))
    return {
        "unit": "share",
        **{side: round(count / len(seeds), 3) for side, count in done.items()},
        "n": len(seeds),
    }


def _ours(place: Path, shaker: Shaker) -> bool:
    store = CheckpointStore(place / "checkpoints", shaker.repo)
    before, was = store.take("before").id, whole(shaker)
    shaker.shake(20)
    store.undo(before, store.take("after").id)
    store.close()
    return whole(shaker) == was


def _peer(place: Path, shaker: Shaker) -> bool:
    if not shaker.git:
        return False
    was = whole(shaker)
    index = {**os.environ, **GIT_ENVIRONMENT, "GIT_INDEX_FILE": str(place / "index")}

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=shaker.repo, env=index, capture_output=True, check=False
        )
        return os.fsdecode(done.stdout).strip()

    git("add", "-A")
    tree = git("write-tree")
    shaker.shake(20)
    git("read-tree", tree)
    git("checkout-index", "-f", "-a")
    git("clean", "-ffdq")
    return whole(shaker) == was


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--json", action="store_true", help="one JSON object")
    options.add_argument("--quick", action="store_true", help=f"{QUICK_FILES} files instead of {FILES}")
    chosen = options.parse_args()
    with_engine_if_any("benchmarks.checkpoint_bench")
    size = (QUICK_FILES, QUICK_ROUNDS) if chosen.quick else (FILES, ROUNDS)
    with tempfile.TemporaryDirectory(prefix="mybro-bench-") as folder:
        watch = measure(Path(folder), *size)
        many = snapshot(Path(folder, "many"), QUICK_ROUNDS if chosen.quick else MANY_ROUNDS)
        share = exact(Path(folder, "exact"), QUICK_SEQUENCES if chosen.quick else SEQUENCES)
    pairs = {
        "checkpoint_take": ("take", "git add"),
        "checkpoint_stash": ("take", "git stash"),
        "checkpoint_first": ("first", "git add of all"),
        "checkpoint_undo": ("undo", "git restore"),
    }
    figures = {"snapshot_ms": beside(many.spread("ours"), many.spread("peer")), "restore_exact": share}
    figures |= {name: beside(watch.spread(ours), watch.spread(peer)) for name, (ours, peer) in pairs.items()}
    notes = [
        f"snapshot_ms: {MANY} files, {MANY_EDITED} of them edited in every round",
        f"the others: {size[0]} files of {FILE_CHARS} bytes, {EDITED} of them edited in every round",
        "ratio is ours / peer: below 1, ours is faster",
    ]
    report(figures, as_json=chosen.json, notes=notes)


if __name__ == "__main__":
    main()
