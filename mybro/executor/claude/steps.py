"""What a session does, in the few words of a status line, and what it says at the end, fit for speech."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

_FILE_STEPS = {
    "Read": "reading", "Write": "writing", "Edit": "editing", "MultiEdit": "editing",
    "NotebookEdit": "editing", "NotebookRead": "reading",
}  # fmt: skip
_OTHER_STEPS = {
    "Glob": "looking for files", "Grep": "searching the code", "LS": "looking around",
    "WebFetch": "reading a web page", "WebSearch": "searching the web", "TodoWrite": "planning",
    "TaskCreate": "planning", "TaskUpdate": "planning", "Task": "asking a helper", "Agent": "asking a helper",
    "AskUserQuestion": "asking", "EnterPlanMode": "planning", "ExitPlanMode": "presenting the plan",
    "ToolSearch": "looking for a tool", "Skill": "using a skill",
}  # fmt: skip
_COMMAND_CHARS = 40
_SUMMARY_CHARS = 220


def step(tool: str, arguments: dict[str, Any]) -> str:
    """One short line for a tool use: "editing parser.py"."""
    path = arguments.get("file_path") or arguments.get("notebook_path")
    if tool in _FILE_STEPS and isinstance(path, str):
        return f"{_FILE_STEPS[tool]} {PurePath(path).name}"
    if tool == "Bash" and isinstance(arguments.get("command"), str):
        return f"running {short_command(arguments['command'])}"
    if tool.startswith("mcp__"):
        return f"using {tool.rpartition('__')[2].replace('_', ' ')}"
    return _OTHER_STEPS.get(tool, f"using {tool}")


def short_command(command: str) -> str:
    """The beginning of a command, cut at a word: what is said of it and shown on one line."""
    line = " ".join(command.split())
    line = re.sub(r"^cd \S+ && ", "", line)
    line = re.sub(r"\s*(2>&1|2>/dev/null)\b", "", line)
    line = re.split(r"\s*(?:<<|\||&&|;)", line)[0].strip() or line
    if len(line) <= _COMMAND_CHARS:
        return line
    return line[:_COMMAND_CHARS].rsplit(" ", 1)[0].rstrip(" -") + "…"


def spoken(text: str) -> str:
    """The first one or two sentences of an answer, without markdown and code."""
    text = re.sub(r"```.*?(```|\Z)", " ", text, flags=re.DOTALL)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"https?://\S+", "a link", text)
    text = re.sub(r"^\s*(#{1,6}|[-*+>]|\d+[.)])\s+", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\s*\|.*$", " ", text, flags=re.MULTILINE)
    text = re.sub(r"[*_]{2,}|`+|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)", "", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    sentences = [s for line in lines for s in re.split(r"(?<=[.!?])\s+(?=[A-Z\"'(])", line)]
    said = ""
    for sentence in sentences[:2]:
        if said and len(said) + len(sentence) > _SUMMARY_CHARS:
            break
        said = f"{said} {_ended(sentence)}".strip()
    return said if len(said) <= _SUMMARY_CHARS else said[:_SUMMARY_CHARS].rsplit(" ", 1)[0] + "…"


def _ended(sentence: str) -> str:
    sentence = sentence.rstrip(":;, ")
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."
