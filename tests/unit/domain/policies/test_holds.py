from __future__ import annotations

import pytest

from antiphon.domain.policies.holds import as_of, ended, released, started
from antiphon.domain.queues import Access, QueuePolicy, QueueState

FREE = QueueState(target="qpu")


def policy(access: Access, gap_s: float = 60) -> QueuePolicy:
    return QueuePolicy(target="qpu", slots=1, access=access, gap_s=gap_s)


def test_a_session_of_a_shared_target_holds_nothing() -> None:
    after = started(FREE, policy(Access.SHARED), "ses", "w", 5)
    assert after == QueueState(target="qpu", starts=1)


@pytest.mark.parametrize("access", [Access.EXCLUSIVE, Access.DEDICATED])
def test_the_first_job_takes_the_hold_and_the_next_keep_it(access: Access) -> None:
    held = started(FREE, policy(access), "ses", "w", 5)
    assert held == QueueState(target="qpu", starts=1, held_by="ses", held_workspace="w", held_since=5, held_until=None)
    waiting = ended(held, policy(access), "ses", pending=0, now=7)
    assert waiting.held_until == (67 if access is Access.EXCLUSIVE else None)
    assert started(waiting, policy(access), "ses", "w", 9, counts=False) == held


def test_the_gap_begins_when_the_last_of_its_jobs_has_ended() -> None:
    held = started(FREE, policy(Access.EXCLUSIVE), "ses", "w", 5)
    assert ended(held, policy(Access.EXCLUSIVE), "ses", pending=1, now=7) is held
    assert ended(held, policy(Access.EXCLUSIVE), "other", pending=0, now=7) is held
    assert ended(held, policy(Access.EXCLUSIVE), None, pending=0, now=7) is held


def test_a_start_by_the_ordinary_rules_ends_anybodys_hold() -> None:
    held = started(FREE, policy(Access.EXCLUSIVE), "ses", "w", 5)
    assert started(held, policy(Access.EXCLUSIVE), None, "v", 9).held_by is None
    assert started(held, policy(Access.EXCLUSIVE), "other", "v", 9).held_by == "other"
    assert started(held, policy(Access.EXCLUSIVE), None, "v", 9, counts=False).starts == held.starts


def test_a_hold_is_over_after_its_gap_unless_a_job_came_in_time() -> None:
    rules = policy(Access.EXCLUSIVE)
    held = ended(started(FREE, rules, "ses", "w", 0), rules, "ses", pending=0, now=0)
    assert as_of(held, rules, 60, None) is held
    assert as_of(held, rules, 61, None) == released(held)
    assert as_of(held, rules, 61, 60) is held
    assert as_of(held, rules, 61, 60.5) == released(held)


def test_nobody_holds_a_target_that_is_shared_by_now() -> None:
    held = started(FREE, policy(Access.DEDICATED), "ses", "w", 0)
    assert as_of(held, policy(Access.DEDICATED), 1e9, None) is held
    assert as_of(held, policy(Access.SHARED), 1, 0) == released(held)


def test_a_queue_that_nobody_holds_is_released_already() -> None:
    assert released(FREE) is FREE
