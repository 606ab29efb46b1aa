"""Which language a file is written in, and what in it is a definition, as tree-sitter queries."""

from __future__ import annotations

import functools
import importlib
from pathlib import PurePosixPath
from typing import Any, NamedTuple

EXTENSIONS = {
    "py": "python", "pyi": "python", "js": "javascript", "jsx": "javascript", "mjs": "javascript",
    "cjs": "javascript", "ts": "typescript", "mts": "typescript", "cts": "typescript", "tsx": "tsx",
    "rs": "rust", "go": "go", "swift": "swift", "c": "c", "h": "c", "m": "c", "cc": "cpp", "cpp": "cpp",
    "cxx": "cpp", "hpp": "cpp", "hh": "cpp", "mm": "cpp", "metal": "cpp", "cu": "cpp", "sh": "bash",
    "bash": "bash", "zsh": "bash", "java": "java", "kt": "kotlin", "rb": "ruby", "php": "php", "cs": "csharp",
}  # fmt: skip
"""Languages that have no query here are read with regular expressions."""


def language_of(path: str) -> str | None:
    """The language of a file by its name; None for what holds no symbols."""
    return EXTENSIONS.get(PurePosixPath(path).suffix[1:].lower())


_PYTHON = """
(function_definition name: (identifier) @function)
(class_definition body: (block (function_definition name: (identifier) @method)))
(class_definition body: (block (decorated_definition
  definition: (function_definition name: (identifier) @method))))
(class_definition name: (identifier) @class)
(assignment left: (identifier) @variable)
(assignment left: (pattern_list (identifier) @variable))
(assignment left: (attribute attribute: (identifier) @variable))
(named_expression name: (identifier) @variable)
(for_statement left: (identifier) @variable)
(for_statement left: (pattern_list (identifier) @variable))
(as_pattern_target (identifier) @variable)
(parameters (identifier) @variable)
(typed_parameter . (identifier) @variable)
(default_parameter name: (identifier) @variable)
(typed_default_parameter name: (identifier) @variable)
"""
_JAVASCRIPT = """
(function_declaration name: (identifier) @function)
(generator_function_declaration name: (identifier) @function)
(method_definition name: (property_identifier) @method)
(class_declaration name: (_) @class)
(variable_declarator name: (identifier) @variable)
(variable_declarator name: (identifier) @function value: [(arrow_function) (function_expression)])
(variable_declarator name: (object_pattern (shorthand_property_identifier_pattern) @variable))
"""
_TYPES = """
(required_parameter pattern: (identifier) @variable)
(interface_declaration name: (type_identifier) @class)
(type_alias_declaration name: (type_identifier) @class)
(enum_declaration name: (identifier) @class)
(abstract_class_declaration name: (type_identifier) @class)
(public_field_definition name: (property_identifier) @variable)
(property_signature name: (property_identifier) @variable)
(method_signature name: (property_identifier) @method)
"""
_C = """
(function_declarator declarator: (identifier) @function)
(struct_specifier name: (type_identifier) @class)
(enum_specifier name: (type_identifier) @class)
(type_definition declarator: (type_identifier) @class)
(preproc_def name: (identifier) @constant)
(preproc_function_def name: (identifier) @constant)
(enumerator name: (identifier) @constant)
(field_declaration declarator: (field_identifier) @variable)
(init_declarator declarator: (identifier) @variable)
(parameter_declaration declarator: (identifier) @variable)
"""


class Grammar(NamedTuple):
    """Where a language's parser is, and what to look for."""

    module: str
    function: str
    query: str


GRAMMARS = {
    "python": Grammar("tree_sitter_python", "language", _PYTHON),
    "javascript": Grammar(
        "tree_sitter_javascript",
        "language",
        _JAVASCRIPT + "(formal_parameters (identifier) @variable)(field_definition property: (_) @variable)",
    ),
    "typescript": Grammar("tree_sitter_typescript", "language_typescript", _JAVASCRIPT + _TYPES),
    "tsx": Grammar("tree_sitter_typescript", "language_tsx", _JAVASCRIPT + _TYPES),
    "rust": Grammar(
        "tree_sitter_rust",
        "language",
        """
        (function_item name: (identifier) @function)
        (function_signature_item name: (identifier) @function)
        (struct_item name: (type_identifier) @class)
        (enum_item name: (type_identifier) @class)
        (trait_item name: (type_identifier) @class)
        (type_item name: (type_identifier) @class)
        (enum_variant name: (identifier) @class)
        (mod_item name: (identifier) @module)
        (const_item name: (identifier) @constant)
        (static_item name: (identifier) @constant)
        (macro_definition name: (identifier) @function)
        (field_declaration name: (field_identifier) @variable)
        (let_declaration pattern: (identifier) @variable)
        (parameter pattern: (identifier) @variable)
        """,
    ),
    "go": Grammar(
        "tree_sitter_go",
        "language",
        """
        (function_declaration name: (identifier) @function)
        (method_declaration name: (field_identifier) @method)
        (type_spec name: (type_identifier) @class)
        (const_spec name: (identifier) @constant)
        (var_spec name: (identifier) @variable)
        (short_var_declaration left: (expression_list (identifier) @variable))
        (field_declaration name: (field_identifier) @variable)
        (parameter_declaration name: (identifier) @variable)
        """,
    ),
    "swift": Grammar(
        "tree_sitter_swift",
        "language",
        """
        (function_declaration name: (simple_identifier) @function)
        (protocol_function_declaration name: (simple_identifier) @function)
        (class_declaration name: (type_identifier) @class)
        (protocol_declaration name: (type_identifier) @class)
        (typealias_declaration name: (type_identifier) @class)
        (property_declaration name: (pattern (simple_identifier) @variable))
        (parameter name: (simple_identifier) @variable)
        (enum_entry name: (simple_identifier) @constant)
        """,
    ),
    "c": Grammar("tree_sitter_c", "language", _C),
    "cpp": Grammar(
        "tree_sitter_cpp",
        "language",
        _C
        + """
        (function_declarator declarator: (field_identifier) @method)
        (function_declarator declarator: (qualified_identifier name: (identifier) @method))
        (class_specifier name: (type_identifier) @class)
        (alias_declaration name: (type_identifier) @class)
        (namespace_definition name: (namespace_identifier) @module)
        """,
    ),
    "bash": Grammar(
        "tree_sitter_bash",
        "language",
        "(function_definition name: (word) @function)(variable_assignment name: (variable_name) @variable)",
    ),
}


class Reader(NamedTuple):
    """A parser that is ready, and its compiled query."""

    parser: Any
    query: Any


@functools.cache
def reader(language: str) -> Reader | None:
    """tree-sitter for a language, or None where it, or the language's grammar, is not installed."""
    grammar = GRAMMARS.get(language)
    if grammar is None:
        return None
    try:
        import tree_sitter

        module = importlib.import_module(grammar.module)
        made = tree_sitter.Language(getattr(module, grammar.function)())
        return Reader(tree_sitter.Parser(made), tree_sitter.Query(made, grammar.query))
    except (ImportError, AttributeError, ValueError):
        # A grammar of another version may lack a node that the query names: QueryError is a ValueError.
        return None
