"""`mybro doctor --fix`."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mybro.doctor.examine import Examination, Wish
    from mybro.doctor.fix import Mended


def mend(found: Examination, wish: Wish, options: dict[str, Any]) -> int:
    """Mend what was found, and tell what that changes."""
    from mybro.doctor import fix

    as_json = options["kind"] == "json"
    mended = fix.mend(found, wish, unsafe=options["unsafe_fixes"])
    diff = mended.diff()
    if diff and not as_json:
        click.echo(_coloured(_shown(diff)), nl=False)
    if mended.files and not options["diff_"]:
        if options["test"]:
            click.echo(f"Running {options['test']} on a copy…", err=True)
            if not fix.run_tests(found.repo.root, mended, shlex.split(options["test"]), 1800):
                click.echo("The tests fail with these changes: nothing was written.", err=True)
                return 1
        clean = found.repo.git is not None and found.repo.git.clean()
        with _Undoable() as step:
            fix.write(found.repo, mended, None if clean else _Known() if options["checkpointed"] else step)
    if as_json:
        _write_json(mended, diff, options["output"])
    else:
        _tell(mended, written=not options["diff_"])
    return 0


def _tell(mended: Mended, *, written: bool) -> None:
    if not mended.files:
        click.echo("Nothing was mended." if mended.refused else "Nothing here mends itself.", err=True)
    elif written:
        files = "1 file" if len(mended.files) == 1 else f"{len(mended.files)} files"
        click.echo(f"Mended {mended.count} in {files}. {mended.kept}".rstrip(), err=True)
    for path, why in sorted(mended.refused.items()):
        click.echo(f"Left as it is: {path}, {why}.", err=True)


def _write_json(mended: Mended, diff: str, file: str | None) -> None:
    from mybro.doctor.redact import printable, redact

    told = {
        "mended": mended.count if mended.files else 0,
        "files": [printable(path) for path in sorted(mended.files)],
        "refused": {printable(path): why for path, why in sorted(mended.refused.items())},
        "diff": "\n".join(map(redact, diff.splitlines())),
    }
    text = json.dumps(told, indent=2)
    if file:
        Path(file).write_text(text + "\n", encoding="utf-8")
    else:
        click.echo(text)


class _Undoable(contextlib.ExitStack):
    """A step of the executor's history, as a job is one; it is over when this closes."""

    def keep(self, root: Path, label: str) -> str:
        from mybro.config import data_dir
        from mybro.executor.checkpoint import CheckpointStore, History
        from mybro.pipeline.session import find_repo

        history = History(CheckpointStore(data_dir() / "checkpoints", find_repo(str(root))))
        self.callback(history.close)
        history.claim()
        self.callback(history.finish, history.begin(label))
        return 'To have back what was: mybro say "undo that"'


class _Known:
    """A job, whose own checkpoint stands before it."""

    def keep(self, root: Path, label: str) -> str:
        return ""


def _shown(diff: str) -> str:
    """Without keys, and without what a terminal would obey; tabs and ends of lines may be what changes."""
    from mybro.doctor.redact import redact

    def line(text: str) -> str:
        end = "\r" if text.endswith("\r") else ""
        return "\t".join(map(redact, text.removesuffix(end).split("\t"))) + end

    return "\n".join(map(line, diff.split("\n")))


def _coloured(diff: str) -> str:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    return "".join(
        click.style(line, fg=colours[line[0]]) if line[:1] in colours else line
        for line in re.split(r"(?<=\n)", diff)
    )
