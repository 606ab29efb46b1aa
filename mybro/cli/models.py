"""`mybro models`: list, fetch, verify and remove speech models."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mybro.cli.downloads import downloads
from mybro.errors import ModelError

if TYPE_CHECKING:
    from mybro.models import Backend, Model, Weights

_NAMES = ("mlx-whisper", "faster-whisper", "sherpa-onnx", "parakeet-mlx")
backend_option = click.option(
    "--backend", type=click.Choice(_NAMES), help="The recogniser it is for; default: this machine's."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("models")
def command() -> None:
    """List, fetch, verify and remove speech models."""


@command.command("list")
@click.option("--backend", type=click.Choice(_NAMES), help="Only those for one recogniser.")
@json_option
def list_(backend: Backend | None, as_json: bool) -> None:
    """Every model that is known by name, and what is on this machine.

    Any other repository of the hub can be fetched as well, by its name: owner/repository.
    """
    from mybro.models import models
    from mybro.models.store import installed

    others = [weights.model for weights in installed() if "/" in weights.model.name]
    rows = [_row(model) for model in (*models(backend), *others) if backend in (None, model.backend)]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    width = max(len(row["name"]) for row in rows)
    click.echo(f"{'MODEL':<{width}}  {'FOR':<14}  {'SIZE':>7}  {'LANGUAGES':<9}  WHERE")
    for row in rows:
        size = f"{row['bytes'] / 1e6:.0f} MB" if row["bytes"] else "?"
        languages = "English" if row["english_only"] else "many"
        click.echo(f"{row['name']:<{width}}  {row['backend']:<14}  {size:>7}  {languages:<9}  {_where(row)}")


def _where(row: dict[str, Any]) -> str:
    if row["state"] == "absent":
        return "-"
    converted = Path(row["path"]).exists()
    return f"{row['origin']}: {row['path']}" if converted else f"{row['origin']}: converted when first used"


def _row(model: Model) -> dict[str, Any]:
    from mybro.models import find
    from mybro.models.store import size_of

    weights = find(model)
    return {
        "name": model.name,
        "backend": model.backend,
        "repo": model.repo,
        "bytes": (size_of(weights.path) if weights else 0) or model.bytes_about,
        "licence": model.licence,
        "english_only": model.english_only,
        "state": "here" if weights else "absent",
        "origin": weights.origin if weights else None,
        "path": str(weights.path) if weights else None,
    }


@command.command("fetch")
@click.argument("name", required=False)
@backend_option
@json_option
def fetch_(name: str | None, backend: Backend | None, as_json: bool) -> None:
    """Download a model; without NAME, the one that suits this machine.

    An interrupted download is gone on with the next time.
    """
    from mybro.models import find, hub, resolve

    model = _model(name, backend)
    if find(model):
        weights = resolve(model.backend, model.name)
        _say(as_json, f"{model.name} is here already, in {weights.path}", weights)
        return
    with downloads() as report:
        weights = hub.fetch(model, report)
    _say(as_json, f"{model.name} is in {weights.path}", weights)


@command.command("verify")
@click.argument("name", required=False)
@backend_option
@json_option
def verify_(name: str | None, backend: Backend | None, as_json: bool) -> None:
    """Compare the files of a model, or of all that are here, with their sizes and sha256.

    The exit status is 1 if one is damaged.
    """
    from mybro.models import find, models
    from mybro.models.store import installed, verify

    if name:
        model = _model(name, backend)
        weights = find(model)
        if weights is None:
            raise _absent(model)
        chosen = [weights]
    else:
        known = [found for model in models(backend) if (found := find(model)) and found.origin != "hub"]
        paths = {found.path for found in known}
        chosen = known + [found for found in installed() if found.path not in paths]
    results = [{**_described(weights), "faults": verify(weights)} for weights in chosen]
    if as_json:
        click.echo(json.dumps(results, indent=1))
    for result in [] if as_json else results:
        verdict = "; ".join(result["faults"]) or "whole"
        click.echo(f"{result['name']} for {result['backend']}: {verdict}")
    if any(result["faults"] for result in results):
        click.get_current_context().exit(1)


@command.command("remove")
@click.argument("name")
@backend_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def remove_(name: str, backend: Backend | None, yes: bool, as_json: bool) -> None:
    """Delete a model that mybro has fetched or converted."""
    from mybro.models import find
    from mybro.models.store import remove

    model = _model(name, backend)
    weights = find(model)
    if weights is None:
        raise _absent(model)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("Nobody is here to be asked: say --yes.")
        click.confirm(f"Delete {weights.path}?", abort=True)
    freed = remove(weights)
    _say(as_json, f"{model.name} is deleted, {freed / 1e6:.0f} MB are free again", weights)


@command.group("setup")
def setup() -> None:
    """Install what does not come with mybro."""


@setup.command("mlx")
@json_option
def mlx(as_json: bool) -> None:
    """Install mlx-whisper, which uses Apple's GPU (on Linux the CPU).

    Without the dependencies that it declares: torch and others, gigabytes that transcription does not need.
    """
    _install("mlx-whisper", as_json)


@setup.command("parakeet")
@json_option
def parakeet(as_json: bool) -> None:
    """Install parakeet-mlx, which uses Apple's GPU (on Linux the CPU), without the half of it that is unused.

    Then: mybro config set transcribe.backend parakeet-mlx
    """
    _install("parakeet-mlx", as_json)


@setup.command("sherpa")
@json_option
def sherpa(as_json: bool) -> None:
    """Install sherpa-onnx, which hears speech while it grows, on any CPU.

    Then: mybro config set transcribe.backend sherpa-onnx
    """
    _install("sherpa-onnx", as_json)


def _install(name: Backend, as_json: bool) -> None:
    from mybro.models import backend_setup

    there = backend_setup.is_installed(name)
    if not there:
        backend_setup.install(lambda line: click.echo(line, err=True), name)
    message = f"{name} is here already" if there else f"{name} is installed"
    click.echo(json.dumps({"installed": True, "already": there}) if as_json else message)


@setup.command("turn")
@json_option
def turn(as_json: bool) -> None:
    """Fetch Smart Turn, which hears by the sound of a sentence whether it is over (9 MB)."""
    from mybro.models import turn as smart_turn

    there = smart_turn.weights() is not None
    if not there:
        smart_turn.fetch(lambda line: click.echo(line, err=True))
    message = "Smart Turn is here already" if there else "Smart Turn is here"
    click.echo(json.dumps({"installed": True, "already": there}) if as_json else message)


def _model(name: str | None, backend: Backend | None) -> Model:
    from mybro.config import load_settings
    from mybro.models import named
    from mybro.transcribe.choice import backend_for, recommended

    settings = load_settings().transcribe
    if backend is None:
        chosen = backend_for(settings.backend)
        backend = backend_for("auto") if chosen == "openai" else chosen  # type: ignore[assignment]
    assert backend  # noqa: S101
    return named(backend, name or recommended(backend, settings.language))


def _absent(model: Model) -> ModelError:
    return ModelError(
        "model_missing",
        f"{model.name} for {model.backend} is not on this machine",
        hint="See: mybro models list",
    )


def _described(weights: Weights) -> dict[str, Any]:
    model = weights.model
    return {
        "name": model.name,
        "backend": model.backend,
        "path": str(weights.path),
        "origin": weights.origin,
    }


def _say(as_json: bool, sentence: str, weights: Weights) -> None:
    click.echo(json.dumps(_described(weights)) if as_json else sentence)
