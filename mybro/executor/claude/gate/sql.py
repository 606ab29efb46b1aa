"""Questions to databases."""

from __future__ import annotations

import re

from mybro.vocabulary import words as word_lists

_SQL = re.compile(
    r"\s*(select|explain|show|describe|pragma\s+table_(info|list)|with)\b[^;]*;?\s*"
    r"|\s*\.(tables|schema|databases|indexes|mode \w+)(\s+\w+)?\s*"
    r"|\s*\\(d[tdvnsuif]?\+?|l\+?|conninfo)(\s+[\w.*]+)?\s*",
    re.IGNORECASE,
)
_SQL_DOES = re.compile(
    r"\b(into|insert|update|delete|drop|alter|create|truncate|grant|copy|call|do|set|attach|replace|merge|lock|refresh)\b"
    r"|\\(?!d|l|conninfo)|`",
    re.IGNORECASE,
)
_SQL_FUNCTIONS = word_lists("modules")["SQL_FUNCTIONS"]


def only_asks(text: str) -> bool:
    """Whether it is one question to a database, which changes nothing and calls nothing unknown."""
    if not _SQL.fullmatch(text):
        return False
    text = re.sub(r"\bshow\s+create\b", "show", text, flags=re.IGNORECASE)
    bare = re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"", "0", text)
    called = {name.casefold() for name in re.findall(r"(\w+)\s*\(", bare)}
    return not _SQL_DOES.search(bare) and called <= _SQL_FUNCTIONS
