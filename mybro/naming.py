"""Spoken names as code writes them: "user id" is user_id, userId or USER_ID; "main dot py" is main.py."""

from __future__ import annotations

import re

from mybro.vocabulary import words

_SEPARATORS = {
    "underscore": "_", "dash": "-", "hyphen": "-", "minus": "-", "dot": ".", "period": ".", "slash": "/",
}  # fmt: skip
_STYLES = ("snake", "camel", "pascal", "kebab", "screaming", "constant")
_WORDS = words("names")
_ACRONYMS = _WORDS["ACRONYMS"]
_HEARD_EXTENSION = {
    "pie": "py", "pi": "py", "pea": "py", "jason": "json", "tommel": "toml",
    "yammel": "yaml", "python": "py", "markdown": "md", "rust": "rs", "javascript": "js", "typescript": "ts",
}  # fmt: skip
_PASCAL_FILES = frozenset({"tsx", "jsx", "vue", "svelte", "swift", "java", "kt", "cs"})
_NOISE = _WORDS["PATH_NOISE"]
_SMALL = frozenset({"in", "of", "to", "for", "from", "and", "with", "on", "into", "is", "as"})
"""Words that no file's name holds; where one stands, a sentence goes on."""
_SPLIT = re.compile(r"[^0-9A-Za-z]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_EXTENSION = re.compile(r"[A-Za-z][A-Za-z0-9]{0,9}$")


def parts(name: str) -> list[str]:
    """The words of a name, in lower case, whether it was spoken or written: "userId" is user, id."""
    words = [word for word in _SPLIT.split(name) if word]
    return [word.lower() for word in words if word.lower() not in _SEPARATORS]


def candidates(name: str) -> list[str]:
    """The identifiers that a spoken name can mean, likeliest first.

    A name that is an identifier already comes first as it is. "snake case user id" puts that style first.
    """
    found = [name] if re.fullmatch(r"[A-Za-z_$][\w$]*", name) else []
    words = name.split()
    style = words[0].lower() if len(words) > 2 and words[1].lower() == "case" else ""
    if style in _STYLES:
        name = " ".join(words[2:])
    if not (low := parts(name)):
        return found
    title = [word.capitalize() for word in low]
    upper = [word.upper() if word in _ACRONYMS else word.capitalize() for word in low]
    spellings = {
        "snake": "_".join(low),
        "camel": "".join([low[0], *title[1:]]),
        "pascal": "".join(title),
        "camel acronym": "".join([low[0], *upper[1:]]),
        "pascal acronym": "".join(upper),
        "screaming": "_".join(low).upper(),
        "kebab": "-".join(low),
        "flat": "".join(low),
        "private": "_" + "_".join(low),
    }
    wanted = {"constant": "screaming"}.get(style, style)
    order = [spellings.pop(wanted)] if wanted in spellings else []
    if "dunder" in low[:1]:
        order.append(f"__{'_'.join(low[1:])}__")
    return list(dict.fromkeys([*found, *order, *spellings.values()]))


def path(spoken: str) -> str | None:
    """The path that a spoken one most likely means, or None where it does not sound like a path.

    "main dot py" is main.py, "source slash app dot t s" source/app.ts, "dot env" .env.
    """
    words = spoken.split()
    while words and words[0].lower() in _NOISE:
        words = words[1:]
    while words and words[-1].lower() in _NOISE:
        words = words[:-1]
    if not words or len(words) > 24:
        return None
    if len(words) == 1:
        return words[0] if re.search(r"[./]\w", words[0]) or words[0].endswith("/") else None
    glued = _glue(words)
    if " " in glued and any(re.search(r"[./~]", word) for word in words):
        return None  # a written path amid other words: that is a sentence
    if " " not in glued and re.search(r"[./]", glued):
        return _respell_extension(glued)
    head, slash, last = glued.rpartition("/")
    stem, dot, extension = last.rpartition(".")
    if (
        not (slash or dot)
        or (dot and not _EXTENSION.match(extension))
        or set(head.split() + stem.split()) & _SMALL
    ):
        return None
    if dot:
        last = _respell_extension(f"{_stem(stem, extension)}.{extension}")
    folders = [_stem(folder, "") for folder in head.split("/") if folder]
    return "/".join([*folders, last.replace(" ", "_")])


def _glue(words: list[str]) -> str:
    """Join around spoken separators: "test underscore main dot p y" becomes "test_main.py"."""
    out = ""
    tight = True
    for word in words:
        mark = _SEPARATORS.get(word.lower())
        spelled = len(word) == 1 and re.search(r"\.\w{1,3}$", out) is not None
        if mark is not None or tight or spelled:
            out += mark or word
        elif word.lower() == "dunder":
            out += "__"
        else:
            out += " " + word
        tight = mark is not None
    return re.sub(r"\bdunder (\w+)", r"__\1__", out)


def _stem(spoken: str, extension: str) -> str:
    words = spoken.split()
    if len(words) < 2:
        return spoken.strip()
    if extension.lower() in _PASCAL_FILES:
        return "".join(word[:1].upper() + word[1:] for word in words)
    return "_".join(words)


def _respell_extension(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return stem + dot + _HEARD_EXTENSION.get(extension.lower(), extension)


# ---------------------------------------------------------------------------- agents

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_CARDINALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NO_AGENTS = frozenset(
    {
        "a", "an", "the", "my", "your", "this", "that", "next", "other", "previous", "same", "every", "each",
        "any", "which", "user", "coding", "stop", "switch", "change", "use",
    }
)  # fmt: skip


def agent_name(spoken: str) -> str | None:
    """One way to write whom a person means: "second" and "two" are "2"; None for a word that names nobody."""
    low = spoken.lower().strip()
    same = {"everyone": "all", "everybody": "all", "another": "new", "main": "1"}
    if low in same:
        return same[low]
    for words_ in (ORDINALS, _CARDINALS):
        if low in words_:
            return str(words_.index(low) + 1)
    if re.fullmatch(r"[1-9](?:st|nd|rd|th)?", low):
        return low[0]
    return None if low in _NO_AGENTS else low


def agent_label(name: str) -> str:
    """What to call an agent aloud: "second agent", "parser agent"."""
    return f"{ORDINALS[int(name) - 1] if name.isdigit() else name} agent"
