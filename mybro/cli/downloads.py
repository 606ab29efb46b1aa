"""Telling of a download while it runs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mybro.models.hub import Progress

Report = Callable[["Progress"], None]


@contextlib.contextmanager
def downloads(*, one_line: bool = False) -> Iterator[Report]:
    """What to give to `mybro.models.hub` as its report: a progress bar on stderr, from the first byte on.

    Where stderr is no terminal there is no bar, but with `one_line` a line that says what is coming.
    """
    if sys.stderr.isatty():
        with _bars() as report:
            yield report
        return
    told: set[str] = set()

    def tell(progress: Progress) -> None:
        name = progress.model.name
        if one_line and name not in told:
            told.add(name)
            click.echo(f"mybro: fetching the speech model {name} ({progress.total / 1e6:.0f} MB)", err=True)

    yield tell


@contextlib.contextmanager
def _bars() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bar = Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True))
    tasks: dict[str, TaskID] = {}

    def update(progress: Progress) -> None:
        name = progress.model.name
        if name not in tasks:
            bar.start()
            tasks[name] = bar.add_task(name, total=progress.total)
        bar.update(tasks[name], completed=progress.done, total=progress.total)

    try:
        yield update
    finally:
        if tasks:
            bar.stop()
