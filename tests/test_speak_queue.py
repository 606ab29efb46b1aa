"""What waits to be said: the rules as a table."""

from __future__ import annotations

import pytest

from mybro.speak.queue import Speech, SpeechQueue, Urgency

pytestmark = pytest.mark.unit

LETTERS: dict[str, Urgency] = {"a": "answer", "q": "question", "e": "error", "n": "news"}


def speech(word: str) -> Speech:
    """"n3" is news with the number 3; "n3+" was begun already."""  # fmt: skip
    made = Speech((int(word[1]),), f"Sentence {word[1]}.", LETTERS[word[0]])
    made.started = word.endswith("+")
    return made


def taken(queue: SpeechQueue, **rules: bool) -> list[str]:
    out = []
    while (next_one := queue.take(**rules)) is not None:
        out.append("+".join(map(str, next_one.numbers)))
    return out


@pytest.mark.parametrize(
    ("put", "rules", "order", "left"),
    [
        ("a1 a2", {}, "1 2", 0),
        ("n1 e2 q3 a4", {}, "4 3 2 1", 0),
        ("n1 n2 a3 n4", {}, "3 1+2+4", 0),
        ("e1 n2 e3", {}, "1+3 2", 0),
        ("n1 q2 n3", {}, "2 1+3", 0),
        ("q1 q2", {}, "1 2", 0),
        ("n1 e2 q3", {"news": False}, "3", 2),
        ("n1+ n2", {"news": False}, "", 2),
        ("q1 a2 n3", {"answers_only": True}, "2", 2),
        ("a1+ a2", {"answers_only": True}, "2", 1),
        ("n1+ n2 q3 a4", {}, "4 1 3 2", 0),
        ("a1+ a2", {}, "1 2", 0),
        ("n1 n2+ n3", {}, "2 1+3", 0),
    ],
)
def test_order(put: str, rules: dict[str, bool], order: str, left: int) -> None:
    queue = SpeechQueue(limit=10)
    for word in put.split():
        assert queue.put(speech(word)) is None
    assert taken(queue, **rules) == order.split()
    assert len(queue) == left


@pytest.mark.parametrize(
    ("put", "victims"),
    [
        ("n1 n2 n3", "1"),
        ("a1 n2 a3", "2"),
        ("a1 a2 n3", "3"),
        ("e1 n2 e3", "2"),
        ("q1 e2 a3", "2"),
        ("a1 a2 a3", "1"),
        ("n1+ n2 a3", "2"),
    ],
)
def test_the_oldest_of_the_least_urgent_gives_way(put: str, victims: str) -> None:
    queue = SpeechQueue(limit=2)
    given_way = [queue.put(speech(word)) for word in put.split()]
    assert [str(one.numbers[0]) for one in given_way if one] == victims.split()
    assert len(queue) == 2


def test_merged_news_is_told_as_one() -> None:
    queue = SpeechQueue(limit=10)
    for word in ("n1", "n2", "n3"):
        queue.put(speech(word))
    merged = queue.take()
    assert merged is not None
    assert (merged.numbers, merged.text) == ((1, 2, 3), "Three jobs are done. The last: Sentence 3.")


def test_removing_one_or_all() -> None:
    queue = SpeechQueue(limit=10)
    for word in ("a1", "n2", "q3"):
        queue.put(speech(word))
    assert [one.numbers for one in queue.remove(2)] == [(2,)]
    assert queue.remove(2) == []
    assert len(queue.remove()) == 2 and len(queue) == 0
