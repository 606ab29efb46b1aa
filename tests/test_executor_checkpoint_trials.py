"""Random trees, shaken at random: what a job did comes back byte for byte, whatever it was."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mybro.executor.checkpoint import CheckpointStore, History, Limits
from tests.fakes.executor import GIT_ENVIRONMENT, Image, Shaker, image, random_repository
from tests.fakes.shaking import deep_repository, whole
from tests.trials import share

pytestmark = pytest.mark.trial

SEQUENCES = list(range(200))
DEEP = list(range(3000, 3200))
PERSONS = list(range(1000, 1200))
KILLS = list(range(2000, 2200))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for folder, _, _ in os.walk(tmp_path):
        Path(folder).chmod(0o700)  # so that it can be removed, whatever was done to it
    shutil.rmtree(tmp_path, ignore_errors=True)


def different(one: Image, other: Image) -> list[bytes]:
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


@pytest.mark.parametrize("seed", share(SEQUENCES, 3))
def test_undo_and_redo_are_exact(place: Path, seed: int) -> None:
    everything = seed % 2 == 1  # then what is ignored may change as well
    shaker = random_repository(place / "repo", seed, ignores=everything)
    store = CheckpointStore(place / "checkpoints", shaker.repo, Limits(ignored=everything))
    for _ in range(2):
        before, was = store.take("before"), whole(shaker)
        shaker.shake(15)
        after, became = store.take("after"), whole(shaker)
        assert bool(store.changes(before.id, after.id)) == (was != became)
        undone = store.undo(before.id, after.id)
        assert undone.kept == ()
        assert different(whole(shaker)[0], was[0]) == []
        assert whole(shaker)[1] == was[1]
        assert store.redo(before.id, after.id).kept == ()
        assert different(whole(shaker)[0], became[0]) == []
        assert whole(shaker)[1] == became[1]
    assert list((place / "outside").iterdir()) == [], "a link was followed"
    store.close()


@pytest.mark.parametrize("seed", share(DEEP, 6))
def test_what_commands_and_git_did_comes_back(place: Path, seed: int) -> None:
    everything = seed % 2 == 1
    shaker = deep_repository(place / "repo", seed, ignores=everything)
    store = CheckpointStore(place / "checkpoints", shaker.repo, Limits(ignored=everything))
    steps = []
    for _ in range(3):
        before, was = store.take("before"), whole(shaker)
        shaker.shake(12)
        after, became = store.take("after"), whole(shaker)
        steps.append((before.id, after.id, was, became))
    for one, other, was, _ in reversed(steps):
        assert store.undo(one, other).kept == ()
        assert different(whole(shaker)[0], was[0]) == []
        assert whole(shaker)[1] == was[1]
    for one, other, _, became in steps:
        assert store.redo(one, other).kept == ()
        assert different(whole(shaker)[0], became[0]) == []
        assert whole(shaker)[1] == became[1]
    store.close()


@pytest.mark.parametrize("seed", share(PERSONS, 4))
def test_what_the_person_did_meanwhile_stays(place: Path, seed: int) -> None:
    shaker = random_repository(place / "repo", seed)
    store = CheckpointStore(place / "checkpoints", shaker.repo)
    before, was = store.take("before"), image(shaker.repo)
    shaker.shake(15)
    after, became = store.take("after"), image(shaker.repo)
    Shaker(shaker.repo, random.Random(seed), git=False).shake(6)
    saved = image(shaker.repo)
    mine = different(became, saved)

    store.undo(before.id, after.id)

    now = image(shaker.repo)
    for path in mine:
        kept = now.get(path)
        folder = saved.get(path, ("", 0, b""))[0] == "folder" and kept is not None and kept[0] == "folder"
        assert kept == saved.get(path) or folder, path
    for path in different(now, was):
        near = (own for own in mine if _within(path, own) or _within(own, path))
        assert any(near), f"{path!r} is the job's alone and did not come back"
    store.close()


def _within(inner: bytes, outer: bytes) -> bool:
    return inner == outer or inner.startswith(outer + b"/")


class Mother:
    """Runs operations that are killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.executor_child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, bufsize=1, cwd=Path(__file__).parent.parent,
            env={"PATH": os.environ["PATH"], **GIT_ENVIRONMENT},
        )  # fmt: skip

    def __call__(self, operation: str, place: Path, seconds: float = 0.0) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{operation}\t{place / 'checkpoints'}\t{place / 'repo'}\t{seconds}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="module")
def mother() -> Iterator[Mother]:
    running = Mother()
    yield running
    running.close()


@pytest.mark.parametrize("seed", share(KILLS, 5))
def test_a_kill_in_the_middle_is_put_right(place: Path, mother: Mother, seed: int) -> None:
    chance = random.Random(seed)
    shaker = (deep_repository if seed % 2 else random_repository)(place / "repo", seed)
    history = History(CheckpointStore(place / "checkpoints", shaker.repo))
    step = history.begin("a job")
    was = whole(shaker)
    shaker.shake(25)
    _, changes = history.finish(step)
    became = whole(shaker)
    if not changes:
        return
    operation = chance.choice(("undo", "undo", "redo", "job"))
    wanted = (was, became)
    if operation == "redo":
        history.undo()
        wanted = (became, was)
    history.store.close()

    mother(operation, place, chance.uniform(0.002, 0.06))
    at_kill = whole(shaker)
    history = History(CheckpointStore(place / "checkpoints", shaker.repo))
    cut_off = history.recover()

    assert list((history.store.folder / "blobs" / "tmp").iterdir()) == []
    now = whole(shaker)
    if operation == "job":
        assert different(now[0], at_kill[0]) == [], "a job's work is not touched before somebody asks"
        # A kill may also come when the job's step is done and its process is not.
        if cut_off or history.steps()[-1].number != step.number:
            history.undo()
        assert different(whole(shaker)[0], became[0]) == []
        return
    finished, unstarted = wanted
    assert different(now[0], finished[0]) == [] or different(now[0], unstarted[0]) == []
    assert now[1] == (finished if different(now[0], finished[0]) == [] else unstarted)[1]
    if now == unstarted and operation == "undo":
        history.undo()
    elif now == unstarted:
        history.redo()
    assert different(whole(shaker)[0], finished[0]) == []
    assert whole(shaker)[1] == finished[1]
    assert len(history.steps("undone" if operation == "undo" else "done")) == 1
    history.store.close()
