"""requirements/: whole, hashed, without torch, free of addresses, and in step with pyproject.toml."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from mybro.ops.bootstrap.locks import USED
from tests.fakes.ground import ROOT
from tests.requirements import may_lack

pytestmark = pytest.mark.unit

FOLDER = ROOT / "requirements"
LOCKS = ("app", "mlx", "dev", "mlx-whisper", "parakeet-mlx", "build", "uv")
NEVER = re.compile(r"^(torch|nvidia|cuda|cupy|triton|flask|tensorflow)", re.IGNORECASE)

MACHINES: dict[str, dict[str, str]] = {
    "macOS arm64": {"sys_platform": "darwin", "platform_machine": "arm64", "platform_system": "Darwin"},
    "Linux x86_64": {"sys_platform": "linux", "platform_machine": "x86_64", "platform_system": "Linux"},
    "Linux aarch64": {"sys_platform": "linux", "platform_machine": "aarch64", "platform_system": "Linux"},
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def entries(name: str) -> list[str]:
    """The requirements of a file, each with its hashes, as one line."""
    text = (FOLDER / f"{name}.txt").read_text().replace("\\\n", " ")
    lines = (line.split(" #")[0].strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def resolved(name: str, machine: str, python: str) -> dict[str, str]:
    """Package and version for one kind of machine."""
    env = {
        **MACHINES[machine],
        "python_version": python,
        "python_full_version": f"{python}.1",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
    }
    found: dict[str, str] = {}
    for entry in entries(name):
        needed = Requirement(entry.split(" --hash")[0])
        if needed.marker is None or needed.marker.evaluate(env):
            assert needed.name not in found, f"{needed.name} twice for {machine}, {python}"
            found[needed.name] = str(needed.specifier).removeprefix("==")
    return found


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    assert entries(name)
    for entry in entries(name):
        assert re.match(r"[\w.-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


FILES = sorted(file for file in FOLDER.rglob("*") if file.is_file())


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FOLDER)))
def test_no_file_holds_an_address(file: Path) -> None:
    text = file.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-i|--index|--extra-index|--find-links|-f)\b", text, re.MULTILINE)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", LOCKS)
def test_no_torch_and_no_cuda(name: str, machine: str, python: str) -> None:
    bad = [package for package in resolved(name, machine, python) if NEVER.match(package)]
    assert bad == []


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("machine", MACHINES)
def test_what_make_setup_installs_is_what_the_tests_run(machine: str, python: str) -> None:
    dev = resolved("dev", machine, python)
    for name in ("app", "mlx"):
        assert resolved(name, machine, python).items() <= dev.items()


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("machine", MACHINES)
def test_the_project_asks_for_nothing_that_is_not_locked(machine: str, python: str) -> None:
    """Fails when pyproject.toml was changed and `make requirements` was not run."""
    extras = project()["project"]["optional-dependencies"]
    asked = {
        "app": [*project()["project"]["dependencies"], *(line for name in USED for line in extras[name])],
        "dev": [
            *project()["project"]["dependencies"],
            *(line for lines in extras.values() for line in lines),
            *project()["dependency-groups"]["dev"],
        ],
    }
    env = {**MACHINES[machine], "python_version": python, "python_full_version": f"{python}.1"}
    for name, lines in asked.items():
        there = {_plain(package): version for package, version in resolved(name, machine, python).items()}
        for line in lines:
            needed = Requirement(line)
            if needed.marker and not Marker(str(needed.marker)).evaluate(env):
                continue
            version = there.get(_plain(needed.name))
            assert version, f"{line} is not in requirements/{name}.txt: run make requirements"
            assert needed.specifier.contains(version, prereleases=True), f"{line}: {version} is locked"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_only_apple_silicon_gets_mlx_from_setup() -> None:
    assert "mlx" not in resolved("app", "Linux x86_64", "3.12")
    assert "mlx" in resolved("mlx", "macOS arm64", "3.12")
    assert "mlx-metal" in resolved("mlx", "macOS arm64", "3.12")
    assert "mlx-cpu" in resolved("dev", "Linux x86_64", "3.12")


@pytest.mark.parametrize("alone", ["mlx-whisper", "parakeet-mlx"])
def test_what_declares_torch_or_half_of_scipy_stands_alone(alone: str) -> None:
    assert [entry.split("==")[0] for entry in entries(alone)] == [alone]
    for name in ("app", "mlx", "dev"):
        assert not {alone, "librosa", "numba"} & set(resolved(name, "macOS arm64", "3.12"))


def test_the_coding_cli_is_pinned_with_hashes() -> None:
    manifest = json.loads((FOLDER / "claude/package.json").read_text())
    lock = json.loads((FOLDER / "claude/package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    wanted = manifest["dependencies"]["@anthropic-ai/claude-code"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", wanted)
    for entry in packages.values():
        assert entry["version"] == wanted
        assert entry["integrity"].startswith("sha512-")
        assert "resolved" not in entry


@pytest.mark.parametrize(
    ("what", "platform", "allowed"),
    [
        ("PulseAudio: sudo apt-get install pulseaudio", "linux", False),
        ("PulseAudio: sudo apt-get install pulseaudio", "macos", True),
        ("the Claude Code CLI: make test brings it", "macos", False),
        ("an Apple GPU", "linux", True),
        ("an Apple GPU", "macos", False),
        ("a sound device", "linux", True),
        ("something that nobody has listed", "linux", False),
    ],
)
def test_what_ci_may_lack_is_listed(what: str, platform: str, allowed: bool) -> None:
    assert may_lack(what, platform) is allowed


def test_the_agent_of_the_tests_is_pinned_with_hashes() -> None:
    manifest = json.loads((FOLDER / "acp/package.json").read_text())
    lock = json.loads((FOLDER / "acp/package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    for name, wanted in manifest["dependencies"].items():
        assert packages[f"node_modules/{name}"]["version"] == wanted
    for entry in packages.values():
        assert entry["integrity"].startswith("sha512-")
        assert "resolved" not in entry
