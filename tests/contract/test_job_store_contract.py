from __future__ import annotations

import dataclasses

import pytest

from antiphon.domain.batches import BatchItem, ItemEvent, ItemTrigger, advance_item
from antiphon.domain.jobs import Job, JobEvent, JobStatus, JobTrigger, Stages, advance
from antiphon.domain.sessions import FailurePolicy, SessionAction, SessionEvent, SessionStatus, advance_session
from antiphon.errors import StoreError
from antiphon.ports.job_store import (
    Artefact,
    EngineLease,
    JobQuery,
    JobStore,
    KeyTakenError,
    ResultExistsError,
    SessionQuery,
    StoredResult,
    VersionConflictError,
)
from stored_facts import T0, add_job, add_session, claim, make_job, make_session, opened, submitted, success


def _every_field_set(job: Job) -> Job:
    return dataclasses.replace(
        job,
        key="k",
        request_digest="d",
        work_digest="w",
        status=JobStatus.FAILED,
        version=9,
        fence=3,
        owner="eng-1",
        executor="inline",
        queued_at=T0 + 0.125,
        started_at=T0 + 1.1,
        ended_at=T0 + 2.2,
        cancel_requested_at=T0 + 1.9,
        stages=Stages(0.1, 0.2, None, 0.4),
        error={"code": "x", "details": {"n": 1}},
        provenance={"plan": {"engine": ["a"]}},
        cost=({"item": "seconds", "amount": 1.5}, {"item": "shots", "amount": 10}),
    )


def test_a_job_comes_back_as_it_was_stored(store: JobStore) -> None:
    plain, full = make_job(), _every_field_set(make_job(session_id=add_session(store).id))
    with store.write() as tx:
        tx.add_job(plain, submitted(plain))
        tx.add_job(full, submitted(full))
    with store.read() as tx:
        assert tx.job(plain.id) == plain
        assert tx.job(full.id) == full
        assert tx.job("job-unknown") is None


def test_a_session_comes_back_as_it_was_stored(store: JobStore) -> None:
    plain = make_session()
    full = make_session(
        key="k",
        failure_policy=FailurePolicy.CONTINUE,
        idle_limit_s=1.5,
        total_limit_s=2.5,
        status=SessionStatus.FAILURES,
        version=4,
        accepting_jobs=False,
        jobs=5,
        pending=2,
        failed=1,
        first_job_at=T0,
        last_activity_at=T0 + 1,
        ended_at=T0 + 2,
        end_reason="why",
    )
    with store.write() as tx:
        tx.add_session(plain, opened(plain))
        tx.add_session(full, opened(full))
    with store.read() as tx:
        assert tx.session(plain.id) == plain
        assert tx.session(full.id) == full
        assert tx.session("ses-unknown") is None


def test_other_workspaces_see_nothing(store: JobStore) -> None:
    job, session = add_job(store, key="k"), add_session(store, key="k")
    with store.read() as tx:
        assert tx.job(job.id, workspace="other") is None
        assert tx.job(job.id, workspace="default") == job
        assert tx.session(session.id, workspace="other") is None
        assert tx.session(session.id, workspace="default") == session
        assert tx.job_by_key("other", "k") is None
        assert tx.session_by_key("other", "k") is None
        assert tx.find_jobs(JobQuery("other")) == []
        assert tx.find_sessions(SessionQuery("other")) == []
        assert sum(tx.count_jobs("other").values()) == 0


def test_a_transaction_is_stored_whole_or_not_at_all(store: JobStore) -> None:
    job, session = make_job(), make_session()
    with pytest.raises(RuntimeError, match="in the middle"), store.write() as tx:
        tx.add_session(session, opened(session))
        tx.add_job(job, submitted(job))
        tx.add_artefact(Artefact("sha256:x", "program", b"x"))
        assert tx.job(job.id) == job
        raise RuntimeError("in the middle")
    with store.read() as tx:
        assert tx.job(job.id) is None
        assert tx.session(session.id) is None
        assert tx.artefact("sha256:x") is None
        assert tx.events(job.id) == []


