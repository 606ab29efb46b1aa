"""The report in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import click

from mybro.doctor.check import catalogue
from mybro.doctor.examine import Examination
from mybro.doctor.finding import Finding
from mybro.doctor.redact import printable
from mybro.doctor.score import Health, health, most_important

COLOURS = {"high": "red", "medium": "yellow", "low": "blue"}
_MARK = {"high": "HIGH", "medium": "MED", "low": "LOW"}
_BAR = 20
_LONGEST = 120


def report(found: Examination, *, every: bool = False, width: int = 100, fold: bool = False) -> Iterator[str]:
    """The lines; `every` lists each finding instead of the most important ones, on a line each unless they
    are to be folded."""
    whole, parts = health(found.findings, found.checks)
    yield _heading(found)
    yield ""
    yield f"  {_bar(whole, _BAR)}  {click.style(f'{whole.score:>3}', bold=True)}  {whole.grade}"
    yield ""
    broad = max((len(part.name) for part in parts), default=0)
    for part in parts:
        yield f"  {part.name:<{broad}}  {_bar(part, 10)}  {part.score:>3}  {_counts(part)}".rstrip()
    yield ""
    if not found.findings:
        yield click.style("Nothing found.", fg="green")
    elif every:
        yield from _each(found.findings, width if fold else None)
    else:
        yield from _first_five(found, width)
    yield from _unexamined(found, every)
    yield from _footer(found)


def _heading(found: Examination) -> str:
    repo = found.repo
    common = ", ".join(f"{name} {count}" for name, count in repo.languages.most_common(3))
    files = (
        _many(len(repo.files), "file")
        if repo.focus is None
        else f"{len(repo.focus):,} of {len(repo.files):,} files"
    )
    name = click.style(printable(repo.root.name or str(repo.root)), bold=True)
    return (
        f"{name}: {files} ({common or 'no code'}), {_many(len(found.checks), 'check')}, {found.seconds:.1f} s"
    )


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _bar(part: Health, width: int) -> str:
    full = round(part.score * width / 100)
    colour = "green" if part.score >= 80 else "yellow" if part.score >= 45 else "red"
    return click.style("█" * full, fg=colour) + click.style("░" * (width - full), dim=True)


def _counts(part: Health) -> str:
    words = [
        click.style(f"{part.counts[level]} {level}", fg=COLOURS[level])
        for level in ("high", "medium", "low")
        if part.counts[level]
    ]
    return ", ".join(words)


def _first_five(found: Examination, width: int) -> Iterator[str]:
    groups = most_important(found.findings, len(catalogue()))
    yield click.style("What matters most", bold=True)
    for number, group in enumerate(groups[:5], 1):
        check, first = catalogue()[group[0].check], group[0]
        more = f"  and {len(group) - 1} more" if len(group) > 1 else ""
        yield f"  {number}  {_level(first)}  {click.style(check.title, bold=True)}  {_dim(check.id)}"
        yield from _folded(f"{printable(first.place)}: {first.message}{more}", width, " " * 11)
        yield from textwrap.wrap(
            check.mend, width, initial_indent=" " * 11 + "→ ", subsequent_indent=" " * 13
        )
    if len(groups) > 5:
        yield ""
        yield click.style("And", bold=True)
        for group in groups[5:]:
            check = catalogue()[group[0].check]
            place = printable(group[0].place)
            times = f"{len(group):>4}×"
            yield f"  {times}  {_level(group[0])}  {check.title}  {_dim(f'{check.id}  {place}')}"
    yield ""


def _level(finding: Finding) -> str:
    return click.style(
        f"{_MARK[finding.severity]:<4}", fg=COLOURS[finding.severity], bold=finding.severity == "high"
    )


def _dim(text: str) -> str:
    return click.style(text, dim=True)


def _folded(text: str, width: int, indent: str) -> Iterator[str]:
    """Paths stay whole: they are copied."""
    yield from textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=f"{indent}  ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _each(findings: list[Finding], width: int | None) -> Iterator[str]:
    for finding in findings:
        engines = "+".join((finding.engine, *finding.others))
        rule = f" {finding.rule}" if finding.rule and finding.rule != finding.check else ""
        mends = {"safe": ", can be mended", "unsafe": ", can be mended (unsafe)", "no": ""}[finding.fix]
        line = f"{_level(finding)}  {finding.check}  {printable(finding.place)}"
        if width is None or len(click.unstyle(line)) + len(finding.message) + 2 <= width:
            yield f"{line}  {finding.message}"
        else:
            yield line
            yield from _folded(finding.message, width, " " * 6)
        yield _dim(f"      {engines}{rule}, {finding.confidence} confidence{mends}")
    yield ""


def _unexamined(found: Examination, every: bool) -> Iterator[str]:
    if not found.unexamined:
        return
    yield click.style("Not examined", bold=True, fg="yellow" if found.incomplete else None)
    shown = found.unexamined if every else found.unexamined[:8]
    for entry in shown:
        what = entry.what if len(entry.what) <= _LONGEST else f"{entry.what[:_LONGEST].rstrip(', ')}…"
        yield f"  {printable(what)}: {printable(entry.why)}"
    if len(found.unexamined) > len(shown):
        yield f"  and {len(found.unexamined) - len(shown)} more (--all)"
    yield ""


def _footer(found: Examination) -> Iterator[str]:
    safe = sum(finding.fix == "safe" for finding in found.findings)
    unsafe = sum(finding.fix == "unsafe" for finding in found.findings)
    if safe:
        yield f"{safe} can be mended safely: mybro doctor --fix (look first: --diff)"
    if unsafe:
        yield f"{unsafe} more with --unsafe-fixes: read that diff"
    if found.findings:
        yield "One check explained: mybro doctor --explain ID. Each finding: --all"
    if found.hidden:
        yield _dim(f"{len(found.hidden)} accepted by configuration, comments or baseline")
