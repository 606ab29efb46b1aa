"""The built-in rules, row by row, and the tables of decisions."""

from __future__ import annotations

import pytest

from mybro.rules.decide import decide, tables
from mybro.rules.layers import load

pytestmark = pytest.mark.unit

ROWS = [
    ("web-backend", "web backend", ("FastAPI",), ("Flask", "Express.js"), ()),
    ("performance", "performance-critical code", ("Rust",), (), ()),
    ("ml-inference", "ML inference", ("MLX", "PyTorch on MPS"), ("CUDA",), ()),
    ("gpu-compute", "GPU compute", ("Metal shaders",), ("CUDA",), ()),
    ("web-database", "web database", ("PostgreSQL",), (), ()),
    ("local-database", "local database", ("SQLite",), (), ()),
    ("cache", "cache", ("Redis",), (), ()),
    ("payments", "payments", ("Stripe",), (), ()),
    ("ai", "AI", ("Anthropic Claude API",), (), ()),
    ("http-client", "HTTP client", ("httpx",), ("requests",), ("async",)),
    ("serverless", "serverless", ("Vercel Edge Functions",), (), ()),
    ("light-api", "light API", ("Hono on Cloudflare Workers",), (), ()),
    ("forbidden", "any work", (),
     ("CUDA", "Electron", "Flask", "Express.js", "CRA", "jQuery", "Webpack"), ()),
    ("docker-for-development", "development environment", ("the tools on the machine itself",), ("Docker",),
     ("development",)),
    ("api-crud", "API for CRUD", ("REST",), (), ()),
    ("api-real-time", "API in real time", ("WebSocket",), (), ()),
    ("api-errors", "API errors", ("structured errors with codes",), (), ()),
    ("api-rate-limits", "API rate limits", ("limits at the edge",), (), ()),
    ("api-auth-programs", "API authentication", ("JWT",), (), ()),
    ("web-auth", "web authentication", ("sessions",), (), ()),
    ("api-versions", "API versions", ("the version in the path",), (), ()),
]  # fmt: skip


@pytest.fixture(autouse=True)
def nobody_has_rules_of_their_own(tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYBRO_CONFIG_FILE", f"{tmp_path}/config.toml")


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_row_is_there(row: tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]) -> None:
    rule = load(None).rule(row[0])
    assert rule is not None
    assert (rule.id, rule.need, rule.use, rule.never, rule.where) == row
    assert rule.why and not rule.languages and not rule.folders


def test_there_are_no_other_rows() -> None:
    rules = load(None)
    assert [rule.id for rule in rules.rules] == [row[0] for row in ROWS]
    assert rules.exemptions == ()
    named = {name for rule in rules.rules for name in rule.never}
    assert set(rules.technologies) == named, "what no rule forbids need not be recognised"
    assert all(technology.instead for technology in rules.technologies.values())


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("which database for a desktop app", "SQLite"),
        ("which database for a web backend?", "PostgreSQL"),
        ("what do we use for payments", "Stripe"),
        ("How should I render a blog", "static pages"),
        ("rendering for a dashboard behind a login", "client rendering"),
        ("an API for real time", "WebSocket"),
        ("where do I put uploads of large files", "a signed address"),
        ("auth for programs", "JWT"),
        ("how to do GPU compute", "Metal"),
        ("database for embeddings", "pgvector"),
        ("hosting a webhook", "Hono"),
    ],
)
def test_the_tables_answer(question: str, answer: str) -> None:
    rows = decide(question, load(None))
    assert rows and rows[0].choose.startswith(answer)
    assert all(row.sentence() for row in rows)


def test_a_question_about_something_else_has_no_answer() -> None:
    assert decide("purple elephants", load(None)) == []
    assert decide("", load(None)) == []


def test_a_table_has_three_columns_and_says_why() -> None:
    rows = tables()
    assert len({row.topic for row in rows}) >= 3
    assert all(row.topic and row.need and row.choose and row.because for row in rows)
    topics = " ".join({row.topic for row in rows})
    assert all(word in topics for word in ("Rendering", "Database", "API design"))


def test_a_table_of_ones_own_is_read_the_same_way() -> None:
    text = (
        "# Colour\n\n| When you need | Choose | Because |\n|---|---|---|\n| a sky | blue | light scatters |\n"
    )
    (row,) = tables(text)
    assert (row.topic, row.need, row.choose) == ("Colour", "a sky", "blue")
