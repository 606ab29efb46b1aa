"""Small programs on a command line, in languages of which enough is understood."""

from __future__ import annotations

import ast
import re

_SED_ADDRESS = r"(?:(?:\d+|\$|/(?:[^/\\\n]|\\.)*/)(?:,(?:\+?\d+|\$|/(?:[^/\\\n]|\\.)*/))?\s*!?\s*)?"
_SED_PRINTS = re.compile(rf"{_SED_ADDRESS}(?:[pdq=nhHgGxDPN]|q\d*)\s*")
_SED_REPLACES = re.compile(
    rf"{_SED_ADDRESS}s([/|#,@!:_%+])((?:(?!\1)[^\\\n]|\\[^\n])*)\1((?:(?!\1)[^\\\n]|\\[^\n])*)\1[gpIi0-9]*\s*"
)


def sed_only_prints(program: str) -> bool:
    """Whether a sed program neither writes files nor runs anything."""
    at = 0
    while at < len(program):
        found = _SED_REPLACES.match(program, at) or _SED_PRINTS.match(program, at)
        if found is None or program[found.end() : found.end() + 1] not in ("", ";", "\n"):
            return False
        at = found.end() + 1
        at += len(program[at:]) - len(program[at:].lstrip(" ;\n"))
    return bool(program)


def sed_only_replaces(program: str) -> bool:
    """Whether a sed program, applied to files, replaces certain words and no more."""
    found = _SED_REPLACES.fullmatch(program.strip().rstrip(";"))
    if found is None or (not re.search(r"\w\w", found[2]) and len(found[2]) > 1):
        return False
    return not re.search(r"(?<!\\)[.\]\w)][*+]|\\[wWsSD]|\[\^|(?<!\\)\.(?!\w)|\{|\||\\n", found[2])


def awk_only_prints(program: str) -> bool:
    """Whether an awk program neither writes files nor runs anything."""
    bare = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', program)
    bare = re.sub(r"\|\||>=", " ", bare)
    if re.search(r"\bprintf?\b[^;}\n]*>|>\s*\"", bare):
        return False
    return not re.search(r"system|getline|@|\||>>|close|fflush|ENVIRON|ARGV|ARGC|\bload\b|include", bare)


# ---------------------------------------------------------------------------- Python

_MODULES = frozenset(
    {
        "json", "math", "re", "sys", "datetime", "collections", "itertools", "functools", "statistics",
        "random",
        "string", "textwrap", "platform", "time", "decimal", "fractions", "hashlib", "base64", "pprint",
        "calendar",
        "enum", "unicodedata", "difflib", "bisect", "heapq", "binascii", "html", "urllib.parse", "colorsys",
        "cmath",
        "zlib", "secrets",
    }
)  # fmt: skip
_BUILTINS = frozenset(
    {
        "print", "len", "range", "sum", "min", "max", "sorted", "list", "dict", "set", "tuple", "str", "int",
        "float", "bool",
        "abs", "round", "enumerate", "zip", "map", "filter", "any", "all", "repr", "isinstance", "ord", "chr",
        "hex", "bin",
        "oct", "divmod", "pow", "reversed", "iter", "next", "frozenset", "bytes", "bytearray", "complex",
        "format", "hash",
        "True", "False", "None", "Exception", "ValueError", "KeyError", "TypeError", "StopIteration", "slice",
        "type",
        "ascii", "NotImplemented", "__name__", "callable", "id",
    }
)  # fmt: skip
_DOORS = frozenset(
    {
        "os", "sys", "io", "codecs", "subprocess", "builtins", "shutil", "socket", "pathlib", "posix", "nt",
        "importlib",
        "tempfile", "types", "ctypes", "threading", "multiprocessing", "runpy", "code", "pickle", "linecache",
        "tokenize",
        "fileinput", "system", "popen", "exec", "eval", "compile", "open", "modules", "meta_path",
        "path_hooks", "settrace",
        "setprofile", "addaudithook", "breakpointhook", "displayhook", "excepthook", "loader", "spec",
        "warnings", "inspect",
        "write_text", "unlink", "remove", "format_map", "mro", "gi_frame", "f_globals", "cr_frame",
        "tb_frame", "environ",
        "getenv",
    }
)  # fmt: skip


def python_only_computes(program: str) -> bool:
    """Whether a Python program does nothing but compute and print."""
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    made = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    made |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    made |= {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    made |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return all(_is_calm(node, made) for node in ast.walk(tree))


def _is_calm(node: ast.AST, made: set[str]) -> bool:
    match node:
        case ast.Import(names=names):
            return all(alias.name in _MODULES for alias in names)
        case ast.ImportFrom(module=module, names=names, level=0):
            return module in _MODULES and all(
                not alias.name.startswith("_") and alias.name not in _DOORS and alias.name != "*"
                for alias in names
            )
        case ast.ImportFrom():
            return False
        case ast.Name(id=name):
            return name in _BUILTINS or (name in made and not name.startswith("__"))
        case ast.Attribute(attr=name):
            return not name.startswith("_") and name not in _DOORS
        case ast.FunctionDef(decorator_list=decorators):
            return not decorators
        case (
            ast.ClassDef()
            | ast.AsyncFunctionDef()
            | ast.Global()
            | ast.Nonlocal()
            | ast.With()
            | ast.Delete()
        ):
            return False
    return True


# ---------------------------------------------------------------------------- JavaScript

_JS_KNOWN = frozenset(
    {
        "console", "Math", "JSON", "Number", "String", "Array", "Date", "parseInt", "parseFloat", "let",
        "const", "var", "new",
        "typeof", "true", "false", "null", "undefined", "of", "in", "for", "if", "else", "return", "isNaN",
        "BigInt", "x",
        "i", "n", "a", "b", "s",
    }
)  # fmt: skip
_JS_FACTS = re.compile(
    r"\bprocess\.(version|versions\.\w+|platform|arch|uptime\(\)|memoryUsage\(\))(?![\w.\[])"
)


def javascript_only_computes(program: str) -> bool:
    """Whether a JavaScript program does nothing but compute and print."""
    bare = _JS_FACTS.sub("0", program)
    bare = re.sub(r"'[^'\\\n]*'|\"[^\"\\\n]*\"", "0", bare)
    if re.search(r"[`\\@#]|[\w$)\]}]\s*\[|constructor|__|prototype|\bthis\b", bare):
        return False
    return all(name in _JS_KNOWN for name in re.findall(r"(?<![.\w$])[A-Za-z_$][\w$]*", bare))
