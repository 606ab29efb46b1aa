"""What is accepted, by comments, configuration and baseline; and the catalogue itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from mybro.doctor import engines
from mybro.doctor.check import DoctorError, catalogue, choose, families
from mybro.doctor.examine import Wish, examine
from mybro.doctor.own.sweep import PER_FILE, PER_REPOSITORY
from mybro.doctor.suppress import write_baseline
from tests.doctor_fixtures import git, repository

pytestmark = pytest.mark.integration

EVAL = "eval(x)\n"


def ids(root: Path, **wish: object) -> list[str]:
    return [f.check for f in examine(Wish(root, select=("SEC06",), **wish)).findings]  # type: ignore[arg-type]


def seen(root: Path) -> list[str]:
    return [f.check for f in examine(Wish(root)).findings if f.check == "SEC06"]


def test_a_comment_with_a_reason_counts(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("eval(x)  # mybro: ignore[SEC06] x is a constant\n")
    found = examine(Wish(tmp_path))
    assert "SEC06" not in {f.check for f in found.findings}
    assert [h.reason for h in found.hidden if h.finding.check == "SEC06"] == ["x is a constant"]
    (tmp_path / "a.py").write_text("# mybro: ignore[SEC06] x is a constant\neval(x)\n")
    assert not seen(tmp_path)


def test_a_comment_without_a_reason_does_not(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("eval(x)  # mybro: ignore[SEC06]\n")
    found = examine(Wish(tmp_path))
    assert "SEC06" in {f.check for f in found.findings}
    assert any("without a reason" in entry.why for entry in found.unexamined)


def test_a_comment_for_another_check_does_not(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("eval(x)  # mybro: ignore[SEC07] a reason\n")
    assert seen(tmp_path)


def test_a_comment_at_the_top_holds_for_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("# mybro: ignore-file[SEC06] an interpreter\n" + "\n" * 40 + EVAL)
    assert not seen(tmp_path)


@pytest.mark.parametrize("name", ["pyproject.toml", "mybro.toml"])
def test_the_configuration_accepts(tmp_path: Path, name: str) -> None:
    table = "[tool.mybro.doctor]" if name == "pyproject.toml" else "[doctor]"
    (tmp_path / "a.py").write_text(EVAL)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.py").write_text(EVAL)
    (tmp_path / name).write_text(f'{table}\nper-file-ignores = {{ "b/**" = ["SEC06"] }}\n')
    assert len(seen(tmp_path)) == 1
    (tmp_path / name).write_text(f'{table}\nignore = {{ SEC06 = "we are an interpreter" }}\n')
    assert not seen(tmp_path)
    (tmp_path / name).write_text(f'{table}\nexclude = ["b"]\nfail-on = "high"\n')
    found = examine(Wish(tmp_path))
    assert found.fail_on == "high"
    assert {f.path for f in found.findings if f.check == "SEC06"} == {"a.py"}


@pytest.mark.parametrize("text", ['ignore = ["NO1"]', 'colour = "red"', 'fail-on = "never"', "ignore = 3"])
def test_a_wrong_configuration_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "mybro.toml").write_text(f"[doctor]\n{text}\n")
    with pytest.raises(DoctorError):
        examine(Wish(tmp_path))


def test_a_baseline_accepts_what_was_there_and_nothing_new(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(EVAL)
    baseline = tmp_path / "baseline.json"
    write_baseline(baseline, examine(Wish(tmp_path)).findings)
    assert not ids(tmp_path, baseline=baseline)
    (tmp_path / "a.py").write_text(f"\n\n{EVAL}{EVAL}")
    assert ids(tmp_path, baseline=baseline) == ["SEC06"]
    with pytest.raises(DoctorError):
        ids(tmp_path, baseline=tmp_path / "none.json")


def test_only_what_a_branch_changed_is_told(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.py": EVAL, "b.py": "x = 1\n"})
    git(root, "checkout", "-qb", "topic")
    (root / "b.py").write_text(EVAL)
    git(root, "commit", "-qam", "two")
    (root / "c.py").write_text(EVAL)
    found = examine(Wish(root, changed=True))
    assert {f.path for f in found.findings if f.check == "SEC06"} == {"b.py", "c.py"}
    with pytest.raises(DoctorError):
        examine(Wish(root, changed=True, base="nowhere"))
    with pytest.raises(DoctorError):
        examine(Wish(tmp_path, changed=True))


def test_paths_limit_what_is_told(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.py": EVAL, "d/b.py": EVAL})
    found = examine(Wish(root, paths=("d",)))
    assert {f.path for f in found.findings if f.path} == {"d/b.py"}


def test_several_engines_one_finding(tmp_path: Path) -> None:
    text = "from flask import request\ndef f():\n    return eval(request.args['x'])\n"
    (tmp_path / "a.py").write_text(text)
    found = [f for f in examine(Wish(tmp_path)).findings if f.check == "SEC06"]
    assert len(found) == 1
    assert {found[0].engine, *found[0].others} == {"ruff", "mybro"}
    assert found[0].severity == "high"


def test_the_catalogue_is_whole() -> None:
    checks = catalogue()
    assert len(checks) >= 70
    assert len(families()) == 14
    assert sum(check.fixable != "no" for check in checks.values()) >= 25
    for check in checks.values():
        assert check.title and check.why and check.mend
        assert check.severity in ("low", "medium", "high")
        assert all(name in engines.TABLE for name in check.engines)
        for rule in check.engines.get("mybro", ()):
            assert rule in PER_FILE or rule in PER_REPOSITORY


def test_every_rule_of_ruff_belongs_to_one_check() -> None:
    owners: dict[str, str] = {}
    for check in catalogue().values():
        for rule in check.engines.get("ruff", ()):
            assert rule not in owners
            owners[rule] = check.id
    assert not [(a, b) for a in owners for b in owners if a != b and a.startswith(b)]


def test_checks_are_chosen_by_id_beginning_and_family() -> None:
    assert [check.id for check in choose(["sec05"])] == ["SEC05"]
    assert {check.family for check in choose(["SEC"])} == {"Secrets and security"}
    assert len(choose(["macos"])) == len(choose(["MC"]))
    with pytest.raises(DoctorError):
        choose(["nothing"])
