"""What breaks a rule, and what only looks like it."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mybro.errors import RulesError
from mybro.rules.brief import brief, mend
from mybro.rules.check import check, newly_broken, rules_before
from mybro.rules.layers import REPOSITORY_FILE, load
from mybro.rules.sightings import in_file

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 21)


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MYBRO_CONFIG_FILE", str(tmp_path / "settings/config.toml"))
    (tmp_path / "settings").mkdir()
    return tmp_path / "settings/rules.toml"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(
        ["git", "init", "-q", root], check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    )
    return root


def write(repo: Path, path: str, text: str) -> None:
    (repo / path).parent.mkdir(parents=True, exist_ok=True)
    (repo / path).write_text(text)


def broken(path: str, text: str) -> list[tuple[str, str, int]]:
    rules = load(None)
    seen = in_file(path, text, rules.sought(text))
    return [
        (each.rule.id, each.sighting.technology, each.sighting.line) for each in rules.violations(seen, TODAY)
    ]


BREAKS = [
    ("app.py", "import flask\n", "Flask", 1),
    ("app.py", "\nfrom flask_login import login_user\n", "Flask", 2),
    ("pyproject.toml", '[project]\ndependencies = [\n  "Flask>=3",\n]\n', "Flask", 3),
    ("pyproject.toml", '[dependency-groups]\ndev = ["flask"]\n', "Flask", 2),
    ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.12"\nflask = "^3"\n', "Flask", 3),
    ("requirements.txt", "httpx\nflask==3.0\n", "Flask", 2),
    ("requirements/dev.in", "cupy-cuda12x\n", "CUDA", 1),
    ("server.js", "const express = require('express')\n", "Express.js", 1),
    ("server.ts", "// web\nimport express from 'express'\n", "Express.js", 2),
    ("server.ts", "import {\n  Router,\n} from 'express'\n", "Express.js", 3),
    ("package.json", '{"dependencies": {"express": "^5"}}', "Express.js", 1),
    ("package.json", '{\n"devDependencies": {\n"webpack-cli": "^6"}}', "Webpack", 3),
    ("package.json", '{"dependencies": {"react-scripts": "5"}}', "CRA", 1),
    ("package.json", '{"devDependencies": {"electron": "30"}}', "Electron", 1),
    ("main.js", "const { app } = require('electron')\n", "Electron", 1),
    ("main.js", "import $ from 'jquery'\n", "jQuery", 1),
    ("index.html", '<script src="https://cdn.example/jquery-3.7.min.js"></script>', "jQuery", 1),
    ("static/jquery.min.js", "", "jQuery", 0),
    ("webpack.config.js", "module.exports = {}\n", "Webpack", 0),
    ("kernel.cu", "__global__ void f() {}\n", "CUDA", 0),
    ("a.py", "import torch\nif torch.cuda.is_available():\n    pass\n", "CUDA", 2),
    ("a.py", "from torch import cuda\n", "CUDA", 1),
    ("a.py", "from numba import cuda\n", "CUDA", 1),
    ("a.py", "model = build().cuda()\n", "CUDA", 1),
    ("a.py", "model.to('cuda:0')\n", "CUDA", 1),
    ("a.py", "load(device='cuda' if fast else 'cpu')\n", "CUDA", 1),
    ("a.cpp", "#include <cuda_runtime.h>\n", "CUDA", 1),
    ("Cargo.toml", '[dependencies]\ncudarc = "0.12"\n', "CUDA", 2),
    ("src/main.rs", "use cudarc::driver::CudaDevice;\n", "CUDA", 1),
    ("a.py", "import requests\nasync def f():\n    return requests.get('x')\n", "requests", 3),
    ("a.py", "from requests import get as fetch\nasync def f():\n    return fetch('x')\n", "requests", 3),
    ("a.py", "async def f():\n    import requests as r\n    return r.Session()\n", "requests", 3),
    ("docker-compose.yml", "services: {}\n", "Docker", 0),
    (".devcontainer/devcontainer.json", "{}", "Docker", 0),
    ("old.py", "print 'python 2'\nimport flask\n", "Flask", 2),
]

KEEPS = [
    ("app.py", "import fastapi\nimport flasky\n"),
    ("app.py", "# import flask\ntext = 'import flask'\n"),
    ("app.py", "from . import flask\nfrom .flask import x\n"),
    ("a.py", "import requests\ndef f():\n    return requests.get('x')\n"),
    (
        "a.py",
        "import requests\nasync def f():\n    def g():\n        return requests.get('x')\n    return g\n",
    ),
    ("a.py", "async def f(requests):\n    return requests.get('x')\n"),
    ("a.py", "NAMES = ['cpu', 'cuda']\n"),
    ("a.py", "import torch\ntorch.backends.mps.is_available()\n"),
    ("requirements.txt", "# flask is gone\nfastapi\n-r other.txt\n"),
    ("requirements/app.txt", "flask==3.0 --hash=sha256:00\n    # via something\n"),
    ("server.ts", "// import express from 'express'\n/* require('express') */\nimport x from './express'\n"),
    ("server.ts", "import x from 'express-like'\n"),
    ("package.json", '{"name": "express", "scripts": {"webpack": "vite build"}}'),
    ("package.json", '{"broken'),
    ("package.json", "[]"),
    ("pyproject.toml", "not toml ["),
    ("Dockerfile", "FROM scratch\n"),
    ("notes.md", "We used Flask, jQuery and CUDA.\n"),
    ("next.config.js", "module.exports = { webpack: (config) => config }\n"),
]


@pytest.mark.parametrize(("path", "text", "technology", "line"), BREAKS)
def test_what_breaks_a_rule(path: str, text: str, technology: str, line: int) -> None:
    assert (technology, line) in [(name, at) for _, name, at in broken(path, text)]


@pytest.mark.parametrize(("path", "text"), KEEPS)
def test_what_only_looks_like_it(path: str, text: str) -> None:
    assert broken(path, text) == []


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=200),
    st.sampled_from(
        ["a.py", "a.ts", "package.json", "pyproject.toml", "Cargo.toml", "requirements.txt", "a.rs"]
    ),
)
def test_no_file_is_too_strange(text: str, path: str) -> None:
    assert isinstance(broken(path, text), list)


def test_a_repository_is_looked_through_but_for_what_others_wrote(repo: Path) -> None:
    write(repo, "shop/app.py", "import flask\n")
    write(repo, "vendor/app.py", "import flask\n")
    write(repo, "node_modules/express/index.js", "require('express')\n")
    write(repo, ".gitignore", "ignored.py\n")
    write(repo, "ignored.py", "import flask\n")
    write(repo, "new\nline.py", "import flask\n")
    (repo / "link.py").symlink_to("/etc/passwd")
    (repo / "binary.py").write_bytes(b"\0import flask\n")
    found = check(repo, load(repo), today=TODAY)
    assert {each.sighting.path for each in found} == {"shop/app.py", "new\nline.py"}
    only = check(repo, load(repo), paths=["shop/app.py"], today=TODAY)
    assert [each.sentence() for each in only] == ["shop/app.py:1: import flask (Flask); use FastAPI"]


def test_a_folder_that_git_does_not_know_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="cannot list"):
        check(tmp_path, load(None), today=TODAY)


def test_the_later_layer_wins(repo: Path, user: Path) -> None:
    user.write_text('[[rule]]\nid = "web-database"\nuse = ["SQLite"]\n[[rule]]\nid = "cache"\noff = true\n')
    write(repo, REPOSITORY_FILE, '[[rule]]\nid = "web-database"\nuse = ["DuckDB"]\n')
    rules = load(repo)
    changed = rules.rule("web-database")
    assert changed and changed.use == ("DuckDB",) and changed.need == "web database"
    assert rules.rule("cache") is None
    for_all = load(None).rule("web-database")
    assert for_all and for_all.use == ("SQLite",)


def test_an_exception_holds_in_its_folder_for_its_time(repo: Path) -> None:
    write(repo, "legacy/app.py", "import flask\n")
    write(repo, "app.py", "import flask\n")
    exception = '[[exception]]\nrule = "forbidden"\ntechnology = "Flask"\nfolders = ["legacy/*"]\n'
    write(
        repo,
        REPOSITORY_FILE,
        exception + 'reason = "until the rewrite"\nsince = 2026-11-01\nuntil = 2026-12-01\n',
    )
    rules = load(repo)
    places = [each.sighting.path for each in check(repo, rules, today=TODAY)]
    assert places == ["app.py"]
    assert len(check(repo, rules, today=date(2026, 12, 2))) == 2
    assert len(check(repo, rules, today=date(2026, 10, 31))) == 2
    assert "until the rewrite" in brief(rules, TODAY)
    assert "until the rewrite" not in brief(rules, date(2027, 1, 1))


def test_a_rule_can_be_scoped_by_language_and_folder(repo: Path) -> None:
    own = '[[technology]]\nname = "Moment"\nnpm = ["moment"]\njavascript = ["moment"]\n'
    own += '[[rule]]\nid = "dates"\nneed = "dates"\nuse = ["Temporal"]\nnever = ["Moment"]\n'
    own += 'languages = ["typescript"]\nfolders = ["web/*"]\n'
    write(repo, REPOSITORY_FILE, own)
    for path in ("web/a.ts", "web/a.js", "tools/a.ts"):
        write(repo, path, "import moment from 'moment'\n")
    (found,) = check(repo, load(repo), today=TODAY)
    assert found.sighting.path == "web/a.ts" and found.instead == "Temporal"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[rule]\n", "is not TOML"),
        ('[[rule]]\nid = "x"\nnever = ["Nobody"]\n', "which no"),
        ('[[rule]]\nid = "x"\nnevr = ["Flask"]\n', "nevr"),
        ('[[rule]]\nuse = ["x"]\n', "id"),
        ('[[exception]]\nrule = "cache"\n', "reason"),
        ('[[exception]]\nrule = "nope"\nreason = "x"\nsince = 2026-01-01\n', "which is none"),
        ('[[technology]]\nname = "x"\n[technology.text]\npython = ["("]\n', "no regular expression"),
    ],
)
def test_a_wrong_file_is_one_sentence(repo: Path, text: str, says: str) -> None:
    write(repo, REPOSITORY_FILE, text)
    with pytest.raises(RulesError, match=says) as error:
        load(repo)
    assert error.value.exit_code == 2


def test_only_what_a_change_brought_in_counts() -> None:
    rules = load(None)
    before = {"old.py": "import flask\n", "gone.py": "import flask\n"}
    after = {"old.py": "x = 1\nimport flask\n", "new.py": "import flask\n", "gone.py": None}
    found = newly_broken(before, after, rules, today=TODAY)
    assert [each.sighting.path for each in found] == ["new.py"]
    assert "new.py:1: import flask (Flask); use FastAPI" in mend(found)


def test_whoever_makes_a_change_makes_no_exceptions(repo: Path) -> None:
    write(
        repo,
        REPOSITORY_FILE,
        '[[rule]]\nid = "forbidden"\noff = true\n[[rule]]\nid = "web-backend"\noff = true\n',
    )
    after = {"app.py": "import flask\n"}
    assert newly_broken({}, after, rules_before(repo, {}), today=TODAY) == []
    made_by_the_change = rules_before(repo, {REPOSITORY_FILE: None})
    assert newly_broken({}, after, made_by_the_change, today=TODAY)
