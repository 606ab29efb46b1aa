"""The environment: uv, `.venv`, and hashed requirements in it, with mybro itself installed editable."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from mybro.ops.bootstrap import machine
from mybro.ops.bootstrap.console import SetupError, call, say, step
from mybro.ops.bootstrap.places import CACHE, REQUIREMENTS, ROOT, VENV, apple_silicon, in_venv
from mybro.ops.bootstrap.stamps import Stamp, digest

Stage = Literal["setup", "test"]

OLDEST_UV = (0, 5)
LOCAL_UV = CACHE / "uv"
SHORT_S = 60.0


def locks(stage: Stage) -> list[Path]:
    """The requirement files of a stage. Each is whole in itself, `dev.txt` being the union of all."""
    if stage == "test":
        names = ["dev", "mlx-whisper", "parakeet-mlx"]
    else:
        names = ["mlx", "mlx-whisper"] if apple_silicon() else ["app"]
    return [REQUIREMENTS / f"{name}.txt" for name in names]


def provide(stage: Stage) -> None:
    """Bring `.venv` to the state that `stage` needs; nothing is done where it is there already."""
    stages: tuple[Stage, ...] = ("setup", "test") if stage == "setup" else ("test",)
    if sys.platform == "darwin" and not apple_silicon():
        raise SetupError(
            "mybro runs on Apple silicon, and this is an Intel Mac or an Intel Python on Rosetta"
        )
    if usable(VENV) and any(_stamp(each).fresh(stage_key(each)) for each in stages):
        return
    uv = find_uv()
    if not usable(VENV):
        _make_venv(uv)
    _stamp(stage).clear()
    with step(f"installing what mybro needs into {VENV.name}"):
        files = [part for lock in locks(stage) for part in ("-r", lock)]
        # The files are whole, so nothing is left to resolve: what a package declares beyond them
        # (torch, for mlx-whisper) stays out.
        _pip(uv, "--no-deps", "--require-hashes", *files, what="installing the requirements")
        _pip(
            uv, "--no-deps", "--build-constraints", REQUIREMENTS / "build.txt", "--editable", ROOT,
            what="installing mybro",
        )  # fmt: skip
    _stamp(stage).write(stage_key(stage), left=[in_venv("mybro"), *_installed()])


def _stamp(stage: Stage) -> Stamp:
    return Stamp(VENV / "mybro" / f"{stage}.json")


def stage_key(stage: Stage) -> str:
    """What the environment of a stage is made from."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    facts = (project["build-system"], project["project"], str(ROOT), _python_version(VENV))
    return digest([*locks(stage), REQUIREMENTS / "build.txt"], *facts)


def usable(venv: Path) -> bool:
    """Whether `venv` is an environment of this checkout, with the Python that was asked for."""
    version = _python_version(venv)
    if version is None or not (venv / "bin" / "python").exists():
        return False
    activate = venv / "bin" / "activate"
    if activate.exists() and str(venv) not in activate.read_text(encoding="utf-8", errors="replace"):
        return False  # the checkout was moved or copied: the programs in it name the old place
    wanted = tuple(sys.version_info[:2])
    return not os.environ.get("PYTHON") or version == wanted


def _python_version(venv: Path) -> tuple[int, int] | None:
    try:
        written = (venv / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)", written, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else None


def _make_venv(uv: Path) -> None:
    # The interpreter may itself be the one in a broken .venv: its base outlives the folder.
    base = getattr(sys, "_base_executable", None) or sys.executable
    shutil.rmtree(VENV, ignore_errors=True)
    call([uv, "venv", "--quiet", "--no-project", "--python", base, VENV], "making .venv")


def _pip(uv: Path, *arguments: str | Path, what: str) -> None:
    command = [uv, "pip", "install", "--python", in_venv("python"), *arguments]
    call(command, what, cwd=ROOT, env=trusting(os.environ), live=True)


def trusting(env: Mapping[str, str]) -> dict[str, str]:
    """An environment in which uv, like pip, trusts whom the machine trusts, where the machine says so.

    Behind a proxy that inspects what passes, the certificates that uv has with it are not enough.
    """
    if sys.platform != "darwin":
        told = ssl.get_default_verify_paths()
        listed = bool(told.capath) and any(Path(told.capath).iterdir())
        if not told.cafile and not listed:
            return dict(env)
    # The second is the first one's name in older versions of uv.
    return {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1", **env}


def _installed() -> list[Path]:
    return sorted(VENV.glob("lib/python3*/site-packages/*.dist-info"))


def find_uv() -> Path:
    """A uv that runs: the machine's, or one fetched once into the checkout.

    Raises `SetupError` with what to install where there is no way to get one.
    """
    for candidate in (shutil.which("uv"), LOCAL_UV / "bin" / "uv"):
        if candidate and _runs(Path(candidate)):
            return Path(candidate)
    with step("getting uv into .cache/uv"):
        for way in (_uv_by_venv, _uv_by_pip, _uv_by_system_package):
            shutil.rmtree(LOCAL_UV, ignore_errors=True)
            try:
                way()
            except SetupError as trouble:
                last = trouble
                continue
            if _runs(LOCAL_UV / "bin" / "uv"):
                return LOCAL_UV / "bin" / "uv"
    say(str(last))
    package = f"python3.{sys.version_info[1]}-venv"
    raise SetupError(f"uv could not be had here: install uv, or {package}, and run make again")


def _runs(uv: Path) -> bool:
    try:
        told = call([uv, "--version"], "uv", timeout_s=SHORT_S)
    except SetupError:
        return False
    version = re.match(r"uv (\d+)\.(\d+)", told)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST_UV


def _uv_by_venv() -> None:
    call([sys.executable, "-m", "venv", LOCAL_UV], "making an environment for uv")
    _pip_install(LOCAL_UV / "bin" / "python", "install")


def _uv_by_pip() -> None:
    """For a Python that has pip but, as Debian ships it, no ensurepip to make environments with."""
    _pip_install(sys.executable, "install", "--target", str(LOCAL_UV))


def _uv_by_system_package() -> None:
    if not machine.install([f"python3.{sys.version_info[1]}-venv"]):
        raise SetupError("no pip, no ensurepip, and no right to install system packages")
    _uv_by_venv()


def _pip_install(python: str | Path, *arguments: str) -> None:
    command = [python, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check"]
    call(
        [*command, "--only-binary", ":all:", "--require-hashes", "-r", REQUIREMENTS / "uv.txt"],
        "fetching uv",
    )
