"""Keys, private keys and passwords in files: by their providers' forms, never by entropy alone."""

from __future__ import annotations

import base64
import json
import math
import re
import time
from collections import Counter
from collections.abc import Iterator

from mybro.doctor.languages import CODE
from mybro.doctor.own.place import Content, Hit, any_in
from mybro.doctor.own.token_forms import EVERYWHERE, FORMS, QUOTED

HINTS = tuple(dict.fromkeys(start for form in FORMS for start in form.starts))
"""Parts of the forms: a plain search for each is much quicker than one pattern for all."""
LONG_HINTS = tuple(hint for hint in HINTS if len(hint) > 3)
_SHORT_HINTS = tuple(
    dict.fromkeys(
        next((part for part in (b"SK", b"Q~") if part in hint), hint) for hint in HINTS if len(hint) <= 3
    )
)
"""Of many with one part in common, that part."""
COMMON = (*EVERYWHERE, b"AKIA", b"ghp_", b"sk-ant", b"sk-proj", b"xoxb-", b"sk_live_")
"""In code these are looked for anywhere, the others after a quote."""
_QUOTED = re.compile(rb"[\"'`](?:" + b"|".join(re.escape(start) for start in sorted(QUOTED)) + rb")")
_SAMPLE = re.compile(
    rb"(?i)example|sample|dummy|placeholder|change[_-]?me|xxxx|your[_-]|fake|redacted|\*{3}|1234567890abcdef|abcdefghij"
    rb"|0123456789|insert[_-]|todo|foobar|<[a-z_ -]+>|\.\.\.|\xe2\x80\xa6|test_?key|not-?a-?real|scott:tiger"
)
PRIVATE = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
BODY = re.compile(rb"(?:[A-Za-z0-9+/=]{40,}|[A-Za-z0-9+/=]{16,}\\n)")
URL_PASSWORD = re.compile(rb"://([^\s:/@'\"<>{}$%]{1,60}):([^\s:/@'\"<>{}$%*]{3,80})@[\w.-]+")
NAMES = (
    b"passw",
    b"pwd",
    b"secret",
    b"api_key",
    b"apikey",
    b"api-key",
    b"auth_token",
    b"authtoken",
    b"access_token",
    b"accesstoken",
    b"private_key",
    b"encryption_key",
    b"signing_key",
    b"credential",
)
NAMED = re.compile(
    rb"(?i)(?:passw(?:or)?d|passwd|pwd|secret(?:_?key)?|api[_-]?key|auth[_-]?token|access[_-]?token|private[_-]?key|"
    rb"encryption[_-]?key|signing[_-]?key|credentials?)"
    rb"(?:[\"']?\]?\s{0,8}(?::\s{0,8}str\s{0,8})?(?::=|=>|=|:)\s{0,8})(?:b|r|f|u)?([\"'])([^\"'\s]{6,200})\1"
)
RANDOM_NAMES = (b"token", b"TOKEN", b"Token", b"_key", b"_KEY", b"Key", b"_auth", b"_AUTH")
RANDOM = re.compile(
    rb"[\"']?\]?\s{0,8}(?::\s{0,8}str\s{0,8})?(?::=|=>|=|:)\s{0,8}b?[\"'`]([\w+/=.-]{20,200})[\"'`]"
)
_PUBLIC_NAME = re.compile(
    rb"(?i)public|sort|cache|primary|foreign|partition|dict|s3_key|object|storage|page|cursor|next"
)
_UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_BEFORE = re.compile(rb"[\w.-]*\Z")
UNQUOTED = re.compile(
    rb"(?im)^[ \t]*(?:export[ \t]+|ENV[ \t]+|-[ \t]+)?([\w.-]{0,40}"
    rb"(?:passw(?:or)?d|secret(?:_?key)?|api[_-]?key|auth[_-]?token|access[_-]?token|private[_-]?key|client[_-]?secret))"
    rb"[ \t]*[:=][ \t]*([A-Za-z0-9+/=_.!@#%^&-][A-Za-z0-9+/=_.!@#%^&$*~?:;,-]{7,199})[ \t]*$"
)
_NOT_SECRET_NAME = re.compile(
    rb"(?i)(?:_?(?:field|label|name|path|file|url|uri|header|prefix|regex|pattern|hash|hashed|placeholder|type|length|help|"
    rb"text|title|message|error|env|var|id|param|input|form|policy|public|reset|forgot|confirm|changed|required|invalid))$"
)
_CODE_VALUE = re.compile(
    rb"^[\w.-]*[({\[<$%]|^(?:https?|file|env|vault|op|arn|projects|keyring)[:/]|^(?:true|false|none|null|undefined)$|^[a-z]+\?$",
    re.IGNORECASE,
)
CONFIG = frozenset({"config", "yaml", "toml", "shell", "dockerfile", "json", "plist", "make"})
_SHORTEST = 5


