"""What destroys, runs or writes in the text of a program, whatever its language: told coarsely."""

from __future__ import annotations

import re

_HARM = re.compile(
    r"\brm_r?f?\b|\brm\s+-|\brm\s+[\w./$\"'*~]|\bunlink|rmtree|rmdir|removedirs|remove_(file|dir|all)|RemoveAll|\bos\.(remove|rename|replace|system|popen|exec|spawn"
    r"|Remove|Rename|Truncate)|\bfs(\.promises)?\.(rm|unlink|truncate|write|rename|cp|copy)|\b(rm|unlink|truncate|writeFile|appendFile)(Sync)?\("
    r"|\bFile(Utils|\.delete|\.write|\.rename)|Files\.(delete|write|move)|\.(delete|deleteRecursively|removeItem|removeFile|deleteTree|DeleteFile)\("
    r"|(Directory|File)\.(Delete|Move|WriteAll)|shutil|subprocess|child_process|\bsystem\s*\(|\bpopen|\bexec\w*\(|\beval\b|\bspawn"
    r"|Process(Builder|\.Start)|Runtime\.getRuntime|open\s*\([^)\n]*['\"](w|a|x|r\+)|\.(write_text|write_bytes|unlink|touch)\(|truncate"
    r"|\b(drop|truncate)\s+(table|database|schema)|\bdelete\s+from|file_put_contents|Deno\.(remove|write|run|Command)|Bun\.(write|spawn)|\bdd\s+if="
    r"|os\.environ|process\.env|\bgetattr\b|__import__|importlib|base64|requests\.|urllib|socket|fetch\(|\$\(|`[^`\n]*\brm\b",
    re.IGNORECASE,
)
_OUTSIDE = re.compile(
    r"(rmtree|unlink|remove\w*|rmdir|rmSync|\brm|RemoveAll|rm_rf|move|rename\w*|write_text|truncate|os\.replace)\b[^\n]{0,60}?"
    r"(['\"(\s](/(?!tmp\b|dev/null)\w+|~)|\.home\(|expanduser|homedir|\$HOME|environ\W+HOME|HOME['\"\]])"
    r"|\brm\s+-\w+\s+['\"]?(/(?!tmp/\w)|~|\$\{?HOME)"
    r"|(home\(\)|expanduser\([^)]*\)|homedir\(\))[^\n]{0,60}?(rmtree|unlink|remove|rmdir|rmSync|write_text)"
    r"|open\(\s*(os\.path\.expanduser\(\s*)?['\"](/(?!tmp\b|dev/)\w+|~)[^)\n]*,\s*['\"][wax]"
)


def harms(text: str | None) -> bool:
    """Whether a program could destroy, run or write something; also where its text is not known."""
    return text is None or _HARM.search(text) is not None


def harms_outside(text: str) -> bool:
    """Whether a program plainly deletes or writes outside of the repository and of temporary folders."""
    return _OUTSIDE.search(text) is not None
