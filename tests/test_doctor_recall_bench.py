"""The benchmark of the doctor's recall, on a corpus of somebody's own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.doctor_recall_judge import OTHER, Label, Told, judge, reach
from benchmarks.doctor_recall_kinds import kind_of

pytestmark = pytest.mark.integration

SHELL = (
    "import subprocess\ndef f(a):\n    subprocess.run('ls ' + a, shell=True)\n    subprocess.run(['ls', a])\n"
)
REMOTE = (
    "import asyncssh\n\n\nasync def f(host):\n    return await asyncssh.connect(host, known_hosts=None)\n"
)


def test_a_corpus_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SHELL)
    (tmp_path / "b.py").write_text(REMOTE)
    rows = ["# path, line, kind, truth", "a.py\t3\tB602\tbad", "a.py\t4\tSEC07\tgood", "b.py\t0\tSEC28\tbad"]
    (tmp_path / "labels.tsv").write_text("\n".join(rows) + "\n")
    argv = [sys.executable, "-m", "benchmarks.doctor_recall_bench", "--json", "--corpus", str(tmp_path)]
    done = subprocess.run(
        argv, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True, timeout=240
    )
    figures = json.loads(done.stdout)["figures"]
    assert figures["recall"] == {"ours": 1.0, "peer": 0.5, "ratio": 2.0}
    assert figures["precision"]["ours"] == 1.0


def test_a_kind_is_a_check_whatever_a_tool_calls_it() -> None:
    assert {kind_of(name) for name in ("SEC07", "S602", "B602")} == {"SEC07"}
    assert kind_of("dangerous-default-value") == kind_of("B006") == "PY04"
    assert kind_of("SEC01") == kind_of("SEC16")
    assert kind_of("ZZ99") == "ZZ99"


def test_a_finding_elsewhere_in_a_labelled_file_is_wrong() -> None:
    labels = [
        Label("a.py", 5, "SEC07", True),
        Label("a.py", 9, "SEC08", True),
        Label("b.py", 0, "SEC07", False),
    ]
    told = [
        Told("a.py", 4, 6, "SEC07"),
        Told("a.py", 20, 20, "SEC07"),
        Told("a.py", 1, 1, "PY03"),
        Told("b.py", 3, 3, "SEC07"),
        Told("c.py", 3, 3, "SEC07"),
    ]
    score, lists = judge(labels, told)
    assert (score.found, score.wrong, score.labels) == (1, 2, 2)
    assert sorted(lists) == [
        Label("a.py", 9, "SEC08", True), Label("a.py", 20, "SEC07", False), Label("b.py", 3, "SEC07", False)
    ]  # fmt: skip


def test_a_file_is_judged_only_by_the_rules_that_its_author_labelled() -> None:
    labels = [Label("a.py", 5, "TS06", True, "B017"), Label("b.py", 5, "PF06", True, "B019", closed=False)]
    told = [
        Told("a.py", 20, 20, "TS06", "PT011"),
        Told("a.py", 30, 30, "TS06", "B017"),
        Told("a.py", 40, 40, "TS06"),
        Told("b.py", 20, 20, "PF06", "B019"),
    ]
    score, lists = judge(labels, told)
    assert score.wrong == 2
    assert {x.line for x in lists if not x.bad} == {30, 40}


def test_a_line_with_a_fault_that_has_no_name_here_is_left_out() -> None:
    labels = [Label("a.py", 5, "PY02", True, "F821"), Label("a.py", 9, OTHER, True, "", closed=False)]
    score, _ = judge(labels, [Told("a.py", line, line, "PY02", "F821") for line in (5, 9, 12)])
    assert (score.found, score.wrong, score.labels) == (1, 1, 1)


def test_a_fault_is_met_within_the_statement_that_begins_on_its_line(tmp_path: Path) -> None:
    text = "try:\n    a()\nexcept A:\n    b()\nexcept A:\n    c()\nclass K:\n    x = 1\n\n    y = 2\n"
    (tmp_path / "a.py").write_text(text)
    ends = reach(tmp_path, ["a.py"])
    labels = [Label("a.py", 1, "PY26", True), Label("a.py", 7, "PY04", True)]
    score, lists = judge(labels, [Told("a.py", 5, 5, "PY26"), Told("a.py", 10, 10, "PY04")], ends)
    assert (score.found, score.wrong) == (1, 1)
    assert {x.kind for x in lists} == {"PY04"}
