"""Clients of services and of the system: the calls that only look."""

from __future__ import annotations

import re

from mybro.executor.claude.gate.place import Place, Reach, Rule
from mybro.executor.claude.gate.sql import only_asks
from mybro.executor.claude.gate.tables import either
from mybro.executor.claude.gate.tools import calls
from mybro.executor.claude.gate.words import Command, Word

_R = Reach.READS


def _asks_database(options: str, takes: str, *, file: bool) -> Rule:
    """`sqlite3 FILE QUERY`, `psql -c QUERY`: `options` stand alone, `takes` have a value."""

    def rule(command: Command, place: Place) -> Reach | None:
        texts = [word.text for word in command.words[1:]]
        if texts in (["--version"], ["-V"], ["-l"], ["--list"], ["-version"]):
            return _R
        plain: list[str] = []
        queries: list[str] = []
        at = 0
        while at < len(texts):
            text = texts[at]
            if text is None:
                return None
            if not file and re.fullmatch(r"-[tAxqXw]*c|-e|--command|--execute", text):
                queries.append(texts[at + 1] or "" if at + 1 < len(texts) else "")
                at += 1
            elif re.fullmatch(takes, text):
                at += 1
            elif text.startswith("-"):
                if not re.fullmatch(options, text):
                    return None
            else:
                plain.append(text)
            at += 1
        if file:
            queries = plain[1:]
            if not plain or not place.reads(Word((plain[0],))):
                return None
        elif any("://" in text and "@localhost" not in text for text in plain) or len(plain) > 2:
            return None
        return _R if queries and all(map(only_asks, queries)) else None

    return rule


_COMPOSE_REACHES = re.compile(
    r"^\s*-\s*['\"]?[./~$][^\n]*:|privileged|/var/run|type:\s*bind|\brm\b|network_mode", re.MULTILINE
)


_COMPOSE_FILES = [
    f"{name}{more}.{suffix}"
    for name in ("compose", "docker-compose")
    for more in ("", ".override")
    for suffix in ("yml", "yaml")
]


def _compose(command: Command, place: Place) -> Reach | None:
    """`docker compose up`: where its file mounts nothing of this machine."""
    texts = [word.text or "?" for word in command.words[1:]]
    if command.words[0].text == "docker":
        if texts[:1] != ["compose"]:
            return None
        texts = texts[1:]
    if not re.fullmatch(
        r"(up( (-d|--build|--detach|--wait|[a-z][\w-]*))*|start( [\w-]+)?|pull|build( [\w-]+)?)",
        " ".join(texts),
    ):
        return None
    if texts[0] in ("pull", "build"):
        return Reach.WRITES
    for folder in place.folders:
        for name in _COMPOSE_FILES:
            text = place.program(folder / name)
            if text is None or _COMPOSE_REACHES.search(text):
                return None
    return Reach.WRITES


_DOCKER = calls(
    r"ps", r"images", r"logs", r"version", r"info", r"stats --no-stream", r"top", r"port",
        r"history",
    r"(compose|-compose) (ps|logs|images|version|top|ls)",
                r"(container|image|volume|network) ls", r"system df", r"diff",
    reach=Reach.READS, options=
        r"-[aqnflt]+|--(all|tail|since|format|filter|no-trunc|timestamps|services|quiet|no-color)",
)  # fmt: skip
_KUBECTL = calls(
    r"get (?!\S*secret)[\w,./-]+", r"describe (?!\S*secret)[\w,./-]+", r"logs", r"version",
        r"cluster-info", r"top", r"explain", r"api-resources",
    r"config (current-context|get-contexts)", r"rollout (status|history)",
    reach=Reach.READS, options=
        r"-[nAofwlc]|--(namespace|all-namespaces|sort-by|field-selector|show-labels|watch|no-headers|output|selector|tail|since|client|previous|watch"
        r"|context)",
)  # fmt: skip
_GH = calls(

    r"(pr|issue|release|run|workflow|repo|gist|label) (list|view|status|checks|diff)",
                r"auth status(?! .*-t)", r"search \w+", r"status", r"repo view",
    reach=Reach.READS, options=
        r"-[LsalAS]|--(limit|state|json|author|label|comments|log|log-failed|repo|branch|name-only"
        r"|search|assignee)",
)  # fmt: skip
RULES: dict[str, Rule] = {
    "sqlite3": _asks_database(
        r"-(header|column|csv|json|readonly|line|table|box|batch|noheader)", r"-separator", file=True
    ),
    "psql": _asks_database(
        r"-[tAxqXw]+|--(csv|tuples-only|no-align|no-psqlrc)",
        r"-[dhpU]|--(dbname|host|port|username)",
        file=False,
    ),
    "mysql": _asks_database(r"-[tNsB]+|-u\w+|-h[\w.]+", r"-[DhuP]|--(database|host|user|port)", file=False),
    "docker": either(_DOCKER, _compose),
    "kubectl": _KUBECTL,
    "gh": _GH,
}
