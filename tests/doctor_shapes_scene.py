"""What the own checks and the rules find in a folder, as JSON: to be compared with the engine and without.

python -m tests.doctor_shapes_scene FOLDER
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

from mybro.doctor import engines, facts
from mybro.doctor.check import catalogue
from mybro.doctor.engine import AsksForWords, Task
from mybro.doctor.examine import survey
from mybro.doctor.facts import Repository
from mybro.doctor.shapes import Shape
from mybro.native import in_use
from tests.doctor_cases import lay, read

OWN = ("mybro", "rules")
_ENDINGS = (".py", ".py", ".py", ".js", ".ts", ".sh", ".yml", ".c", ".md", "_test.py")


def plant(root: Path) -> None:
    """Every case of every check, and files put together from their lines by chance."""
    lines: list[bytes] = []
    for case in read():
        lay(case, root / case.name)
    for folder in root.rglob(".git"):
        folder.rename(folder.with_name("was-git"))
    for path in sorted(root.rglob("*.*")):
        if path.is_file() and path.stat().st_size < 5000:
            lines += path.read_bytes().splitlines(keepends=True)
    lines += [
        b"\n",
        b"\r\n",
        b"\xff\xfe\n",
        "é\n".encode(),
        b"\0\n",
        b"class A:\n",
        b"    def f():\n",
        b"elif a:\n",
    ]
    draw = random.Random(6)
    made = root / "made"
    made.mkdir()
    for number in range(150):
        ending = draw.choice(_ENDINGS)
        start = draw.randrange(len(lines))
        some = [*lines[start : start + draw.randrange(30)], *draw.choices(lines, k=draw.randrange(20))]
        (made / f"test_{number}{ending}").write_bytes(b"".join(some))


def tasks(repo: Repository) -> dict[str, Task]:
    until = time.monotonic() + 600
    chosen = catalogue().items()
    return {
        name: Task(repo, {k: c for k, c in chosen if name in c.engines}, until, deep=True) for name in OWN
    }


def asked(repo: Repository) -> list[Shape]:
    """Every shape that anybody looks for."""
    found: dict[Shape, None] = {}
    for name, task in tasks(repo).items():
        engine = engines.load(name)
        assert isinstance(engine, AsksForWords)
        found |= dict.fromkeys(one for one in engine.words(task) if isinstance(one, Shape))
    return list(found)


def look(root: Path) -> dict[str, object]:
    repo = facts.look(root)
    given = tasks(repo)
    survey(repo, given, least_bytes=0)
    assert repo.survey is not None
    outcomes = {name: engines.load(name).run(task) for name, task in given.items()}
    missed = [
        (path, one.pattern.decode(errors="replace"))
        for shape in asked(repo)
        for path in repo.files
        if len(shape.patterns) == 1 and not shape.twice and not repo.survey.may_have(path, (shape,))
        for one in shape.patterns
        if one.search(data := repo.read(path) or b"") and any(w.lower() in data.lower() for w in shape.words)
    ]
    marks = sum(
        repo.survey.may_have(file.path, (shape,)) for shape in asked(repo) for file in repo.sources("python")
    )
    return {
        "in_use": in_use(),
        "found": {
            name: [repr(finding) for finding in outcome.findings] for name, outcome in outcomes.items()
        },
        "unexamined": {name: [repr(entry) for entry in o.unexamined] for name, o in outcomes.items()},
        "missed": missed,
        "marks": marks,
    }


def main(root: Path) -> None:
    sys.stdout.write(json.dumps(look(root)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
