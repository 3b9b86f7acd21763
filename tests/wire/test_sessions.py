"""The state machine of sessions, as measured of the service: one test a row."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError
from azure.quantum import JobStatus, Workspace
from azure.quantum.job.session import Session, SessionJobFailurePolicy, SessionStatus
from azure.quantum.target import Target

from server_under_test import Tenant
from wire_programs import BELL, ended, ionq, submit_bell, submit_garbage, target_of, unique

OVER = "Session is already in a terminal state. This may have been due to failures in prior jobs in the session."


def status(session: Session) -> str:
    session.refresh()
    return str(getattr(session.details.status, "value", session.details.status))


def refused_to_take(target: Target) -> None:
    with pytest.raises(HttpResponseError) as refused:
        submit_bell(target)
    assert refused.value.status_code == 400
    assert refused.value.error.code == "InvalidJobDefinition"
    assert refused.value.error.message == OVER


def test_a_new_session_waits_and_has_a_name(workspace: Workspace) -> None:
    session = ionq(workspace).open_session()
    assert session.details.status == SessionStatus.WAITING
    assert session.details.name == f"session-{session.id}"
    session.close()


def test_a_session_without_jobs_succeeds(workspace: Workspace) -> None:
    session = ionq(workspace).open_session(name=unique("empty"))
    session.close()
    assert status(session) == "Succeeded"
    assert session.is_in_terminal_state()
    session.close()  # once more: the client only looks
    assert workspace.get_session(session.id).details.status == SessionStatus.SUCCEEDED


def test_jobs_make_it_execute_and_a_close_succeed(workspace: Workspace) -> None:
    target = ionq(workspace)
    with target.open_session(name=unique("three"), tags=["t"]) as session:
        jobs = [submit_bell(target, f"Job {number}") for number in (1, 2, 3)]
        assert status(session) == "Executing"
        for job in jobs:
            ended(job)
        assert status(session) == "Executing"
    assert status(session) == "Succeeded"
    listed = session.list_jobs()
    assert [job.details.name for job in listed] == ["Job 1", "Job 2", "Job 3"]
    assert {job.details.session_id for job in listed} == {session.id}
    assert session.details.end_execution_time is not None
    refused_to_take(target)


def test_the_default_policy_aborts(workspace: Workspace) -> None:
    target = target_of(workspace, "sim.auto")
    session = target.open_session(name=unique("abort"))
    ended(submit_garbage(target))
    assert status(session) == "Failed"
    assert session.details.job_failure_policy == SessionJobFailurePolicy.ABORT
    assert session.details.end_execution_time is not None
    with pytest.raises(HttpResponseError) as refused:
        submit_garbage(target)
    assert refused.value.error.message == OVER


def test_abort_cancels_what_still_waits(held: Tenant) -> None:
    workspace = held.connect()
    target = target_of(workspace, "ionq.simulator")
    session = target.open_session(name=unique("abort"), job_failure_policy=SessionJobFailurePolicy.ABORT)
    waiting = submit_bell(target)
    failing = ended(submit_garbage(target))
    assert failing.details.status == JobStatus.FAILED
    assert ended(waiting).details.status == JobStatus.CANCELLED
    assert status(session) == "Failed"


def test_continue_goes_on_and_fails_at_the_close(workspace: Workspace) -> None:
    target = ionq(workspace)
    session = target.open_session(name=unique("continue"), job_failure_policy=SessionJobFailurePolicy.CONTINUE)
    ended(submit_garbage(target))
    assert status(session) == "Failure(s)"
    assert not session.is_in_terminal_state()
    assert ended(submit_bell(target)).details.status == JobStatus.SUCCEEDED
    assert status(session) == "Failure(s)"
    assert session.id in {each.id for each in workspace.list_sessions(status=[SessionStatus.FAILURE_S_])}
    session.close()
    assert status(session) == "Failed"
    refused_to_take(target)


def test_closed_with_jobs_pending_it_ends_when_they_do(held: Tenant) -> None:
    workspace = held.connect()
    target = ionq(workspace)
    session = target.open_session(name=unique("pending"))
    job = submit_bell(target)
    assert status(session) in {"Waiting", "Executing"}
    session.close()
    assert status(session) == "Executing"
    refused_to_take(target)
    workspace.cancel_job(job)
    assert status(session) == "Succeeded"


def test_cancelling_a_job_leaves_the_session_as_it_is(held: Tenant) -> None:
    workspace = held.connect()
    target = ionq(workspace)
    session = target.open_session(name=unique("cancel"))
    workspace.cancel_job(submit_bell(target))
    before = status(session)
    assert before in {"Waiting", "Executing"}
    assert submit_bell(target).details.session_id == session.id
    assert status(session) == "Executing"


def test_opening_another_closes_the_one_before(workspace: Workspace) -> None:
    target = ionq(workspace)
    first = target.open_session(name=unique("first"))
    second = target.open_session(name=unique("second"))
    assert status(first) == "Succeeded"
    assert status(second) == "Waiting"
    second.close()


def test_opening_the_same_session_twice_is_one_session(workspace: Workspace) -> None:
    target = ionq(workspace)
    session = target.open_session(name=unique("twice"))
    workspace.open_session(Session(workspace, details=session.details))
    assert [each.id for each in workspace.list_sessions() if each.id == session.id] == [session.id]
    session.close()


def test_a_session_that_does_not_exist(workspace: Workspace) -> None:
    target = ionq(workspace)
    target.latest_session = Session(workspace, name="never opened", target="ionq.simulator", provider_id="ionq")
    with pytest.raises(HttpResponseError) as refused:
        target.submit(BELL, name=unique("lost"), shots=1)
    assert refused.value.status_code in {400, 404}
    with pytest.raises(HttpResponseError) as unknown:
        workspace.get_session("no-such-session")
    assert unknown.value.status_code == 404
