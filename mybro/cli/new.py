"""`mybro new`: a new project."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mybro.errors import ScaffoldError


@click.command("new")
@click.argument("name", required=False)
@click.option("--template", "-t", help="What kind of project.")
@click.option(
    "--into", type=click.Path(file_okay=False), default=".", help="Where its folder goes; default: here."
)
@click.option(
    "--data", "-d", multiple=True, metavar="KEY=VALUE", help="An answer to a question of the template."
)
@click.option(
    "--no-lock", is_flag=True, help="Leave the versions of its dependencies open; needs no network."
)
@click.option("--list", "list_", is_flag=True, help="What templates there are.")
@click.option("--json", "as_json", is_flag=True, help="JSON.")
def command(
    name: str | None,
    template: str | None,
    into: str,
    data: tuple[str, ...],
    no_lock: bool,
    list_: bool,
    as_json: bool,
) -> None:
    """Start a project that builds and passes its own tests: mybro new shop -t vercel."""
    from mybro.scaffold.catalogue import find, templates
    from mybro.scaffold.create import create, folder_name

    if list_ or (name is None and template is None):
        known = templates()
        if as_json:
            rows = [{"name": each.name, "title": each.title, "needs": each.needs} for each in known]
            click.echo(json.dumps(rows, indent=2))
            return
        width = max(len(each.name) for each in known)
        for each in known:
            click.echo(f"{each.name:<{width}}  {each.title}")
        return
    if name is None or template is None:
        raise click.UsageError(
            "a name and a template are needed: mybro new shop --template vercel-serverless"
        )
    try:
        chosen = find(template)
        folder_name(name)
    except ScaffoldError as error:
        raise click.UsageError(str(error)) from None
    project = create(chosen, name, Path(into).expanduser().resolve(), _answers(data), lock=not no_lock)
    if as_json:
        click.echo(
            json.dumps({"path": str(project.path), "files": project.files, "missing": project.missing})
        )
        return
    click.echo(f"Made {project.path} with {project.files} files. Go there, then:")
    for line in chosen.next:
        click.echo(f"  {line}")
    if not (project.locked or no_lock):
        click.echo(f"Its dependencies are not locked; do it with: {chosen.lock}", err=True)
    if project.missing:
        click.echo(f"It needs what is not here: {', '.join(project.missing)}.", err=True)


def _answers(data: tuple[str, ...]) -> dict[str, str]:
    answers = {}
    for each in data:
        key, equals, value = each.partition("=")
        if not equals:
            raise click.UsageError(f"{each!r} is not KEY=VALUE")
        answers[key] = value
    return answers
