"""Which places an agent may write to, and which it may not even read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Rule = Literal["writable", "fixed", "hidden"]

_SECRET_PLACES = (
    "~/.ssh", "~/.aws", "~/.gnupg", "~/.netrc", "~/_netrc", "~/.azure", "~/.kube", "~/.docker", "~/.oci",
    "~/.git-credentials", "~/.npmrc", "~/.yarnrc.yml", "~/.pypirc", "~/.pgpass", "~/.my.cnf", "~/.s3cfg",
    "~/.boto", "~/.fly", "~/.heroku", "~/.password-store", "~/.mozilla", "~/.thunderbird", "~/.bitcoin",
    "~/.electrum", "~/.ethereum", "~/.terraform.d", "~/.gem/credentials", "~/.cargo/credentials.toml",
    "~/.config/gh", "~/.config/hub", "~/.config/gcloud", "~/.config/op", "~/.config/sops", "~/.config/age",
    "~/.config/rclone", "~/.config/doctl", "~/.config/heroku", "~/.config/stripe", "~/.config/containers",
    "~/.config/google-chrome", "~/.config/chromium", "~/.config/BraveSoftware", "~/.config/microsoft-edge",
    "~/.config/configstore", "~/.config/1Password", "~/.config/Bitwarden", "~/.config/glab-cli",
    "~/.config/mybro", "~/.local/share/keyrings", "~/.local/share/kwalletd", "~/.local/share/mybro",
    "~/Library/Keychains", "~/Library/Cookies", "~/Library/Safari", "~/Library/Messages", "~/Library/Mail",
    "~/Library/Application Support/Google/Chrome", "~/Library/Application Support/Firefox",
    "~/Library/Application Support/mybro",
)  # fmt: skip
_SECRET_NAME = re.compile(
    r"credential|secret|token|passw|keyring|keychain|cookies|_history$|\.(pem|key|p12|pfx|kdbx)$|^id_[a-z0-9]+$",
    re.IGNORECASE,
)
"""What a name tells in the home folder's settings, for programs that no list knows."""
_SETTINGS = ("", ".config", ".local/share")
_SOCKETS = (
    "/var/run/docker.sock", "/run/docker.sock", "/run/podman", "/run/containerd", "/run/dbus", "/run/screen",
    "/tmp/.X11-unix", "/var/run/libvirt",  # noqa: S108
)  # fmt: skip
"""Doors to programs outside that would do an agent's work for it."""
_MAX_ENTRIES = 2000
_LOGIN_VARIABLES = (
    "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
)  # fmt: skip
_SECRET_VARIABLE = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL|_PAT$|_DSN$|^DATABASE_URL$"
    r"|^SSH_AUTH_SOCK$|^GPG_AGENT_INFO$|^DBUS_|^DOCKER_HOST$|^DISPLAY$|^WAYLAND_DISPLAY$|^TMUX$|^STY$",
    re.IGNORECASE,
)
_OWN_CACHES = {
    "npm_config_cache": "npm", "PIP_CACHE_DIR": "pip", "UV_CACHE_DIR": "uv", "GOCACHE": "go-build",
    "YARN_CACHE_FOLDER": "yarn",
}  # fmt: skip
_CLAUDE_FIXED = (
    "settings.json", "settings.local.json", "hooks", "commands", "agents", "skills", "plugins", "CLAUDE.md",
    "local",
)  # fmt: skip
_GIT_FIXED = ("hooks", "config", "config.worktree", "info/attributes")


@dataclass(frozen=True, slots=True)
class Places:
    """Real paths. Of two rules, the one of the longer path holds; what has no rule may be read."""

    writable: tuple[Path, ...]
    fixed: tuple[Path, ...]
    """Inside of what is writable, but read only: what would run later, outside of the sandbox."""
    hidden: tuple[Path, ...]
    empty: Path
    """Where an empty file may be made, to be shown in place of hidden ones."""

    def ordered(self) -> list[tuple[Path, Rule]]:
        """All rules, outer paths first; of a path with two, being writable wins over being hidden."""
        rules: dict[Path, Rule] = dict.fromkeys(self.hidden, "hidden")
        more: tuple[tuple[tuple[Path, ...], Rule], ...] = ((self.fixed, "fixed"), (self.writable, "writable"))
        for paths, rule in more:
            rules.update(dict.fromkeys(paths, rule))
        return sorted(rules.items(), key=lambda item: (len(item[0].parts), item[0]))


