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

TOKENS: tuple[tuple[str, bytes, bytes], ...] = (
    ("AWS access key", rb"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b", b"IA"),
    (
        "AWS secret key",
        rb"aws_secret_access_key\W{1,6}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
        b"aws_secret_access_key",
    ),
    (
        "AWS secret key",
        rb"AWS_SECRET_ACCESS_KEY\W{1,6}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
        b"AWS_SECRET_ACCESS_KEY",
    ),
    ("GitHub token", rb"\bgh[pousr]_[A-Za-z0-9]{36,251}\b", b"gh"),
    ("GitHub token", rb"\bgithub_pat_[A-Za-z0-9_]{60,255}\b", b"github_pat_"),
    ("GitLab token", rb"\bgl(?:pat|ptt|dt|rt|soat|cbt)-[A-Za-z0-9_-]{20,64}\b", b"gl"),
    ("Slack token", rb"\bxox[abeoprs]-[A-Za-z0-9-]{20,250}\b", b"xox"),
    (
        "Slack webhook",
        rb"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9+/]{40,60}",
        b"hooks.slack.com",
    ),
    (
        "Discord webhook",
        rb"https://discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,72}",
        b"api/webhooks/",
    ),
    ("Stripe key", rb"\b[rs]k_(?:live|prod)_[A-Za-z0-9]{20,247}\b", b"k_"),
    ("Stripe test key", rb"\b[rs]k_test_[A-Za-z0-9]{20,247}\b", b"k_test_"),
    ("Stripe webhook secret", rb"\bwhsec_[A-Za-z0-9+/=]{32,}", b"whsec_"),
    ("Google API key", rb"\bAIza[\w-]{35}(?![\w-])", b"AIza"),
    ("Google OAuth secret", rb"\bGOCSPX-[\w-]{28}(?![\w-])", b"GOCSPX-"),
    ("Anthropic key", rb"\bsk-ant-(?:api|admin|oat)\d\d-[\w-]{80,120}", b"sk-ant-"),
    ("OpenAI key", rb"\bsk-(?:proj|svcacct|admin)-[\w-]{40,200}", b"sk-"),
    ("OpenAI key", rb"\bsk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}\b", b"T3BlbkFJ"),
    ("Hugging Face token", rb"\bhf_[A-Za-z]{34}\b", b"hf_"),
    ("npm token", rb"\bnpm_[A-Za-z0-9]{36}\b", b"npm_"),
    ("PyPI token", rb"\bpypi-AgE[\w-]{50,}", b"pypi-AgE"),
    ("SendGrid key", rb"\bSG\.[\w-]{22}\.[\w-]{43}(?![\w-])", b"SG."),
    ("Twilio key", rb"\bSK[0-9a-f]{32}\b", b"SK"),
    ("Mailgun key", rb"\bkey-[0-9a-f]{32}\b", b"key-"),
    ("Mailchimp key", rb"\b[0-9a-f]{32}-us\d{1,2}\b", b"-us"),
    ("Telegram bot token", rb"\b\d{8,10}:AA[\w-]{32,33}(?![\w-])", b":AA"),
    ("DigitalOcean token", rb"\bdo[opr]_v1_[0-9a-f]{64}\b", b"_v1_"),
    ("Shopify token", rb"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b", b"shp"),
    ("Square token", rb"\b(?:EAAA[\w-]{60}|sq0(?:atp|csp)-[\w-]{22,43})(?![\w-])", b"sq0"),
    ("Databricks token", rb"\bdapi[0-9a-f]{32}(?:-\d)?\b", b"dapi"),
    ("Linear key", rb"\blin_api_[A-Za-z0-9]{40}\b", b"lin_api_"),
    ("Doppler token", rb"\bdp\.(?:pt|st|ct|sa)\.[A-Za-z0-9.]{40,}\b", b"dp."),
    ("HashiCorp Vault token", rb"\bhvs\.[\w-]{90,}", b"hvs."),
    ("age secret key", rb"\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b", b"AGE-SECRET-KEY-1"),
    ("Sentry token", rb"\bsntr[uy]s_[A-Za-z0-9+/=_]{60,}", b"sntr"),
    ("Grafana token", rb"\bglsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}\b", b"glsa_"),
    ("Postman key", rb"\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}\b", b"PMAK-"),
    ("Azure storage key", rb"AccountKey=[A-Za-z0-9+/]{86}==", b"AccountKey="),
    ("Atlassian token", rb"\bATATT3[\w=-]{180,}", b"ATATT3"),
    ("Docker Hub token", rb"\bdckr_pat_[\w-]{27}(?![\w-])", b"dckr_pat_"),
    ("Notion token", rb"\b(?:ntn_[A-Za-z0-9]{46}|secret_[A-Za-z0-9]{43})\b", b"ntn_"),
    ("Supabase key", rb"\bsb[ps]_[a-z0-9]{40}\b", b"sb"),
)


