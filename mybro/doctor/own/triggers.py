"""What must be in a file before an own check can find anything there: most files are never opened for it.

A check without an entry is asked about every file. An entry may let through too much, and never too little.
Where the Rust engine looks, shapes let hardly a file through in which nothing is found; Python alone goes by
words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from mybro.doctor.facts import File
from mybro.doctor.languages import CODE, READ
from mybro.doctor.own import files, secrets, token_forms
from mybro.doctor.own.tests import INITIALISED, is_python_test
from mybro.doctor.shapes import PYTHON, Group, Shape
from mybro.doctor.survey import NOT_ASCII, NOT_UTF8

Words = tuple[bytes, ...]
Groups = tuple[Group, ...]
"""Of each group one must be there."""

_SHORT = 3
"""Each word so short is looked for by itself: an end that many share saves most of it."""
_TOKENS_IN_CODE: Words = (
    *(word if len(word) > _SHORT else word[-2:] for word in secrets.COMMON),
    *(quote + start for start in token_forms.QUOTED for quote in (b'"', b"'", b"`")),
)
_REQUESTS = (b"request", b"get_argument", b"@app.", b"@router.", b"@bp.")

_TOKENS: Group = (
    *(Shape(form.starts, (form.pattern,)) for form in token_forms.FORMS),
    Shape((b"eyJ",), (secrets.JWT,)),
)
_NAMING = READ - {"prose", "markdown", "html", "css", "plist"}
_PASSWORDS: Group = (
    Shape((b"://",), (secrets.URL_PASSWORD,)),
    Shape(secrets.NAMES, (secrets.NAMED,), languages=_NAMING),
    Shape(
        secrets.RANDOM_NAMES,
        (re.compile(b"(?:%b)" % b"|".join(secrets.RANDOM_NAMES) + secrets.RANDOM.pattern),),
        languages=_NAMING,
    ),
)
_PASSWORDS_ELSEWHERE: Group = (
    *_PASSWORDS,
    Shape((b"passw", b"secret", b"key", b"token"), (secrets.UNQUOTED,), languages=secrets.CONFIG - {"json"}),
)
_TWICE = Shape(
    (b" test", b"\ttest"),
    (re.compile(rb"(?m)^[ \t]*(?:async[ \t]+)?def[ \t]+(test\w*)\("),),
    twice=True,
    languages=PYTHON,
)


@cache  # A shape is known by itself: asked for and looked at, it must be the same one.
def _needs() -> Mapping[str, Groups]:
    from mybro.doctor.own import idiom_shapes, idioms
    from mybro.doctor.own.taint import FRAMEWORKS
    from mybro.doctor.own.visitors import REQUEST, ROUTE

    return {
        "idioms": (idioms.WORDS, idiom_shapes.ANY),
        "private_keys": ((b"PRIVATE KEY",), (Shape((b"PRIVATE KEY",), (secrets.PRIVATE,)),)),
        "bidi": ((NOT_ASCII,), (Shape((NOT_ASCII,), (files.BIDI,)),)),
        "encoding": ((NOT_UTF8,),),
        "byte_order": ((NOT_ASCII,), (Shape((NOT_ASCII,), (re.compile(rb"\A\xef\xbb\xbf"),)),)),
        "conflicts": ((b"<<<<<<< ",), (b">>>>>>> ",)),
        "line_ends": ((b"\r",),),
        "home_paths": ((b"/Users/", b"/home/"),),
        "linux_files": ((b"/proc/", b"/sys/"),),
        "ts_ignore": ((b"@ts-",),),
        "skips": ((b"skip", b"xfail"),),
        "sleeps": ((b"sleep(",),),
        "double_tests": ((_TWICE,),),
        "never_run": (
            (b"def __init__",),
            (b"class Test",),
            (Shape((b"class Test",), (INITIALISED,), languages=PYTHON),),
        ),
        "taint": (
            _REQUESTS,
            FRAMEWORKS,
            (
                Shape((b"req",), (REQUEST,), languages=PYTHON),
                Shape((b"@",), (ROUTE,), languages=PYTHON),
                b"get_argument",
            ),
        ),
    }


_FILES: Mapping[str, Callable[[File], bool]] = {
    "home_paths": lambda file: not file.is_test,
    "long_files": lambda file: file.size >= files.LONG_BYTES,
    "no_assertions": lambda file: is_python_test(file.name),
    "double_tests": lambda file: is_python_test(file.name),
    "never_run": lambda file: is_python_test(file.name),
    "sleeps": lambda file: is_python_test(file.name),
    "skips": lambda file: file.is_test,
    "taint": lambda file: not file.is_test,
}


def groups(rule: str, language: str) -> Groups:
    """What the rule needs in a file of this language; none: it can find something in any."""
    code = language in CODE and language != "shell"
    if rule == "tokens":
        return (_TOKENS_IN_CODE, _TOKENS) if code else (_TOKENS,)
    if rule == "passwords":
        names = (*secrets.NAMES, *secrets.RANDOM_NAMES)
        return ((*names, b"://"), (*names, b"@"), _PASSWORDS) if code else (_PASSWORDS_ELSEWHERE,)
    return _needs().get(rule, ())


def fits(rule: str) -> Callable[[File], bool] | None:
    """What the rule needs of a file's name and size; None: nothing."""
    return _FILES.get(rule)


def words(rules: Iterable[str]) -> list[bytes | Shape]:
    """Everything that is to be looked for, for these rules."""
    listed = list(rules)
    return [
        *(secrets.LONG_HINTS if "tokens" in listed else ()),
        *(one for name in ("", "python") for rule in listed for group in groups(rule, name) for one in group),
    ]
