"""Programs that run another one: `uv run X`, `npx X`, `bundle exec X`."""

from __future__ import annotations

import re
from dataclasses import replace

from mybro.executor.claude.gate import packages
from mybro.executor.claude.gate.arguments import TOOLS
from mybro.executor.claude.gate.ordinary import DRIVERS
from mybro.executor.claude.gate.place import Place
from mybro.executor.claude.gate.words import Command

_QUIET = (
    r"-q|-T|-y|--(quiet|silent|frozen|locked|no-sync|all-extras|offline|isolated|dev|no-install)?"
    r"|--(no|yes|prefer-offline)"
)
_VERBS = {
    "run": "uv poetry pdm pipenv rye pixi hatch pipx mamba volta yarn",
    "exec": "bundle pnpm npm yarn mise asdf rbenv pyenv opam fnm composer",
    "x": "npm bun mise", "dlx": "pnpm yarn", "exec .": "direnv", "stat": "perf",
    "": "npx bunx uvx pnpm yarn xvfb-run caffeinate cross-env dotenv spring jupyter",
    "develop -c": "nix", "develop --command": "nix", "shell -c": "nix",
}  # fmt: skip
_RUNNERS = {name: [verb for verb, names in _VERBS.items() if name in names.split()]
            for name in " ".join(_VERBS.values()).split()}  # fmt: skip
_WITH = ("--with", "--package", "-p")
_FETCH = frozenset({"npx", "bunx", "uvx", "pipx", "dlx"})
"""They take what they run from a registry, if the project has it not."""


def inner(name: str, command: Command, place: Place | None = None) -> Command | None:
    """The command that one of these programs runs; None where it is no such call, or not told for certain.

    `place`: where the project may have said which packages it uses.
    """
    while name == "pnpm" and len(command.words) > 2 and command.words[1].text in ("--filter", "-F", "-r"):
        taken = 1 if command.words[1].text == "-r" else 2
        command = replace(command, words=[command.words[0], *command.words[1 + taken :]])
    for verb in _RUNNERS.get(name, ()):
        head = verb.split()
        texts = [word.text or "\0" for word in command.words[1 : 1 + len(head)]]
        if texts != head:
            continue
        rest = command.words[1 + len(head) :]
        while (
            rest
            and (text := rest[0].text) is not None
            and (text[:1] == "-" or (name == "cross-env" and "=" in text))
        ):
            takes = text in ("--extra", "--group", "--python", "--only-group")
            if len(rest) > 1 and (takes or (text in _WITH and _known(name, rest[1].text or ""))):
                rest = rest[1:]
            elif not re.fullmatch(_QUIET, text) and not (
                name == "cross-env" and re.fullmatch(r"(NODE_ENV|CI|TZ|PORT|DEBUG)=[\w/.*:-]*", text)
            ):
                return None
            rest = rest[1:]
        if not rest or (plain := rest[0].text) is None:
            return None
        plain = re.sub(r"@(latest|next|[\d.^~]+)$", "", plain)
        if plain.startswith("@") and _known("npx", plain):
            plain = plain.rpartition("/")[2]
        fetched = _FETCH & {name, verb} and plain not in TOOLS | DRIVERS | packages.NODE
        if fetched and not (name not in ("uvx", "pipx") and place and packages.used(plain, place)):
            return None
        return Command(
            [type(rest[0])((plain,)), *rest[1:]],
            upstream=command.upstream,
            feeding=command.feeding,
            document=command.document,
        )
    return None


def _known(name: str, package: str) -> bool:
    return packages.known(package, "pypi" if name in ("uv", "uvx") else "npm")
