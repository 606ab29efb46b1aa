"""Builders, testers, package managers and clients: the calls of them that are everyday work."""

from __future__ import annotations

import re
from collections.abc import Callable

from mybro.executor.claude.gate import runners
from mybro.executor.claude.gate.place import Place, Reach, Rule
from mybro.executor.claude.gate.runners import VERSION
from mybro.executor.claude.gate.words import Command, Word


def known_as(name: str) -> str:
    """The name by which a program is known: without a system folder, and its version."""
    found = re.fullmatch(
        r"(?:/usr)?(?:/local)?/bin/([\w.-]+)|(?:\./)?(?:\.?venv/bin|node_modules/\.bin)/([\w.-]+)", name
    )
    plain = next(filter(None, found.groups()), name) if found else name
    return re.sub(r"^(python|pip)3?(\.\d+)?$", r"\1", plain)


def _calls(*patterns: str, reach: Reach = Reach.WRITES, options: str = r"-[a-zA-Z]|--[\w-]+") -> Rule:
    """A rule: the words match a pattern, and what follows are options and places inside of the repository.

    A pattern is matched against the words joined by spaces; after it, options match `options`.
    """
    heads = [re.compile(pattern + (r"(?= |$)" if pattern else "")) for pattern in patterns]

    def rule(command: Command, place: Place) -> Reach | None:
        texts = [word.text for word in command.words[1:]]
        if not texts or texts in [[one] for one in VERSION]:
            return Reach.READS if texts else (reach if any(head.match("") for head in heads) else None)
        if any(text is None for text in texts):
            return None
        line = " ".join(text or "''" for text in texts)
        for head in heads:
            found = head.match(line)
            if found and _rest_fine(line[found.end() :].split(" "), options, place):
                return reach
        return None

    return rule


def _rest_fine(words: list[str], options: str, place: Place) -> bool:
    for word in words:
        if word.startswith("-"):
            name, _, value = word.partition("=")
            if (
                ":/" in value
                or not re.fullmatch(options, name)
                or (value and not place.reads(Word((value,))))
            ):
                return False
        elif word and not place.reads(Word((word,))):
            return False
    return True


_RUN = (
    r"(test|tests|lint|build|check|typecheck|type-check|types|format|fmt|coverage|compile|docs|dev"
    r"|start|ci|unit|e2e)([:\-]\w+)*"
)
_LINT_OPTIONS = (
    r"-[qvwslnxh]+|--(fix|check|write|diff|quiet|verbose|select|ignore|strict|line-length"
    r"|max-line-length|color|ext|noEmit|project|watch|run|bail|silent|verbose|coverage|list-different"
    r"|max-warnings|show-error-codes|ignore-missing-imports|statistics|count|exit-zero|profile|py\d+"
    r"|target-version|preview|all|profile|noemit|pretty|stdin|reporter|no-cov)"
)


def _linter(*, options: str = _LINT_OPTIONS) -> Rule:
    return _calls(r"", options=options)


def _either(*rules: Callable[[Command, Place], Reach | None]) -> Rule:
    def rule(command: Command, place: Place) -> Reach | None:
        return next((reach for one in rules if (reach := one(command, place)) is not None), None)

    return rule


_NODE_MANAGER = _calls(
    r"ci", r"install", r"i", r"test", r"t", rf"run(-script)? {_RUN}", r"start", "ls", "list", "outdated",
        "audit", "why \\S+",
    "explain \\S+", "view \\S+", "pkg get", "run", "config get registry", "root", "bin", "prefix", "build",
    "lint",
    options=
        r"--(silent|quiet|frozen-lockfile|no-audit|no-fund|depth|all|json|production|omit|watch|run"
        r"|ci|offline|prefer-offline|if-present|fix)|-s|--",
)  # fmt: skip