def _letters_first(pattern: bytes) -> bytes:
    """The same with its first letters before the border that they must follow: that is found far quicker."""
    return re.sub(rb"\A\\b(\w\w+)(?=[\w(\[\\-])", rb"\1(?<=\\b\1)", pattern)


FORMS = tuple((name, re.compile(_letters_first(pattern)), hint) for name, pattern, hint in TOKENS)
HINTS = tuple(
    b"AKIA ASIA aws_secret_access_key AWS_SECRET_ACCESS_KEY AIza ghp_ gho_ ghs_ github_pat_ glpat- "
    b"xox hooks.slack.com k_live_ k_test_ whsec_ "
    b"GOCSPX- sk-ant sk-proj T3BlbkFJ hf_ npm_ pypi-AgE SG. dop_v1_ shpat_ shpss_ dapi lin_api_ hvs. "
    b"AGE-SECRET glsa_ AccountKey= ATATT3 dckr_pat_ ntn_ api/webhooks/".split()
)
"""Parts of the forms: a plain search for each is much quicker than one pattern for all."""
COMMON = (
    b"AKIA",
    b"ws_secret_access_key",
    b"WS_SECRET_ACCESS_KEY",
    b"ghp_",
    b"sk-ant",
    b"sk-proj",
    b"xoxb-",
    b"k_live_",
    b"hooks.slack.com",
    b"AccountKey=",
)
_QUOTED = re.compile(
    rb"[\"'](?:A(?:KIA|SIA|Iza|GE-SECRET|TATT3)|gh[pousr]_|github_pat_|glpat-|xox|[rs]k_(?:live|test)_|whsec_|GOCSPX-|"
    rb"sk-|hf_|npm_|pypi-|SG\.|dop_v1_|shp[as]|dapi|lin_api_|hvs\.|glsa_|dckr_pat_|ntn_|https://discord|SK[0-9a-f]|"
    rb"key-|\d{8,10}:AA|PMAK-|sntr|sq0|EAAA|sb[ps]_|dp\.)"
)
_SAMPLE = re.compile(
    rb"(?i)example|sample|dummy|placeholder|change[_-]?me|xxxx|your[_-]|fake|redacted|\*{3}|1234567890abcdef|abcdefghij"
    rb"|0123456789|insert[_-]|todo|foobar|<[a-z_ -]+>|\.\.\.|test_?key|not-?a-?real"
)
PRIVATE = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
BODY = re.compile(rb"(?:[A-Za-z0-9+/=]{40,}|[A-Za-z0-9+/=]{16,}\\n)")
_URL_PASSWORD = re.compile(rb"://([^\s:/@'\"<>{}$%]{1,60}):([^\s:/@'\"<>{}$%*]{3,80})@[\w.-]+")
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
_NAMED = re.compile(
    rb"(?i)(?:passw(?:or)?d|passwd|pwd|secret(?:_?key)?|api[_-]?key|auth[_-]?token|access[_-]?token|private[_-]?key|"
    rb"encryption[_-]?key|signing[_-]?key|credentials?)"
    rb"(?:[\"']?\]?\s{0,8}(?::\s{0,8}str\s{0,8})?(?::=|=>|=|:)\s{0,8})(?:b|r|f|u)?([\"'])([^\"'\s]{6,200})\1"
)
_BEFORE = re.compile(rb"[\w.-]*\Z")
_UNQUOTED = re.compile(
    rb"(?im)^\s*(?:export\s+|ENV\s+|-\s+)?([\w.-]{0,40}(?:passw(?:or)?d|secret(?:_?key)?|api[_-]?key|auth[_-]?token|"
    rb"access[_-]?token|private[_-]?key|client[_-]?secret))"
    rb"[ \t]*[:=][ \t]*([A-Za-z0-9+/=_.!@#%^&-][A-Za-z0-9+/=_.!@#%^&$*~?:;,-]{7,199})[ \t]*$"
)
_NOT_SECRET_NAME = re.compile(
    rb"(?i)(?:_?(?:field|label|name|path|file|url|uri|header|prefix|regex|pattern|hash|hashed|placeholder|type|length|help|"
    rb"text|title|message|error|env|var|id|param|input|form|policy|public|reset|forgot|confirm|changed|required|invalid))$"
)
_CODE_VALUE = re.compile(
    rb"^[\w.-]*[({\[<$%]|^(?:https?|file|env|vault|op|arn|projects|keyring)[:/]|^(?:true|false|none|null|undefined)$",
    re.IGNORECASE,
)
_CONFIG = frozenset({"config", "yaml", "toml", "shell", "dockerfile", "json", "plist", "make"})
_SHORTEST = 5


