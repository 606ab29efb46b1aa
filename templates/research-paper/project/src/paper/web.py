"""The text as MDX: numbered citations that link to the references, and its head as data."""

from __future__ import annotations

import json
import re

from paper.markdown import tokens
from paper.source import CITATION, Paper, full, short


def document(paper: Paper) -> str:
    """The whole MDX file; formulas are left for remark-math."""
    tokens(paper.body)
    numbers = {key: number for number, key in enumerate(paper.cited, 1)}

    def link(match: re.Match[str]) -> str:
        key = match["key"] or match["name"]
        place = f", {match['place']}" if match["place"] else ""
        before = "" if match["key"] else f"{short(paper.references[key])} "
        return f'{before}<a href="#ref-{key}">\\[{numbers[key]}{place}\\]</a>'

    head = {"title": paper.title, "author": paper.author, "abstract": paper.abstract}
    meta = f"export const metadata = {json.dumps(head, indent=2)};\n"
    body = CITATION.sub(link, paper.body).strip()
    return (
        f"{meta}\n# {paper.title}\n\n*{paper.author}*\n\n> {paper.abstract}\n\n{body}\n{_references(paper)}"
    )


def _references(paper: Paper) -> str:
    if not paper.cited:
        return ""
    rows = "".join(f'  <li id="ref-{key}">{_jsx(full(paper.references[key]))}</li>\n' for key in paper.cited)
    return f"\n## References\n\n<ol>\n{rows}</ol>\n"


def _jsx(text: str) -> str:
    """Text that MDX takes for nothing else."""
    return re.sub(r"[{}<>&]", lambda match: f"&#{ord(match[0])};", text)
