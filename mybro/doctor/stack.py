"""The place of the rules about which technologies are used: this room looks, the rules' room decides.

Until the rules can be read from data, a short table stands for them. `Judge` is what the rules' engine gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

from mybro.doctor.engine import Outcome, Task
from mybro.doctor.facts import Repository
from mybro.doctor.finding import Finding


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a place breaks."""

    check: str
    """"ST01" and so on."""
    path: str
    line: int
    message: str
    rule: str


class Judge(Protocol):
    """What applies the rules; `mybro.rules` offers one as `judge()`."""

    def broken(self, repo: Repository) -> Iterable[Broken]:
        """The places in the repository that break a rule, exceptions left out."""
        ...


class StackRules:
    """Asks the rules' engine where there is one."""

    name = "rules"

    def available(self) -> bool:
        return True

    def run(self, task: Task) -> Outcome:
        outcome = Outcome()
        for found in _judge().broken(task.repo):
            check = task.checks.get(found.check)
            if check is not None and (task.repo.asked(found.path) or found.path not in task.repo.files):
                outcome.findings.append(
                    Finding(
                        check.id,
                        found.path,
                        found.line,
                        1,
                        found.message,
                        check.severity,
                        check.confidence,
                        self.name,
                        found.rule,
                        anchor=found.rule,
                    )
                )
        return outcome


def _judge() -> Judge:
    if find_spec("mybro.rules") is not None:
        module = import_module("mybro.rules")
        if hasattr(module, "judge"):
            judge: Judge = module.judge()
            return judge
    return Table()


_PYTHON = (
    ("flask", "ST01", "Flask: use FastAPI"),
    ("pycuda|cupy|numba\\.cuda|cudf|tensorrt|nvidia", "ST03", "CUDA: use MLX, or PyTorch on MPS"),
)
_NODE = {
    "express": "Express.js: use FastAPI, or Hono on Cloudflare Workers",
    "jquery": "jQuery: the platform has it all",
    "webpack": "Webpack: use Vite",
    "react-scripts": "Create React App: use Vite",
    "electron": "Electron: use Tauri",
}
_CUDA = re.compile(rb"\.cuda\(\)|device\s*=\s*[\"']cuda|\.to\(\s*[\"']cuda|torch\.cuda\.(?!is_available)")
_REQUESTS = re.compile(rb"(?m)^[ \t]*(?:import|from)[ \t]+requests\b")
_COMPOSE = (
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.yml",
    "compose.yaml",
    ".devcontainer/devcontainer.json",
)


class Table:
    """The few rules that hold everywhere, until they are data."""

    def broken(self, repo: Repository) -> Iterator[Broken]:
        yield from self._python(repo)
        yield from self._manifests(repo)
        for path in _COMPOSE:
            if path in repo.files:
                yield Broken("ST04", path, 0, "a container for development", "docker")
        for file in repo.files.values():
            if file.name.endswith((".cu", ".cuh")) and not file.vendored:
                yield Broken("ST03", file.path, 0, "CUDA source: write a Metal shader", "cuda")

    def _python(self, repo: Repository) -> Iterator[Broken]:
        for file in repo.sources("python"):
            data = repo.read(file) or b""
            if b"flask" in data or b"cuda" in data or b"cupy" in data:
                for names, check, message in _PYTHON:
                    pattern = rf"(?m)^[ \t]*(?:import|from)[ \t]+(?:{names})\b".encode()
                    if found := re.search(pattern, data):
                        line = data.count(b"\n", 0, found.start()) + 1 + found[0].count(b"\n")
                        yield Broken(check, file.path, line, message, names)
                for found in _CUDA.finditer(data):
                    message = "CUDA: use MLX, or PyTorch on MPS"
                    yield Broken("ST03", file.path, data.count(b"\n", 0, found.start()) + 1, message, "cuda")
            found = _REQUESTS.search(data) if b"requests" in data and b"async def" in data else None
            if found:
                line = data.count(b"\n", 0, found.start()) + 1
                message = "requests in a module with async code: use httpx"
                yield Broken("ST02", file.path, line, message, "requests")

    def _manifests(self, repo: Repository) -> Iterator[Broken]:
        text = repo.text("package.json") or ""
        for name, message in _NODE.items():
            if found := re.search(rf'"{name}"\s*:\s*"[\^~\d*<>=l]', text):
                yield Broken("ST01", "package.json", text.count("\n", 0, found.start()) + 1, message, name)
        for path in ("pyproject.toml", "requirements.txt"):
            text = repo.text(path) or ""
            if found := re.search(r"(?mi)^[\s\"']*flask\b", text):
                yield Broken(
                    "ST01", path, text.count("\n", 0, found.end()) + 1, "Flask: use FastAPI", "flask"
                )
            if found := re.search(r"(?mi)^[\s\"']*(?:nvidia-[\w-]+|cupy[\w-]*|pycuda)\b", text):
                yield Broken("ST03", path, text.count("\n", 0, found.end()) + 1, "CUDA", "cuda")
