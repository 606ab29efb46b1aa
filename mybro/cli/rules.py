"""`mybro rules`: what to build with, and what never."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mybro.rules.model import Rule, RuleSet, Violation

_repo = click.option("--repo", type=click.Path(), help="The repository; default: the one you are in.")
_json = click.option("--json", "as_json", is_flag=True, help="JSON.")


@click.group("rules", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """What to build with: need, use, never. Without a command: show them.

    The coding agent is told the same rules, and its work is held against them. Your own: rules.toml beside
    your settings, or .mybro/rules.toml in a repository.
    """
    if context.invoked_subcommand is None:
        context.invoke(show)


@command.command("show")
@_repo
@_json
def show(repo: str | None = None, as_json: bool = False) -> None:
    """Every rule that holds here."""
    rules = _load(_root(repo))
    if as_json:
        click.echo(json.dumps([rule.model_dump() for rule in rules.rules], indent=2))
        return
    width = max((len(rule.id) for rule in rules.rules), default=0)
    for rule in rules.rules:
        click.echo(f"{rule.id:<{width}}  {rule.sentence()}")
    for each in rules.exemptions:
        until = f" until {each.until}" if each.until else ""
        place = ", ".join(each.folders) or "everywhere"
        click.echo(
            f"exception of {each.rule}: {each.technology or 'anything'} in {place}{until}, {each.reason}"
        )


@command.command("check")
@_repo
@_json
@click.argument("paths", nargs=-1, type=click.Path())
def check(repo: str | None, as_json: bool, paths: tuple[str, ...]) -> int:
    """Find what breaks a rule, in these files and folders or in the whole repository.

    Exit status 1 where something does.
    """
    from mybro.rules.check import check as find
    from mybro.rules.sightings import own_files

    root = _root(repo) or Path.cwd()
    wanted = _chosen(root, paths, own_files(root)) if paths else None
    found = find(root, _load(root), paths=wanted, today=_today())
    if as_json:
        click.echo(json.dumps([_row(each) for each in found], indent=2))
    else:
        for each in found:
            click.echo(f"{each.sentence()} [{each.rule.id}]")
        if not found:
            click.echo("Nothing breaks a rule.")
    return 1 if found else 0


@command.command("explain")
@_repo
@click.argument("rule_id", metavar="ID|TECHNOLOGY")
def explain(rule_id: str, repo: str | None) -> None:
    """Why a rule is there, and how what it forbids is recognised."""
    rules = _load(_root(repo))
    rule = rules.rule(rule_id)
    found = [rule] if rule else _naming(rules, rule_id)
    if not found:
        names = ", ".join(each.id for each in rules.rules)
        raise click.UsageError(f"no rule is called {rule_id}, and none names it. The rules: {names}")
    for number, each in enumerate(found):
        if number:
            click.echo()
        named = [name for name in each.never if _is_named(name, rule_id)]
        _explain(each, rules, each.never if rule else named)


def _naming(rules: RuleSet, technology: str) -> list[Rule]:
    """The rules that say to use a technology, or never to."""
    return [r for r in rules.rules if any(_is_named(name, technology) for name in (*r.use, *r.never))]


def _is_named(name: str, word: str) -> bool:
    """Whether somebody means it: "claude" is enough for "Anthropic Claude API"."""
    asked = word.casefold().split()
    return bool(asked) and set(asked) <= set(name.casefold().split())


def _explain(rule: Rule, rules: RuleSet, never: Sequence[str]) -> None:
    click.echo(f"{rule.sentence()}\n{rule.why}".rstrip())
    for name in never:
        technology = rules.technologies[name]
        marks = technology.model_dump(exclude={"name", "instead", "text", "contexts"}, exclude_defaults=True)
        click.echo(f"\n{name}: use {technology.instead or ' or '.join(rule.use) or 'something else'}")
        for kind, values in marks.items():
            click.echo(f"  {kind.replace('_', ' ')}: {', '.join(values)}")


@command.command("decide")
@_repo
@click.argument("question", nargs=-1, required=True)
def decide(question: tuple[str, ...], repo: str | None) -> int:
    """Answer from the decision tables: mybro rules decide "which database for a desktop app".

    Exit status 1 where they say nothing about it.
    """
    from mybro.rules.decide import decide as answer

    rows = answer(" ".join(question), _load(_root(repo)))
    for row in rows:
        click.echo(f"{row.need}: {row.sentence()}")
    if not rows:
        click.echo("The decision tables say nothing about that.", err=True)
    return 0 if rows else 1


def _root(repo: str | None) -> Path | None:
    from mybro.errors import MybroError
    from mybro.pipeline.session import find_repo

    try:
        return find_repo(repo)
    except MybroError:
        # The rules hold outside a repository, too; only one that was named must be there.
        if repo:
            raise
        return None


def _load(root: Path | None) -> RuleSet:
    from mybro.rules.layers import load

    return load(root)


def _chosen(root: Path, paths: tuple[str, ...], own: list[str]) -> list[str]:
    chosen = []
    for path in paths:
        place = Path(path).resolve()
        if not place.exists():
            raise click.UsageError(f"there is no {path}")
        if not place.is_relative_to(root.resolve()):
            raise click.UsageError(f"{path} is not in {root}")
        inside = place.relative_to(root.resolve()).as_posix()
        chosen += [name for name in own if inside in (".", name) or name.startswith(f"{inside}/")]
    return chosen


def _today() -> date:
    return date.today()  # noqa: DTZ011 - an exception ends with the person's own day


def _row(violation: Violation) -> dict[str, object]:
    seen = asdict(violation.sighting) | {"contexts": sorted(violation.sighting.contexts)}
    return {"rule": violation.rule.id, "why": violation.rule.why, "instead": violation.instead, **seen}
