"""Packages, through the real uv, npm and cargo, with packages and a registry of the test's own."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mybro.cli import main
from mybro.errors import PackagesError
from mybro.packages.npm import Npm
from mybro.packages.room import Packages
from tests.requirements import need

pytestmark = pytest.mark.end_to_end


def wheel(folder: Path, name: str, version: str) -> None:
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {
        f"{name}.py": "",
        f"{name}-{version}.dist-info/METADATA": about,
        f"{name}-{version}.dist-info/WHEEL": tags,
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text)}")
    files[f"{name}-{version}.dist-info/RECORD"] = (
        "\n".join([*rows, f"{name}-{version}.dist-info/RECORD,,"]) + "\n"
    )
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


class Registry:
    """What npm asks of a registry, with one package in two versions; and an index of wheels for uv."""

    def __init__(self, wheels: Path) -> None:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(owner.answer(self.path))

            def do_HEAD(self) -> None:
                self._answer(owner.answer(self.path), head=True)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                weak = {
                    "id": 1,
                    "url": "",
                    "title": "It leaks",
                    "severity": "high",
                    "vulnerable_versions": "<2",
                }
                self._answer(json.dumps({"toy": [weak]} if "advisories" in self.path else {}).encode())

            def _answer(self, body: bytes | None, *, head: bool = False) -> None:
                self.send_response(404 if body is None else 200)
                self.send_header("content-type", "text/html")
                self.send_header("content-length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(b"" if head else body or b"")

            def log_message(self, *_: object) -> None:
                pass

        self._wheels = wheels
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.tarball = self._tarball()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, path: str) -> bytes | None:
        name = path.strip("/").rpartition("/")[2]
        if name.endswith(".tgz"):
            return self.tarball
        if name.endswith(".whl"):
            return (self._wheels / name).read_bytes()
        if path.startswith("/simple/"):
            wheels = sorted(self._wheels.glob(f"{name}-*.whl"))
            links = "".join(f'<a href="{self.url}/{each.name}">{each.name}</a>' for each in wheels)
            return f"<!doctype html><html><body>{links}</body></html>".encode() if wheels else None
        return self.document(path)

    def _tarball(self) -> bytes:
        out, manifest = io.BytesIO(), b'{"name": "toy", "version": "1.0.0"}'
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            info = tarfile.TarInfo("package/package.json")
            info.size = len(manifest)
            archive.addfile(info, io.BytesIO(manifest))
        return out.getvalue()

    def document(self, path: str) -> bytes | None:
        if path.strip("/") != "toy":
            return None
        sha = base64.b64encode(hashlib.sha512(self.tarball).digest()).decode()
        dist = {"tarball": f"{self.url}/toy-1.0.0.tgz", "integrity": f"sha512-{sha}"}
        versions = {v: {"name": "toy", "version": v, "dist": dist} for v in ("1.0.0", "2.0.0")}
        return json.dumps({"name": "toy", "dist-tags": {"latest": "2.0.0"}, "versions": versions}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MYBRO_CONFIG_FILE", str(tmp_path / "config.toml"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    (tmp_path / "wheels").mkdir()
    registry = Registry(tmp_path / "wheels")
    yield registry
    registry.close()


@pytest.fixture
def python(project: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Path:
    need(shutil.which("uv"), "uv, for Python projects")
    for version in ("1.0", "1.1", "2.0"):
        wheel(project.parent / "wheels", "toy", version)
    for name in ("UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"{registry.url}/simple/")
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    monkeypatch.setenv("UV_CACHE_DIR", str(project.parent / "cache"))
    (project / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n'
        "[tool.uv]\npackage = false\n"
    )
    return project


@pytest.fixture
def javascript(project: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Path:
    need(shutil.which("npm"), "npm, for JavaScript projects")
    monkeypatch.setenv("npm_config_registry", registry.url)
    monkeypatch.setenv("npm_config_cache", str(project.parent / "cache"))
    monkeypatch.setenv("npm_config_update_notifier", "false")
    (project / "package.json").write_text('{"name": "shop", "version": "1.0.0"}')
    return project


def test_a_python_project_through_uv(python: Path) -> None:
    packages = Packages(python)
    assert packages.unlocked() == ["uv"]
    done = packages.change("add", ["toy<2"])
    assert (done.manager, done.names) == ("uv", ("toy<2",))
    assert '"toy<2"' in (python / "pyproject.toml").read_text() and packages.unlocked() == []
    (old,) = packages.outdated()
    assert (old.name, old.current, old.latest) == ("toy", "1.1", "2.0")
    (python / "pyproject.toml").write_text((python / "pyproject.toml").read_text().replace("toy<2", "toy"))
    assert packages.unlocked() == ["uv"]
    packages.change("upgrade", ["toy"])
    assert packages.outdated() == [] and packages.unlocked() == []
    packages.change("remove", ["toy"])
    assert "toy" not in (python / "pyproject.toml").read_text()
    packages.change("add", ["toy"], dev=True)
    assert "dependency-groups" in (python / "pyproject.toml").read_text()


def test_a_javascript_project_through_npm(javascript: Path) -> None:
    packages = Packages(javascript)
    assert packages.unlocked() == ["npm"]
    packages.change("add", ["toy@1.0.0"])
    assert packages.unlocked() == []
    (old,) = packages.outdated()
    assert (old.name, old.current, old.latest) == ("toy", "1.0.0", "2.0.0")
    (weak,) = packages.audit()
    assert (weak.name, weak.title, weak.severity) == ("toy", "It leaks", "high")
    packages.change("remove", ["toy"])
    assert "toy" not in (javascript / "package.json").read_text()


def test_a_rust_project_through_cargo(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need(shutil.which("cargo"), "Rust, for projects with a Cargo.toml")
    monkeypatch.setenv("CARGO_NET_OFFLINE", "true")
    monkeypatch.setenv("CARGO_HOME", str(project.parent / "cargo"))
    monkeypatch.setenv("RUSTUP_HOME", str(Path(shutil.which("cargo") or "").resolve().parents[2] / ".rustup"))
    for folder, dependency in (("", 'toy = { path = "toy" }'), ("toy", "")):
        (project / folder / "src").mkdir(parents=True)
        (project / folder / "src/lib.rs").touch()
        name = folder or "shop"
        manifest = (
            f'[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\n{dependency}\n'
        )
        (project / folder / "Cargo.toml").write_text(manifest)
    packages = Packages(project)
    assert packages.unlocked() == ["cargo"]
    packages.change("upgrade", [])
    assert packages.unlocked() == [] and packages.outdated() == []
    packages.change("remove", ["toy"])
    assert "toy" not in (project / "Cargo.toml").read_text()
    assert packages.unlocked() == []


def test_what_the_rules_forbid_is_not_added_unasked(python: Path) -> None:
    wheel(python.parent / "wheels", "flask", "3.0")
    packages = Packages(python)
    with pytest.raises(PackagesError, match="rules of this project forbid") as error:
        packages.change("add", ["Flask>=2"])
    assert "FastAPI" in error.value.hint and "flask" not in (python / "pyproject.toml").read_text().lower()
    packages.change("add", ["flask>=2"], anyway=True)
    assert "flask" in (python / "pyproject.toml").read_text()


@pytest.mark.parametrize("name", ["--index-url=http://x", "-r", "", "a;b", "$(x)", "x\ny"])
def test_a_name_is_never_taken_for_an_option(python: Path, name: str) -> None:
    with pytest.raises(PackagesError, match="cannot be a package's name"):
        Packages(python).change("add", [name])


def test_with_several_managers_one_must_be_named(python: Path) -> None:
    (python / "package.json").write_text("{}")
    with pytest.raises(PackagesError, match="several kinds of packages: uv, npm"):
        Packages(python).change("add", ["toy"])
    assert Packages(python).change("add", ["toy"], manager="uv").manager == "uv"


def test_what_fails_says_why(python: Path, tmp_path: Path) -> None:
    with pytest.raises(PackagesError, match="nosuch"):
        Packages(python).change("add", ["nosuch"])
    with pytest.raises(PackagesError, match=r"no pyproject\.toml"):
        Packages(tmp_path / "wheels").managers()
    with pytest.raises(PackagesError, match="pip is unknown"):
        Packages(python).managers("pip")


def test_a_manager_that_is_not_here_is_said(python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PackagesError, match="need uv, which is not here"):
        Packages(python).outdated()


def test_the_command(python: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["packages", "check"]) == 1
    assert main(["packages", "add", "toy<2"]) == 0
    assert main(["packages", "check"]) == 0
    capsys.readouterr()
    assert main(["packages", "outdated"]) == 0
    assert capsys.readouterr().out == "toy 1.1, and 2.0 is there\n"
    assert main(["packages", "outdated", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["latest"] == "2.0"
    assert main(["packages", "upgrade"]) == 0 and main(["packages", "remove", "toy"]) == 0
    assert main(["packages", "add", "flask"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_an_answer_that_is_none_is_no_clean_answer(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "a", "version": "1.0.0"}')
    refused = json.dumps({"message": "405 Method Not Allowed", "statusCode": 405})
    failed = json.dumps({"error": {"code": "E500", "summary": "no registry"}})
    answers = {"audit": refused, "outdated": failed}

    def runner(argv: Sequence[str], folder: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(argv, 1, answers[argv[1]], "")

    npm = Npm(tmp_path, runner)
    with pytest.raises(PackagesError, match="405"):
        npm.audit()
    with pytest.raises(PackagesError, match="no registry"):
        npm.outdated()
