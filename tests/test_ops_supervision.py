"""What follows from the end of a process, by its cause."""

from __future__ import annotations

import signal

import pytest

from mybro.ops.supervision import FAULT, HOUR_S, LIMITS, Cause, Policy, cause_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (0, Cause.STOPPED),
        (130, Cause.STOPPED),
        (-signal.SIGTERM, Cause.STOPPED),
        (143, Cause.STOPPED),
        (139, Cause.SEGFAULT),
        (-signal.SIGSEGV, Cause.SEGFAULT),
        (-signal.SIGABRT, Cause.SEGFAULT),
        (137, Cause.MEMORY),
        (-signal.SIGKILL, Cause.MEMORY),
        (FAULT, Cause.FAULT),
        (1, Cause.REFUSED),
        (2, Cause.SETTINGS),
        (127, Cause.REFUSED),
        (-signal.SIGUSR1, Cause.FAULT),
    ],
)
def test_causes(status: int, cause: Cause) -> None:
    assert cause_of(status) is cause


def test_what_ended_well_or_was_asked_to_stays_ended() -> None:
    policy = Policy()
    for decision in (policy.judge(0, 0), policy.judge(-9, 1, asked=True), policy.judge(FAULT, 2, asked=True)):
        assert (decision.restart, decision.alert, decision.cause) == (False, False, Cause.STOPPED)
    assert (policy.shrink, policy.debug) == (0, False)


@pytest.mark.parametrize("cause", list(LIMITS))
def test_each_cause_has_its_limit_within_an_hour(cause: Cause) -> None:
    status = {Cause.SEGFAULT: 139, Cause.MEMORY: 137, Cause.FAULT: FAULT, Cause.REFUSED: 1}[cause]
    policy = Policy()
    delays = []
    for number in range(LIMITS[cause]):
        decision = policy.judge(status, number * 60.0)
        assert decision.restart
        delays.append(decision.delay_s)
    assert delays == sorted(delays)
    over = policy.judge(status, 600)
    assert (over.restart, over.alert) == (False, True)
    assert f"{LIMITS[cause]} restarts within an hour did not help" in over.why
    assert over.hint
    # The first of them is an hour ago: one more is allowed, and only one.
    assert policy.judge(status, HOUR_S).restart
    assert not policy.judge(status, HOUR_S + 1).restart


def test_causes_are_counted_apart() -> None:
    policy = Policy()
    assert all(policy.judge(139, now).restart for now in range(3))
    assert policy.judge(137, 3).restart
    assert not policy.judge(139, 4).restart


def test_the_limits_are_as_documented() -> None:
    assert (LIMITS[Cause.SEGFAULT], LIMITS[Cause.MEMORY]) == (3, 2)


def test_want_of_memory_makes_the_model_smaller_each_time() -> None:
    policy = Policy()
    assert [policy.judge(137, now).shrink for now in (0, 10)] == [1, 2]
    # Another cause does not make it larger again.
    assert policy.judge(139, 20).shrink == 2


def test_a_fault_alerts_at_once_and_the_next_one_tells_more() -> None:
    policy = Policy()
    assert policy.judge(139, 0).debug is False
    decision = policy.judge(FAULT, 1)
    assert (decision.restart, decision.debug, decision.alert) == (True, True, True)


def test_wrong_settings_are_not_tried_again() -> None:
    decision = Policy().judge(2, 0)
    assert (decision.restart, decision.alert) == (False, True)
    assert "mybro config" in decision.hint
