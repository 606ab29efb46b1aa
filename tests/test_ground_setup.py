"""`make setup` and its kin: done once, done again when something changed, healed after an interruption."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fakes.ground import ROOT, Checkout

pytestmark = pytest.mark.integration


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "mybro")


def test_setup_installs_hashed_requirements_and_nothing_that_they_do_not_name(checkout: Checkout) -> None:
    done = checkout.make("setup")
    assert done.returncode == 0, done.stderr
    assert "ready" in done.stderr
    installs = checkout.calls("uv pip install")
    assert len(installs) == 2
    assert all("--no-deps" in call for call in installs)
    assert "--require-hashes" in installs[0]
    assert "requirements/app.txt" in installs[0] or "requirements/mlx.txt" in installs[0]
    assert "--editable" in installs[1]
    assert "--build-constraints" in installs[1]


def test_the_second_run_installs_nothing(checkout: Checkout) -> None:
    checkout.make("setup")
    checkout.calls()
    again = checkout.make("setup")
    assert again.returncode == 0
    assert checkout.calls("uv") == []


def test_demo_sets_up_and_becomes_mybro(checkout: Checkout) -> None:
    done = checkout.make("demo", "--quiet")
    assert done.stdout == "mybro demo --quiet\n"
    assert checkout.calls("uv pip install")


@pytest.mark.parametrize("name", ["requirements/app.txt", "requirements/build.txt"])
def test_a_changed_requirement_is_installed(checkout: Checkout, name: str) -> None:
    checkout.make("setup")
    checkout.calls()
    if name.endswith("app.txt") and sys.platform == "darwin":
        name = "requirements/mlx.txt"
    with (checkout.folder / name).open("a") as file:
        file.write("# newer\n")
    checkout.make("setup")
    assert len(checkout.calls("uv pip install")) == 2


def test_a_change_of_the_lint_rules_installs_nothing(checkout: Checkout) -> None:
    checkout.make("setup")
    checkout.calls()
    with (checkout.folder / "pyproject.toml").open("a") as file:
        file.write('\n[tool.something]\nstrict = "yes"\n')
    checkout.make("setup")
    assert checkout.calls("uv") == []


def test_a_package_that_was_removed_by_hand_comes_back(checkout: Checkout) -> None:
    checkout.make("setup")
    checkout.calls()
    gone = next((checkout.folder / ".venv").glob("lib/*/site-packages/*.dist-info"))
    gone.rmdir()
    checkout.make("setup")
    assert checkout.calls("uv pip install")
    assert gone.is_dir()


def test_the_tests_environment_serves_for_setup_too(checkout: Checkout) -> None:
    checkout.record("npm", status=1)
    checkout.make("lint")
    assert any("requirements/dev.txt" in call for call in checkout.calls("uv pip install"))
    checkout.make("setup")
    assert checkout.calls("uv") == []


def test_an_interrupted_setup_goes_on_at_the_next_run(checkout: Checkout) -> None:
    (checkout.stubs / "uv-hangs").touch()
    running = subprocess.Popen(
        checkout.command("setup"), env=checkout.env, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not (checkout.log.exists() and "hanging" in checkout.log.read_text()):
        assert time.monotonic() < deadline, "uv was not called"
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "interrupted" in told
    assert "Traceback" not in told

    (checkout.stubs / "uv-hangs").unlink()
    checkout.calls()
    assert checkout.make("setup").returncode == 0
    assert len(checkout.calls("uv pip install")) == 2
    assert checkout.make("setup").returncode == 0
    assert checkout.calls("uv") == []


def test_a_half_made_environment_is_made_anew(checkout: Checkout) -> None:
    checkout.make("setup")
    (checkout.folder / ".venv/bin/python").unlink()
    checkout.calls()
    assert checkout.make("setup").returncode == 0
    assert checkout.calls("uv venv")
    assert (checkout.folder / ".venv/bin/python").exists()


def test_a_moved_checkout_gets_an_environment_of_its_own(checkout: Checkout, tmp_path: Path) -> None:
    checkout.make("setup")
    moved = tmp_path / "elsewhere"
    shutil.move(checkout.folder, moved)
    checkout.folder = moved
    checkout.calls()
    assert checkout.make("setup").returncode == 0
    assert checkout.calls("uv venv")
    assert str(moved) in (moved / ".venv/bin/activate").read_text()


def test_a_failed_installation_says_why_and_is_tried_again(checkout: Checkout) -> None:
    checkout.make("setup")
    with (checkout.folder / "requirements/build.txt").open("a") as file:
        file.write("# newer\n")
    (checkout.stubs / "uv-fails").touch()
    broken = checkout.make("setup")
    assert broken.returncode == 1
    assert "no network today" in broken.stderr
    assert "Traceback" not in broken.stderr
    (checkout.stubs / "uv-fails").unlink()
    assert checkout.make("setup").returncode == 0


def test_two_at_once_do_the_work_once(checkout: Checkout) -> None:
    both = [
        subprocess.Popen(checkout.command("setup"), env=checkout.env, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert len(checkout.calls("uv pip install")) == 2


def test_missing_system_packages_are_named_in_one_line_and_stop_nothing(checkout: Checkout) -> None:
    listed = checkout.folder / "requirements/machine.toml"
    with listed.open("a") as file:
        file.write('\n[[part]]\nname = "Gizmo"\ngives = "x"\ncommand = "no-such-gizmo"\napt = "gizmo"\n')
        file.write('stage = "setup"\nci = []\n')
    done = checkout.make("setup")
    assert done.returncode == 0
    assert sum("Gizmo" in line for line in done.stderr.splitlines()) == 1
    # A later run names it again, and does not try again what did not work.
    checkout.calls()
    again = checkout.make("demo")
    assert "Gizmo" in again.stderr
    assert checkout.calls("apt-get") == []


@pytest.mark.parametrize("target", [[], ["nonsense"]])
def test_an_unknown_target_shows_what_there_is(checkout: Checkout, target: list[str]) -> None:
    done = checkout.make(*target)
    assert done.returncode == 2
    assert "make setup" in done.stdout


def test_the_makefile_knows_every_target() -> None:
    told = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 0, told.stderr
    makefile = (ROOT / "Makefile").read_text()
    for line in told.stdout.splitlines():
        assert f" {line.split()[1]}" in makefile


def test_nothing_but_the_standard_library_is_needed() -> None:
    # -S leaves out site-packages.
    code = "import sys; sys.path.insert(0, sys.argv[1]); import mybro.ops.bootstrap.__main__"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code, str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _python_stub(folder: Path, name: str, version: str) -> Path:
    """A `python` that says it is of some version, and can do no more."""
    folder.mkdir(exist_ok=True)
    stub = folder / name
    stub.write_text(f'#!/bin/sh\ncase "$3" in *sys.exit*) exit 1 ;; *) echo {version} ;; esac\n')
    stub.chmod(0o755)
    return stub


def test_an_old_python_gets_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    _python_stub(folder, "python3", "3.9")
    for tool in ("sh", "dirname", "uname"):
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    script = tmp_path / "requirements/python.sh"
    script.parent.mkdir()
    shutil.copy(ROOT / "requirements/python.sh", script)
    done = subprocess.run(
        ["sh", str(script), "-V"], env={"PATH": str(folder), "HOME": str(tmp_path)},
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode == 0:
        pytest.skip("a newer Python stands in one of the places where it is looked for beside PATH")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "3.9" in done.stderr
    assert "3.11 to 3.14" in done.stderr


def test_a_newer_python_is_found_behind_an_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    _python_stub(folder, "python3", "3.9")
    (folder / "python3.13").symlink_to(Path(sys.executable).resolve())
    script = tmp_path / "requirements/python.sh"
    script.parent.mkdir()
    shutil.copy(ROOT / "requirements/python.sh", script)
    done = subprocess.run(
        ["sh", str(script), "-c", "import sys; print(sys.version_info[:2] >= (3, 11))"],
        env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == "True\n"


def test_a_python_that_was_asked_for_and_does_not_fit_is_refused(tmp_path: Path) -> None:
    old = _python_stub(tmp_path / "bin", "python3.8", "3.8")
    done = subprocess.run(
        ["sh", str(ROOT / "requirements/python.sh"), "-V"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(old)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "3.8" in done.stderr
