from __future__ import annotations

import dataclasses

import pytest

from antiphon.domain.batches import BatchItem, ItemEvent, ItemTrigger, advance_item
from antiphon.domain.jobs import PROVIDER, Job, JobEvent, JobStatus, JobTrigger, Stages, advance
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


def test_the_oldest_waiting_job_of_each_target(store: JobStore) -> None:
    running = claim(store, add_job(store))
    session = add_session(store)
    inside, outside = add_job(store, session_id=session.id), add_job(store)
    mps = add_job(store, target="sim.mps", workspace="other")
    add_job(store, target="sim.mps")
    targets = ["sim.auto", "sim.mps", "sim.stabilizer"]
    with store.read() as tx:
        assert tx.oldest_waiting(targets) == {"sim.auto": inside.created_at, "sim.mps": mps.created_at}
        assert tx.oldest_waiting([]) == {}
    claim(store, inside)
    with store.read() as tx:
        assert tx.oldest_waiting(["sim.auto"]) == {"sim.auto": outside.created_at}
    assert running.created_at < inside.created_at


def test_live_sessions_are_counted_by_target(store: JobStore) -> None:
    ended, _, _ = add_session(store), add_session(store, workspace="other"), add_session(store, target="sim.mps")
    with store.read() as tx:
        assert tx.live_sessions() == {"sim.auto": 2, "sim.mps": 1}
    event = SessionEvent(action=SessionAction.CANCEL, at=T0 + 9, who="ada", why="enough")
    with store.write() as tx:
        tx.save_session(ended, advance_session(ended, event)[0], event)
    with store.read() as tx:
        assert tx.live_sessions() == {"sim.auto": 1, "sim.mps": 1}


def test_the_place_in_the_queue_counts_what_would_run_before(store: JobStore) -> None:
    session = add_session(store)
    first, second = add_job(store), add_job(store)
    add_job(store, target="sim.mps")
    inside = [add_job(store, session_id=session.id) for _ in range(2)]
    with store.read() as tx:
        assert [tx.jobs_before(job, 100) for job in (*inside, first, second)] == [0, 1, 2, 3]
        assert tx.jobs_before(second, 1) == 1
        assert tx.jobs_before(second, 3) == 3


def test_the_newest_success_of_the_same_work_is_found(store: JobStore) -> None:
    first, second = add_job(store, work_digest="w"), add_job(store, work_digest="w")
    for job in (first, second):
        claimed = claim(store, job)
        with store.write() as tx:
            tx.save_job(claimed, advance(claimed, success(claimed)), success(claimed))
    add_job(store, work_digest="w")
    add_job(store, work_digest="w", workspace="other")
    with store.read() as tx:
        found = tx.succeeded_work("default", "w")
        assert found is not None
        assert (found.id, found.work_digest, found.status) == (second.id, "w", JobStatus.SUCCEEDED)
        assert tx.succeeded_work("other", "w") is None
        assert tx.succeeded_work("default", "v") is None


def test_owned_and_pending_jobs(store: JobStore) -> None:
    session = add_session(store)
    waiting = add_job(store, session_id=session.id)
    mine = claim(store, add_job(store, session_id=session.id), "eng-1")
    theirs = claim(store, add_job(store), "eng-2")
    ended = claim(store, add_job(store, session_id=session.id), "eng-1")
    event = success(ended)
    with store.write() as tx:
        tx.save_job(ended, advance(ended, event), event)
    for transaction in (store.read, store.write):
        with transaction() as tx:
            assert tx.owned_jobs("eng-1") == [mine]
            assert tx.owned_jobs("eng-2") == [theirs]
            assert tx.pending_jobs(session.id) == [waiting, mine]
            assert tx.pending_jobs("ses-unknown") == []


