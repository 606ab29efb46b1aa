"""The text: its head, its numbers, its citations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pybtex.database import BibliographyData, Entry, parse_file
from pybtex.exceptions import PybtexError

CITATION = re.compile(
    r"\[@(?P<key>[\w:-]+)(?:,\s*(?P<place>[^\]]+))?\]|(?<![\w@])@(?P<name>[a-z][\w:-]*\d{4}\w?)"
)
VALUE = re.compile(r"\{=(\w+)\}")


class PaperError(Exception):
    """Something in the text that cannot be built; one sentence."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A text, ready to be written in some form."""

    title: str
    author: str
    abstract: str
    body: str
    """Markdown, with the numbers in their places."""
    cited: tuple[str, ...]
    """Keys in the order of their first citation."""
    references: Mapping[str, Entry]


def read(folder: Path, values: Mapping[str, str]) -> Paper:
    """Raises `PaperError` for a head, a number or a citation that is missing."""
    text = (folder / "paper.mdx").read_text(encoding="utf-8")
    head = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    told = yaml.safe_load(head[1]) if head else None
    if not head or not isinstance(told, dict) or not {"title", "author", "abstract"} <= set(told):
        raise PaperError("the text begins with a head that gives title, author and abstract")
    body = VALUE.sub(lambda match: _value(match[1], values), text[head.end() :])
    references = _references(folder / "references.bib")
    cited = tuple(dict.fromkeys(match["key"] or match["name"] for match in CITATION.finditer(body)))
    for key in cited:
        if key not in references:
            raise PaperError(f"{key} is cited, and references.bib does not have it")
    abstract = " ".join(str(told["abstract"]).split())
    return Paper(str(told["title"]), str(told["author"]), abstract, body, cited, references)


def _value(name: str, values: Mapping[str, str]) -> str:
    if name not in values:
        raise PaperError(f"{{={name}}} stands in the text, and analysis.py gives no {name}")
    return values[name]


def _references(path: Path) -> dict[str, Entry]:
    try:
        data: BibliographyData = parse_file(str(path), "bibtex")
    except PybtexError as error:
        raise PaperError(f"{path.name}: {error}") from error
    return dict(data.entries)


def people(entry: Entry) -> list[str]:
    """Family names of the authors."""
    return [" ".join(person.prelast_names + person.last_names) for person in entry.persons.get("author", [])]


def short(entry: Entry) -> str:
    """ "Metropolis and Ulam (1949)"."""
    names = people(entry)
    who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
    return f"{who} ({plain(entry.fields.get('year', 'no year'))})"


def full(entry: Entry) -> str:
    """One line of a bibliography, in plain text."""
    fields = {name: plain(value) for name, value in entry.fields.items()}
    where = fields.get("journal") or fields.get("booktitle") or fields.get("publisher", "")
    volume = fields.get("volume", "") + (f"({fields['number']})" if "number" in fields else "")
    pages = fields.get("pages", "").replace("--", "\N{EN DASH}")
    details = ", ".join(part for part in (where, volume, pages, fields.get("year", "")) if part)
    link = f" https://doi.org/{fields['doi']}" if "doi" in fields else ""
    return f"{' and '.join(people(entry))}: {fields.get('title', '')}. {details}.{link}"


def plain(text: str) -> str:
    return text.replace("{", "").replace("}", "")
