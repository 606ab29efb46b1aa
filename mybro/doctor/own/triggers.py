"""What must be in a file before an own check can find anything there: most files are never opened for it.

A check without an entry is asked about every file. An entry may let through too much, and never too little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from mybro.doctor.facts import File
from mybro.doctor.languages import CODE
from mybro.doctor.own import files, secrets
from mybro.doctor.own.tests import is_python_test
from mybro.doctor.survey import NOT_ASCII

Words = tuple[bytes, ...]
Groups = tuple[Words, ...]
"""Of each group one word must be there."""

_QUOTED = (
    *b"AKIA ASIA AIza AGE-SECRET ATATT3 ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- xox rk_live".split(),
    *b"sk_live rk_test sk_test whsec_ GOCSPX- sk- hf_ npm_ pypi- SG. dop_v1_ shpa shps dapi lin_api_".split(),
    *b"hvs. glsa_ dckr_pat_ ntn_ https://discord key- PMAK- sntr sq0 EAAA sbp_ sbs_ dp.".split(),
    *(b"SK%x" % digit for digit in range(16)),
)
"""How keys begin that are looked for after a quote."""
_TOKENS_IN_CODE: Words = (
    *secrets.COMMON,
    *(quote + start for start in _QUOTED for quote in (b'"', b"'")),
    *(b"%d:AA" % digit for digit in range(10)),
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
        "never_run": ((b"def __init__",),),
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
            return ((*secrets.NAMES, b"://"), (*secrets.NAMES, b"@"))
    return _needs().get(rule, ())


def fits(rule: str) -> Callable[[File], bool] | None:
    """What the rule needs of a file's name and size; None: nothing."""
    return _FILES.get(rule)


def words(rules: Iterable[str]) -> list[bytes]:
    """Everything that is to be looked for, for these rules."""
    listed = list(rules)
    return [
        word
        for language in ("", "python")
        for rule in listed
        for group in groups(rule, language)
        for word in group
    ]