def _managed(command: Command, place: Place) -> Reach | None:
    """A package manager; with the names of packages it would fetch and run what nobody here has read."""
    texts = [word.text or "?" for word in command.words[1:]]
    if texts[:1] in (["install"], ["i"], ["ci"]) and any(not text.startswith("-") for text in texts[1:]):
        return None
    if texts[:2] == ["audit", "fix"]:
        return None
    return _NODE_MANAGER(command, place)


def _npx(command: Command, place: Place) -> Reach | None:
    known = ("tsc", "eslint", "prettier", "jest", "vitest", "mocha", "biome", "stylelint")
    words = command.words[1:]
    while words and words[0].text in ("--no-install", "--no", "-y"):
        words = words[1:]
    if words and words[0].text in known:
        return RULES[words[0].text](Command(words), place)
    return None


def _uv(command: Command, place: Place) -> Reach | None:
    words = command.words[1:]
    if (
        words
        and words[0].text == "run"
        and len(words) > 1
        and words[1].text in ("pytest", "ruff", "mypy", "python", "black", "coverage")
    ):
        return RULES[words[1].text or ""](Command(words[1:], document=command.document), place)
    return _calls(
        r"sync",
        r"lock",
        r"tree",
        r"pip (list|freeze|check|show \S+)",
        r"python list",
        r"build",
        options=r"--(frozen|locked|all-extras|dev|no-dev|check|upgrade)",
    )(command, place)


def _make(command: Command, _: Place) -> Reach | None:
    texts = [word.text or "?" for word in command.words[1:]]
    ok = all(re.fullmatch(rf"{_RUN}|all|help|-j\d*|-s|-n|-k|--dry-run|--silent|\d+", text) for text in texts)
    return Reach.WRITES if ok else None


_CARGO = _calls(
    "build", "check", "test", "clippy", "fmt", "doc", "tree", "metadata", "bench", "nextest run", "audit",
    "outdated", "search \\S+",
    options=
        r"--(release|all|workspace|lib|bins|tests|all-targets|all-features|package|test|no-run|quiet"
        r"|verbose|check|features|no-default-features|nocapture|no-deps|offline|locked|bin|example)"
        r"|-[pqvDj]|--",
)  # fmt: skip
_GO = _calls(
    r"build", r"test", r"vet", r"fmt", r"list", r"env \w+", r"mod (tidy|verify|graph|download)",
        r"doc \S+", r"version",
    options=
        r"-(v|run|race|count|short|cover|timeout|failfast|bench|benchmem|m|json|x"
        r"|p)",
)  # fmt: skip
_DOCKER = _calls(
    r"ps", r"images", r"logs", r"version", r"info", r"stats --no-stream", r"top", r"port",
        r"history",


            r"(compose|-compose) (ps|logs|images|version|top|ls)",
                r"(container|image|volume|network) ls", r"system df", r"diff",
    reach=Reach.READS, options=
        r"-[aqnflt]+|--(all|tail|since|format|filter|no-trunc|timestamps|services|quiet|no-color)",
)  # fmt: skip
_KUBECTL = _calls(
    r"get (?!\S*secret)[\w,./-]+", r"describe (?!\S*secret)[\w,./-]+", r"logs", r"version",
        r"cluster-info", r"top", r"explain", r"api-resources",
    r"config (current-context|get-contexts)", r"rollout (status|history)",
    reach=Reach.READS, options=
        r"-[nAofwlc]|--(namespace|all-namespaces|output|selector|tail|since|client|previous|watch"
        r"|context)",
)  # fmt: skip
_GH = _calls(


            r"(pr|issue|release|run|workflow|repo|gist|label) (list|view|status|checks|diff)",
                r"auth status(?! .*-t)", r"search \w+", r"status", r"repo view",
    reach=Reach.READS, options=
        r"-[LsalAS]|--(limit|state|json|author|label|comments|log|log-failed|repo|branch|name-only"
        r"|search|assignee)",
)  # fmt: skip
_PIP = _calls(
    r"list", r"freeze", r"show \S+", r"check", r"install -r", r"install -e \.(\[[\w,]+\])?",
        r"install \.(\[[\w,]+\])?", r"config list", r"index versions \S+",
    options=r"-q|-v|--(outdated|quiet|format|upgrade|no-deps|disable-pip-version-check|local)",
)  # fmt: skip

