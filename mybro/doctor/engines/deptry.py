"""deptry: what is imported against what is declared."""

from __future__ import annotations

import json
import re
import tempfile
import tomllib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from typing import Any

from mybro.doctor.engine import EngineError, Outcome, Task, command, plain, program
from mybro.doctor.facts import Repository
from mybro.doctor.finding import Finding
from mybro.ops import toml

MANIFESTS = ("pyproject.toml", "requirements.txt")
_MODULES = {
    "pyyaml": "yaml",
    "pillow": "PIL",
    "opencv-python": "cv2",
    "opencv-python-headless": "cv2",
    "beautifulsoup4": "bs4",
    "scikit-learn": "sklearn",
    "scikit-image": "skimage",
    "python-dateutil": "dateutil",
    "python-dotenv": "dotenv",
    "pyjwt": "jwt",
    "gitpython": "git",
    "protobuf": "google",
    "attrs": "attr|attrs",
    "python-multipart": "multipart|python_multipart",
    "psycopg2-binary": "psycopg2",
    "mysqlclient": "MySQLdb",
    "pyserial": "serial",
    "msgpack-python": "msgpack",
    "python-magic": "magic",
    "pycryptodome": "Crypto",
    "discord-py": "discord",
    "setuptools": "setuptools|pkg_resources",
    "webrtcvad-wheels": "webrtcvad",
    "faiss-cpu": "faiss",
    "python-jose": "jose",
    "grpcio": "grpc",
    "websocket-client": "websocket",
    "pymupdf": "fitz|pymupdf",
    "ruamel-yaml": "ruamel",
    "biopython": "Bio",
    "pyopenssl": "OpenSSL",
}
"""Packages whose modules are named otherwise: they need not be installed where the doctor is."""


class Deptry:
    """Needs declared dependencies: a project without any is not judged."""

    name = "deptry"

    def available(self) -> bool:
        return program("deptry") is not None

    def run(self, task: Task) -> Outcome:
        repo, rules = task.repo, task.rules(self.name)
        deptry = program("deptry", repo.root)
        if deptry is None:
            raise EngineError("not installed")
        declared = (repo.text("pyproject.toml") or "") + (repo.text("requirements.txt") or "")
        if not _told(repo):
            return Outcome()
        outcome = Outcome()
        through = _brought(declared)
        rows = _rows(deptry, task)
        unused = [str(row["module"]) for row in rows if row["error"]["code"] == "DEP002"]
        named = _named(repo, unused) | _companions(unused, declared) if unused else frozenset()
        # Asking all that is installed takes a tenth of a second: once, and only where it matters.
        owners = packages_distributions() if any(row["error"]["code"] == "DEP003" for row in rows) else {}
        for row in rows:
            code, module = row["error"]["code"], str(row["module"])
            if code == "DEP003" and _distribution(module, owners) not in through:
                code = "DEP001"  # it is installed here, but nothing that the project declares brings it
            check = rules.get(code)
            path = plain(str(row["location"]["file"]))
            if check is None or not (repo.asked(path) or path in MANIFESTS):
                continue
            if code in ("DEP001", "DEP003") and _declared_alike(declared, module):
                continue
            if (code == "DEP002" and module in named) or (code == "DEP003" and _in_hand(declared, module)):
                continue
            line = row["location"]["line"] or 0
            if path in MANIFESTS and not line:
                line = _declared_at(repo.text(path) or "", module)
            outcome.findings.append(
                Finding(
                    check.id, path, line, row["location"]["column"] or 1, _message(code, row), check.severity,
                    check.confidence, self.name, code, anchor=module,
                )
            )  # fmt: skip
        return outcome


