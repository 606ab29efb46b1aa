"""What programs do that cannot be taken back, told by their arguments alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from mybro.executor.claude.shell import Simple


@dataclass(frozen=True, slots=True)
class Danger:
    """Something destructive."""

    effect: str
    """To follow "It wants to": "delete the folder build"."""
    object: str
    """What a yes must repeat: "build"."""


_SUSPECT = re.compile(
    r"\b(rm|rmdir|unlink|shred|dd|mkfs\w*|sudo|rmtree|unlinkSync|rmSync|removedirs|truncate|killall|pkill)\b"
    r"|\bgit\s+(push|reset|clean)\b|\b(drop|truncate)\s+(table|database)\b|\bdelete\s+from\b"
    r"|\.(delete|unlink|rm_rf)\b|\b(exec|eval)\(|\bos\.(remove|unlink|system)\b|\bfs\.rm|\bsubprocess\b|\bshutil\.(move|rmtree)\b|\|\s*(ba|z)?sh\b",
    re.IGNORECASE,
)


def in_text(text: str) -> Danger | None:
    """Judge what cannot be taken apart by the words in it."""
    return Danger("run a script that may delete things", "script") if _SUSPECT.search(text) else None


def by_program(simple: Simple) -> Danger | None:
    """Judge a command by its program's rule, if there is one."""
    if simple.name.startswith("mkfs"):
        return Danger("erase a disk", "disk")
    rule = _RULES.get(simple.name)
    return rule(simple) if rule is not None else None


def last_part(word: str) -> str:
    """What a person would call a path, branch or thing: its last part."""
    names = {"/": "the whole disk", "~": "home", ".": "everything", "*": "everything"}
    return names.get(word, word.rstrip("/").rpartition("/")[2] or word)


def _code(simple: Simple) -> Danger | None:
    return in_text(" ".join(simple.argv)) if simple.has("-c", "-e", "--eval") else None


def _git(simple: Simple) -> Danger | None:
    argv = list(simple.argv[1:])
    while argv and argv[0].startswith("-"):
        argv = argv[2:] if argv[0] in ("-C", "-c", "--git-dir", "--work-tree") else argv[1:]
    if not argv:
        return None
    sub = Simple(tuple(argv))
    verb, words = argv[0], sub.words
    if verb == "push":
        return _push(sub)
    if verb in _GIT_ALWAYS:
        return Danger(_GIT_ALWAYS[verb], verb.replace("-", " "))
    for (name, *options), effect in _GIT_WITH.items():
        if verb == name and (sub.has(*options) or set(words[:1]) & set(options)):
            named = [word for word in words if word not in options]
            return Danger(effect.format(named[0] if named else "it"), named[0] if named else verb)
    if verb == "rm" and not sub.has("--cached"):
        return Danger(f"delete {last_part((words or ['files'])[0])}", last_part((words or ["files"])[0]))
    if verb in ("checkout", "switch") and sub.has("-f", "--force", "--discard-changes"):
        return Danger("throw away changes that are not committed", "changes")
    if verb in ("checkout", "restore") and ("--" in argv or "." in words or verb == "restore"):
        if verb == "restore" and sub.has("--staged") and not sub.has("--worktree", "-W"):
            return None
        return Danger("throw away changes that are not committed", "changes")
    return None


_GIT_ALWAYS = {
    "clean": "delete the files that git does not track", "filter-branch": "rewrite git's history",
    "filter-repo": "rewrite git's history", "rebase": "rewrite git's history", "gc": "clean up git's history",
}  # fmt: skip
_GIT_WITH = {
    ("reset", "--hard", "--merge", "--keep"): "throw away changes that are not committed",
    ("branch", "-D", "-d", "--delete", "-f", "-M"): "delete or move the branch {}",
    ("tag", "-d", "--delete", "-f"): "delete or move the tag {}",
    ("stash", "drop", "clear"): "throw away stashed changes",
    ("commit", "--amend"): "rewrite the last commit",
    ("reflog", "expire", "delete"): "delete git's own safety net",
    ("update-ref", "-d"): "delete the reference {}",
    ("worktree", "remove", "prune"): "remove the worktree {}",
    ("remote", "remove", "rm", "set-url"): "change the remote {}",
    ("config", "--global", "--system"): "change your git settings",
}


def _push(sub: Simple) -> Danger:
    named = [word.lstrip("+:") for word in sub.words]
    where = " ".join(named[:2]) or "the remote"
    target = (named[1:] or ["push"])[-1]
    forced = sub.has("--force", "-f", "--force-with-lease", "--mirror")
    if forced or any(word.startswith("+") for word in sub.words):
        return Danger(f"force-push to {where}", target)
    if sub.has("--delete", "-d") or any(word.startswith(":") for word in sub.words):
        return Danger(f"delete a branch: {where}", target)
    return Danger(f"push to {where}", target)


# ---------------------------------------------------------------------------- other programs


def _verb(effects: dict[str, str]) -> Callable[[Simple], Danger | None]:
    """A rule for a program with subcommands; an effect may hold {} for what is named."""

    def rule(simple: Simple) -> Danger | None:
        for at, word in enumerate(simple.words[:3]):
            if effect := effects.get(word.lower()):
                named = (simple.words[at + 1 :] or [simple.name])[0]
                return Danger(effect.format(last_part(named)), last_part(named))
        return None

    return rule


