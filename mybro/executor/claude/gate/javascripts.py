"""JavaScript on a command line and in files: what Node is given to run is read first."""

from __future__ import annotations

import re

from mybro.executor.claude.gate import runners, sources
from mybro.executor.claude.gate.place import Place, Reach
from mybro.executor.claude.gate.words import Command, Word
from mybro.vocabulary import words as word_lists

_JS_KNOWN = word_lists("modules")["JAVASCRIPT_NAMES"]
_JS_FACTS = re.compile(
    r"\bprocess\.(version|versions\.\w+|cwd\(\)|env\.(NODE_ENV|CI|PORT|PWD|LANG)|platform|arch|uptime\(\)|memoryUsage\(\))(?![\w.\[])"
)
_JS_MADE = re.compile(
    r"\b(?:const|let|var)\s+(\w+)\s*(?:=(?!=)|of\b|in\b)|(?<![\w.$])(\w+)\s*=>|\bcatch\s*\((\w+)\)"
    r"|\b(?:const|let|var)\s*\[([\w\s,]+)\]|\(([\w\s,\[\]{}]*)\)\s*=>|\bfunction\s*(\w*\s*\([\w\s,]*)\)"
)
"""Names that a program gives to what it computes."""
_JS_GIVEN = re.compile(
    r"require|process|global\w*|module|exports|eval|Function|import|Object|Reflect|Proxy|Symbol|Buffer|[A-Z]\w*"
    r"|fetch|set\w+|clear\w+|queueMicrotask|structuredClone|performance|navigator|root|GLOBAL|self|window"
    r"|assert|async_hooks|child_process|cluster|crypto|dgram|diagnostics_channel|dns|domain|events|fs|https?2?|inspector"
    r"|net|os|path|perf_hooks|punycode|querystring|readline|repl|sea|sqlite|stream|string_decoder|sys|test|timers|tls"
    r"|trace_events|tty|url|util|v8|vm|wasi|worker_threads|zlib|constants|_.*|atob|btoa|this|super|arguments|async"
)
"""Names that Node gives to what can do more: a program that gives them away may still mean these."""
_JS_TOKEN = re.compile(
    r"/\*.*?\*/|//[^\n]*"
    r"|(?<=[\w$)\]])\[(?P<quote>['\"])(?P<member>[A-Za-z]\w*)(?P=quote)\]"
    r"|'(?:[^'\\\n`]|\\[nrt])*'|\"(?:[^\"\\\n`]|\\[nrt])*\""
    r"|`(?:[^`\\$]|\\[nrt]|\$(?!\{)|\$\{[^{}`]*\})*`"
    r"|(?:(?<=[(,=:;!&|?{}>])|(?<=return))[ \n]*/(?![*/])(?:[^/\\\n\[`]|\\.|\[[^\]\n`]*\])+/[gimsuy]*",
    re.DOTALL,
)
"""Comments, members by name, strings, templates and patterns."""
_SWALLOWED = re.compile(r"/[gimsuy]*\s*[.,;)\]&|?:+=].*\(", re.DOTALL)
"""In a string: it may be code, between two patterns with a quote in them."""


def _plain_token(told: re.Match[str]) -> str:
    if told["member"]:
        return f".{told['member']}"
    if told[0][0] == "`":
        if re.match(r"[\w$)\]]", told.string[told.start() - 1 : told.start()]):
            return told[0]  # a function is called with it
        filled = [_JS_TOKEN.sub(_plain_token, one) for one in re.findall(r"\$\{([^{}`]*)\}", told[0])]
        return f"({','.join(['0', *filled])})"
    return " " if told[0].startswith(("/*", "//")) else " 0 "


def javascript_only_computes(program: str) -> bool:
    """Whether a JavaScript program does nothing but compute and print."""
    if any(_SWALLOWED.search(found[0]) for found in _JS_TOKEN.finditer(program) if found[0][0] in "'\""):
        return False
    bare = _JS_FACTS.sub("0", _JS_TOKEN.sub(_plain_token, program))
    if re.search(r"(\b(return|typeof|case|in|of|do|else|throw|new|await|void)|[^\w)\]\s])\s*/", bare):
        return False  # what looks like a string may begin in a pattern
    bare = re.sub(r"(?<=[\w$)\]])\[\d+\]", "", bare)
    bare = re.sub(r"\bObject\.(keys|values|entries|fromEntries)(?=\()", "0", bare)
    told = " ".join(one for found in _JS_MADE.findall(bare) for one in found)
    made = {one for one in re.findall(r"\w+", told) if not _JS_GIVEN.fullmatch(one)}
    if re.search(
        r"[`\\@#]|(?<!\bof)(?<!\bin)(?<!\breturn)(?<!\bconst)(?<!\blet)(?<=[\w$)\]}])\s*\[|constructor|__"
        r"|prototype|\bthis\b",
        bare,
    ):
        return False
    return all(name in _JS_KNOWN or name in made for name in re.findall(r"(?<![.\w$])[A-Za-z_$][\w$]*", bare))