def _rows(deptry: str, task: Task) -> list[dict[str, Any]]:
    inside = [f"(\\./)?{re.escape(folder)}/" for folder in _projects_inside(task.repo)]
    known = ",".join(f"{package}={modules}" for package, modules in _MODULES.items())
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        answer = command(
            [
                deptry, ".", "--no-ansi", "-o", str(out), "-ee", r".*(tests?|docs|examples|benchmarks)/",
                "-pmnm", known, "-oddg", ",".join(_development(task.repo)),
                *(argument for pattern in inside for argument in ("-ee", pattern)),
            ],
            cwd=task.repo.root,
            deadline=task.deadline,
        )  # fmt: skip
        if not out.exists():
            said = answer.errors.strip().splitlines()
            raise EngineError(said[-1][:200] if said else "failed")
        rows: list[dict[str, Any]] = json.loads(out.read_bytes())
        return rows


_COCOA = frozenset({"Foundation", "AppKit", "objc", "CoreFoundation", "PyObjCTools"})
"""Modules that every pyobjc framework brings."""


_FACES = {"starlette": "fastapi", "werkzeug": "flask", "asgiref": "django", "pydantic_core": "pydantic"}
"""Modules to the package that shows them as its own: it pins them, and its manual says to import them."""
_STARTS = re.compile(
    r"(?:^|/)(?:Makefile|Procfile|justfile|Dockerfile[^/]*|tox\.ini|noxfile\.py|[^/]+\.(?:sh|mk|service))$|"
    r"^\.github/workflows/[^/]+\.ya?ml$|(?:^|/)(?:docker-)?compose[^/]*\.ya?ml$"
)
"""Files that start programs."""
_RESOLVED = re.compile(r"--hash=|(?i:autogenerated by|compiled by)")
_FOR_WORK = re.compile(
    r"(?i)(?:dev|develop(?:ment)?|test|tests|testing|lint|linting|docs?|typing|types|type-?check|format|style|check|"
    r"bench(?:marks?)?|release|build|ci|qa|pre-commit)"
)
_MOST_READ = 2000
"""Files in which a package's name is looked for."""


def _in_hand(declared: str, module: str) -> bool:
    face = _FACES.get(module.partition(".")[0])
    return face is not None and re.search(rf"(?im)(?:^|[\"'\s]){face}(?![\w-])", declared) is not None


def _named(repo: Repository, packages: list[str]) -> frozenset[str]:
    """Those that the code names in a text: a program that it runs, a module that it imports by its name, a
    driver in an address ("postgresql+asyncpg")."""
    owner = {name: package for package in packages for name in _names(package)}
    words = "|".join(map(re.escape, sorted(owner, key=len, reverse=True)))
    quoted = re.compile(rf"[\"'+]({words})(?![\w-])".encode())
    found: set[str] = set()
    files = [f for f in repo.sources("python") if not f.is_test and not f.vendored]
    for file in files[:_MOST_READ]:
        if len(found) == len(packages):
            break
        found |= {owner[match.decode()] for match in quoted.findall(repo.read(file) or b"")}
    started = re.compile(rf"(?m)(?<![\w./=-])({words})(?![\w./=<>~-])".encode())
    for path in repo.files:
        if _STARTS.search(path) and len(found) < len(packages):
            found |= {owner[match.decode()] for match in started.findall(repo.read(path) or b"")}
    return frozenset(found)


def _companions(packages: list[str], declared: str) -> frozenset[str]:
    """Those that another declared package asks for in one of its extras: it looks for them by itself."""
    known = {_normal(name): name for name in packages}
    found: set[str] = set()
    for name in _told_names(declared) - known.keys():
        for line in _requires(name):
            wanted = re.match(r"[\w.-]+", line)
            if wanted and "extra ==" in line and (package := known.get(_normal(wanted[0]))):
                found.add(package)
    return frozenset(found)


def _names(package: str) -> set[str]:
    """What a package, its modules and its program may be called."""
    name = package.casefold()
    short = re.sub(r"-cli$|^pyobjc-framework-", "", package)
    modules = _MODULES.get(name, "").split("|") if name in _MODULES else []
    return {package, name, package.replace("-", "_"), name.replace("-", "_"), short, *modules}