def test_jobs_are_found_by_what_they_are(store: JobStore) -> None:
    session = add_session(store)
    first = add_job(store, name="a")
    second = add_job(store, target="sim.mps", session_id=session.id)
    third = claim(store, add_job(store, name="a"))
    add_job(store, workspace="other")
    cases = [
        (JobQuery("default"), [third, second, first]),
        (JobQuery("default", oldest_first=True), [first, second, third]),
        (JobQuery("default", limit=1), [third]),
        (JobQuery("default", status=JobStatus.WAITING), [second, first]),
        (JobQuery("default", status=JobStatus.EXECUTING), [third]),
        (JobQuery("default", target="sim.mps"), [second]),
        (JobQuery("default", status=JobStatus.WAITING, target="sim.auto"), [first]),
        (JobQuery("default", session_id=session.id), [second]),
        (JobQuery("default", name="a"), [third, first]),
        (JobQuery("default", id_prefix=second.id), [second]),
        (JobQuery("default", id_prefix="job-"), [third, second, first]),
        (JobQuery("default", id_prefix="job-%"), []),
        (JobQuery("default", created_after=first.created_at), [third, second]),
        (JobQuery("default", created_before=third.created_at), [second, first]),
        (JobQuery("default", name="a'; DROP TABLE jobs; --"), []),
    ]
    with store.read() as tx:
        for query, expected in cases:
            assert tx.find_jobs(query) == expected, query