def _always(effect: str) -> Callable[[Simple], Danger | None]:
    def rule(simple: Simple) -> Danger | None:
        named = (simple.words or [simple.name])[0]
        return Danger(effect.format(last_part(named)), last_part(named))

    return rule


def _database(simple: Simple) -> Danger | None:
    found = _DELETES_DATA.search(" ".join(simple.argv[1:]))
    if simple.piped and not found:
        return Danger("change a database by what another command says", "database")
    return Danger("delete data from a database", found[1] or "database") if found else None


_DELETES_DATA = re.compile(
    r"\b(?:(?:drop|truncate)\s+(?:table|database|schema|index)?|delete\s+from|flushall|flushdb|dropdatabase)"
    r"(?:\s+if\s+exists)?\s*(\w+)?",
    re.IGNORECASE,
)


_PUBLISH = "publish a package"
_CLOUD = dict.fromkeys(
    ("delete", "rm", "rb", "terminate", "destroy", "delete-stack", "terminate-instances"),
    "delete {} in the cloud",
)
_CLUSTER = {
    "delete": "delete {} in the cluster", "uninstall": "remove {} from the cluster",
    "apply": "change the cluster", "drain": "empty {} in the cluster",
}  # fmt: skip
_GITHUB = {
    "delete": "delete {} on GitHub", "merge": "merge {} on GitHub", "create": "create {} on GitHub",
    "close": "close {} on GitHub",
}  # fmt: skip
_DOCKER = {
    "push": "publish the image {}", "rm": "delete the container {}", "rmi": "delete the image {}",
    "prune": "delete unused containers",
}  # fmt: skip


def _containers(simple: Simple) -> Danger | None:
    if "down" in simple.words and simple.has("-v", "--volumes"):
        return Danger("delete the containers with their data", "containers")
    return _verb(_DOCKER)(simple)


def _copy(simple: Simple) -> Danger | None:
    """scp and rsync: what goes to another machine, or deletes where it goes."""
    host = re.match(r"([\w.@-]+):", (simple.words or [""])[-1])
    if host:
        return Danger(f"copy files to {host[1]}", host[1])
    return Danger("delete what the copy does not have", "files") if simple.has("--delete") else None


def _web(simple: Simple) -> Danger | None:
    """What a request sends away; this machine's own servers may get anything."""
    line = " ".join(simple.argv)
    if not _METHOD.search(line) and not _SENDS & {word.partition("=")[0] for word in simple.argv}:
        return None
    named = re.search(r"https?://([^\s/:]+)", line)
    host = named[1] if named else "the web"
    return None if host in ("localhost", "127.0.0.1") else Danger(f"send data to {host}", host)


_METHOD = re.compile(r"(?:-X ?|--request[ =]|--method[ =])(?:POST|PUT|PATCH|DELETE)\b", re.IGNORECASE)
_SENDS = frozenset(
    {
        "-d", "--data", "--data-raw", "--data-binary", "--data-urlencode", "--json", "-F", "--form", "-T",
        "--upload-file", "--post-data", "--post-file", "--body-data", "--body-file",
    }
)  # fmt: skip


def _elsewhere(simple: Simple) -> Danger | None:
    if len(simple.words) < 2:
        return None
    return Danger(f"run {simple.words[1]} on {simple.words[0]}", last_part(simple.words[0]))


_SERVICES = _always("change this machine's services")

_RULES: dict[str, Callable[[Simple], Danger | None]] = {
    "git": _git,
    **dict.fromkeys(("python", "python3", "node", "perl", "ruby", "php", "deno"), _code),
    **dict.fromkeys(("npm", "pnpm", "yarn", "bun", "cargo", "uv", "poetry"), _verb({"publish": _PUBLISH})),
    "twine": _verb({"upload": _PUBLISH}),
    "gem": _verb({"push": _PUBLISH}),
    **dict.fromkeys(("psql", "mysql", "mariadb", "sqlite3", "mongosh", "mongo", "redis-cli"), _database),
    **dict.fromkeys(("dropdb", "dropuser"), _always("delete the database {}")),
    **dict.fromkeys(("aws", "gcloud", "az", "gsutil", "doctl", "heroku", "flyctl"), _verb(_CLOUD)),
    **dict.fromkeys(("vercel", "netlify", "fly", "firebase", "serverless"), _verb({"deploy": "deploy"})),
    **dict.fromkeys(("kubectl", "helm"), _verb(_CLUSTER)),
    **dict.fromkeys(("rails", "rake"), _verb(dict.fromkeys(("db:drop", "db:reset"), "delete the database"))),
    **dict.fromkeys(("scp", "rsync", "sftp"), _copy),
    **dict.fromkeys(("curl", "wget", "http", "https"), _web),
    "ssh": _elsewhere,
    "terraform": _verb({"apply": "change the cloud", "destroy": "delete everything in the cloud"}),
    "gh": _verb(_GITHUB),
    **dict.fromkeys(("docker", "podman"), _containers),
    **dict.fromkeys(("kill", "pkill", "killall"), _always("end the process {}")),
    **dict.fromkeys(("shutdown", "reboot", "halt", "poweroff"), _always("switch the machine off")),
    **dict.fromkeys(("fdisk", "parted", "diskutil", "wipefs"), _always("change a disk")),
    "crontab": _always("change the timetable of this machine"),
    **dict.fromkeys(("launchctl", "systemctl"), _SERVICES),
}
