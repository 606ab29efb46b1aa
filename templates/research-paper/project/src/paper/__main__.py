"""`paper build`."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from paper import analysis, latex, web
from paper.source import PaperError, read

LATEX_TIMEOUT_S = 120


def build(content: Path, out: Path, *, pdf: bool) -> list[Path]:
    """Write the LaTeX, the web page and, where it is wanted, the PDF. Raises `PaperError`."""
    paper = read(content, analysis.values())
    out.mkdir(parents=True, exist_ok=True)
    tex, page = out / "paper.tex", out / "index.mdx"
    tex.write_text(latex.document(paper), encoding="utf-8")
    page.write_text(web.document(paper), encoding="utf-8")
    shutil.copy(content / "references.bib", out)
    return [tex, page, *([_pdf(out, cited=bool(paper.cited))] if pdf else [])]


def _pdf(folder: Path, *, cited: bool) -> Path:
    missing = [program for program in ("pdflatex", "bibtex") if shutil.which(program) is None]
    if missing:
        hint = "apt install texlive-latex-base, or brew install --cask basictex"
        raise PaperError(f"{' and '.join(missing)} cannot be found: {hint}, or build the web page alone")
    # Once for the citations, once for their places, once for what that moved.
    draw = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper"]
    for command in (draw, *([["bibtex", "paper"], draw] if cited else []), draw):
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=LATEX_TIMEOUT_S, check=False)
        if done.returncode:
            last = done.stdout.decode("utf-8", "replace").strip().splitlines()[-8:]
            raise PaperError(f"{command[0]} failed:\n" + "\n".join(last))
    return folder / "paper.pdf"


def main() -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="paper", description="Build the paper.")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("build", help="write build/paper.pdf and build/index.mdx")
    command.add_argument("--no-pdf", action="store_true", help="the web page and the LaTeX alone")
    command.add_argument("--content", type=Path, default=Path("content"))
    command.add_argument("--out", type=Path, default=Path("build"))
    options = parser.parse_args()
    try:
        for path in build(options.content, options.out, pdf=not options.no_pdf):
            print(path)
    except (PaperError, OSError) as error:
        print(f"paper: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
