"""What two holders of one store may do to each other: nothing that the port does not say."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from antiphon.adapters.store import open_store
from antiphon.domain.jobs import JobEvent, JobStatus, JobTrigger, advance
from antiphon.domain.sessions import SessionAction, SessionEvent, advance_session
from antiphon.ports.job_store import JobQuery, JobStore, KeyTakenError, VersionConflictError
from stored_facts import T0, add_job, add_session, claim, make_job, submitted

OpenAnother = Callable[[], JobStore]

# One writer process: argv is the URL and a name; each line of input is an order, each line of output its outcome.
_CLAIMER = """
import sys
from antiphon.adapters.store import open_store
from antiphon.domain.jobs import JobEvent, JobStatus, JobTrigger, advance
from antiphon.ports.job_store import JobQuery, VersionConflictError
store = open_store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
won = []
while True:
    with store.read() as tx:
        waiting = tx.find_jobs(JobQuery("default", status=JobStatus.WAITING, limit=5, oldest_first=True))
    if not waiting:
        break
    for job in waiting:
        event = JobEvent(trigger=JobTrigger.CLAIMED, at=1.0, who=sys.argv[2], owner=sys.argv[2])
        try:
            with store.write() as tx:
                tx.save_job(job, advance(job, event), event)
            won.append(job.id)
        except VersionConflictError:
            pass
print(" ".join(won), flush=True)
"""

_OPENER = """
import sys
from antiphon.adapters.store import open_store
print("ready", flush=True)
sys.stdin.readline()
store = open_store(sys.argv[1])
with store.read() as tx:
    print(sum(tx.count_jobs().values()), flush=True)
store.close()
"""

_ENDLESS_WRITER = """
import sys
from stored_facts import claim, make_job, make_session, opened, submitted, success
from antiphon.adapters.store import open_store
from antiphon.domain.jobs import advance
from antiphon.ports.job_store import Artefact, StoredResult
store = open_store(sys.argv[1])
print("ready", flush=True)
while True:
    job = make_job()
    with store.write() as tx:
        tx.add_artefact(Artefact("sha256:" + job.id, "program", b"x" * 3_000))
        tx.add_job(job, submitted(job))
        tx.add_items(job.id, 3)
    claimed = claim(store, job)
    event = success(claimed)
    with store.write() as tx:
        tx.save_job(claimed, advance(claimed, event), event)
        tx.add_result(StoredResult(job.id, 1, "[]", None))
