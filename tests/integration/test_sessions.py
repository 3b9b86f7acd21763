from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from antiphon import JobStatus, SessionStatus, Workspace
from antiphon.adapters.clocks import ManualClock
from antiphon.errors import ConflictError, LimitError, SessionEndedError
from programs import BELL, ENDLESS


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def timed(tmp_path: Path, clock: ManualClock) -> Iterator[Workspace]:
    with Workspace(tmp_path / "timed", clock=clock, workers=1) as workspace:
        yield workspace


def eventually(check: Callable[[], bool], clock: ManualClock | None = None) -> None:
    """The engine's thread acts within a moment of real time.

    A manual clock must go on ticking for it to look: an engine that began to wait just after an advance waits for good.
    """
    deadline = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline, "it did not come about within 20 s"
        if clock is not None:
            clock.advance(0.3)
        time.sleep(0.005)


def test_every_submit_inside_is_in_the_session(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    with target.open_session(name="vqe") as session:
        assert str(session.status) == "Waiting"
        first = target.submit(BELL, name="one")
        assert str(session.status) == "Executing"
        second = target.submit(BELL, name="two")
    outside = target.submit(BELL)
    assert [job.name for job in session.jobs()] == ["one", "two"]
    assert first.session_id == second.session_id == session.id
    assert outside.session_id is None
    assert str(session.status) == "Succeeded"
    assert ws.session(session.id).name == "vqe"


def test_a_session_without_jobs_succeeds_on_close(ws: Workspace) -> None:
    session = ws.target("sim.auto").open_session()
    assert session.close().status is SessionStatus.SUCCEEDED


def test_submit_to_an_ended_session_is_refused_with_the_reason(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    session = target.open_session()
    ws.session(session.id).close()
    with pytest.raises(SessionEndedError, match="it was closed"):
        target.submit(BELL)
    assert ws.jobs() == []


def test_abort_fails_the_session_and_cancels_the_rest(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    session = target.open_session()
    failing = target.submit(ENDLESS, max_seconds=1.0)
    queued = [target.submit(BELL, execution="process") for _ in range(3)]
    failing.wait(60)
    assert failing.status is JobStatus.FAILED
    assert [job.wait(60).status for job in queued] == [JobStatus.CANCELLED] * 3
    assert session.status is SessionStatus.FAILED
    with pytest.raises(SessionEndedError, match="policy is abort"):
        target.submit(BELL)


def test_continue_goes_on_and_fails_at_close(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    with target.open_session(failure_policy="continue") as session:
        target.submit(ENDLESS, max_seconds=0.7).wait(60)
        assert str(session.status) == "Failure(s)"
        target.submit(BELL).result(60)
        assert str(session.status) == "Failure(s)"
    assert str(session.status) == "Failed"


def test_close_lets_the_queued_finish_and_cancel_does_not(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    session = target.open_session()
    running = target.submit(ENDLESS, max_seconds=3)
    queued = target.submit(BELL, execution="process")
    eventually(lambda: running.status is JobStatus.EXECUTING)
    session.cancel()
    assert queued.wait(60).status is JobStatus.CANCELLED
    assert running.status is JobStatus.EXECUTING
    running.cancel().wait(60)
    eventually(lambda: session.status.is_final)

    closing = target.open_session()
    slow = target.submit(ENDLESS, max_seconds=1.0)
    last = target.submit(BELL, execution="process")
    closing.close()
    assert closing.status is SessionStatus.EXECUTING
    assert not closing.accepting_jobs
    slow.wait(60)
    assert last.wait(60).status is JobStatus.CANCELLED  # policy abort: the endless one failed


def test_the_idle_limit_is_kept_by_the_engine(timed: Workspace, clock: ManualClock) -> None:
    target = timed.target("sim.auto")
    session = target.open_session()
    target.submit(BELL)
    clock.advance(599)
    time.sleep(0.05)
    assert session.status is SessionStatus.EXECUTING
    target.submit(BELL)
    clock.advance(599)
    time.sleep(0.05)
    assert session.status is SessionStatus.EXECUTING
    clock.advance(2)
    eventually(lambda: session.status is SessionStatus.TIMED_OUT, clock)
    with pytest.raises(SessionEndedError, match="idle limit"):
        target.submit(BELL)


def test_a_session_never_used_times_out(timed: Workspace, clock: ManualClock) -> None:
    session = timed.target("sim.auto").open_session(idle_limit=30)
    clock.advance(31)
    eventually(lambda: session.status is SessionStatus.TIMED_OUT, clock)


def test_the_total_limit_fails_the_queued_and_lets_the_running_finish(timed: Workspace, clock: ManualClock) -> None:
    target = timed.target("sim.auto")
    session = target.open_session(total_limit=3600, idle_limit=7200)
    running = target.submit(ENDLESS)
    queued = target.submit(BELL, execution="process")
    eventually(lambda: running.status is JobStatus.EXECUTING, clock)
    clock.advance(3601)
    eventually(lambda: session.status is SessionStatus.TIMED_OUT, clock)
    assert queued.status is JobStatus.FAILED
    assert "total limit" in str(queued.error)
    assert running.status is JobStatus.EXECUTING
    running.cancel()
    eventually(lambda: running.status is JobStatus.CANCELLED, clock)
    assert session.status is SessionStatus.TIMED_OUT


def test_limits_are_kept_although_the_client_is_gone(tmp_path: Path) -> None:
    clock = ManualClock()
    with Workspace(tmp_path, clock=clock, workers=1) as first:
        session_id = first.target("sim.auto").open_session(idle_limit=60).id
    clock.advance(61)
    with Workspace(tmp_path, clock=clock, workers=1) as second:
        eventually(lambda: second.session(session_id).status is SessionStatus.TIMED_OUT, clock)


@pytest.mark.embedded
def test_real_processes_close_the_same_session_at_once(open_workspace: Callable[..., Workspace]) -> None:
    ws = open_workspace()
    target = ws.target("sim.auto")
    session = target.open_session()
    target.submit(BELL)
    closing = (
        "import sys\nfrom antiphon import Workspace\nws = Workspace(sys.argv[1], workers=1)\n"
        "print('ready', flush=True)\nsys.stdin.readline()\n"
        "print(ws.session(sys.argv[2]).close().status.value)\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", closing, ws.location, session.id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[0] for process in processes] == ["Succeeded\n"] * 3
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(event["status"] == "Succeeded" for event in session.events) == 1


def test_two_workspaces_may_close_the_same_session(open_workspace: Callable[..., Workspace]) -> None:
    first, second = open_workspace(), open_workspace()
    session = first.target("sim.auto").open_session()
    again = second.session(session.id)
    assert session.close().status is SessionStatus.SUCCEEDED
    assert again.close().status is SessionStatus.SUCCEEDED


def test_a_key_takes_up_the_live_session_again(open_workspace: Callable[..., Workspace]) -> None:
    first, second = open_workspace(), open_workspace()
    session = first.target("sim.auto").open_session(key="run-1")
    assert second.target("sim.auto").open_session(key="run-1").id == session.id
    with pytest.raises(ConflictError):
        second.target("sim.statevector").open_session(key="run-1")
    session.close()
    assert second.target("sim.auto").open_session(key="run-1").id != session.id


def test_a_key_of_a_session_that_is_closing_says_what_is_missing(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    session = target.open_session(key="run-1")
    running = target.submit(ENDLESS)
    session.close()
    with pytest.raises(ConflictError, match="no more jobs") as caught:
        target.open_session(key="run-1")
    assert caught.value.details == {"id": session.id, "pending": 1}
    running.cancel().wait(60)
    assert target.open_session(key="run-1").id != session.id


@pytest.mark.parametrize("limits", [{"idle_limit": 0}, {"total_limit": -1}, {"idle_limit": float("nan")}])
def test_limits_must_be_positive(ws: Workspace, limits: dict[str, float]) -> None:
    with pytest.raises(LimitError):
        ws.target("sim.auto").open_session(**limits)  # type: ignore[arg-type]


def test_an_unknown_policy_is_refused(ws: Workspace) -> None:
    with pytest.raises(LimitError, match="continue"):
        ws.target("sim.auto").open_session(failure_policy="continu")


def test_an_exception_inside_closes_the_session_and_goes_on(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    with pytest.raises(RuntimeError), target.open_session() as session:
        raise RuntimeError("classical code broke")
    assert session.status is SessionStatus.SUCCEEDED
    assert target.session is None


def test_sessions_are_listed_by_status(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    target.open_session(name="open")
    target.open_session(name="shut").close()
    assert [session.name for session in ws.sessions(status="succeeded")] == ["shut"]
    assert [session.name for session in ws.sessions(status="waiting")] == ["open"]
    assert {session.name for session in ws.sessions()} == {"open", "shut"}
