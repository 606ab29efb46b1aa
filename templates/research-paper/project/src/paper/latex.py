"""The text as LaTeX, with BibTeX for the references."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from paper.markdown import tokens
from paper.source import CITATION, Paper

HEAD = r"""\documentclass[11pt]{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{amsmath}
\usepackage[round]{natbib}
\usepackage[hidelinks]{hyperref}
"""
_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip
_SECTIONS = {"h1": "section", "h2": "subsection", "h3": "subsubsection"}
_BLOCKS = {
    "paragraph_open": "", "paragraph_close": "\n\n",
    "bullet_list_open": "\\begin{itemize}\n", "bullet_list_close": "\\end{itemize}\n\n",
    "ordered_list_open": "\\begin{enumerate}\n", "ordered_list_close": "\\end{enumerate}\n\n",
    "list_item_open": "\\item ", "list_item_close": "",
    "blockquote_open": "\\begin{quote}\n", "blockquote_close": "\\end{quote}\n\n",
    "thead_open": "\\hline\n", "thead_close": "\\hline\n", "tbody_open": "", "tbody_close": "\\hline\n",
    "tr_open": "", "tr_close": " \\\\\n", "table_close": "\\end{tabular}\n\\end{center}\n\n",
    "hr": "\\bigskip\\hrule\\bigskip\n\n",
}  # fmt: skip
_INLINE = {
    "strong_open": r"\textbf{", "strong_close": "}", "em_open": r"\emph{", "em_close": "}",
    "softbreak": "\n", "hardbreak": "\\\\\n", "link_close": "}",
}  # fmt: skip


def escape(text: str) -> str:
    """Plain text as LaTeX shows it."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def document(paper: Paper) -> str:
    """The whole LaTeX file; its references are in references.bib beside it."""
    head = f"\\title{{{escape(paper.title)}}}\n\\author{{{escape(paper.author)}}}\n\\date{{}}\n"
    begin = f"{head}\\begin{{document}}\n\\maketitle\n"
    abstract = f"\\begin{{abstract}}\n{_cited(paper.abstract)}\n\\end{{abstract}}\n\n"
    end = "\\bibliographystyle{plainnat}\n\\bibliography{references}\n" if paper.cited else ""
    return f"{HEAD}{begin}{abstract}{_blocks(tokens(paper.body))}{end}\\end{{document}}\n"


def _blocks(stream: Sequence[Token]) -> str:
    out: list[str] = []
    first_cell = True
    for index, token in enumerate(stream):
        if token.type == "heading_open":
            out.append(f"\\{_SECTIONS.get(token.tag, 'paragraph')}{{")
        elif token.type == "heading_close":
            out.append("}\n\n")
        elif token.type == "inline":
            out.append(_inline(token.children or []))
        elif token.type == "math_block":
            out.append(f"\\[\n{token.content.strip()}\n\\]\n\n")
        elif token.type in ("fence", "code_block"):
            out.append(f"\\begin{{verbatim}}\n{token.content}\\end{{verbatim}}\n\n")
        elif token.type == "table_open":
            out.append(f"\\begin{{center}}\n\\begin{{tabular}}{{{_columns(stream[index:])}}}\n")
        elif token.type in ("th_open", "td_open"):
            out.append("" if first_cell else " & ")
            first_cell = False
        elif token.type not in ("th_close", "td_close"):
            out.append(_BLOCKS[token.type])
            first_cell = first_cell or token.type == "tr_open"
    return "".join(out)


def _columns(table: Sequence[Token]) -> str:
    """The alignment of each column, from the table's first row."""
    letters = ""
    for token in table:
        if token.type == "th_open":
            style = str(token.attrs.get("style", ""))
            letters += "r" if "right" in style else "c" if "center" in style else "l"
        elif token.type == "thead_close":
            break
    return letters


def _inline(stream: Sequence[Token]) -> str:
    out = []
    for token in stream:
        if token.type == "text":
            out.append(_cited(token.content))
        elif token.type == "math_inline":
            out.append(f"${token.content}$")
        elif token.type == "code_inline":
            out.append(rf"\texttt{{{escape(token.content)}}}")
        elif token.type == "link_open":
            address = re.sub(r"([%#\\{}])", r"\\\1", str(token.attrs["href"]))
            out.append(rf"\href{{{address}}}{{")
        else:
            out.append(_INLINE[token.type])
    return "".join(out)


def _cited(text: str) -> str:
    out, end = [], 0
    for match in CITATION.finditer(text):
        out.append(escape(text[end : match.start()]))
        place = f"[{escape(match['place'])}]" if match["place"] else ""
        out.append(rf"\citep{place}{{{match['key']}}}" if match["key"] else rf"\citet{{{match['name']}}}")
        end = match.end()
    return "".join(out) + escape(text[end:])
