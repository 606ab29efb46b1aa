"""How it looks: a screen and a line as things that rich can draw. Only the terminal's own colours are used,
so that it suits light and dark."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mybro.terminal.lines import Kind, Line, clean, duration, how_to_answer, money
from mybro.terminal.screen import Screen, Work

_BARS = " ▁▂▃▄▅▆▇█"
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_MOST_JOBS = 4
_QUESTION_ROWS = 6
_DETAIL_ROWS = {"bad": 8, "asked": 8}
_OTHER_DETAIL_ROWS = 14

_NOISE = ("diff --git ", "index ")
"""A diff's rows that tell a person nothing."""

_LOOKS: dict[Kind, tuple[str, str, str]] = {
    "source": ("· ", "dim", "dim"),
    "heard": ("❯ ", "bold cyan", "bold"),
    "started": ("… ", "dim", ""),
    "step": ("  ", "", "dim"),
    "done": ("✓ ", "bold green", ""),
    "bad": ("✗ ", "bold red", ""),
    "failed": ("✗ ", "bold red", ""),
    "stopped": ("■ ", "bold yellow", ""),
    "asked": ("? ", "bold magenta", ""),
    "answered": ("↳ ", "magenta", ""),
    "said": ("♪ ", "cyan", ""),
    "trouble": ("! ", "bold yellow", ""),
}
"""Sign, the sign's style, the text's style."""

HISTORY: frozenset[Kind] = frozenset(_LOOKS) - {"started", "step"}
"""What stays above the live area, which itself shows the rest."""


# ---------------------------------------------------------------------------- lines that stay


def history(line: Line, width: int) -> RenderableType:
    """A line for the scroll-back, with its detail below."""
    sign, sign_style, style = _LOOKS[line.kind]
    indent = "" if line.kind in ("heard", "source", "trouble") else "  "
    rows: list[RenderableType] = [_row(indent + sign, sign_style, Text(line.text, style), line.note, width)]
    if line.detail:
        rows.append(_detail(line, indent))
    if line.kind == "heard":
        rows.insert(0, Text())
    return Group(*rows)


def _row(sign: str, sign_style: str, text: Text, note: str, width: int) -> RenderableType:
    """Sign, text and, at the right where it fits, a note."""
    beside = bool(note) and len(sign) + text.cell_len + len(note) + 2 <= width
    grid = Table.grid(expand=True)
    grid.add_column(no_wrap=True, width=len(sign))
    grid.add_column(ratio=1, overflow="fold")
    grid.add_column(no_wrap=True, justify="right")
    grid.add_row(Text(sign, sign_style), text, Text(note if beside else "", "dim"))
    if note and not beside:
        grid.add_row("", Text(note, "dim"), "")
    return grid


def _detail(line: Line, indent: str) -> RenderableType:
    rows = [row for row in line.detail.splitlines() if not row.startswith(_NOISE)]
    most = _DETAIL_ROWS.get(line.kind, _OTHER_DETAIL_ROWS)
    hidden = len(rows) - most
    # Of an output that ends in a failure the end matters, of a diff or a list the beginning.
    shown = rows[-most:] if line.kind == "bad" else rows[:most]
    texts = [_detail_row(row, indent) for row in shown]
    if hidden > 0:
        more = Text(f"{indent}  … {hidden} more lines", "dim")
        texts = [more, *texts] if line.kind == "bad" else [*texts, more]
    return Group(*texts)


def _detail_row(row: str, indent: str) -> Text:
    style = "dim"
    if row.startswith("+") and not row.startswith("+++"):
        style = "green"
    elif row.startswith("-") and not row.startswith("---"):
        style = "red"
    elif row.startswith("@@"):
        style = "cyan"
    return Text(f"{indent}  {row}", style, no_wrap=True, overflow="ellipsis")


# ---------------------------------------------------------------------------- the live area


def live_area(screen: Screen, now: float, width: int, place: str = "") -> RenderableType:
    """The live area, at `now` seconds since the session began; `place` says where it works."""
    rows: list[RenderableType] = [_state_row(screen, width - 4)]
    if screen.words or screen.thinking or screen.ear == "hearing":
        rows.append(_words_row(screen, now))
    if screen.speaking and screen.saying:
        rows.append(_row("♪ ", "cyan", Text(screen.saying, "italic"), "", width - 4))
    rows += _job_rows(screen, now, width - 4)
    if screen.questions:
        rows.append(_question(screen, width - 4))
    return Panel(
        Group(*rows), box=box.ROUNDED, border_style=_mood(screen), padding=(0, 1),
        title=_title(place, width - 8), title_align="left",
        subtitle=_footer(screen, width - 6), subtitle_align="right",
    )  # fmt: skip


def _title(place: str, width: int) -> Text:
    title = Text.assemble(("mybro", "bold"), (f" · {place}" if place else "", "dim"))
    title.truncate(width, overflow="ellipsis")
    return title


