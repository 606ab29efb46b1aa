"""Names in Python programs: what is harmless, and what leads out."""

from __future__ import annotations

import ast
import builtins
import re

from mybro.vocabulary import words as word_lists

_WORDS = word_lists("modules")
MODULES = _WORDS["PYTHON_MODULES"]
FRAMEWORKS = _WORDS["PYTHON_PACKAGES"]
"""Well-known packages, for programs that are more than a line. Their methods that write are doors."""
BUILTINS = _WORDS["PYTHON_BUILTINS"]
RISKY_BUILTINS = frozenset(dir(builtins)) - BUILTINS
DUNDERS = _WORDS["PYTHON_METHODS"]
DOORS = re.compile(
    r"""
    os|sys|io|codecs|subprocess\w*|builtins|shutil|socket|posix|nt|importlib|tempfile|ctypes|threading|multiprocessing|runpy
    |code|pickle|linecache|tokenize|fileinput|system|popen|exec\w*|eval|compile|open\w*|modules|meta_path|path_hooks
    |settrace|setprofile|addaudithook|\w+hook|loader|spec|inspect|unlink|remove|removedirs|rmdir|rmtree|rename|renames
    |truncate|mkdir|makedirs|touch|symlink\w*|link|hardlink_to|chmod|chown|move|copyfile\w*|copytree
    |mro|\w+_frame|f_(globals|builtins|locals|back|code)|environb?|getenv|putenv|unsetenv|kill\w*|spawn\w*|fork\w*|startfile
    |write_\w+|to_(csv|json|excel|sql|parquet|pickle|file|html|hdf|feather)|save\w*|dump|tofile|memmap|fromfile
    |FileHandler|\w+FileHandler|handlers|config|dictConfig|fileConfig|filename|create_subprocess\w*|call_command
    |patch|load_source|attrgetter|methodcaller|format_map|TextTestRunner|FileType|import_module
    |import_string|raw|cursor|delete|drop_\w+|run_path|run_module|get_type_hints|ForwardRef|singledispatch\w*
    |FunctionType|CodeType|entry_points|launch|edit|File|echo_via_pager|unsafe_\w+|\w*Loader|full_load|Template
    |render_template_string|from_string|testing|distutils|f2py|DataSource|query|read_pickle|ExcelWriter|HDFStore
    |urlretrieve|urlopen|setup|console_main|cli|TestProgram|\w*TestLoader
    """,
    re.VERBOSE,
)
OS = frozenset(
    {"path", "getcwd", "listdir", "walk", "sep", "linesep", "cpu_count", "getpid", "name", "scandir"}
)
SYS = frozenset(
    {
        "argv",
        "version",
        "version_info",
        "platform",
        "exit",
        "stdin",
        "stdout",
        "stderr",
        "maxsize",
        "executable",
    }
)
OPENERS = frozenset(
    {
        "build_opener",
        "install_opener",
        "URLopener",
        "FancyURLopener",
        "OpenerDirector",
        "Request",
        "retrieve",
        "ProxyHandler",
    }
)
HIDDEN = re.compile(r"__(?!(main|version|name|file|init|all)__)\w")
SAFE_ATTRIBUTES = frozenset({"executable", "dumps"})
MOST = 60


def plain(annotation: ast.AST) -> bool:
    """Whether nothing happens when an annotation that is a text is evaluated, as some packages do."""
    return not any(isinstance(n, ast.Constant) and "(" in str(n.value) for n in ast.walk(annotation))


def is_door(name: str) -> bool:
    return name not in SAFE_ATTRIBUTES and DOORS.fullmatch(name) is not None
