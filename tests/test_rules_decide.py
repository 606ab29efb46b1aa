"""Questions that the rules and tables answer by themselves, and those that they must leave alone."""

from __future__ import annotations

import pytest

from mybro.rules.decide import asks, clear, decide
from mybro.rules.layers import load

pytestmark = pytest.mark.unit

CLEAR = [
    ("Which database for a desktop app?", "SQLite in WAL mode"),
    ("so which database should I use for a command line tool", "SQLite in WAL mode"),
    ("which database for a web app", "PostgreSQL"),
    ("What do we use for payments?", "Stripe"),
    ("what should we use for a web backend", "FastAPI"),
    ("what should we use for caching", "Redis"),
    ("which database for a phone app that works offline", "SQLite in WAL mode"),
    ("what do I use for background jobs?", "PostgreSQL with SKIP LOCKED; Redis once it is the bottleneck"),
]
OTHERS = [
    "which database should we use",
    "what should we use for authentication",
    "which tests use the database",
    "what is a payment",
    "what uses the cache",
    "where is the database",
    "which function should I use for parsing",
    "what do we use for logging in the parser",
    "use Stripe for payments",
    "which database for a desktop app " * 20,
    "which",
    "",
]


@pytest.mark.parametrize(("question", "choose"), CLEAR)
def test_a_clear_answer(question: str, choose: str) -> None:
    found = clear(question, load(None))
    assert found is not None
    assert found.choose == choose


@pytest.mark.parametrize(
    ("question", "choose"),
    [
        ("which database for a phone app that works offline", "SQLite in WAL mode"),
        ("rest or graphql", "REST with JSON, nouns in the path, the version first (/v1/orders)"),
        ("how do I log users in", "a session in an HttpOnly, SameSite cookie"),
        ("which database for photos", "object storage, with a row that names the object"),
        ("static or client for a blog", "static pages, built once (Astro, or Vite with prerendering)"),
    ],
)
def test_the_nearest_row_alone_answers(question: str, choose: str) -> None:
    assert [row.choose for row in decide(question, load(None))] == [choose]


@pytest.mark.parametrize("question", OTHERS)
def test_no_clear_answer(question: str) -> None:
    assert clear(question, load(None)) is None


def test_it_must_ask_what_to_choose() -> None:
    assert asks("which database for this")
    assert not asks("why this database")