"""


@contextmanager
def _processes(script: str, arguments: Sequence[Sequence[str]]) -> Iterator[list[subprocess.Popen[str]]]:
    support = f"import sys; sys.path[:0] = {[path for path in sys.path if path.endswith('support')]!r}\n"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", support + script, *given], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for given in arguments
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def _go(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate(timeout=60)[0].strip() for process in processes]


def test_of_many_threads_with_one_key_one_makes_the_job(open_another: OpenAnother) -> None:
    stores = [open_another(), open_another()]
    barrier = threading.Barrier(20)

    def submit(number: int) -> str:
        job = make_job(key="once")
        barrier.wait()
        try:
            with stores[number % 2].write() as tx:
                tx.add_job(job, submitted(job))
            return job.id
        except KeyTakenError as error:
            return str(error.details["id"])

    with ThreadPoolExecutor(20) as pool:
        ids = set(pool.map(submit, range(20)))
    assert len(ids) == 1
    with stores[0].read() as tx:
        assert [job.id for job in tx.find_jobs(JobQuery("default"))] == list(ids)
        assert len(tx.events(next(iter(ids)))) == 1


def test_a_claim_has_one_winner_among_threads(open_another: OpenAnother) -> None:
    stores = [open_another(), open_another()]
    jobs = [add_job(stores[0]) for _ in range(10)]
    barrier = threading.Barrier(8)

    def claim_all(number: int) -> list[str]:
        won = []
        barrier.wait()
        for job in jobs:
            try:
                claim(stores[number % 2], job, f"eng-{number}")
                won.append(job.id)
            except VersionConflictError:
                pass
        return won

    with ThreadPoolExecutor(8) as pool:
        won = [job_id for ids in pool.map(claim_all, range(8)) for job_id in ids]
    assert sorted(won) == [job.id for job in jobs]
    with stores[1].read() as tx:
        for job in jobs:
            stored = tx.job(job.id)
            assert stored is not None
            assert (stored.status, stored.version, stored.fence) == (JobStatus.EXECUTING, 2, 1)
            assert [line.who for line in tx.events(job.id)] == ["ada", stored.owner]


def test_a_claim_has_one_winner_among_processes(store: JobStore, store_url: str) -> None:
    ids = [add_job(store).id for _ in range(60)]
    with _processes(_CLAIMER, [(store_url, "eng-1"), (store_url, "eng-2")]) as claimers:
        won = " ".join(_go(claimers)).split()
    assert sorted(won) == ids
    with store.read() as tx:
        assert len(tx.owned_jobs("eng-1")) + len(tx.owned_jobs("eng-2")) == 60


def test_processes_may_open_a_new_place_at_once(new_store_url: str) -> None:
    with _processes(_OPENER, [(new_store_url,)] * 2) as openers:
        assert _go(openers) == ["0", "0"]


@pytest.mark.usefixtures("migrated")
def test_threads_may_open_a_new_place_at_once(new_store_url: str) -> None:
    barrier = threading.Barrier(6)

    def open_one(_: int) -> None:
        barrier.wait()
        store = open_store(new_store_url)
        add_job(store)
        store.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(open_one, range(6)))
    store = open_store(new_store_url)
    with store.read() as tx:
        assert tx.count_jobs()[JobStatus.WAITING] == 6
    store.close()


def test_what_a_write_transaction_read_cannot_change_under_it(open_another: OpenAnother) -> None:
    # Counters are read, raised and saved with the version unchecked by retries: only the row lock keeps them right.
    stores = [open_another(), open_another()]
    session = add_session(stores[0])

    def submit_ten(number: int) -> None:
        for index in range(10):
            with stores[number % 2].write() as tx:
                before = tx.session(session.id)
                assert before is not None
                event = SessionEvent(action=SessionAction.SUBMIT_JOB, at=T0 + index, who=str(number))
                tx.save_session(before, advance_session(before, event)[0], event)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(submit_ten, range(6)))
    with stores[0].read() as tx:
        after = tx.session(session.id)
        assert after is not None
        assert (after.jobs, after.version) == (60, 61)
        assert [line.version for line in tx.events(session.id)] == list(range(1, 62))


def test_a_job_read_for_writing_is_locked_until_the_end(open_another: OpenAnother) -> None:
    first, second = open_another(), open_another()
    job = add_job(first)
    event = JobEvent(trigger=JobTrigger.CANCEL_REQUESTED, at=T0, who="ada")
    started, outcomes = threading.Event(), []

    def cancel() -> None:
        started.set()
        with second.write() as tx:
            found = tx.job(job.id)
            assert found is not None
            outcomes.append(found.status)

    thread = threading.Thread(target=cancel)
    with first.write() as tx:
        assert tx.job(job.id) == job
        thread.start()
        started.wait()
        time.sleep(0.1)
        assert outcomes == []
        tx.save_job(job, advance(job, event), event)
    thread.join(30)
    assert outcomes == [JobStatus.CANCELLED]


def test_readers_do_not_wait_for_a_writer(open_another: OpenAnother) -> None:
    first, second = open_another(), open_another()
    job = add_job(first)
    event = JobEvent(trigger=JobTrigger.CANCEL_REQUESTED, at=T0, who="ada")
    with first.write() as writing:
        writing.save_job(job, advance(job, event), event)
        with second.read() as reading:
            assert reading.job(job.id) == job
        with first.read() as reading:
            assert reading.job(job.id) == job


@pytest.mark.parametrize("seconds", [0.05, 0.3])
def test_a_writer_killed_at_any_moment_leaves_no_half_transaction(store_url: str, seconds: float) -> None:
    with _processes(_ENDLESS_WRITER, [(store_url,)]) as (writer,):
        time.sleep(seconds)
        writer.kill()
        writer.wait()
    store = open_store(store_url)
    with store.read() as tx:
        jobs = tx.find_jobs(JobQuery("default", limit=100_000))
        assert jobs
        for job in jobs:
            assert [line.version for line in tx.events(job.id)] == list(range(1, job.version + 1))
            assert len(tx.items(job.id)) == 3
            assert tx.artefact("sha256:" + job.id) is not None
            assert (tx.result(job.id) is not None) == (job.status is JobStatus.SUCCEEDED)
    add_job(store, id="job-after")
    store.close()