@pytest.mark.parametrize("oldest_first", [False, True])
def test_pages_follow_each_other_even_where_times_are_equal(store: JobStore, oldest_first: bool) -> None:
    jobs = [add_job(store, created_at=T0 + index // 3) for index in range(10)]
    seen: list[Job] = []
    with store.read() as tx:
        while True:
            before = (seen[-1].created_at, seen[-1].id) if seen else None
            page = tx.find_jobs(JobQuery("default", limit=4, before=before, oldest_first=oldest_first))
            if not page:
                break
            seen += page
    assert seen == (jobs if oldest_first else jobs[::-1])


def test_sessions_are_found_newest_first(store: JobStore) -> None:
    first, second = add_session(store), add_session(store, target="sim.mps")
    add_session(store, workspace="other")
    with store.read() as tx:
        assert tx.find_sessions(SessionQuery("default")) == [second, first]
        assert tx.find_sessions(SessionQuery("default", limit=1)) == [second]
        assert tx.find_sessions(SessionQuery("default", target="sim.auto")) == [first]
        assert tx.find_sessions(SessionQuery("default", status=SessionStatus.WAITING)) == [second, first]
        assert tx.find_sessions(SessionQuery("default", status=SessionStatus.FAILED)) == []
        assert tx.find_sessions(SessionQuery("default", id_prefix=first.id)) == [first]


def test_sessions_come_in_pages(store: JobStore) -> None:
    sessions = [add_session(store, created_at=T0 + index // 3) for index in range(7)][::-1]
    with store.read() as tx:
        seen = tx.find_sessions(SessionQuery("default", limit=3))
        while page := tx.find_sessions(
            SessionQuery("default", target="sim.auto", limit=3, before=(seen[-1].created_at, seen[-1].id))
        ):
            seen += page
    assert seen == sessions


def test_sessions_are_due_when_their_time_has_come(store: JobStore) -> None:
    late = add_session(store, created_at=T0, idle_limit_s=20.0)
    early = add_session(store, created_at=T0, idle_limit_s=10.0, workspace="other")
    with store.read() as tx:
        assert tx.due_sessions(T0 + 9.9) == []
        assert tx.due_sessions(T0 + 10) == [early]
        assert tx.due_sessions(T0 + 99) == [early, late]
    close = SessionEvent(action=SessionAction.CLOSE, at=T0 + 5, who="ada")
    with store.write() as tx:
        tx.save_session(early, advance_session(early, close)[0], close)
    with store.read() as tx:
        assert tx.due_sessions(T0 + 99) == [late]


def test_what_a_provider_has_and_has_not_started_is_told_as_waiting(store: JobStore) -> None:
    jobs = [add_job(store, created_at=T0 + number, executor=PROVIDER) for number in range(4)]
    here = add_job(store, created_at=T0 + 2.5)
    started = claim(store, jobs[0])
    for job in jobs[1:3]:
        claim(store, job)
    event = JobEvent(trigger=JobTrigger.STARTED, at=T0 + 9, who="eng-1")
    with store.write() as tx:
        tx.save_job(started, advance(started, event), event)
    with store.read() as tx:
        assert tx.count_jobs("default")[JobStatus.WAITING] == 4
        assert tx.count_jobs(target="sim.auto")[JobStatus.EXECUTING] == 1
        assert tx.queue_depths() == {"sim.auto": (4, 1)}
        assert [line.status for line in tx.events(started.id)] == ["Waiting", "Waiting", "Executing"]
        newest_first = [jobs[3].id, here.id, jobs[2].id, jobs[1].id]
        for oldest_first in (False, True):
            expected = newest_first[::-1] if oldest_first else newest_first
            query = JobQuery("default", status=JobStatus.WAITING, oldest_first=oldest_first, limit=3)
            page = tx.find_jobs(query)
            assert [job.id for job in page] == expected[:3]
            rest = tx.find_jobs(dataclasses.replace(query, before=(page[-1].created_at, page[-1].id)))
            assert [job.id for job in rest] == expected[3:]
        executing = JobQuery("default", status=JobStatus.EXECUTING, target="sim.auto")
        assert [job.id for job in tx.find_jobs(executing)] == [started.id]
        assert len(tx.find_jobs(dataclasses.replace(executing, status=JobStatus.WAITING))) == 4


def test_counts_of_each_status(store: JobStore) -> None:
    add_job(store)
    add_job(store, target="sim.mps")
    add_job(store, workspace="other")
    claim(store, add_job(store))
    nothing = dict.fromkeys(JobStatus, 0)
    with store.read() as tx:
        assert tx.count_jobs() == {**nothing, JobStatus.WAITING: 3, JobStatus.EXECUTING: 1}
        assert tx.count_jobs("default") == {**nothing, JobStatus.WAITING: 2, JobStatus.EXECUTING: 1}
        assert tx.count_jobs("default", target="sim.mps") == {**nothing, JobStatus.WAITING: 1}
        assert tx.count_jobs(target="sim.auto") == {**nothing, JobStatus.WAITING: 2, JobStatus.EXECUTING: 1}


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


def test_counts_follow_every_change_of_a_job(store: JobStore) -> None:
    def counted(**where: str) -> dict[str, int]:
        with store.read() as tx:
            counts = tx.count_jobs("default", **where)
            assert tx.count_jobs() == counts
            return {status.value: number for status, number in counts.items() if number}

    waiting, claimed, ended = (add_job(store) for _ in range(3))
    assert counted() == {"Waiting": 3}
    claimed, ended = claim(store, claimed), claim(store, ended)
    assert counted(target="sim.auto") == {"Waiting": 1, "Executing": 2}
    for job, event in (
        (ended, success(ended)),
        (claimed, JobEvent(trigger=JobTrigger.LEASE_LOST, at=T0, who="eng-2")),
        (waiting, JobEvent(trigger=JobTrigger.CANCEL_REQUESTED, at=T0, who="ada")),
    ):
        with store.write() as tx:
            tx.save_job(job, advance(job, event), event)
    assert counted() == {"Waiting": 1, "Succeeded": 1, "Cancelled": 1}
    with store.read() as tx:
        assert tx.queue_depths() == {"sim.auto": (1, 0)}
    with pytest.raises(RuntimeError), store.write() as tx:
        job = make_job()
        tx.add_job(job, submitted(job))
        raise RuntimeError
    assert counted() == {"Waiting": 1, "Succeeded": 1, "Cancelled": 1}
