"""What an agent needs of its own inside the sandbox: where it keeps its state, how it reaches its model.

No list knows every agent. By custom one keeps its state in places that bear its name (`~/.gemini`,
`~/.config/goose`), so those of the words in its command line are its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mybro.executor.claude.sandbox_places import is_secret_place, state_folder

_BELOW = (".", ".config/", ".local/share/", ".local/state/", ".cache/", "Library/Application Support/")
_NOT_NAMES = frozenset(
    """
    acp agent agents cli code bin npx bunx uvx node deno python python3 experimental config local cache mybro
    ssh docker env bash module index main server stdio start run
    """.split()  # noqa: SIM905
)
"""Words that are no agent's name."""
_MODEL_VARIABLE = re.compile(
    r"^(GEMINI|GOOGLE|OPENAI|AZURE_OPENAI|CODEX|MISTRAL|OPENROUTER|XAI|GROQ|DEEPSEEK|MOONSHOT|KIMI|DASHSCOPE|QWEN"
    r"|CURSOR|COPILOT|AUGMENT|FACTORY|AMP|GOOSE|OPENCODE)(_\w+)?_(API_?KEY|TOKEN)$"
)


def own_places(argv: Sequence[str], env: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders that are the agent's own, of those that exist; never one that holds other secrets."""
    home = Path(env.get("HOME") or Path.home())
    found = [home / f"{below}{name}" for name in _names(argv) for below in _BELOW]
    return tuple(
        dict.fromkeys(
            place
            for place in found
            if place.is_dir() and not is_secret_place(place, env) and place != state_folder(env)
        )
    )


def login_variables(env: Mapping[str, str]) -> frozenset[str]:
    """With what agents sign in to their models: they may see that, and no other credentials."""
    return frozenset(filter(_MODEL_VARIABLE.match, env))


def _names(argv: Sequence[str]) -> Iterator[str]:
    """The words of a command line that may be an agent's name, in small letters."""
    for argument in argv:
        if argument.startswith("-"):
            continue
        name = argument.rpartition("/")[2]
        whole = re.sub(r"(@[\w.^~-]+|\.(js|mjs|cjs|py|exe))$", "", name).lower()
        for word in (whole, whole.partition("-")[0]):
            if re.fullmatch(r"[a-z][a-z0-9._-]{2,30}", word) and word not in _NOT_NAMES:
                yield word