_FILES = re.compile(
    r"(?:(?:const|let|var)\s+(\w+)\s*=\s*require\(['\"](?:node:)?fs['\"]\)(?!\s*[.\[(])"
    r"|import\s+(?:\* as )?(\w+)\s+from\s+['\"](?:node:)?fs['\"])(?!\s*[.\[(])\s*;?"
)
"""The module of files, under a name."""
_CALM_NAME = r"['\"](?:node:)?(?:path|querystring|assert|crypto)['\"]"
_CALM = re.compile(
    rf"(?:const|let|var)\s+(\w+)\s*=\s*require\({_CALM_NAME}\)(?!\s*[.\[(])\s*;?"
    rf"|import\s+(\w+)\s+from\s+{_CALM_NAME}\s*;?"
)
"""Modules that compute, under a name."""
_OWN_SERVER = re.compile(r"\bfetch\((['\"`])https?://(localhost|127\.0\.0\.1)(:\d+)?(/[\w./?=&-]*)?\1\)")
_REQUIRED = re.compile(r"require\((['\"])([\w./@-]+)\1\)")
_QUOTED = re.compile(r"(['\"`])((?:(?!\1).)*)\1", re.DOTALL)
_TAKEN = re.compile(r"\b(?:const|let|var)\s*\{([\w\s,]+)\}\s*=")


def _without_files(program: str, place: Place) -> str | None:
    """A program with numbers in place of what it reads of the repository; None where it may not."""
    program = _OWN_SERVER.sub("0", program)
    for name in [one[1] or one[2] for one in _CALM.finditer(program)]:
        program = re.sub(rf"(?<![\w.$]){name}(?=\.)", "0", program)
    program = re.sub(rf"require\({_CALM_NAME}\)", "0", _CALM.sub("", program))
    files = [re.escape(one[1] or one[2]) for one in _FILES.finditer(program)]
    bare = _FILES.sub("", program)
    module = "|".join([*files, r"require\(['\"](?:node:)?fs['\"]\)"])
    reads = re.compile(
        rf"\b(?:{module})\.(?:readFileSync|existsSync|statSync|readdirSync)"
        r"\((['\"])([\w./-]+)\1(?:, ?['\"]utf-?8['\"])?\)"
    )
    if not all(place.reads(Word((found[2],))) for found in reads.finditer(bare)):
        return None
    bare = reads.sub("0", bare)
    if any(re.search(rf"\b{name}\b", bare) for name in files):
        return None
    runs = [found[2] for found in _REQUIRED.finditer(bare) if not found[2].endswith(".json")]
    if runs and not all(place.reads(Word((found[2],))) for found in _QUOTED.finditer(bare)):
        return None  # it could be what it is to read
    for found in _REQUIRED.finditer(bare):
        name = found[2]
        data = name.endswith(".json") and place.reads(Word((name,)))
        own = name.startswith("./") and not runners.is_delayed(place) and sources.javascript_file(name, place)
        if not (data or own):
            return None
    bare = _REQUIRED.sub("0", bare)
    return _TAKEN.sub(lambda told: "".join(f"let {one} = 0; " for one in told[1].split(",")) + "0 == ", bare)


_LOADS = re.compile(
    r"(--import|--loader|-r|--require)[= ](tsx|ts-node/(register|esm)|dotenv/config)( |$)"
    r"|--env-file(-if-exists)?[= ]\.env[\w.]*( |$)"
)
"""What many projects start with: TypeScript, and their own settings."""


def node(command: Command, place: Place) -> Reach | None:
    texts = [word.text for word in command.words[1:] if word.text != "--input-type=module"]
    if len(texts) == 1 and texts[0] in runners.VERSION:
        return Reach.READS
    if texts in ([], ["-"]) and command.document not in (None, "\0"):
        texts = ["-e", command.document]
    evals = texts[:1] in (["-e"], ["-p"], ["-pe"], ["--eval"], ["--print"])
    if evals and len(texts) == 2 and texts[1] is not None:
        bare = _without_files(texts[1], place)
        return Reach.READS if bare is not None and javascript_only_computes(bare) else None
    if texts[:1] in (["--check"], ["-c"]) and len(texts) == 2:
        return Reach.READS if place.reads(command.words[2]) else None
    while texts[:1] and re.fullmatch(
        r"--(experimental-[\w-]+|no-warnings|trace-warnings|enable-source-maps|watch|max-old-space-size=\d+|trace-uncaught)",
        texts[0] or "",
    ):
        texts = texts[1:]
    while _LOADS.match(" ".join(text or "?" for text in texts[:2])):
        texts = texts[1 if "=" in (texts[0] or "") else 2 :]
    if texts[:1] == ["--test"] and all(place.reads(word) for word in command.words[2:]):
        return Reach.WRITES
    if texts[:1] in (["--watch"], ["run"]):
        texts = texts[1:]
    name = texts[0] if texts else None
    if (
        name is None
        or name.startswith("-")
        or runners.is_guessed(texts, place)
        or not re.search(r"\.[cm]?[jt]sx?$", name)
    ):
        return None
    return Reach.WRITES if not runners.is_delayed(place) and sources.javascript_file(name, place) else None