def writable_places(
    env: Mapping[str, str], repo: Path, git: Iterable[Path], own: Iterable[Path] = ()
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The places to write to, and those inside of them that stay as they are. `own`: the agent's state."""
    home, top = _home(env), repo.resolve()
    state = state_folder(env)
    own = [*own, state, home / ".claude.json", home / ".cache" / "claude-cli-nodejs"]
    folder = env.get("CLAUDE_CODE_TMPDIR")
    fixed = [state / name for name in _CLAUDE_FIXED]
    fixed += [place / name for place in git for name in _GIT_FIXED]
    writable = [top, *git, *own, *([Path(folder)] if folder and Path(folder) != home else [])]
    return _real(writable), _real(fixed)


def state_folder(env: Mapping[str, str]) -> Path:
    """Where the CLI keeps its sessions and settings."""
    return Path(env.get("CLAUDE_CONFIG_DIR") or _home(env) / ".claude")


def secret_places(env: Mapping[str, str], own: Iterable[Path]) -> tuple[Path, ...]:
    """What may not be read: credentials, and `own`, which are mybro's."""
    home = _home(env)
    found = [home / place[2:] for place in _SECRET_PLACES]
    if _needs_keychain(env, home):
        found.remove(home / "Library/Keychains")
    found += _named_secrets(home)
    found += [Path(place) for place in _SOCKETS]
    found += [Path(value) for name in ("SSH_AUTH_SOCK", "XDG_RUNTIME_DIR") if (value := env.get(name))]
    found += [Path("/run/user") / str(os.getuid()), Path("/tmp") / f"tmux-{os.getuid()}"]  # noqa: S108
    return _real([*found, *own])


def is_secret_place(place: Path, env: Mapping[str, str]) -> bool:
    """Whether it is known to hold credentials, or something that does."""
    secret = [_home(env) / name[2:] for name in _SECRET_PLACES]
    return any(one.is_relative_to(place) or place.is_relative_to(one) for one in secret)


def _needs_keychain(env: Mapping[str, str], home: Path) -> bool:
    """Whether the CLI's sign-in is nowhere else (macOS)."""
    return (
        not any(env.get(name) for name in _LOGIN_VARIABLES)
        and not (home / ".claude" / ".credentials.json").exists()
    )


def private_environment(
    env: Mapping[str, str], own: Path, logins: frozenset[str] = frozenset()
) -> dict[str, str]:
    """The environment without other programs' credentials, with temporary files and caches below `own`.

    `logins` are variables that the agent needs, beside those of Claude Code.
    """
    kept = {
        name: value
        for name, value in env.items()
        if name in logins or _is_login(name, env) or not _SECRET_VARIABLE.search(name)
    }
    kept |= {"TMPDIR": str(own), "TMP": str(own), "TEMP": str(own), "CLAUDE_CODE_TMPDIR": str(own)}
    for name, folder in _OWN_CACHES.items():
        kept.setdefault(name, str(own / "cache" / folder))
    return kept


def _is_login(name: str, env: Mapping[str, str]) -> bool:
    """Whether the CLI reaches its model with it."""
    return (
        name.startswith(("ANTHROPIC_", "CLAUDE_"))
        or (name.startswith("AWS_") and bool(env.get("CLAUDE_CODE_USE_BEDROCK")))
        or (name.startswith("GOOGLE_") and bool(env.get("CLAUDE_CODE_USE_VERTEX")))
    )


def _named_secrets(home: Path) -> Iterator[Path]:
    for settings in _SETTINGS:
        for entry in _entries(home / settings):
            if settings == "" and not entry.name.startswith("."):
                continue
            if _SECRET_NAME.search(entry.name):
                yield Path(entry.path)
            elif entry.is_dir(follow_symlinks=False) and entry.name not in (
                ".claude",
                ".config",
                ".local",
                ".cache",
            ):
                yield from (Path(e.path) for e in _entries(entry.path) if _SECRET_NAME.search(e.name))


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry, _ in zip(entries, range(_MAX_ENTRIES), strict=False)]
    except OSError:
        return []


def _home(env: Mapping[str, str]) -> Path:
    return Path(env.get("HOME") or Path.home())


def _real(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Links followed: rules are about what is there, not about its names."""
    return tuple(dict.fromkeys(Path(os.path.realpath(path)) for path in paths))
