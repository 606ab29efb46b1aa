"""The report as one HTML page that needs nothing else."""

from __future__ import annotations

from html import escape
from pathlib import Path

from mybro.doctor.check import catalogue
from mybro.doctor.examine import Examination
from mybro.doctor.finding import Finding
from mybro.doctor.redact import printable
from mybro.doctor.score import Health, health, most_important

_STYLE = Path(__file__).with_suffix(".css")


def page(found: Examination) -> str:
    """The whole page. Nothing from the repository goes in unescaped, and nothing is loaded."""
    whole, parts = health(found.findings, found.checks)
    name = escape(printable(found.repo.root.name))
    rows = "".join(_family(part) for part in parts)
    five = "".join(_card(number, group) for number, group in enumerate(most_important(found.findings), 1))
    languages = ", ".join(f"{k} {v}" for k, v in found.repo.languages.most_common(4))
    about = f"{len(found.repo.files):,} files ({escape(languages)}), {len(found.checks)} checks"
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{name}: health {whole.score}</title>"
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<style>{_STYLE.read_text(encoding='utf-8')}</style></head><body><main>"
        f'<div class="top"><div class="score" style="color:{_colour(whole)}">{whole.score}</div>'
        f'<div><h1>{name}</h1><p class="grade">Grade {whole.grade}</p><p class="dim">{about}</p></div></div>'
        f"<h2>Families</h2>{rows}"
        f"{'<h2>What matters most</h2>' + five if five else '<h2>Nothing found</h2>'}"
        f"{_everything(found)}{_unexamined(found)}</main></body></html>\n"
    )


def _colour(part: Health) -> str:
    return "var(--good)" if part.score >= 80 else "var(--medium)" if part.score >= 45 else "var(--high)"


def _family(part: Health) -> str:
    counts = ", ".join(
        f'<span class="{level}">{part.counts[level]} {level}</span>'
        for level in ("high", "medium", "low")
        if part.counts[level]
    )
    return (
        f'<div class="family"><span>{escape(part.name)}</span><span class="bar">'
        f'<i style="width:{part.score}%;background:{_colour(part)}"></i></span>'
        f'<b>{part.score}</b><span class="counts">{counts}</span></div>'
    )


def _card(number: int, group: list[Finding]) -> str:
    first, check = group[0], catalogue()[group[0].check]
    more = f' <span class="dim">and {len(group) - 1} more</span>' if len(group) > 1 else ""
    return (
        f'<div class="card"><h3>{number}. {escape(check.title)} '
        f'<span class="tag {first.severity}">{first.severity}</span> '
        f'<span class="dim">{check.id}</span></h3><p>{_place(first)}: {escape(first.message)}{more}</p>'
        f'<p class="dim">{escape(check.why)}</p><p>→ {escape(check.mend)}</p></div>'
    )


def _place(finding: Finding) -> str:
    return f"<code>{escape(printable(finding.place))}</code>"


def _everything(found: Examination) -> str:
    groups = most_important(found.findings, len(catalogue()))
    parts = []
    for group in groups:
        check = catalogue()[group[0].check]
        rows = "".join(
            f'<tr><td class="{f.severity}">{f.severity}</td><td>{_place(f)}</td>'
            f"<td>{escape(f.message)}</td></tr>"
            for f in group[:200]
        )
        more = f'<p class="dim">and {len(group) - 200} more</p>' if len(group) > 200 else ""
        parts.append(
            f"<details><summary><b>{escape(check.title)}</b> "
            f'<span class="dim">{check.id}, {len(group)}</span></summary>'
            f"<table>{rows}</table>{more}</details>"
        )
    return f"<h2>Everything</h2>{''.join(parts)}" if parts else ""


def _unexamined(found: Examination) -> str:
    if not found.unexamined:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(printable(u.what[:300]))}</code></td><td>{escape(printable(u.why))}</td></tr>"
        for u in found.unexamined[:200]
    )
    return f"<h2>Not examined</h2><table>{rows}</table>"
