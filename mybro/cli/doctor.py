"""`mybro doctor`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mybro.doctor.examine import Examination, Wish

_WIDTH = 100
_FIXES = {"no": "by hand", "safe": "itself, safely", "unsafe": "itself, with --unsafe-fixes"}
_KINDS = ("json", "sarif", "github", "html")
_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Output:
    """How it is told."""

    kind: str
    file: str | None
    every: bool


@click.command("doctor")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--list", "list_", is_flag=True, help="List the checks.")
@click.option("--explain", metavar="ID", help="What a check is about, and how to mend it.")
@click.option("--self", "self_", is_flag=True, help="Examine mybro's own installation.")
@click.option("--deep", is_flag=True, help="Also what takes minutes.")
@click.option("--changed", is_flag=True, help="Only the files that this branch changes.")
@click.option(
    "--base", metavar="BRANCH", help="What --changed compares with; default: where the branch began."
)
@click.option(
    "--select", metavar="IDS", multiple=True, help="Only these checks: ids, beginnings of ids, families."
)
@click.option("--ignore", metavar="IDS", multiple=True, help="Not these checks.")
@click.option(
    "--fail-on",
    type=click.Choice(["low", "medium", "high"]),
    help="Least severity that fails; default medium.",
)
@click.option("--trust", is_flag=True, help="Allow engines that run the repository's own code.")
@click.option("--online", is_flag=True, help="Allow engines that ask the network.")
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=1), help="Seconds for the whole examination."
)
@click.option("--json", is_flag=True, help="One JSON object.")
@click.option("--sarif", is_flag=True, help="SARIF 2.1.0.")
@click.option("--github", is_flag=True, help="GitHub's annotations.")
@click.option("--html", is_flag=True, help="One HTML page.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the report to a file.")
@click.option("-a", "--all", "every", is_flag=True, help="Tell each finding.")
@click.option("--fix", is_flag=True, help="Mend what can be mended safely.")
@click.option("--unsafe-fixes", is_flag=True, help="Also what may change what the code does.")
@click.option("--diff", "diff_", is_flag=True, help="Show what would be mended; write nothing.")
@click.option("--checkpointed", is_flag=True, hidden=True, help="Who calls keeps the state before.")
@click.option("--test", "test", metavar="COMMAND", help="Before writing: run the project's tests on a copy.")
@click.option("--baseline", type=click.Path(), help="Accept what is in this file.")
@click.option("--write-baseline", is_flag=True, help="Accept everything that is there now.")
def command(paths: tuple[str, ...], **options: Any) -> int:
    """What is wrong in a repository, how sure that is, and how to mend it.

    Nothing of the repository is run, unless --trust or --test says so. Exit status: 0 clean, 1 findings at
    or above --fail-on, 2 wrong usage, 3 nothing found, but not everything could be looked at.
    """
    kinds = [kind for kind in _KINDS if options.pop(kind)]
    if len(kinds) > 1:
        raise click.UsageError(f"one report at a time: --{' or --'.join(kinds)}")
    options["kind"] = kinds[0] if kinds else None
    if options["list_"]:
        return _list(options["kind"] == "json")
    if options["explain"]:
        return _explain(options["explain"], options["kind"] == "json", options["output"])
    if options["self_"]:
        from mybro.cli.check import report

        return report(as_json=options["kind"] == "json")
    return _examine(paths, options)


def _list(as_json: bool) -> int:
    from mybro.doctor.check import catalogue, families
    from mybro.doctor.reports.data import catalogue_json

    if as_json:
        click.echo(json.dumps(catalogue_json(), indent=2))
        return 0
    for family in families():
        click.secho(f"\n{family}", bold=True)
        for check in catalogue().values():
            if check.family == family:
                marks = [check.severity, *(["deep"] if check.deep else []), *check.needs]
                marks += [f"mends itself ({check.fixable})"] if check.fixable != "no" else []
                click.echo(f"  {check.id}  {check.title}  " + click.style(", ".join(marks), dim=True))
    click.echo(f"\n{len(catalogue())} checks. One explained: mybro doctor --explain ID")
    return 0


def _explain(name: str, as_json: bool, file: str | None) -> int:
    from mybro.doctor.check import find
    from mybro.doctor.reports.data import check_json

    check = find(name)
    if as_json:
        text = json.dumps(check_json(check), indent=2)
        if file:
            Path(file).write_text(text + "\n", encoding="utf-8")
        else:
            click.echo(text)
        return 0
    engines = "; ".join(f"{engine} ({', '.join(rules)})" for engine, rules in check.engines.items())
    click.secho(f"{check.id}  {check.title}", bold=True)
    for label, text in (
        ("Family", check.family), ("Why", check.why), ("Mend", check.mend),
        ("Severity", f"{check.severity}, {check.confidence} confidence"),
        ("Fixes", _FIXES[check.fixable]),
        ("Engines", engines), ("Looked for", "with --deep" if check.deep else "always"),
        ("Needs", ", ".join(f"--{'online' if n == 'network' else n}" for n in check.needs)),
    ):  # fmt: skip
        if text:
            click.echo(f"  {label:<10}  {text}")
    click.echo(f"  Accept it   # mybro: ignore[{check.id}] the reason")
    return 0


def _examine(paths: tuple[str, ...], options: dict[str, Any]) -> int:
    from mybro.doctor.examine import examine

    wish = _wish(paths, options)
    mending = options["fix"] or options["unsafe_fixes"] or options["diff_"]
    with _Bar(options["kind"] is None and sys.stderr.isatty()) as bar:
        found = examine(wish, bar.step)
    if options["write_baseline"]:
        return _write_baseline(found, options["baseline"])
    if mending:
        from mybro.cli.doctor_mend import mend

        return mend(found, wish, options)
    output = Output(options["kind"] or "text", options["output"], options["every"])
    _tell(found, output, options["fail_on"])
    return found.exit_code(options["fail_on"])


def _wish(paths: tuple[str, ...], options: dict[str, Any]) -> Wish:
    from mybro.doctor.examine import Wish

    root, inside = _place(paths)
    return Wish(
        root, inside, _words(options["select"]), _words(options["ignore"]), deep=options["deep"],
        changed=options["changed"] or bool(options["base"]), base=options["base"], trust=options["trust"],
        online=options["online"], timeout_s=options["timeout_s"],
        baseline=Path(options["baseline"]) if options["baseline"] else None,
        use_baseline=not options["write_baseline"],
    )  # fmt: skip


def _words(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def _place(paths: tuple[str, ...]) -> tuple[Path, tuple[str, ...]]:
    """One folder is what is examined; files or several folders are parts of the repository they are in."""
    from mybro.doctor.check import DoctorError
    from mybro.doctor.git import Git, GitError

    given = [Path(path).absolute() for path in paths or (".",)]
    for path, word in zip(given, paths or (".",), strict=True):
        if not path.exists():
            raise DoctorError("no_such_path", f"there is no {word}")
    if len(given) == 1 and given[0].is_dir():
        return given[0].resolve(), ()
    start = given[0] if given[0].is_dir() else given[0].parent
    try:
        root = Path(Git(start).run("rev-parse", "--show-toplevel").decode().rstrip("\n"))
    except GitError:
        root = start.resolve() if len(given) == 1 else Path.cwd().resolve()
    try:
        return root, tuple((p.parent.resolve() / p.name).relative_to(root).as_posix() for p in given)
    except ValueError:
        raise DoctorError("paths_apart", "the paths do not lie in one repository") from None


def _tell(found: Examination, output: Output, fail_on: str | None) -> None:
    from mybro.doctor.reports import data

    match output.kind:
        case "json":
            text = json.dumps(data.as_json(found, fail_on), indent=2)
        case "sarif":
            text = json.dumps(data.sarif(found), indent=2)
        case "github":
            text = "\n".join(data.github(found))
        case "html":
            from mybro.doctor.reports.page import page

            text = page(found)
        case _:
            from mybro.doctor.reports.text import report

            known = sys.stdout.isatty() or bool(os.environ.get("COLUMNS"))
            width = min(_WIDTH, _columns() if known else _WIDTH)
            text = "\n".join(report(found, every=output.every, width=width, fold=known))
    if output.file:
        Path(output.file).write_text(click.unstyle(text) + "\n", encoding="utf-8")
        click.echo(f"Written to {output.file}", err=True)
    elif text:
        click.echo(text)


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size((_WIDTH, 24)).columns


def _write_baseline(found: Examination, file: str | None) -> int:
    from mybro.doctor.suppress import BASELINE, write_baseline

    target = Path(file) if file else found.repo.root / BASELINE
    count = write_baseline(target, found.findings)
    click.echo(f"{count} findings are accepted now: {target}")
    if not file:
        click.echo(f'So that it is read: baseline = "{BASELINE}" under [tool.mybro.doctor] in pyproject.toml')
    return 0


class _Bar:
    """A line that grows, from the second second on, on a terminal only."""

    def __init__(self, wanted: bool) -> None:
        import time

        self._wanted = wanted
        self._clock: Callable[[], float] = time.monotonic
        self._began = self._clock()
        self._shown = False

    def __enter__(self) -> _Bar:
        return self

    def step(self, done: int, every: int, name: str) -> None:
        if self._wanted and self._clock() - self._began > _PATIENCE_S:
            full = round(30 * done / every)
            sys.stderr.write(f"\r\x1b[2K{'█' * full}{'░' * (30 - full)} {done}/{every} {name}")
            sys.stderr.flush()
            self._shown = True

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
