"""Builders, testers, package managers and clients: the calls of them that are everyday work."""

from __future__ import annotations

import re

from mybro.executor.claude.gate import (
    builders,
    everyday,
    javascripts,
    loopback,
    packages,
    runners,
    sources,
    tables,
)
from mybro.executor.claude.gate.arguments import remade
from mybro.executor.claude.gate.ordinary import is_sharp
from mybro.executor.claude.gate.place import Place, Reach, Rule
from mybro.executor.claude.gate.reading import is_option
from mybro.executor.claude.gate.recipes import is_dry, only_says
from mybro.executor.claude.gate.words import Command, Word


def known_as(name: str) -> str:
    """The name by which a program is known: without a system folder, and its version."""
    found = re.fullmatch(
        r"(?:/usr)?(?:/local)?/bin/([\w.-]+)|(?:\./)?(?:\.?venv/bin|node_modules/\.bin)/([\w.-]+)", name
    )
    plain = next(filter(None, found.groups()), name) if found else name
    return re.sub(r"^(python|pip)3?(\.\d+)?$", r"\1", plain)


def calls(*patterns: str, reach: Reach = Reach.WRITES, options: str = r"-[a-zA-Z]|--[\w-]+") -> Rule:
    """A rule: the words match a pattern, and what follows are options and places inside of the repository.

    A pattern is matched against the words joined by spaces; after it, options match `options`.
    """
    heads = [re.compile(pattern + (r"(?= |$)" if pattern else "")) for pattern in patterns]

    def rule(command: Command, place: Place) -> Reach | None:
        texts = [_as_place(word, place) for word in command.words[1:]]
        if not texts:
            return reach if any(head.match("") for head in heads) else None
        if any(text is None for text in texts):
            return None
        line = " ".join(text or "''" for text in texts)
        for head in heads:
            found = head.match(line)
            if found and _rest_fine(line[found.end() :].split(" "), options, place):
                return reach
        return None

    return rule


def _as_place(word: Word, place: Place) -> str | None:
    """What a word says; of several places that may be read, or a name that is not told, just a place."""
    several = word.glob and not is_option(Word(word.values)) and place.reads(word)
    return "." if several or (word.values is None and word.local) else word.text


_LOADED = re.compile(r"^\.|\.([cm]?[jt]sx?|rb|php|py)$")
"""A form to show results in that is a program."""


def _rest_fine(words: list[str], options: str, place: Place) -> bool:
    before = ""
    for word in words:
        name, _, value = word.partition("=")
        styled = name if value else before
        if re.fullmatch(r"--?(format|formatter|reporters?)", styled) and _LOADED.search(value or word):
            return False
        before = word
        if word.startswith("-"):
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
    r"|start|ci|unit|preview|serve|watch|storybook|generate|codegen|type_check|e2e|integration|e2e)([:\-]\w+)*"
)
_NODE_MANAGER = calls(
    r"ci", r"install", r"i", r"test", r"t", rf"run(-script)? {_RUN}", r"start", "ls", "list", "outdated",
        "audit", "why \\S+",
    "explain \\S+", "view \\S+", "pkg get", "config get registry", "root", "bin", "prefix", "build",
    "lint",
    options=
        r"--(silent|quiet|frozen-lockfile|no-audit|no-fund|depth|all|json|production|omit|watch|run"
        r"|ci|offline|prefer-offline|ignore-scripts|if-present|fix|coverage|watchAll|port|host|open|bail|reporter|verbose|workspaces?)|-w|-s|--",
)  # fmt: skip


_PYTEST = calls(
    r"",
    options=r"-[vqxslfh]+|-ra|-rA|-[kmn]|--(lf|ff|tb|maxfail|durations|collect-only|co|no-header|color|last-failed"
    r"|failed-first|exitfirst|verbose|quiet|sw|cov|cov-report|no-cov|markers|fixtures|strict-markers|version)",
)


_TESTS = everyday.calls("", r"-[vqxslf]+|-[kmn]|-n(auto|\d+)", Reach.WRITES)


def _pytest(command: Command, place: Place) -> Reach | None:
    """Tests may do anything, in their sandbox; another program that is named is read, for it would run."""
    words = [word for word in command.words if not re.fullmatch(r"-r[a-zA-Z]+|--pdb|-ra", word.text or "")]
    for at in range(len(words) - 1, 0, -1):
        if at >= len(words):
            continue
        option, value = words[at - 1].text, words[at].text or "?"
        if (
            (option == "-o" and re.fullmatch(r"log_cli(_level)?=\w+|addopts=", value))
            or (option == "-W" and runners.PYTHON_SETTING.fullmatch(value))
            or (option == "-p" and re.fullmatch(r"no:\w+", value))
        ):
            del words[at - 1 : at + 1]
    written = re.compile(r"(--cov-report=(html|xml|json|lcov|annotate):|--junit-?xml=|--html=)(.*)")
    for at, told in enumerate([written.match(word.text or "") for word in words]):
        if told is not None:
            if not remade(told[3], place):
                return None  # it names the file to write
            words[at] = Word(("-q",))
    if any(re.match(r"(html|xml|json|lcov|annotate):", word.text or "") for word in words):
        return None
    command = Command(words, upstream=command.upstream)
    for word in words[1:]:
        name = (word.text or "").partition("::")[0]
        plain = re.fullmatch(r"(.*/)?(test_[^/]*|[^/]*_test)\.py|(.*/)?tests?/.*", name)
        if name.endswith(".py") and not plain and not sources.python_file(name, place):
            return None
    return tables.either(_PYTEST, _TESTS)(command, place)