RULES: dict[str, Rule] = {
    "node": runners.node, "curl": runners.curl, "npx": _npx, "uv": _uv, "make": _make, "pip": _PIP,
    **dict.fromkeys(("bash", "sh", "zsh"), runners.shell),
    **dict.fromkeys(("npm", "pnpm", "bun"), _managed),
    "yarn": lambda command, place: _managed(command, place) if len(command.words) > 1 else Reach.WRITES,
    "pytest": _calls(r"", options=
        r"-[vqxslfh]+|-ra|-rA|-[kmn]|--(lf|ff|tb|maxfail|durations|collect-only|co|no-header|color"
        r"|last-failed|failed-first|exitfirst|verbose|quiet|sw|cov|cov-report|no-cov|markers|fixtures"
        r"|strict-markers|version)"),
    "unittest": _calls(r"", options=r"-[vqfbs]|--(verbose|quiet|failfast)"),
    "ruff": _calls(r"check", r"format", r"rule \w+", r"version", options=_LINT_OPTIONS),
    **dict.fromkeys(("mypy", "pyright", "flake8", "pylint", "eslint", "prettier", "black", "isort",
        "stylelint", "biome", "shellcheck", "hadolint", "yamllint", "rubocop", "golangci-lint",
            "swiftlint", "djlint", "vulture", "bandit"), _linter()),
    **dict.fromkeys(("jest", "vitest", "mocha", "rspec", "phpunit"), _linter()),
    "tsc": _calls(r"", options=r"--(noEmit|watch|project|build|pretty|skipLibCheck|strict)|-[pbw]"),
    "rustc": _calls(r"--version"),
    "coverage": _calls(r"report", r"html", r"xml", r"run -m pytest", options=
        r"-m|--(skip-covered|show-missing|sort)|-q"),
    "cargo": _CARGO, "go": _GO, "gofmt": _calls(r"",
        options=r"-[ldws]"), "docker": _DOCKER, "kubectl": _KUBECTL, "gh": _GH,
    "tox": _calls(r"-e (py\d+|lint|tests?|mypy|types?|format|style|docs)", r"", options=r"-[qvl]+"),
    "nox": _calls(r"", options=r"-l|--list"),
    "rustfmt": _calls(r"", options=r"--check"),
    "terraform": _calls(r"fmt", r"validate", r"version", r"providers", options=r"-(check|diff|recursive)"),
    "dotnet": _calls(r"build", r"test", r"--info", options=r"-c|--(configuration|no-restore|no-build)"),
    "mvn": _calls(r"(-q )?(test|compile|verify|package)", options=r"-q|-B"),
    **dict.fromkeys(("./gradlew", "gradle"), _calls(

            r"(test|build|check|assemble|compileJava|tasks)",
                options=r"--(info|console|offline|stacktrace|no-daemon)")),
    "swift": _calls(r"build", r"test", options=r"-c"),
    "poetry": _calls(r"install", r"show", r"check", r"run pytest", r"lock", options=
        r"--(no-root|tree|outdated|dev|sync)|-q|-v"),
    **dict.fromkeys(("java", "javac", "ruby", "perl", "php", "gcc", "clang", "cmake", "brew", "deno",
        "helm", "aws", "psql", "sqlite3", "mysql", "ffmpeg", "conda"), _calls(r"--version")),
    "pre-commit": _calls(r"run", options=r"--all-files|-a|--files"),
    "alembic": _calls(r"(current|history|heads)"), "rails": _calls(r"routes"),
}  # fmt: skip
RULES["python"] = runners.python(RULES)
