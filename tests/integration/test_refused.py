"""Jobs that are Failed from their first moment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon import Workspace
from antiphon.composition import build_engine
from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.sessions import Session, SessionStatus
from antiphon.domain.work import JobKind
from antiphon.engine.context import EngineContext
from antiphon.engine.job_record import record_of
from antiphon.engine.refused import RefusedRequest, submit_refused
from antiphon.engine.requests import OpenSessionRequest, PubRequest, SubmitRequest
from antiphon.engine.results import outcomes_of
from antiphon.engine.sessions import close_session, open_new_session
from antiphon.engine.submit import submit
from antiphon.errors import ConflictError, JobFailedError, LimitError, NotFoundError, ProgramError, SessionEndedError
from antiphon.frontends.recognise import to_program
from command_line import antiphon
from programs import BELL, ENDLESS

WHY = ProgramError("The QIR module is not valid.", code="qir-invalid", cause="line 1", next_step="Compile it again.")
GARBAGE = b"\x00\xffno program at all"
REFUSED = RefusedRequest(
    workspace="default",
    who="me",
    target="sim.auto",
    source=GARBAGE,
    format="qir.v1",
    error=WHY,
    name="garbage",
    shots=100,
    metadata={"color": "red"},
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def ctx(home: Path) -> Iterator[EngineContext]:
    engine = build_engine(home, workers=1)
    yield engine.ctx
    engine.close()


def open_session(ctx: EngineContext, policy: str) -> Session:
    asked = OpenSessionRequest(workspace="default", who="me", target="sim.auto", failure_policy=policy)
    return open_new_session(ctx, asked)


def start(ctx: EngineContext, session: Session, program: str = ENDLESS) -> Job:
    pub = PubRequest(to_program(program), shots=1)
    return submit(
        ctx,
        SubmitRequest(
            workspace="default",
            who="me",
            kind=JobKind.SAMPLE,
            target="sim.auto",
            pubs=(pub,),
            session_id=session.id,
            execution="process",
        ),
    ).job


def stands(ctx: EngineContext, session: Session) -> Session:
    with ctx.store.read() as tx:
        found = tx.session(session.id)
    assert found is not None
    return found


def ends(ctx: EngineContext, job: Job) -> Job:
    deadline = time.monotonic() + 20
    while True:
        with ctx.store.read() as tx:
            found = tx.job(job.id)
        assert found is not None
        if found.status.is_final:
            return found
        assert time.monotonic() < deadline, "it did not end within 20 s"
        time.sleep(0.01)


def test_it_is_failed_from_the_start_and_says_why(ctx: EngineContext) -> None:
    job = submit_refused(ctx, REFUSED)
    assert job.status is JobStatus.FAILED
    assert job.ended_at == job.created_at
    assert job.attempts == 0
    assert job.error == WHY.to_dict()
    with pytest.raises(JobFailedError, match="The QIR module is not valid") as caught:
        outcomes_of(ctx, job)
    assert caught.value.code == "qir-invalid"


def test_its_record_has_the_log_and_what_was_sent(ctx: EngineContext) -> None:
    job = submit_refused(ctx, REFUSED)
    record = record_of(ctx, job)
    assert [event["event"] for event in record["events"]] == ["submitted", "failed"]
    assert record["error"]["message"] == "The QIR module is not valid."
    assert (record["name"], record["shots"], record["metadata"]) == ("garbage", 100, {"color": "red"})
    [program] = record["programs"].values()
    assert (program["format"], bytes.fromhex(program["source"])) == ("qir.v1", GARBAGE)
    assert record["result"] is None


def test_people_see_it(ctx: EngineContext, home: Path) -> None:
    job = submit_refused(ctx, REFUSED)
    with Workspace(home, workers=0) as workspace:
        seen = workspace.job(job.id)
        assert (str(seen.status), seen.name) == ("Failed", "garbage")
        with pytest.raises(JobFailedError):
            seen.result()
        with pytest.raises(JobFailedError):
            seen.replay()
    shown = antiphon(home, "jobs", "show", job.id)
    assert shown.code == 0, shown.err
    assert "The QIR module is not valid." in shown.out


def test_a_large_source_is_kept_too(ctx: EngineContext) -> None:
    large = b"\xfe" * (ctx.settings.small_bytes + 1)
    record = record_of(ctx, submit_refused(ctx, replace(REFUSED, source=large)))
    [program] = record["programs"].values()
    assert bytes.fromhex(program["source"]) == large


def test_a_good_program_of_the_same_bytes_is_another_one(ctx: EngineContext) -> None:
    refused = submit_refused(ctx, replace(REFUSED, source=BELL.encode()))
    good = start(ctx, open_session(ctx, "abort"), BELL)
    assert refused.spec.pubs[0].program != good.spec.pubs[0].program
    assert ends(ctx, good).status is JobStatus.SUCCEEDED


def test_a_key_names_one_job(ctx: EngineContext) -> None:
    keyed = replace(REFUSED, key="azure:1")
    job = submit_refused(ctx, keyed)
    assert submit_refused(ctx, keyed).id == job.id
    with pytest.raises(ConflictError):
        submit_refused(ctx, replace(keyed, source=b"something else"))
    assert submit_refused(ctx, replace(keyed, workspace="other")).id != job.id


def test_abort_ends_the_session_and_its_other_jobs(ctx: EngineContext) -> None:
    session = open_session(ctx, "abort")
    running, waiting = start(ctx, session), start(ctx, session)
    submit_refused(ctx, replace(REFUSED, session_id=session.id))
    after = stands(ctx, session)
    assert after.status is SessionStatus.FAILED
    assert (after.jobs, after.failed, after.accepting_jobs) == (3, 1, False)
    for job in (running, waiting):
        ended = ends(ctx, job)
        assert ended.status is JobStatus.CANCELLED
        assert ended.error is None or ended.error["code"] in {"session-ended", "task-cancelled"}
    with pytest.raises(SessionEndedError):
        submit_refused(ctx, replace(REFUSED, session_id=session.id))


def test_continue_goes_on_and_fails_when_it_is_closed(ctx: EngineContext) -> None:
    session = open_session(ctx, "continue")
    submit_refused(ctx, replace(REFUSED, session_id=session.id))
    assert stands(ctx, session).status is SessionStatus.FAILURES
    good = start(ctx, session, BELL)
    assert ends(ctx, good).status is JobStatus.SUCCEEDED
    assert stands(ctx, session).status is SessionStatus.FAILURES
    assert close_session(ctx, "default", session.id, who="me").status is SessionStatus.FAILED


def test_the_only_job_of_an_aborting_session(ctx: EngineContext) -> None:
    session = open_session(ctx, "abort")
    submit_refused(ctx, replace(REFUSED, session_id=session.id))
    after = stands(ctx, session)
    assert (after.status, after.pending) == (SessionStatus.FAILED, 0)


def test_nothing_is_stored_where_a_job_could_not_be(ctx: EngineContext) -> None:
    session = open_session(ctx, "abort")
    for request, kind in (
        (replace(REFUSED, target="sim.none"), NotFoundError),
        (replace(REFUSED, session_id="ses_none"), NotFoundError),
        (replace(REFUSED, session_id=session.id, workspace="other"), NotFoundError),
        (replace(REFUSED, session_id=session.id, target="sim.mps"), SessionEndedError),
        (replace(REFUSED, name="\0"), LimitError),
        (replace(REFUSED, key="k" * 251), LimitError),
        (replace(REFUSED, metadata={"k": "\0"}), LimitError),
    ):
        with pytest.raises(kind):
            submit_refused(ctx, request)
    with ctx.store.read() as tx:
        assert sum(tx.count_jobs().values()) == 0
    assert stands(ctx, session) == session
