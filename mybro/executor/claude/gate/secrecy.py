"""Names of files that are known to hold secrets."""

from __future__ import annotations

import re
from fnmatch import fnmatch

_SECRET = re.compile(
    r"\.env(\..*)?|.*\.(pem|key|p12|pfx|keystore|jks|kdbx)|id_(rsa|dsa|ecdsa|ed25519).*|\.netrc"
    r"|\.npmrc|\.pypirc"
    r"|\.git-credentials|credentials(\..*)?|secrets?(\.(json|ya?ml|toml|env|txt|ini|enc))?"
    r"|\.htpasswd|\.pgpass",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r".*\.(example|sample|template|dist|pub)", re.IGNORECASE)
_SECRET_SAMPLES = (
    ".env",
    ".env.local",
    ".netrc",
    "id_rsa",
    "server.pem",
    "server.key",
    "credentials.json",
    "secrets.yml",
)


def is_secret(value: str, *, glob: bool) -> bool:
    """Whether a path names a file that is known to hold secrets."""
    names = [part for part in re.split(r"[/:=]", value) if part]
    if glob:
        last = names[-1] if names else ""
        if last.startswith((".", "id", "cred", "secret", "*.pem", "*.key")) or (
            last.startswith(("?", "[")) and last != "[0-9]*"
        ):
            return any(fnmatch(sample, last) for sample in _SECRET_SAMPLES)
        return False
    return any(_SECRET.fullmatch(name) and not _EXAMPLE.fullmatch(name) for name in names)