def tokens(content: Content) -> Iterator[Hit]:
    """Providers' keys in their published forms."""
    data = content.data
    # In code nearly every key follows a quote; only the most common ones are looked for anywhere.
    if content.file.language in CODE:
        if not any_in(data, COMMON) and not _QUOTED.search(data):
            return
    elif not any_in(data, HINTS):
        return
    seen: set[tuple[int, bytes]] = set()
    for name, form, hint in FORMS:
        if hint not in content.data:
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


_JWT = re.compile(rb"[\"'= ](eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,})")


def _jwt(content: Content) -> Iterator[Hit]:
    for found in _JWT.finditer(content.data):
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
        if BODY.search(content.data, found.end(), found.end() + 400) and b"ENCRYPTED" not in found[0]:
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
        for found in _URL_PASSWORD.finditer(data):
            sample = _weak(found[2]) or found[2].lower() == found[1].lower() or _SAMPLE.search(found[0])
            if not sample:
                yield Hit(path, content.line(found.start()), "a password in an address", rule="url")
    for place in _named_places(data.lower()) if content.may_have(NAMES) else ():
        named = _NAMED.match(data, place)
        if named is None:
            continue
        before = _BEFORE.search(data[max(0, place - 40) : place])
        name = (before[0] if before else b"") + data[place : named.start(1)].split(b"=")[0].strip(b" \t\"':]")
        if not _NOT_SECRET_NAME.search(name) and not _weak(named[2]):
            text = name.decode(errors="replace")
            yield Hit(path, content.line(place), f"the value of {text}", rule="named", anchor=text)
    if content.file.language in _CONFIG and content.file.language != "json":
        for found in _UNQUOTED.finditer(data):
            if not _NOT_SECRET_NAME.search(found[1]) and not _weak(found[2]):
                yield Hit(
                    path,
                    content.line(found.start(1)),
                    f"the value of {found[1].decode(errors='replace')}",
                    rule="named",
                    anchor=found[1].decode(errors="replace"),
                )


def _named_places(lowered: bytes) -> Iterator[int]:
    """Where a name that says "secret" begins; a plain search for each is much quicker than one pattern."""
    for name in NAMES:
        place = lowered.find(name)
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
