from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.domain.jobs import JobStatus
from antiphon.domain.sessions import (
    SESSION_TRANSITIONS,
    Consequence,
    FailurePolicy,
    Session,
    SessionAction,
    SessionEvent,
    SessionStatus,
    SessionTrigger,
    advance_session,
    open_session,
)
from antiphon.domain.transitions import TransitionRefusedError
from antiphon.errors import SessionEndedError

_ENDS = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)


def _session(**changes: object) -> Session:
    session = Session(
        id="ses-1",
        workspace="w",
        target="sim.auto",
        name="n",
        created_by="ada",
        created_at=1_000.0,
        idle_limit_s=60.0,
        total_limit_s=300.0,
    )
    return open_session(dataclasses.replace(session, **changes))  # type: ignore[arg-type]


def _after(
    session: Session, action: SessionAction, at: float = 1_010.0, job: JobStatus | None = None
) -> tuple[Session, tuple[Consequence, ...]]:
    return advance_session(session, SessionEvent(action=action, at=at, who="ada", job_status=job))


def _with_jobs(count: int, at: float = 1_000.0, **changes: object) -> Session:
    session = _session(**changes)
    for _ in range(count):
        session, _nothing = _after(session, SessionAction.SUBMIT_JOB, at)
    return session


_steps = st.tuples(st.sampled_from(SessionAction), st.floats(0, 200), st.sampled_from(_ENDS))


@given(st.sampled_from(FailurePolicy), st.lists(_steps, max_size=40))
def test_no_order_of_events_breaks_a_session(
    policy: FailurePolicy, steps: list[tuple[SessionAction, float, JobStatus]]
) -> None:
    session, now = _session(failure_policy=policy), 1_000.0
    for action, seconds, job in steps:
        now += seconds
        try:
            after, consequences = _after(session, action, now, job)
        except SessionEndedError:
            assert action is SessionAction.SUBMIT_JOB
            assert not session.accepting_jobs
            continue
        except TransitionRefusedError:
            if action is SessionAction.HOLD_TAKEN:
                assert session.status is SessionStatus.WAITING  # no job of it ever started
            else:
                assert action is SessionAction.JOB_ENDED
                assert session.pending == 0
            continue
        if after is session:
            assert consequences == ()
            continue
        assert after.version == session.version + 1
        if session.status.is_final:
            assert after.status is session.status
            assert after.ended_at == session.ended_at
            assert consequences == ()
        assert 0 <= after.pending <= after.jobs
        assert 0 <= after.failed <= after.jobs - after.pending
        if after.status.is_final:
            assert not after.accepting_jobs
            assert after.due_at is None
            assert after.end_reason
        else:
            assert after.due_at is not None
            assert after.accepting_jobs or after.pending, "a closed session ends with its last job"
        assert (after.ended_at is not None) == after.status.is_final
        assert session.accepting_jobs or not after.accepting_jobs, "a closed session never opens again"
        session = after


@given(st.sampled_from(FailurePolicy), st.lists(_steps, max_size=20))
def test_a_session_ends_exactly_when_it_is_due(
    policy: FailurePolicy, steps: list[tuple[SessionAction, float, JobStatus]]
) -> None:
    session, now = _session(failure_policy=policy), 1_000.0
    for action, seconds, job in steps:
        now += seconds
        try:
            session, _ = _after(session, action, now, job)
        except (SessionEndedError, TransitionRefusedError):
            continue
        if session.status.is_final:
            return
        assert session.due_at is not None
        if session.due_at > now:
            assert _after(session, SessionAction.CHECK_TIME, now)[0] is session
        ended, _ = _after(session, SessionAction.CHECK_TIME, session.due_at)
        assert ended.status is SessionStatus.TIMED_OUT


def test_the_table_keeps_every_final_status() -> None:
    for status, trigger, after in SESSION_TRANSITIONS.rows():
        if status.is_final:
            assert after is status
            assert trigger is not SessionTrigger.JOB_SUBMITTED


def test_the_first_deadlines() -> None:
    assert _session().due_at == 1_060.0
    session = _with_jobs(1, at=1_050.0)
    assert session.due_at == 1_050.0 + 300.0
    idle, _ = _after(session, SessionAction.JOB_ENDED, 1_100.0, JobStatus.SUCCEEDED)
    assert idle.due_at == 1_100.0 + 60.0
    nearly_over, _ = _after(idle, SessionAction.CHECK_TIME, 1_159.9)
    assert nearly_over is idle


def test_closing_lets_the_queued_jobs_finish() -> None:
    session, consequences = _after(_with_jobs(2), SessionAction.CLOSE)
    assert consequences == ()
    assert (session.status, session.accepting_jobs, session.pending) == (SessionStatus.EXECUTING, False, 2)
    with pytest.raises(SessionEndedError) as caught:
        _after(session, SessionAction.SUBMIT_JOB)
    assert caught.value.cause == "it was closed"
    session, _ = _after(session, SessionAction.JOB_ENDED, job=JobStatus.SUCCEEDED)
    assert session.status is SessionStatus.EXECUTING
    session, _ = _after(session, SessionAction.JOB_ENDED, job=JobStatus.SUCCEEDED)
    assert session.status is SessionStatus.SUCCEEDED


