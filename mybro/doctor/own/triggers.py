"""What must be in a file before an own check can find anything there: most files are never opened for it.

A check without an entry is asked about every file. An entry may let through too much, and never too little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from mybro.doctor.facts import File
from mybro.doctor.languages import CODE
from mybro.doctor.own import files, secrets, token_forms
from mybro.doctor.own.tests import is_python_test
from mybro.doctor.survey import NOT_ASCII

Words = tuple[bytes, ...]
Groups = tuple[Words, ...]
"""Of each group one word must be there."""

_SHORT = 3
"""Each word so short is looked for by itself: an end that many share saves most of it."""
_TOKENS_IN_CODE: Words = (
    *(word if len(word) > _SHORT else word[-2:] for word in secrets.COMMON),
    *(quote + start for start in token_forms.QUOTED for quote in (b'"', b"'", b"`")),
)
_REQUESTS = (b"request", b"get_argument", b"@app.", b"@router.", b"@bp.")


def _needs() -> Mapping[str, Groups]:
    from mybro.doctor.own import idioms
    from mybro.doctor.own.taint import FRAMEWORKS

    return {
        "idioms": (idioms.WORDS,),
        "private_keys": ((b"PRIVATE KEY",),),
        "bidi": ((NOT_ASCII,),),
        "encoding": ((NOT_ASCII,),),
        "byte_order": ((NOT_ASCII,),),
        "conflicts": ((b"<<<<<<< ",), (b">>>>>>> ",)),
        "line_ends": ((b"\r",),),
        "home_paths": ((b"/Users/", b"/home/"),),
        "linux_files": ((b"/proc/", b"/sys/"),),
        "ts_ignore": ((b"@ts-",),),
        "skips": ((b"skip", b"xfail"),),
        "sleeps": ((b"sleep(",),),
        "never_run": ((b"def __init__",), (b"class Test",)),
        "taint": (_REQUESTS, FRAMEWORKS),
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
    """The words that the rule needs in a file of this language; none: it can find something in any."""
    if language in CODE and language != "shell":
        if rule == "tokens":
            return (_TOKENS_IN_CODE,)
        if rule == "passwords":
            names = (*secrets.NAMES, *secrets.RANDOM_NAMES)
            return ((*names, b"://"), (*names, b"@"))
    return _needs().get(rule, ())


def fits(rule: str) -> Callable[[File], bool] | None:
    """What the rule needs of a file's name and size; None: nothing."""
    return _FILES.get(rule)


def words(rules: Iterable[str]) -> list[bytes]:
    """Everything that is to be looked for, for these rules."""
    listed = list(rules)
    return [
        *(secrets.LONG_HINTS if "tokens" in listed else ()),
        *(
            word
            for language in ("", "python")
            for rule in listed
            for group in groups(rule, language)
            for word in group
        ),
    ]
