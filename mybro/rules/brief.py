"""The rules as a coding agent is told them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from mybro.rules.model import RuleSet, Violation

_HEAD = """\
Rules of this repository on what to build with. They hold for new code; leave what stands as it is unless you
are asked to change it. Where a request names something else, keep to the rule and say so in your last words.
"""
_MEND = """\
What you have just written breaks rules of this repository:
{list}
Change it so that it keeps to them and does the same. If that cannot be done, undo that part and say why.
"""


def brief(rules: RuleSet, today: date) -> str:
    """What to add to the instructions at the start of a session; empty without rules."""
    lines = [f"- {rule.sentence()}" for rule in rules.rules]
    for each in rules.exemptions:
        if each.since <= today and (each.until is None or today <= each.until):
            place = ", ".join(each.folders) or "everywhere"
            what = each.technology or "anything"
            lines.append(f"- Exception of {each.rule}: {what} in {place}, because {each.reason}")
    return "\n".join([_HEAD, *lines]) + "\n" if lines else ""


def mend(violations: Sequence[Violation]) -> str:
    """What to tell an agent whose work breaks rules."""
    return _MEND.format(list="\n".join(f"- {each.sentence()} [{each.rule.id}]" for each in violations))