def test_closing_twice_is_closing_once() -> None:
    closed, _ = _after(_with_jobs(1), SessionAction.CLOSE)
    assert _after(closed, SessionAction.CLOSE) == (closed, ())
    ended, _ = _after(_session(), SessionAction.CLOSE)
    assert ended.status is SessionStatus.SUCCEEDED
    assert _after(ended, SessionAction.CLOSE)[0] is ended
    assert _after(ended, SessionAction.CANCEL) == (ended, ())


def test_cancelling_cancels_what_is_queued_even_after_closing() -> None:
    for session in (_with_jobs(2), _after(_with_jobs(2), SessionAction.CLOSE)[0]):
        cancelled, consequences = _after(session, SessionAction.CANCEL)
        assert consequences == (Consequence.CANCEL_QUEUED,)
        assert not cancelled.accepting_jobs


def test_the_policy_abort_fails_the_session_with_its_first_failed_job() -> None:
    session, consequences = _after(_with_jobs(3), SessionAction.JOB_ENDED, job=JobStatus.FAILED)
    assert consequences == (Consequence.CANCEL_PENDING,)
    assert (session.status, session.pending, session.failed) == (SessionStatus.FAILED, 2, 1)
    session, consequences = _after(session, SessionAction.JOB_ENDED, job=JobStatus.CANCELLED)
    assert (session.status, session.pending, consequences) == (SessionStatus.FAILED, 1, ())


def test_the_policy_continue_fails_the_session_when_it_is_closed() -> None:
    session = _with_jobs(2, failure_policy=FailurePolicy.CONTINUE)
    session, consequences = _after(session, SessionAction.JOB_ENDED, job=JobStatus.FAILED)
    assert (session.status, consequences, session.accepting_jobs) == (SessionStatus.FAILURES, (), True)
    session, _ = _after(session, SessionAction.SUBMIT_JOB)
    session, _ = _after(session, SessionAction.CLOSE)
    for _ in range(2):
        session, _ = _after(session, SessionAction.JOB_ENDED, job=JobStatus.SUCCEEDED)
    assert (session.status, session.failed) == (SessionStatus.FAILED, 1)


def test_a_cancelled_job_is_no_failure() -> None:
    session, consequences = _after(_with_jobs(1), SessionAction.JOB_ENDED, job=JobStatus.CANCELLED)
    assert (session.status, session.failed, consequences) == (SessionStatus.EXECUTING, 0, ())


def test_the_idle_limit_waits_for_pending_jobs() -> None:
    session = _with_jobs(1)
    assert _after(session, SessionAction.CHECK_TIME, 1_200.0)[0] is session
    session, _ = _after(session, SessionAction.JOB_ENDED, 1_200.0, JobStatus.SUCCEEDED)
    session, consequences = _after(session, SessionAction.CHECK_TIME, 1_260.0)
    assert (session.status, consequences) == (SessionStatus.TIMED_OUT, ())
    assert session.end_reason == "no job came for 60 s (idle limit)"


def test_the_total_limit_fails_the_queued_and_lets_the_running_report() -> None:
    session, consequences = _after(_with_jobs(2), SessionAction.CHECK_TIME, 1_300.0)
    assert (session.status, consequences) == (SessionStatus.TIMED_OUT, (Consequence.FAIL_QUEUED,))
    assert session.end_reason == "its total limit of 300 s was reached"
    session, _ = _after(session, SessionAction.JOB_ENDED, job=JobStatus.FAILED)
    session, _ = _after(session, SessionAction.JOB_ENDED, job=JobStatus.SUCCEEDED)
    assert (session.status, session.pending, session.failed) == (SessionStatus.TIMED_OUT, 0, 1)


def test_an_end_that_nobody_waits_for_is_refused() -> None:
    drained, _ = _after(_with_jobs(1), SessionAction.JOB_ENDED, job=JobStatus.SUCCEEDED)
    for session in (_session(), drained, _after(drained, SessionAction.CLOSE)[0]):
        with pytest.raises(TransitionRefusedError):
            _after(session, SessionAction.JOB_ENDED, job=JobStatus.SUCCEEDED)


def test_a_hold_is_taken_lost_and_counted() -> None:
    session, _ = _after(_with_jobs(1), SessionAction.HOLD_TAKEN, 1_010.0)
    assert (session.holding_since, session.held_s) == (1_010.0, 0.0)
    assert _after(session, SessionAction.HOLD_TAKEN, 1_020.0)[0] is session
    lost, _ = _after(session, SessionAction.HOLD_LOST, 1_040.0)
    assert (lost.holding_since, lost.held_s, lost.status) == (None, 30.0, SessionStatus.EXECUTING)
    assert _after(lost, SessionAction.HOLD_LOST, 1_050.0)[0] is lost
    again, _ = _after(lost, SessionAction.HOLD_TAKEN, 1_100.0)
    ended, _ = _after(again, SessionAction.CHECK_TIME, 1_301.0)
    assert (ended.status, ended.holding_since, ended.held_s) == (SessionStatus.TIMED_OUT, None, 231.0)
