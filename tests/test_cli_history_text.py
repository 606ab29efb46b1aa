"""Times, spans and money as the history tells them."""

from __future__ import annotations

from datetime import datetime

import pytest

from mybro.cli import history_text

pytestmark = pytest.mark.unit


def test_times_are_told_the_shorter_the_nearer() -> None:
    noon = datetime(2025, 10, 9, 12).astimezone().timestamp()
    assert len(history_text.when(noon - 60, noon)) == len("11:59")
    assert len(history_text.when(noon - 3 * 86_400, noon)) == len("Mon 12:00")
    assert len(history_text.when(noon - 30 * 86_400, noon)) == len("2025-09-09 12:00")
    assert len(history_text.when(noon + 3 * 86_400, noon)) == len("2025-09-09 12:00")


def test_text_is_shown_without_what_steers_a_terminal() -> None:
    assert history_text.line("a\x1b]0;x\x07b\u202ec\x9bd\r\ne\tf") == "a]0;xbcd e f"
    assert history_text.printable("👩\u200d💻\n\tx") == "👩\u200d💻\n\tx"


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1800), ("12h", 43_200), ("2d", 172_800), ("1w", 604_800), ("1.5 H", 5400)]
)
def test_spans_of_time(text: str, seconds: float) -> None:
    assert history_text.span_s(text) == seconds


def test_money_is_never_rounded_to_nothing() -> None:
    assert [history_text.money(usd) for usd in (0.0, 0.00042, 0.0423, 12.0)] == [
        "", "$0.0004", "$0.04", "$12.00"
    ]  # fmt: skip