def test_saving_a_job_appends_to_its_log(store: JobStore) -> None:
    job = claim(store, add_job(store))
    event = success(job)
    after = advance(job, event)
    with store.write() as tx:
        tx.save_job(job, after, event)
        assert tx.job(job.id) == after
    with store.read() as tx:
        assert tx.job(job.id) == after
        log = tx.events(job.id)
    assert [(line.version, line.event, line.status, line.who) for line in log] == [
        (1, "submitted", "Waiting", "ada"),
        (2, "claimed", "Executing", "eng-1"),
        (3, "succeeded", "Succeeded", "eng-1"),
    ]
    assert [line.seq for line in log] == sorted({line.seq for line in log})
    assert log[-1].at == event.at
    assert log[-1].why == "the target answered"
    assert {line.subject for line in log} == {job.id}


def test_a_job_changed_by_somebody_else_is_not_overwritten(store: JobStore) -> None:
    job = add_job(store)
    claimed = claim(store, job, "eng-1")
    with pytest.raises(VersionConflictError):
        claim(store, job, "eng-2")
    with store.read() as tx:
        assert tx.job(job.id) == claimed
        assert len(tx.events(job.id)) == 2


def test_a_session_changed_by_somebody_else_is_not_overwritten(store: JobStore) -> None:
    session = add_session(store)
    event = SessionEvent(action=SessionAction.SUBMIT_JOB, at=T0 + 9, who="ada", why="job-1")
    after, _ = advance_session(session, event)
    with store.write() as tx:
        tx.save_session(session, after, event)
    with pytest.raises(VersionConflictError), store.write() as tx:
        tx.save_session(session, after, event)
    with store.read() as tx:
        assert tx.session(session.id) == after
        assert [(line.event, line.status) for line in tx.events(session.id)] == [
            ("opened", "Waiting"),
            ("submit job", "Executing"),
        ]


def test_a_key_names_one_job_of_its_workspace(store: JobStore) -> None:
    first = add_job(store, key="once")
    add_job(store, key="once", workspace="other")
    again = make_job(key="once")
    with pytest.raises(KeyTakenError) as caught, store.write() as tx:
        tx.add_job(again, submitted(again))
    assert caught.value.details == {"id": first.id}
    with store.read() as tx:
        assert tx.job_by_key("default", "once") == first
        assert tx.job_by_key("default", "never") is None
        assert tx.job(again.id) is None
        assert tx.events(again.id) == []


def test_a_key_that_is_taken_does_not_spoil_the_transaction(store: JobStore) -> None:
    add_job(store, key="once")
    again, other = make_job(key="once"), make_job()
    with store.write() as tx:
        with pytest.raises(KeyTakenError):
            tx.add_job(again, submitted(again))
        tx.add_job(other, submitted(other))
    with store.read() as tx:
        assert tx.job(other.id) == other


def test_a_key_of_a_session_may_be_used_again_once_that_has_ended(store: JobStore) -> None:
    first = add_session(store, key="vqe")
    again = make_session(key="vqe")
    with pytest.raises(KeyTakenError) as caught, store.write() as tx:
        tx.add_session(again, opened(again))
    assert caught.value.details == {"id": first.id}
    close = SessionEvent(action=SessionAction.CLOSE, at=T0 + 5, who="ada")
    ended, _ = advance_session(first, close)
    with store.write() as tx:
        tx.save_session(first, ended, close)
        tx.add_session(again, opened(again))
    with store.read() as tx:
        assert tx.session_by_key("default", "vqe") == again
        assert tx.session_by_key("default", "other") is None


def test_a_job_has_at_most_one_result(store: JobStore) -> None:
    job = add_job(store)
    first = StoredResult(job.id, 1, '{"é":1}', None)
    with store.write() as tx:
        tx.add_result(first)
        with pytest.raises(ResultExistsError):
            tx.add_result(StoredResult(job.id, 2, None, "sha256:y"))
    with pytest.raises(ResultExistsError), store.write() as tx:
        tx.add_result(StoredResult(job.id, 2, None, "sha256:y"))
    with store.read() as tx:
        assert tx.result(job.id) == first
        assert tx.result("job-unknown") is None


