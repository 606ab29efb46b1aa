"""Variables of the environment: those that steer no program."""

from __future__ import annotations

import re

SAFE = frozenset(
    {
        "CI", "DEBUG", "VERBOSE", "NODE_ENV", "LC_ALL", "LANG", "TZ", "NO_COLOR", "FORCE_COLOR", "COLUMNS",
        "RUST_BACKTRACE", "RUST_LOG", "PORT", "GOOS", "GOARCH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED",
        "TERM", "ENV_NAME", "LOG_LEVEL", "FLASK_ENV", "DJANGO_DEBUG", "CGO_ENABLED", "GIT_PAGER_IN_USE",
        "HEADLESS", "SKIP",
    }
)  # fmt: skip
_OWN_VARIABLE = re.compile(r"[a-z][a-z0-9_]*|[A-Z][A-Z0-9_]*")
_STEERS = re.compile(
    r"(^|_)(proxy|npm|path|ifs|pager|editor|visual|shell|env|home|opts?|options|flags|command|cmd|pwd|display)|^[pP][sS]\d|(?-i:^[A-Z]+PATH$)"
    r"|^(LD|DYLD|BASH|GIT|PYTHON|NODE|PERL|RUBY|LESS|MAN|CC|CXX|AR|MAKE|CARGO|RUST|GO|JAVA|LC|SSH|DOCKER|AWS|FLASK|DJANGO|MAIL)"
    r"(_|$|[A-Z])",
    re.IGNORECASE,
)
"""Variables that make another program run, or make one run otherwise."""
_JAVA = r"-X(mx|ms|ss)\d+[kmgKMG]|-Dfile\.encoding=[\w-]+"
_FLAGS = {
    "RUSTFLAGS": r"-[DWA][\w:-]+|-C(target-cpu|opt-level|debuginfo|codegen-units|target-feature)=[\w+,-]+",
    "GOFLAGS": r"-(mod=(mod|vendor|readonly)|count=\d+|race|v|short|tags=[\w,]+)",
    "PYTHONWARNINGS": r"[a-z]+(::\w*Warning)?",
    "CC": r"gcc|clang|cc", "CXX": r"g\+\+|clang\+\+|c\+\+",
    "JAVA_HOME": r"/(usr/lib/jvm|Library/Java/JavaVirtualMachines)(/\w[\w.-]*)+",
    "MAVEN_OPTS": _JAVA, "GRADLE_OPTS": _JAVA, "JAVA_OPTS": _JAVA,
}  # fmt: skip
"""What these may hold, each of their words."""
_OWN_SETTING = re.compile(
    r"(?!(UV|PIP|POETRY|PDM|NPM|YARN|PNPM|BUN|DENO|NODE|PYTHON|PYTEST|DOCKER|KUBE|HELM|AWS|GOOGLE|AZURE|GIT|GH|CARGO|RUST|GO"
    r"|JAVA|MAVEN|GRADLE|RUBY|GEM|BUNDLE|PERL|LD|DYLD|SSH|HTTPS?|ALL|NO|CURL|PG|BASH|ZSH|TERM|SHELL|FLASK|DJANGO)_)"
    r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*_(LOG|PROFILE|URL|HOST|PORT|DB|DATABASE|FLAG|MODE|LEVEL|DEBUG|ENABLED|TIMEOUT|ID|NAME|VERSION)"
)
_PLAIN_VALUE = re.compile(
    r"[\w.-]*|(sqlite:///?|(https?|postgres(ql)?|redis)://(localhost|127\.0\.0\.1))[\w./:-]*"
)


_SWITCH = re.compile(r"\d{1,4}|true|false|none|on|off|yes|no|test", re.IGNORECASE)
_FORCES = re.compile(
    r"FORCE|CONFIRM|YES|ALLOW|ACCEPT|DELETE|DROP|RESET|DESTROY|WIPE|CLEAN|PRUNE|PROD|LIVE|DEPLOY|PUBLISH|RELEASE|SEND"
    r"|UPLOAD|UNSAFE|VERIFY|TLS|INSECURE|DANGER|DRY|INSPECT|APPROVE|EXEC|RUN|PAGER|EDITOR|SHELL|PATH|IFS|^(LD|DYLD|BASH|PS|SSH|SUDO)",
    re.IGNORECASE,
)
"""Switches that may let a program do more than it would."""


def is_harmless(name: str, value: str | None, *, program: bool) -> bool:
    """Whether a variable may be set; `program`: for one program, which then finds it in its environment."""
    if name in SAFE:
        return True
    if not program and _OWN_VARIABLE.fullmatch(name) and not _STEERS.search(name):
        return True
    if name in ("PAGER", "GIT_PAGER", "MANPAGER", "GH_PAGER"):
        return value in ("", "cat")
    if name in ("EDITOR", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR"):
        return value in ("true", ":", "cat")
    if name == "NODE_OPTIONS":
        return re.fullmatch(r"--max-old-space-size=\d+|--no-warnings", value or "?") is not None
    if name in _FLAGS:
        flags = re.sub(r"(-[CDWA]) +", r"\1", value or "?").split()
        return all(re.fullmatch(_FLAGS[name], flag) for flag in flags)
    if name == "DJANGO_SETTINGS_MODULE":  # code of the repository, as its tests are
        return (
            re.fullmatch(r"([a-z_]+\.)*(settings|config)(\.(test|testing|ci|dev|local|base))?", value or "?")
            is not None
        )
    if name in ("RAILS_ENV", "RACK_ENV", "APP_ENV", "MIX_ENV"):
        return value == "test"
    if _SWITCH.fullmatch(value or "?") and not _FORCES.search(name):
        return True
    return bool(_OWN_SETTING.fullmatch(name) and _PLAIN_VALUE.fullmatch(value or "?"))
