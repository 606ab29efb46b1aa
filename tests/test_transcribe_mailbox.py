"""Which request is answered next, and which one has to go."""

from __future__ import annotations

import asyncio
import threading

import pytest

from mybro.errors import TranscriptionError
from mybro.events import Transcribed
from mybro.transcribe.mailbox import Mailbox, Request
from mybro.transcribe.pending import MAX_PENDING, Pending

pytestmark = pytest.mark.unit


def trial(number: int, turn: int) -> Request:
    return Request(number, turn, b"", speculative=True)


def sure(number: int, turn: int) -> Request:
    return Request(number, turn, b"")


def taken(mailbox: Mailbox) -> list[int]:
    numbers = []
    while len(mailbox):
        request = mailbox.take()
        assert request
        numbers.append(request.number)
        mailbox.finish()
    return numbers


def test_what_was_confirmed_comes_first_and_otherwise_the_oldest() -> None:
    mailbox = Mailbox(8)
    for request in (trial(1, 1), sure(2, 2), trial(3, 3), sure(4, 4)):
        assert mailbox.put(request) is None
    assert taken(mailbox) == [2, 4, 1, 3]


def test_of_a_turn_only_the_newest_trial_waits() -> None:
    mailbox = Mailbox(8)
    first = trial(1, 7)
    assert mailbox.put(first) is None
    assert mailbox.put(trial(2, 8)) is None
    assert mailbox.put(trial(3, 7)) is first
    assert mailbox.put(sure(4, 7)) is None
    assert taken(mailbox) == [4, 2, 3]


def test_where_all_is_full_a_trial_makes_room_and_a_confirmed_request_never_does() -> None:
    mailbox = Mailbox(2)
    mailbox.put(sure(1, 1))
    waiting = trial(2, 2)
    mailbox.put(waiting)
    assert mailbox.put(sure(3, 3)) is waiting
    for late in (sure(4, 4), trial(5, 5)):
        assert mailbox.put(late) is late
    assert taken(mailbox) == [1, 3]


def test_a_waiting_request_is_forgotten_and_the_running_ones_answer_unwanted() -> None:
    mailbox = Mailbox(8)
    mailbox.put(sure(1, 1))
    mailbox.put(sure(2, 2))
    assert mailbox.take() == sure(1, 1)
    assert not mailbox.drop(99)
    assert mailbox.drop(2) and len(mailbox) == 0
    assert not mailbox.drop(1)
    assert not mailbox.finish()
    mailbox.put(sure(3, 3))
    mailbox.take()
    assert mailbox.finish()


def test_a_closed_mailbox_wakes_whoever_waits() -> None:
    mailbox = Mailbox(8)
    got: list[Request | None] = [sure(0, 0)]
    waiter = threading.Thread(target=lambda: got.append(mailbox.take()))
    waiter.start()
    mailbox.close()
    waiter.join(30)
    assert got[1:] == [None]


def test_nothing_that_was_said_shows_in_a_request() -> None:
    assert "secret" not in repr(Request(1, 1, b"secret", prompt="secret"))


# ---------------------------------------------------------------------------- the parent's side


def heard(number: int) -> Transcribed:
    return Transcribed(1, number, "run the tests", model="m")


async def test_a_request_is_settled_once() -> None:
    pending = Pending()
    answer = pending.add(sure(1, 1))
    with pytest.raises(ValueError, match="made before"):
        pending.add(sure(1, 2))
    assert pending.get(1) == sure(1, 1) and list(pending) == [sure(1, 1)]
    assert pending.settle(1, heard(1)) and not pending.settle(1, None)
    assert await answer == heard(1) and pending.get(1) is None


async def test_a_caller_that_has_gone_is_no_trouble() -> None:
    pending = Pending()
    pending.add(sure(1, 1)).cancel()
    assert pending.settle(1, heard(1))


async def test_a_request_has_one_more_chance_after_a_death_and_then_fails() -> None:
    pending = Pending()
    answer = pending.add(sure(1, 1))
    pending.died_of(1, "ended unexpectedly")
    assert not answer.done() and list(pending) == [sure(1, 1)]
    pending.died_of(1, "ended unexpectedly")
    with pytest.raises(TranscriptionError, match="ended unexpectedly") as died:
        await answer
    assert died.value.code == "recogniser_died" and died.value.retryable
    pending.died_of(1, "again")


async def test_too_many_are_refused_and_all_can_be_given_up() -> None:
    pending = Pending()
    answers = [pending.add(sure(number, number)) for number in range(MAX_PENDING)]
    with pytest.raises(TranscriptionError) as busy:
        pending.add(sure(99, 99))
    assert busy.value.code == "recogniser_busy"
    pending.give_up(TranscriptionError("recogniser_closed", "closed"))
    outcomes = await asyncio.gather(*answers, return_exceptions=True)
    assert {getattr(outcome, "code", None) for outcome in outcomes} == {"recogniser_closed"}