def test_artefacts_are_kept_once(store: JobStore) -> None:
    small = Artefact("sha256:s", "program", bytes(range(256)), None, {"num_qubits": 2, "names": ["a"]})
    large = Artefact("sha256:l", "result", None, "sha256:l", None)
    with store.write() as tx:
        tx.add_artefact(small)
        tx.add_artefact(large)
        tx.add_artefact(dataclasses.replace(small, kind="other"))
    with store.read() as tx:
        assert tx.artefact("sha256:s") == small
        assert tx.artefact("sha256:l") == large
        assert tx.artefact("sha256:u") is None


def test_items_have_lives_of_their_own(store: JobStore) -> None:
    job = add_job(store)
    with store.write() as tx:
        tx.add_items(job.id, 3)
    with store.write() as tx:
        items = tx.items(job.id)
        assert items == [BatchItem(0), BatchItem(1), BatchItem(2)]
        started = advance_item(items[1], ItemEvent(trigger=ItemTrigger.STARTED, at=T0))
        tx.save_item(job.id, items[1], started)
        done = ItemEvent(trigger=ItemTrigger.SUCCEEDED, at=T0 + 1, outcome={"counts": {"0": 1}}, provenance={"e": [1]})
        ended = advance_item(started, done)
        tx.save_item(job.id, started, ended)
        with pytest.raises(VersionConflictError):
            tx.save_item(job.id, started, ended)
    with store.read() as tx:
        assert tx.items(job.id) == [BatchItem(0), ended, BatchItem(2)]
        assert tx.items("job-unknown") == []


def test_engines_come_beat_and_go(store: JobStore) -> None:
    lease = EngineLease("eng-1", "host/1", 123, T0 + 0.5, T0 + 1, T0 + 2)
    beaten = dataclasses.replace(lease, heartbeat_at=T0 + 7)
    other = dataclasses.replace(lease, id="eng-2")
    with store.write() as tx:
        tx.save_engine(lease)
        tx.save_engine(other)
        tx.save_engine(beaten)
    with store.read() as tx:
        assert tx.engines() == [beaten, other]
    with store.write() as tx:
        tx.remove_engine("eng-1")
        tx.remove_engine("eng-unknown")
    with store.read() as tx:
        assert tx.engines() == [other]


def test_a_read_sees_one_moment(store: JobStore) -> None:
    first = add_job(store)
    with store.read() as tx:
        assert tx.find_jobs(JobQuery("default")) == [first]
        claim(store, first)
        add_job(store)
        assert tx.job(first.id) == first
        assert tx.find_jobs(JobQuery("default")) == [first]
    with store.read() as tx:
        assert len(tx.find_jobs(JobQuery("default"))) == 2


def test_a_read_transaction_changes_nothing(store: JobStore) -> None:
    job = make_job()
    with pytest.raises(StoreError) as caught, store.read() as tx:
        tx.add_job(job, submitted(job))
    assert caught.value.code == "store-read-only"


def test_a_job_of_a_session_that_does_not_exist_is_refused(store: JobStore) -> None:
    job = make_job(session_id="ses-nowhere")
    with pytest.raises(StoreError), store.write() as tx:
        tx.add_job(job, submitted(job))
    with store.read() as tx:
        assert tx.job(job.id) is None


def test_the_url_tells_no_password_and_a_closed_store_says_so(store: JobStore, store_url: str) -> None:
    assert store.url.startswith(store_url.split(":", maxsplit=1)[0])
    store.close()
    with pytest.raises(StoreError) as caught, store.read():
        pass
    assert caught.value.code == "store-closed"


def test_cancelling_twice_is_one_change(store: JobStore) -> None:
    job = add_job(store)
    event = JobEvent(trigger=JobTrigger.CANCEL_REQUESTED, at=T0, who="ada")
    after = advance(job, event)
    with store.write() as tx:
        tx.save_job(job, after, event)
        with pytest.raises(VersionConflictError):
            tx.save_job(job, after, event)
    with store.read() as tx:
        assert [line.event for line in tx.events(job.id)] == ["submitted", "cancel requested"]


def test_text_that_cannot_be_stored_is_an_error_of_the_store(store: JobStore) -> None:
    job = make_job(name="half a pair: \ud800")
    with pytest.raises(StoreError), store.write() as tx:
        tx.add_job(job, submitted(job))
    add_job(store)