def tokens(content: Content) -> Iterator[Hit]:
    """Providers' keys in their published forms."""
    data = content.data
    # In code nearly every key follows a quote; only the most common ones are looked for anywhere.
    if content.file.language in CODE:
        if not any(map(content.has, COMMON)) and not _QUOTED.search(data):
            return
    elif not any(map(content.has, LONG_HINTS)) and not any_in(data, _SHORT_HINTS):
        return
    seen: set[tuple[int, bytes]] = set()
    for name, form, starts, _ in FORMS:
        if not content.may_have(starts) or not any_in(data, starts):
            continue
        for found in form.finditer(content.data):
            if is_sample(found[0]) or (found.start(), found[0]) in seen:
                continue
            seen.add((found.start(), found[0]))
            low = "test" in name or _shows(content)
            yield Hit(
                content.file.path,
                content.line(found.start()),
                f"{name} ({shown(found[0])})",
                rule=name,
                severity="medium" if low else None,
                anchor=shown(found[0]),
            )
    if b"eyJ" in content.data and content.file.language != "prose":
        yield from _jwt(content)


JWT = re.compile(rb"[\"'= ](eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,})")


def _jwt(content: Content) -> Iterator[Hit]:
    for found in JWT.finditer(content.data):
        part = found[1].split(b".")[1]
        try:
            claims = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
        except ValueError:
            continue
        if not isinstance(claims, dict) or claims.get("sub") == "1234567890":
            continue
        expired = isinstance(claims.get("exp"), (int, float)) and claims["exp"] < time.time()
        if not expired:
            yield Hit(
                content.file.path,
                content.line(found.start(1)),
                "a signed token (eyJ…)",
                severity="medium",
                rule="JWT",
                confidence="medium",
            )


def _shows(content: Content) -> bool:
    """Whether the file explains or shows how something is done: what is in it is seldom in use."""
    return content.file.language in ("markdown", "prose") or "example" in content.file.path.casefold()


def is_sample(value: bytes) -> bool:
    """Whether it is plainly an example: such words in it, or hardly any different characters."""
    body = value.rpartition(b"_")[2] or value
    return _SAMPLE.search(value) is not None or entropy(body[-24:]) < 2.6


