"""The one parser that both forms are written from."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from paper.source import PaperError

CONTAINERS = (
    "blockquote", "bullet_list", "heading", "list_item", "ordered_list", "paragraph",
    "table", "tbody", "td", "th", "thead", "tr",
)  # fmt: skip
ALLOWED = {f"{name}_{side}" for name in CONTAINERS for side in ("open", "close")} | {
    "code_block", "fence", "hr", "inline", "math_block",
}  # fmt: skip
ALLOWED_INLINE = {f"{name}_{side}" for name in ("em", "strong", "link") for side in ("open", "close")} | {
    "text", "softbreak", "hardbreak", "code_inline", "math_inline",
}  # fmt: skip


def parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, double_inline=False)


def tokens(text: str) -> list[Token]:
    """Raises `PaperError` for what only one of the two forms could show."""
    stream: list[Token] = parser().parse(text)
    for token in stream:
        inner = [child.type for child in token.children or []]
        strange = [name for name in inner if name not in ALLOWED_INLINE] if inner else []
        if token.type not in ALLOWED or strange:
            line = token.map[0] + 1 if token.map else 0
            raise PaperError(
                f"line {line} of the text: {', '.join(strange) or token.type} has no form in LaTeX"
            )
    return stream
