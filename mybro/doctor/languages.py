"""What a file is written in, and whether it is a test, by its name."""

from __future__ import annotations

import re

_ENDINGS = {
    "python": ("py", "pyi", "pyw"),
    "javascript": ("js", "mjs", "cjs", "jsx"),
    "typescript": ("ts", "mts", "cts"),
    "tsx": ("tsx",),
    "rust": ("rs",),
    "swift": ("swift",),
    "shell": ("sh", "bash", "zsh"),
    "c": ("c", "h", "m"),
    "cpp": ("cc", "cpp", "cxx", "hpp", "hh", "mm"),
    "metal": ("metal",),
    "go": ("go",),
    "java": ("java",),
    "kotlin": ("kt", "kts"),
    "ruby": ("rb",),
    "php": ("php",),
    "csharp": ("cs",),
    "sql": ("sql",),
    "html": ("html", "htm", "vue", "svelte"),
    "css": ("css", "scss", "less"),
    "markdown": ("md", "markdown", "mdx"),
    "prose": ("rst", "txt", "adoc", "tex"),
    "yaml": ("yml", "yaml"),
    "toml": ("toml",),
    "json": ("json", "jsonc", "json5"),
    "plist": ("plist", "entitlements"),
    "config": ("ini", "cfg", "conf", "properties", "env", "tf", "tfvars", "xml"),
    "key": ("pem", "key", "p12", "pfx", "ppk", "asc"),
}
_BY_ENDING = {ending: language for language, endings in _ENDINGS.items() for ending in endings}
_BY_NAME = {
    "Dockerfile": "dockerfile",
    "Containerfile": "dockerfile",
    "Makefile": "make",
    "GNUmakefile": "make",
    "Jenkinsfile": "config",
    "Podfile": "ruby",
    "Gemfile": "ruby",
    "Procfile": "config",
    ".npmrc": "config",
    ".pypirc": "config",
    ".netrc": "config",
    ".gitignore": "config",
    ".env": "config",
    "id_rsa": "key",
    "id_ed25519": "key",
    "id_ecdsa": "key",
    "id_dsa": "key",
    "LICENSE": "prose",
    "README": "prose",
    ".gitconfig": "config",
    ".htpasswd": "config",
    ".dockercfg": "config",
    ".gitmodules": "config",
}

CODE = frozenset(
    {
        "python",
        "javascript",
        "typescript",
        "tsx",
        "rust",
        "swift",
        "shell",
        "c",
        "cpp",
        "metal",
        "go",
        "java",
        "kotlin",
        "ruby",
        "php",
        "csharp",
        "sql",
    }
)
TEXT = CODE | {"html", "css", "markdown", "dockerfile", "make", "plist", "toml"}
"""What a person writes: too large a file of it is told."""
READ = TEXT | {"config", "yaml", "json", "prose", "key"}
"""What own checks open."""

_TEST = re.compile(
    r"(^|/)(tests?|testing|__tests__|spec|specs|e2e|fixtures?|testdata|fuzz|fuzz_targets|test_[^/]*|conftest\.py|[^/]*_test\.\w+|"
    r"[^/]*\.(test|spec)\.\w+|[^/]*Tests?\.swift|[^/]*Tests)(/|$)"
)
_MANIFESTS = frozenset({"toml", "json"})
_EXAMPLE = re.compile(r"(^|/)(examples?|samples?|docs?)/")


def language_of(path: str) -> str:
    """The language by the file's name; empty where the name does not tell."""
    name = path.rpartition("/")[2]
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name.startswith(".env."):
        return "config"
    if name.startswith("Dockerfile."):
        return "dockerfile"
    return _BY_ENDING.get(name.rpartition(".")[2].casefold(), "") if "." in name else ""


def is_test(path: str) -> bool:
    """Whether the file is a test or belongs to one."""
    return _TEST.search(path) is not None


def is_example(path: str) -> bool:
    """Whether it is code that shows something to readers, and that no product runs."""
    return _EXAMPLE.search(path) is not None and language_of(path) in CODE | _MANIFESTS
