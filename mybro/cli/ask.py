"""Asking the person at the terminal, without a thread that outlives Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import sys

import click

from mybro.events import Answered
from mybro.pipeline.state import Question

_YES = frozenset({"y", "yes"})


async def read_line() -> str:
    """The next line of standard input; empty at its end."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    descriptor = sys.stdin.fileno()
    line = bytearray()
    loop.add_reader(descriptor, ready.set)
    try:
        while not line.endswith(b"\n"):
            await ready.wait()
            ready.clear()
            part = os.read(descriptor, 1)
            if not part:
                break
            line += part
    finally:
        loop.remove_reader(descriptor)
    return line.decode(errors="replace").strip()


async def decide(question: Question, *, yes: bool) -> Answered:
    """Answer a question: by a flag, at the terminal, or with no where nobody can be asked."""
    if question.choices:
        return await _choose(question)
    if yes and question.risk != "destructive":
        return Answered(question.number, yes=True, by="key")
    if not sys.stdin.isatty():
        way = "say it in a terminal" if question.risk == "destructive" else "add --yes"
        click.echo(f"mybro: that needs a yes: {question.text} To allow it, {way}.", err=True)
        return Answered(question.number, yes=False, by="key")
    wanted = question.object if question.risk == "destructive" else ""
    click.echo(f"{question.text} [{f'type: yes {wanted}' if wanted else 'y/N'}] ", nl=False, err=True)
    said = (await read_line()).lower()
    agreed = said == f"yes {wanted}".lower() if wanted else said in _YES
    return Answered(question.number, yes=agreed, by="key")


async def _choose(question: Question) -> Answered:
    if not sys.stdin.isatty():
        click.echo(f"mybro: that needs a choice: {question.text} Say it in a terminal.", err=True)
        return Answered(question.number, yes=False, by="key")
    for number, choice in enumerate(question.choices, 1):
        click.echo(f"  {number}. {choice.label}", err=True)
    click.echo(f"{question.text} [number, Enter for none] ", nl=False, err=True)
    said = await read_line()
    if said.isdigit() and 1 <= int(said) <= len(question.choices):
        return Answered(question.number, yes=True, choice=question.choices[int(said) - 1].label, by="key")
    return Answered(question.number, yes=False, by="key")
