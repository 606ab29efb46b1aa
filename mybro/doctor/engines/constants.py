"""What ruff found by a form alone: whether it holds anything that is secret, or can be put in by others."""

from __future__ import annotations

import re

from mybro.doctor.engines.around import Place, body, function
from mybro.doctor.own.secrets import looks_secret

_HELD = re.compile(r"\{([^{}]*?)(?:![rsa])?(?::[^{}]*)?\}")
"""What an f-string holds; nested quotes and braces are left alone, and so is what has them."""
_JOINED = re.compile(r"(?:\"[^\"]*\"|'[^']*')\.join\((.+)\)")
_MARKS = re.compile(
    r"(?:\(?\[?\s*(?:\"[?]\"|'[?]'|\"%s\"|'%s')\s*(?:\)|\]|,\s*\))?\s*\*.+|"
    r"[\[(]?\s*(?:\"[?]\"|'[?]'|\"%s\"|'%s'|f[\"'][:$]\w*\{\w+\}[\"'])\s+for\s.+)"
)
"""One mark a value: `["?"] * len(ids)`, `"?" for _ in ids`."""
_TEXT = re.compile(
    r"(?:[\[({]\s*)?(?:\"[^\"{}\\]*\"|'[^'{}\\]*'|-?\d[\d_.]*)(?:\s*,\s*(?:\"[^\"{}\\]*\"|'[^'{}\\]*'|-?\d[\d_.]*))*\s*,?\s*[\])}]?"
)
_GIVEN = (
    r"\bfor\b[^:]*?\bNAME\b[^:]*\bin\b|\b(?:as|import|global|nonlocal)\b[^:]*\bNAME\b|"
    r"\bNAME\s*(?:[-+|*]=|:=)|def \w+\(.*\bNAME\b|^\s+NAME\s*[,:)].*(?<!=)$|,\s*NAME\s*=[^=]"
)
"""Binds a name in a way of which the value is not seen."""
_FAR = 3
"""Names that lead to names."""


_TOLD = re.compile(
    r"(?is)^(?!.*execute)(?:.*\b(?:from|into|update)\s+(?:the|a|an|your|this|these|those|any|all|our|his|their)\b|"
    r"\s*(?:print|(?:\w+\.)*(?:log|logger|logging)\.\w+|(?:\w+\.)*(?:echo|secho)|raise \w+)\()"
)


def no_statement(place: Place) -> bool:
    """English, or a statement into which only this file's own constants and marks for values are put."""
    return _TOLD.search(place.text) is not None or _of_constants(place)


def _of_constants(place: Place) -> bool:
    text = place.text[place.column :]
    if not re.match(r"[rR]?[fF][rR]?[\"']", text) or re.search(r"[\"']\s*(?:%|\+)|\.format\(", text):
        return False
    head = function(place)
    inside = [place.lines[head], *body(place, head)] if head >= 0 else []
    held = [found[1].strip() for found in _HELD.finditer(text)]
    return bool(held) and text.count("{") == len(held) and all(_harmless(e, place, inside, 0) for e in held)


def _harmless(expression: str, place: Place, inside: list[str], depth: int) -> bool:
    if joined := _JOINED.fullmatch(expression):
        return _MARKS.fullmatch(joined[1]) is not None or _harmless(joined[1], place, inside, depth)
    if _TEXT.fullmatch(expression) or re.fullmatch(r"(?:int|len)\([^()]*\)", expression):
        return True
    if depth >= _FAR or not re.fullmatch(r"[A-Za-z_]\w*", expression):
        return False
    binds = re.compile(rf"\s*{expression}\s*(?::[^=]+)?=(?!=)\s*(.*?)\s*(?:#.*)?$")
    given = re.compile(_GIVEN.replace("NAME", expression))
    lines = inside if any(binds.match(line) for line in inside) else []
    lines = lines or [line for line in place.lines if line[:1].strip()]
    if any(given.search(line) for line in (*inside, *lines)):
        return False
    values = [found[1] for line in lines if (found := binds.match(line))]
    return bool(values) and all(_harmless(value, place, inside, depth + 1) for value in values)


_SECRET = re.compile(
    r"(?i)token|secret|passw|passphrase|nonce|salt|session|credential|otp|csrf|crypt|cipher|auth|invit|coupon|voucher|"
    r"verif|(?:^|[^a-z])(?:key|code|pin|id|iv|uid|reset|cookie|captcha)s?(?:[^a-z]|$)|remember"
)
_PLAY = re.compile(
    r"(?i)dice|(?:^|[^a-z])(?:roll|die|deck|card|coin|game|play|enemy|board|maze|bot|quote|joke|greet|emoji|fake|dummy|"
    r"toy|demo|noise|pixel|star|particle)s?(?:[^a-z]|$)|jitter|back_?off|retr(?:y|ies)|delay|sleep|simulat|sampl|shuffl|"
    r"colou?r|augment|perturb|mutat|monte|walk|weight|batch|train|epoch|bootstrap"
)


def only_for_play(place: Place) -> bool:
    """Chance in a game, a simulation, a pause; nothing around it has the name of a secret."""
    head = function(place)
    around = [place.lines[head], *body(place, head)] if head >= 0 else [place.line]
    text = "\n".join(around)
    return not _SECRET.search(text) and _PLAY.search(f"{around[0]}\n{place.line}") is not None


def no_password(place: Place) -> bool:
    """ruff goes by the name alone: the value must look like one, too."""
    name, value = re.search(r'"([^"]+)"$', place.message), place.line[place.column : place.end_column]
    told = (name[1] if name else ""), value.partition("=")[2] or value
    return place.end != place.row or not looks_secret(*(each.encode() for each in told))
