"""What is asked of a store: lists, pages, places in queues and counts."""

from __future__ import annotations

import dataclasses

import pytest

from antiphon.domain.jobs import PROVIDER, Job, JobEvent, JobStatus, JobTrigger, advance
from antiphon.domain.sessions import SessionAction, SessionEvent, SessionStatus, advance_session
from antiphon.ports.job_store import (
    JobQuery,
    JobStore,
    SessionQuery,
)
from stored_facts import T0, add_job, add_session, claim, make_job, submitted, success


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
