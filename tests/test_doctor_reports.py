"""What a person, a program, GitHub and a browser are told, and that no secret is in it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from mybro.doctor.check import catalogue
from mybro.doctor.examine import Examination, Wish, examine
from mybro.doctor.finding import Finding, Unexamined
from mybro.doctor.redact import redact
from mybro.doctor.reports import data
from mybro.doctor.reports.page import page
from mybro.doctor.reports.text import report
from mybro.doctor.score import health
from tests.doctor_fixtures import TOKEN, repository

pytestmark = pytest.mark.integration

SCHEMA = Path(__file__).parent / "data" / "doctor" / "sarif-2.1.0.json"
PASSWORD = "hunter2-and-3-more"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Examination:
    root = repository(
        tmp_path_factory.mktemp("reports") / "shop<b>",
        {
            "app.py": "import os\n"
            f'TOKEN = "{TOKEN}"\npassword = "{PASSWORD}"\nrequests.get(u, verify=False)\n',
            "bad.py": "def f(:\n",
            "pages/a b.md": "The adress.\n",
            "web.js": "debugger;\n",
            "url.py": f'DB = "postgres://shop:{PASSWORD}@db.internal/x"\n',
        },
    )
    return examine(Wish(root))


def every_report(found: Examination) -> dict[str, str]:
    return {
        "json": json.dumps(data.as_json(found)),
        "sarif": json.dumps(data.sarif(found)),
        "github": "\n".join(data.github(found)),
        "html": page(found),
        "text": "\n".join(report(found)),
        "all": "\n".join(report(found, every=True)),
    }


def test_no_report_holds_a_secret(found: Examination) -> None:
    assert {"SEC01", "SEC16"} <= {finding.check for finding in found.findings}
    for text in every_report(found).values():
        assert TOKEN not in text
        assert TOKEN[4:12] not in text
        assert PASSWORD not in text


def test_sarif_is_valid(found: Examination) -> None:
    told = data.sarif(found)
    jsonschema.validate(told, json.loads(SCHEMA.read_text()))
    run = told["runs"][0]
    assert len(run["results"]) == len(found.findings)
    assert run["invocations"][0]["executionSuccessful"] is False
    assert "pages/a%20b.md" in json.dumps(told)


def test_json_tells_everything(found: Examination) -> None:
    told = data.as_json(found)
    assert told["counts"]["high"] >= 2
    assert not told["complete"]
    assert any(entry["what"] == "bad.py" for entry in told["unexamined"])
    assert told["exit_code"] == 1
    one = told["findings"][0]
    assert {
        "id",
        "path",
        "line",
        "message",
        "severity",
        "confidence",
        "engine",
        "fixable",
        "fingerprint",
    } <= set(one)


def test_github_gets_one_line_a_finding(found: Examination) -> None:
    lines = list(data.github(found))
    assert any(line.startswith("::error file=app.py,line=2,title=SEC01") for line in lines)
    assert all(line.startswith("::") and "\n" not in line for line in lines)


def test_the_page_needs_nothing_and_escapes_names(found: Examination) -> None:
    text = page(found)
    assert "shop<b>" not in text
    assert "shop&lt;b&gt;" in text
    for outside in ("http://", "https://", "<script", "src=", "@import"):
        assert outside not in text


def test_the_text_begins_with_what_matters_most(found: Examination) -> None:
    lines = list(report(found))
    place = next(number for number, line in enumerate(lines) if "What matters most" in line)
    assert "HIGH" in lines[place + 1]
    assert any("Not examined" in line for line in lines)


def test_a_long_list_of_what_was_not_examined_is_cut_visibly(found: Examination) -> None:
    ids = ", ".join(f"PF{number:02}" for number in range(40))
    lines = report(replace(found, unexamined=[Unexamined(ids, "needs ast-grep")]))
    assert "  PF00, PF01" in (told := next(line for line in lines if "ast-grep" in line))
    assert told.endswith("PF19…: needs ast-grep")


def test_the_score_falls_with_the_gravity() -> None:
    def one(severity: str) -> Finding:
        return Finding("SEC01", "a", 1, 1, "m", severity, "high", "mybro")  # type: ignore[arg-type]

    scores = [health([one(level)] if level else [], {})[0].score for level in ("", "low", "medium", "high")]
    assert scores[0] == 100
    assert scores == sorted(scores, reverse=True)


def _found(*told: tuple[str, str]) -> list[Finding]:
    return [
        Finding(check, "a", number, 1, "m", severity, "high", "mybro")  # type: ignore[arg-type]
        for number, (check, severity) in enumerate(told, 1)
    ]


def test_the_whole_lies_between_the_families_and_falls_with_the_worst() -> None:
    lows = [(check, "low") for check in ("AR01", "TS10", "PY06", "DC04", "GT09", "CI14", "RS01", "DP02")]
    whole, parts = health(_found(*lows), catalogue())
    assert min(p.score for p in parts) <= whole.score <= max(p.score for p in parts)
    assert whole.grade == "A"
    grave, parts = health(_found(*lows, ("SEC01", "high")), catalogue())
    assert min(p.score for p in parts) < grave.score < whole.score
    assert grave.grade != "A"
    bad, _ = health(_found(*lows, *((f"SEC{n:02}", "high") for n in range(1, 10))), catalogue())
    assert bad.score < 50


def test_what_looks_like_a_key_is_redacted() -> None:
    for text in (f"x {TOKEN} y", f"password = '{PASSWORD}'", f"https://a:{PASSWORD}@host/x"):
        assert TOKEN not in redact(text)
        assert PASSWORD not in redact(text)
    assert redact("a\x1b[31mred\nline") == "a\\x1b[31mred\\nline"


def test_the_reports_can_be_printed_whatever_the_names_are(tmp_path: Path) -> None:
    (tmp_path / "new\nline.py").write_text("import os\n")
    subprocess.run(["touch", str(tmp_path).encode() + b"/\xff.py"], check=True)
    found = examine(Wish(tmp_path))
    for text in every_report(found).values():
        text.encode("utf-8")
    jsonschema.validate(data.sarif(found), json.loads(SCHEMA.read_text()))