def _mood(screen: Screen) -> str:
    if screen.trouble:
        return "yellow"
    if screen.questions:
        return "magenta"
    if screen.ear in ("hearing", "closing"):
        return "green"
    return "dim" if screen.ear == "off" and not screen.jobs else "cyan"


def _state_row(screen: Screen, width: int) -> RenderableType:
    sign, style, words = _ear(screen)
    mouth = Text("muted", "yellow") if screen.muted else Text("")
    if screen.speaking and not screen.muted:
        mouth = Text("♪ speaking", "cyan")
    left = Text.assemble((sign, style), " ", words)
    room = width - left.cell_len - mouth.cell_len - 4
    grid = Table.grid(expand=True, padding=(0, 0))
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    grid.add_column(no_wrap=True, justify="right")
    meter = _meter(screen, min(room, 32)) if screen.ear != "off" else Text()
    grid.add_row(Text.assemble(left, "  ", meter), mouth)
    return grid


def _ear(screen: Screen) -> tuple[str, str, str]:
    if screen.trouble is not None:
        return "!", "bold yellow", screen.trouble.message
    name = "" if screen.live else f" to {screen.source}"
    if screen.invitation and not screen.held and screen.ear in ("off", "listening"):
        return "○", "cyan", screen.invitation
    match screen.ear:
        case "opening":
            return "○", "cyan", f"opening {screen.source}"
        case "listening":
            return "●", "cyan", f"listening{name}"
        case "hearing" | "closing":
            return "●", "bold green", f"hearing {'you' if screen.live else screen.source}"
        case _:
            return "○", "dim", "not listening"


def _meter(screen: Screen, cells: int) -> Text:
    if cells < 4:
        return Text()
    levels: Sequence[float] = screen.levels[-cells:]
    bars = "".join(_BARS[max(1, round(level * (len(_BARS) - 1)))] for level in levels)
    return Text(bars, "green" if screen.speech else "dim")


def _words_row(screen: Screen, now: float) -> RenderableType:
    if not screen.words:
        return Text.assemble(("❯ ", "bold cyan"), ("…", "dim"))
    wait = f" {_spin(now)}" if screen.thinking else ""
    style = "bold" if screen.final else "italic"
    return Text.assemble(("❯ ", "bold cyan"), (screen.words, style), (wait, "dim"), overflow="fold")


def _job_rows(screen: Screen, now: float, width: int) -> list[RenderableType]:
    works = list(screen.jobs.items())
    rows: list[RenderableType] = []
    waiting = {asked.job for asked in screen.questions.values()}
    for number, work in works[:_MOST_JOBS]:
        rows.append(_job_row(work, now, width, waiting=number in waiting))
        if work.step and work.step != work.title:
            rows.append(_one_line((f"  {work.step}", "dim")))
    if len(works) > _MOST_JOBS:
        rows.append(Text(f"  … and {len(works) - _MOST_JOBS} more", "dim"))
    return rows


def _job_row(work: Work, now: float, width: int, *, waiting: bool) -> RenderableType:
    sign = "⏸ " if waiting else f"{_spin(now)} "
    title = Text(work.title, no_wrap=True, overflow="ellipsis")
    spent = duration(now - work.began, whole=True)
    title.truncate(max(8, width - len(sign) - len(spent) - 2), overflow="ellipsis")
    return _row(sign, "magenta" if waiting else "cyan", title, spent, width)


def _question(screen: Screen, width: int) -> RenderableType:
    asked = next(iter(screen.questions.values()))
    style = "bold red" if asked.risk == "destructive" else "bold magenta"
    rows: list[RenderableType] = [_row("? ", style, Text(clean(asked.text), "bold"), "", width)]
    rows += [_one_line((f"  {row}", "dim")) for row in clean(asked.detail).splitlines()[:_QUESTION_ROWS]]
    for choice in asked.choices[:_QUESTION_ROWS]:
        described = f" – {clean(choice.description)}" if choice.description else ""
        rows.append(_one_line("  • ", clean(choice.label), (described, "dim")))
    rows.append(Text(f"  {how_to_answer(asked)}", style.removeprefix("bold ")))
    if len(screen.questions) > 1:
        rows.append(Text(f"  {len(screen.questions) - 1} more after this one", "dim"))
    return Group(*rows)


def _one_line(*parts: str | tuple[str, str]) -> Text:
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def _footer(screen: Screen, width: int) -> Text:
    """Turns, cost and a hint; of these the hint gives way first on a narrow screen."""
    said = "1 turn" if screen.turns == 1 else f"{screen.turns} turns"
    parts = [said if screen.turns else "", money(screen.cost_usd), _hint(screen)]
    while len(text := " · ".join(filter(None, parts))) > width and parts:
        parts.pop()
    return Text(text, "dim")


def _hint(screen: Screen) -> str:
    if screen.questions:
        return ""
    if screen.trouble is not None:
        return screen.trouble.hint
    if screen.jobs or screen.speaking:
        return "say “stop” to stop"
    return "say “help”" if screen.turns else "say “run the tests”, or “help”"


def _spin(now: float) -> str:
    return _SPINNER[int(now * 10) % len(_SPINNER)]
