"""What an `except` does with what it caught: its lines, read as text."""

from __future__ import annotations

import re

from mybro.doctor.engines.around import Place, body, heads, width

_TELLS = re.compile(
    r"\s*(?:\w+\.)*_?log(?:ger|ging)?\w*\.(?:warning|warn|error|exception|critical|fatal)\(|"
    r"\s*traceback\.print_|\s*sys\.excepthook\(",
    re.IGNORECASE,
)


def swallows_nothing(place: Place) -> bool:
    """A handler that ends in another error, writes down what happened, or hands the error on."""
    rows = [line for line in body(place, place.row) if line.strip()]
    indent = width(rows[0]) if rows else 0
    told = re.search(r"\bas (\w+)\s*:", place.line)
    if told and any(
        width(line) == indent
        and re.match(rf"(?!\s*(?:print|(?:\w+\.)*(?:debug|info))\().*\b{told[1]}\b", line)
        for line in rows
    ):
        return True
    return any(
        width(line) == indent and (re.match(r"raise\b", line.lstrip()) or _TELLS.match(line)) for line in rows
    )


def said_below(place: Place) -> bool:
    """`except … as error` whose handler names it after all, in another handler's clause or in a text."""
    told = re.match(r"except\b.*\bas (\w+)\s*:", place.line.lstrip())
    return told is not None and any(
        re.search(rf"\bfrom {told[1]}\b", line) for line in body(place, place.row)
    )


def of_the_caught(place: Place) -> bool:
    """`raise error.with_traceback(…)` is the error itself."""
    raised = re.match(r"raise \(?(\w+)(?:\.\w| [-+|])", place.rest)
    return raised is not None and any(
        re.search(rf"\bas {raised[1]}\s*:", bare) for _, bare in heads(place) if bare.startswith("except")
    )