def _message(code: str, row: dict[str, Any]) -> str:
    return f"{row['module']} is imported, and not declared" if code == "DEP001" else row["error"]["message"]


def declares(text: str | None) -> bool:
    """Whether a pyproject.toml declares what the project needs."""
    return (
        text is not None
        and re.search(r"(?m)^[ \t]*dependencies[ \t]*=|^\[tool\.poetry\.dependencies\]", text) is not None
    )


def _told(repo: Repository) -> bool:
    """Whether what the project needs is declared. A manifest that does not parse says nothing, and a list
    that was resolved also has what nobody imports."""
    manifest = repo.text("pyproject.toml")
    if manifest is not None:
        try:
            told = toml.parse(manifest).get("project", {}).get("dependencies", [])
        except (tomllib.TOMLDecodeError, AttributeError):
            return False
        if not isinstance(told, list):
            return False
        if declares(manifest):
            return True
    listed = repo.text("requirements.txt") or ""
    return bool(listed) and _RESOLVED.search(listed) is None


def _development(repo: Repository) -> list[str]:
    """The optional groups whose packages are programs and helpers of those who work on the project."""
    try:
        groups = toml.parse(repo.text("pyproject.toml") or "")["project"]["optional-dependencies"]
        return [name for name in groups if _FOR_WORK.fullmatch(name) and "," not in name] or ["dev"]
    except (tomllib.TOMLDecodeError, KeyError, TypeError):
        return ["dev"]


def _projects_inside(repo: Repository) -> list[str]:
    """Folders with a manifest of their own: what they import is declared there."""
    manifests = ("/pyproject.toml", "/setup.py", "/requirements.txt")
    names = (*manifests, *(f"{name}.jinja" for name in manifests))
    return sorted({path.rpartition("/")[0] for path in repo.files if path.endswith(names)})


def _distribution(module: str, owners: Mapping[str, list[str]]) -> str:
    """The installed package that has this module."""
    return _normal((owners.get(module.partition(".")[0]) or [module])[0])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).casefold()


def _brought(declared: str) -> set[str]:
    """What the declared packages bring with them, as far as they are installed here; of their extras those
    that the project asks for."""
    extras = {
        name.strip() for told in re.findall(r"[\w.-]+\[([\w.,\s-]+)\]", declared) for name in told.split(",")
    }
    pending = _told_names(declared)
    found: set[str] = set()
    while pending:
        fresh = {
            _normal(wanted[0])
            for line in _requires(pending.pop())
            if (wanted := re.match(r"[\w.-]+", line))
            and (not (extra := re.search(r"extra == [\"']([^\"']+)", line)) or extra[1] in extras)
        } - found
        found |= fresh
        pending |= fresh
    return found


def _told_names(declared: str) -> set[str]:
    return {_normal(name) for name in re.findall(r"[\"'\n]([A-Za-z][\w.-]+)", declared)}


def _requires(name: str) -> list[str]:
    """What an installed package asks for."""
    try:
        return requires(name) or []
    except (PackageNotFoundError, ValueError):
        return []


def _declared_alike(declared: str, module: str) -> bool:
    """Whether a package of nearly this name is declared: one that is not installed here cannot be asked."""
    if module.partition(".")[0] in _COCOA and "pyobjc" in declared:
        return True
    word = re.escape(module.partition(".")[0]).replace("_", "[-_.]?")
    return (
        re.search(rf"(?im)[\"'\s-]{word}[\"'\s\[<>=~!;,-]|{word}-(?:wheels|python|binary)\b", declared)
        is not None
    )


def _declared_at(text: str, name: str) -> int:
    pattern = re.compile(rf"(?im)^[\s\"'\[]*{re.escape(name).replace('_', '[-_.]').replace('-', '[-_.]')}\b")
    found = pattern.search(text) or re.search(rf"(?i)[\"']{re.escape(name)}\b", text)
    return text.count("\n", 0, found.end()) + 1 if found else 0
