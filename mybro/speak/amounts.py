"""Money, tokens and time as one says them."""

from __future__ import annotations


def money(usd: float) -> str:
    """"4 cents", "2 dollars 21 cents", "nothing"."""  # fmt: skip
    cents = round(usd * 100)
    if cents < 1:
        return "less than a cent" if usd > 0 else "nothing"
    return _parts((cents // 100, "dollar"), (cents % 100, "cent"))


def tokens(count: int) -> str:
    """"no tokens", "1200 tokens", "52 thousand tokens"."""  # fmt: skip
    return (
        f"{round(count / 1000)} thousand tokens"
        if count >= 10_000
        else _parts((count, "token")) or "no tokens"
    )


def duration(seconds: float) -> str:
    """"20 seconds", "1 hour 5 minutes"."""  # fmt: skip
    if seconds < 90:
        return _parts((max(1, round(seconds)), "second"))
    minutes = round(seconds / 60)
    return _parts((minutes // 60, "hour"), (minutes % 60, "minute"))


def _parts(*counts: tuple[int, str]) -> str:
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in counts if count)