def entropy(value: bytes) -> float:
    """Shannon's, in bits a character."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts) if value else 0.0


def shown(value: bytes) -> str:
    """The first four characters at most, never more than a quarter."""
    return value[: min(4, len(value) // 4)].decode("ascii", "replace") + "…"


def private_keys(content: Content) -> Iterator[Hit]:
    """PEM blocks with a body; a header alone is a pattern or a test for one."""
    if b"PRIVATE KEY" not in content.data:
        return
    for found in PRIVATE.finditer(content.data):
        last = content.data.find(b"-----END", found.end(), found.end() + 400)
        body = BODY.search(content.data, found.end(), last if last >= 0 else found.end() + 400)
        if body and b"ENCRYPTED" not in found[0]:
            yield Hit(
                content.file.path,
                content.line(found.start()),
                "a private key",
                rule="PEM",
                severity="medium" if _shows(content) else None,
            )


def passwords(content: Content) -> Iterator[Hit]:
    """Values beside a name that says what they are, and passwords in addresses."""
    data, path = content.data, content.file.path
    if content.file.language in ("", "prose", "markdown", "html", "css", "plist"):
        return
    if b"://" in data and b"@" in data:
        for found in URL_PASSWORD.finditer(data):
            sample = _weak(found[2]) or found[2].lower() == found[1].lower() or _SAMPLE.search(found[0])
            if not sample:
                yield Hit(path, content.line(found.start()), "a password in an address", rule="url")
    yield from _random_values(content)
    for place in _named_places(content, data.lower()) if content.may_have(NAMES) else ():
        named = NAMED.match(data, place)
        if named is None:
            continue
        before = _BEFORE.search(data[max(0, place - 40) : place])
        name = (before[0] if before else b"") + data[place : named.start(1)].split(b"=")[0].strip(b" \t\"':]")
        if not _NOT_SECRET_NAME.search(name) and not _weak(named[2]):
            text = name.decode(errors="replace")
            yield Hit(path, content.line(place), f"the value of {text}", rule="named", anchor=text)
    if content.file.language in CONFIG and content.file.language != "json":
        for found in UNQUOTED.finditer(data):
            if not _NOT_SECRET_NAME.search(found[1]) and not _weak(found[2]):
                yield Hit(
                    path,
                    content.line(found.start(1)),
                    f"the value of {found[1].decode(errors='replace')}",
                    rule="named",
                    anchor=found[1].decode(errors="replace"),
                )


def _random_values(content: Content) -> Iterator[Hit]:
    """What is named a token or a key, and can only have come out of a generator."""
    data = content.data
    if not content.may_have(RANDOM_NAMES):
        return
    for word in RANDOM_NAMES:
        place = data.find(word) if content.may_have((word,)) else -1
        while place >= 0:
            end = place + len(word)
            found = RANDOM.match(data, end)
            if found and _is_random(found[1]):
                before = _BEFORE.search(data[max(0, place - 40) : place])
                name = (before[0] if before else b"") + word
                if not _NOT_SECRET_NAME.search(name) and not _PUBLIC_NAME.search(name):
                    text = name.decode(errors="replace")
                    told = f"the value of {text}"
                    yield Hit(content.file.path, content.line(place), told, rule="named", anchor=text)
            place = data.find(word, end)


def _is_random(value: bytes) -> bool:
    """Letters and digits mixed without words between them, and no identifier that is made to be seen."""
    if _SAMPLE.search(value) or _UUID.match(value):
        return False
    run = max(re.findall(rb"[A-Za-z0-9]+", value), key=len)
    changes = len(re.findall(rb"[0-9](?=[A-Za-z])|[A-Za-z](?=[0-9])", run))
    return len(run) >= 16 and changes >= 4 and entropy(value) >= 3.2


def _named_places(content: Content, lowered: bytes) -> Iterator[int]:
    """Where a name that says "secret" begins; a plain search for each is much quicker than one pattern."""
    for name in NAMES:
        place = lowered.find(name) if content.may_have((name,)) else -1
        while place >= 0:
            yield place
            place = lowered.find(name, place + len(name))


def _weak(value: bytes) -> bool:
    """Whether the value is no secret: an example, a reference, a name, or a word of prose."""
    if _SAMPLE.search(value) or _CODE_VALUE.search(value) or entropy(value) < 2.5:
        return True
    letters = sum(byte in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.- /" for byte in value)
    # Names, paths and words have no digits or signs; a made password nearly always has.
    return letters == len(value)


def looks_secret(name: bytes, value: bytes) -> bool:
    """Whether a named value in quotes can be one; engines that go by names alone ask this."""
    bare = value.strip(b" \t").lstrip(b"bruf").strip(b"\"'")
    return len(bare) >= _SHORTEST and not _NOT_SECRET_NAME.search(name) and not _weak(bare)