def _tester(command: Command, place: Place) -> Reach | None:
    """What runs each file that it is given: files of tests, by their names."""
    ran = re.compile(r"(.*/)?(tests?|specs?|__tests__)/.*|.*[._-]?(test|spec|Test|Spec)s?(\.\w+)?(:\d+)?")
    for word in command.words[1:]:
        text = word.text or "?"
        if re.search(r"\.(\w+)(:\d+)?$", text) and not ran.fullmatch(text):
            return None
    return everyday.calls("", r"-[bepnqwP]|-f[dp]|--", Reach.WRITES)(command, place)


_node_script = everyday.calls(rf"(run(-script)? {_RUN}|test|t)( --)?", r"-[tbisu]", Reach.WRITES)


def _managed(command: Command, place: Place) -> Reach | None:
    """A package manager; with the names of packages it would fetch and run what nobody here has read."""
    texts = [word.text or "?" for word in command.words[1:]]
    if texts[:1] in (["install"], ["i"], ["ci"]) and any(not text.startswith("-") for text in texts[1:]):
        return None
    if texts[:2] == ["audit", "fix"]:
        return None
    return tables.either(_NODE_MANAGER, _node_script)(command, place)


def _npx(command: Command, place: Place) -> Reach | None:
    words = command.words[1:]
    while words and words[0].text in ("--no-install", "--no", "-y"):
        words = words[1:]
    if words and is_sharp(words[0].text or "", Command(words)):
        return None
    if words and words[0].text in packages.NODE:
        found = [
            table[words[0].text]
            for table in (RULES, builders.RULES, tables.WORKS, everyday.RULES)
            if words[0].text in table
        ]
        return tables.either(*found)(Command(words), place)
    if words and re.fullmatch(r"create-(react-app|vite|next-app)(@latest)?|gitignore", words[0].text or ""):
        texts = [word.text for word in words]
        plain = [
            w
            for w, before in zip(words[1:], texts, strict=False)
            if before != "--template" and not (w.text or "-").startswith("-")
        ]
        return Reach.WRITES if len(plain) == 1 and plain[0].text and not place.exists(plain[0].text) else None
    return None


_SETS = re.compile(
    r"(V|VERBOSE|ARGS|DEBUG|Q|JOBS|TESTS?|((PY)?TEST_?)?ARGS|PKG|FILTER|CFLAGS|CXXFLAGS)="
    r"(?!.*-fplugin)[\w ,./:=-]*"
)


def _make(command: Command, place: Place) -> Reach | None:
    words = command.words[1:]
    if words[:1] and words[0].text == "-C" and len(words) > 1 and words[1].text and place.changes(words[1]):
        if not re.match(r"\.?/?_?build|docs?\b|builddir|out\b|\./?$", words[1].text):
            return None
        words = words[2:]
        if not words:
            return None
    texts = [word.text or "?" for word in words if not _SETS.fullmatch(word.text or "?")]
    if is_dry(texts) and all(re.fullmatch(r"-[npqrRsSkiBwd]+|--[a-z-]+|\w[\w.-]*", text) for text in texts):
        return Reach.READS if only_says(texts, place) else None
    ok = all(
        re.fullmatch(rf"{_RUN}|html|all|help|-j\d*|-s|-n|-k|--dry-run|--silent|\d+", text) for text in texts
    )
    return Reach.WRITES if ok else None


_PIP = calls(
    r"list", r"freeze", r"show \S+", r"check", r"install( -[qU]| --quiet| --upgrade)* -r",
        r"install -e \.(\[[\w,]+\])?",
        r"install \.(\[[\w,]+\])?", r"config list", r"index versions \S+",
    options=r"-q|-v|--(outdated|quiet|format|upgrade|no-deps|disable-pip-version-check|local)",
)  # fmt: skip

RULES: dict[str, Rule] = {
    "node": javascripts.node, "curl": loopback.curl, "npx": _npx, "make": _make, "pip": _PIP,
    **dict.fromkeys(("npm", "pnpm", "bun"), _managed),
    "yarn": lambda command, place: _managed(command, place) if len(command.words) > 1 else Reach.WRITES,
    "pytest": _pytest, "mybro": calls(
        r"doctor", options=r"--(select|ignore|fail-on|json|list|explain|deep|changed|base|all|diff)|-a"),
    "unittest": calls(r"", options=r"-[vqfbspt]|--(verbose|quiet|failfast)"),
    "prettier": calls(r"", options=r"-c|--(check|write|list-different)"),
    **dict.fromkeys(("mocha", "ava", "rspec"), _tester),
    "coverage": calls(r"report", r"html", r"xml", r"run -m pytest", options=
        r"-m|--(skip-covered|show-missing|sort)|-q"),
}  # fmt: skip
