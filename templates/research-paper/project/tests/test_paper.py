from __future__ import annotations

import math
import re
import shutil
from pathlib import Path

import pytest

from paper import analysis, latex, web
from paper.__main__ import build
from paper.markdown import tokens
from paper.source import Paper, PaperError, full, read, short

CONTENT = Path(__file__).parents[1] / "content"
HEAD = "---\ntitle: T\nauthor: A\nabstract: B\n---\n"


def paper(body: str, tmp_path: Path, values: dict[str, str] | None = None) -> Paper:
    (tmp_path / "paper.mdx").write_text(HEAD + body, encoding="utf-8")
    shutil.copy(CONTENT / "references.bib", tmp_path)
    return read(tmp_path, values or {})


def test_the_numbers_are_the_same_every_time_and_near_the_truth() -> None:
    assert analysis.values() == analysis.values()
    assert abs(analysis.estimate(1_000_000) - math.pi) < 0.01
    assert analysis.estimate(1000, seed=1) != analysis.estimate(1000, seed=2)


def test_both_forms_hold_the_text_its_numbers_and_its_citations(tmp_path: Path) -> None:
    tex, page = build(CONTENT, tmp_path, pdf=False)
    numbers = analysis.values()
    for text in (tex.read_text(encoding="utf-8"), page.read_text(encoding="utf-8")):
        assert numbers["estimate"] in text and "{=" not in text and r"\sqrt" in text
    assert r"\citep[chapter 3]{robert2004}" in tex.read_text(encoding="utf-8")
    assert r"\begin{tabular}{rrr}" in tex.read_text(encoding="utf-8")
    web_page = page.read_text(encoding="utf-8")
    assert '<a href="#ref-metropolis1949">' in web_page and '<li id="ref-metropolis1949">' in web_page


def test_the_pdf(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not here")
    *_, pdf = build(CONTENT, tmp_path, pdf=True)
    assert pdf.read_bytes().startswith(b"%PDF")
    log = (tmp_path / "paper.log").read_text(encoding="utf-8", errors="replace")
    assert not re.search(r"undefined (references|citations)|Citation .* undefined", log)


@pytest.mark.parametrize("nasty", ["50 % & more_of #1", r"a\b {c} ~d ^e 1 < 2", "x_1 * y"])
def test_plain_text_is_plain_in_latex(nasty: str, tmp_path: Path) -> None:
    written = latex.document(paper(f"before {nasty} after", tmp_path))
    body = written.split(r"\end{abstract}")[1]
    assert not re.search(r"(?<!\\)[%&#_]", body)


def test_every_kind_of_block(tmp_path: Path) -> None:
    text = "## Two\n\n> said\n\n- *one*\n- `two_2`\n\n```\ncode & more\n```\n\n[link](https://a.org/a%20b)\n\n---\n"
    written = latex.document(paper(text, tmp_path))
    for part in (
        r"\subsection{Two}",
        r"\begin{quote}",
        r"\emph{one}",
        r"\texttt{two\_2}",
        "code & more",
        r"a\%20b",
    ):
        assert part in written, part


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("as [@nobody2000] says", "nobody2000 is cited"),
        ("it is {=missing}", "gives no missing"),
        ("<script>alert(1)</script>\n", "has no form in LaTeX"),
        ("an ![image](x.png)", "has no form in LaTeX"),
    ],
)
def test_what_cannot_be_built_is_one_sentence(body: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(PaperError, match=says):
        web.document(paper(body, tmp_path))


def test_a_text_without_a_head_is_refused(tmp_path: Path) -> None:
    (tmp_path / "paper.mdx").write_text("# Text", encoding="utf-8")
    with pytest.raises(PaperError, match="begins with a head"):
        read(tmp_path, {})


def test_a_broken_bibliography_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "paper.mdx").write_text(HEAD, encoding="utf-8")
    (tmp_path / "references.bib").write_text("@article{broken", encoding="utf-8")
    with pytest.raises(PaperError, match=r"references\.bib"):
        read(tmp_path, {})


def test_references_read_as_people_write_them(tmp_path: Path) -> None:
    entries = paper("[@metropolis1949] and @robert2004", tmp_path).references
    assert short(entries["metropolis1949"]) == "Metropolis and Ulam (1949)"
    assert "The Monte Carlo Method. Journal of the American Statistical" in full(entries["metropolis1949"])


def test_a_citation_is_no_mail_address(tmp_path: Path) -> None:
    assert paper("write to someone@example2024.org", tmp_path).cited == ()
    assert len(tokens("a $x_1$ b")) == 3
