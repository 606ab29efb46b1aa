"""Downloads from a hub on loopback: whole, interrupted, damaged, refused."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from mybro.errors import ModelError
from mybro.models import find, named, resolve
from mybro.models.files import MANIFEST, folder_of, locked
from mybro.models.hub import Progress, fetch, fetcher
from mybro.models.store import installed, remove, verify
from tests.fakes.models import Hub, hub_server

pytestmark = pytest.mark.integration

REPO = "Systran/faster-whisper-base"
WEIGHTS = random.Random(1).randbytes(3_000_000)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("MYBRO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with hub_server() as running:
        running.repos[REPO] = {
            "config.json": b"{}",
            "model.bin": WEIGHTS,
            "tokenizer.json": b'{"a": 1}',
            "vocabulary.txt": b"a\nb\n",
            "README.md": b"not needed",
            "vocabulary.d/../../../escape": b"evil",
        }
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        yield running


def no_wait(_seconds: float) -> None:
    """The pause between two tries, left out."""


def test_a_model_is_fetched_checked_and_found(hub: Hub) -> None:
    model = named("faster-whisper", "base")
    assert find(model) is None
    with pytest.raises(ModelError) as missing:
        resolve("faster-whisper", "base")
    assert missing.value.code == "model_missing" and "mybro models fetch base" in missing.value.hint
    heard: list[Progress] = []
    weights = fetch(model, heard.append)
    assert weights.path == folder_of(model) and resolve("faster-whisper", "base") == weights
    assert (weights.path / "model.bin").read_bytes() == WEIGHTS
    assert sorted(path.name for path in weights.path.iterdir()) == [
        "config.json", "model.bin", MANIFEST, "tokenizer.json", "vocabulary.txt",
    ]  # fmt: skip
    assert heard[-1].done == heard[-1].total == sum(map(len, (WEIGHTS, b"{}", b'{"a": 1}', b"a\nb\n")))
    assert verify(weights) == [] and installed() == [weights]
    manifest = json.loads((weights.path / MANIFEST).read_text())
    assert manifest["source"] == f"{REPO}@{hub.revision}"


def test_an_interrupted_download_goes_on_where_it_stopped(hub: Hub) -> None:
    hub.cut_after, hub.cuts_left = 1_000_000, 2
    waits: list[float] = []
    weights = fetch(named("faster-whisper", "base"), wait=waits.append)
    assert (weights.path / "model.bin").read_bytes() == WEIGHTS
    starts = [
        int(asked.removeprefix("bytes=")[:-1] or 0) for name, asked in hub.ranges if name == "model.bin"
    ]
    assert len(waits) == 2 and starts[0] == 0 and starts == sorted(set(starts)), starts


def _fetch_until_killed(address: str, cache: str) -> None:
    os.environ.update(HF_ENDPOINT=address, MYBRO_CACHE_DIR=cache)

    def die(progress: Progress) -> None:
        if progress.done > 700_000:
            os._exit(9)

    fetch(named("faster-whisper", "base"), die)


def test_a_download_whose_process_dies_is_resumed_by_the_next(hub: Hub) -> None:
    # Nothing is reported more often than ten times a second: the server has to be slow enough to die in.
    hub.cut_after, hub.cuts_left = 1_000_000, 1
    child = multiprocessing.get_context("spawn").Process(
        target=_fetch_until_killed, args=(hub.address, os.environ["MYBRO_CACHE_DIR"])
    )
    child.start()
    child.join(60)
    assert child.exitcode == 9
    partial = folder_of(named("faster-whisper", "base")).with_name(".base.partial")
    have = (partial / "model.bin").stat().st_size
    assert 0 < have < len(WEIGHTS) and find(named("faster-whisper", "base")) is None
    hub.ranges.clear()
    weights = fetch(named("faster-whisper", "base"))
    assert dict(hub.ranges)["model.bin"] == f"bytes={have}-"
    assert (weights.path / "model.bin").read_bytes() == WEIGHTS and not partial.exists()


def test_what_belongs_to_another_revision_is_not_gone_on_with(hub: Hub) -> None:
    hub.cut_after, hub.cuts_left = 500_000, 1

    def refuse(_seconds: float) -> None:
        hub.statuses = [503]

    with pytest.raises(ModelError, match="503"):
        fetch(named("faster-whisper", "base"), wait=refuse)
    hub.revision, hub.statuses = "f" * 40, []
    hub.ranges.clear()
    weights = fetch(named("faster-whisper", "base"))
    assert ("model.bin", "") in hub.ranges and (weights.path / "model.bin").read_bytes() == WEIGHTS


def test_a_server_without_ranges_is_begun_anew(hub: Hub) -> None:
    hub.cut_after, hub.cuts_left, hub.ignores_ranges = 900_000, 1, True
    weights = fetch(named("faster-whisper", "base"), wait=no_wait)
    assert (weights.path / "model.bin").read_bytes() == WEIGHTS


def test_what_has_another_sha256_is_not_kept(hub: Hub) -> None:
    hub.false_sha256 = True
    with pytest.raises(ModelError) as damaged:
        fetch(named("faster-whisper", "base"))
    assert damaged.value.code == "download_damaged" and damaged.value.retryable
    assert find(named("faster-whisper", "base")) is None
    hub.false_sha256 = False
    assert verify(fetch(named("faster-whisper", "base"))) == []


@pytest.mark.parametrize(
    ("status", "code"), [(401, "hub_refuses"), (404, "hub_unknown"), (500, "hub_failed")]
)
def test_refusals_are_sentences(hub: Hub, status: int, code: str) -> None:
    hub.statuses = [status]
    with pytest.raises(ModelError) as refused:
        fetch(named("faster-whisper", "base"), wait=no_wait)
    assert refused.value.code == code and refused.value.hint


def test_an_unknown_repository_and_one_without_weights(hub: Hub) -> None:
    with pytest.raises(ModelError, match="has no") as unknown:
        fetch(named("faster-whisper", "nobody/nothing"))
    assert unknown.value.code == "hub_unknown"
    hub.repos["somebody/else"] = {"config.json": b"{}", "pytorch_model.bin": b"x"}
    with pytest.raises(ModelError) as useless:
        fetch(named("faster-whisper", "somebody/else"))
    assert useless.value.code == "no_weights"


def test_an_odd_answer_and_no_hub_at_all(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.odd_listing = b"<html>"
    with pytest.raises(ModelError) as odd:
        fetch(named("faster-whisper", "base"))
    assert odd.value.code == "hub_answer_odd"
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError) as gone:
        fetch(named("faster-whisper", "base"), wait=no_wait)
    assert gone.value.code == "hub_unreachable" and gone.value.retryable


def test_a_disk_without_room_is_said_before_anything_is_fetched(hub: Hub) -> None:
    hub.odd_listing = json.dumps(
        {"sha": "a" * 40, "siblings": [{"rfilename": "model.bin", "size": 10**15}]}
    ).encode()
    with pytest.raises(ModelError) as full:
        fetch(named("faster-whisper", "base"))
    assert full.value.code == "disk_full" and not hub.ranges


def test_two_programs_do_not_fetch_the_same_model_at_once(hub: Hub) -> None:
    model = named("faster-whisper", "base")
    with locked(folder_of(model)), pytest.raises(ModelError) as busy:
        fetch(model)
    assert busy.value.code == "model_busy" and busy.value.retryable


def test_any_repository_can_be_fetched_and_removed_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    hub.repos["me/my-whisper"] = {"config.json": b"{}", "weights.safetensors": b"abc"}
    weights = fetcher()("mlx-whisper", "me/my-whisper")
    assert weights.path.name == "me--my-whisper" and hub.tokens[0] == "Bearer hf_test"
    assert resolve("mlx-whisper", "me/my-whisper").path == weights.path
    assert remove(weights) > 0 and find(weights.model) is None and installed() == []


def test_damage_is_found_by_verify_and_by_its_size_before_loading(hub: Hub) -> None:
    weights = fetch(named("faster-whisper", "base"))
    with (weights.path / "model.bin").open("r+b") as file:
        file.write(b"XXXX")
    assert verify(weights) == ["model.bin has another sha256"]
    with (weights.path / "model.bin").open("ab") as file:
        file.write(b"more")
    with pytest.raises(ModelError) as damaged:
        resolve("faster-whisper", "base")
    assert damaged.value.code == "model_damaged" and "mybro models remove base" in damaged.value.hint


def test_a_second_fetch_replaces_the_first(hub: Hub) -> None:
    model = named("faster-whisper", "base")
    fetch(model)
    hub.revision, hub.repos[REPO]["config.json"] = "e" * 40, b'{"new": 1}'
    assert (fetch(model).path / "config.json").read_bytes() == b'{"new": 1}'
