"""What the store tells the rules is what lists would tell them, also when several are picked in one look."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.adapters.store import open_store
from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import JobEvent, JobTrigger, advance
from antiphon.domain.policies import holds
from antiphon.domain.policies.pick import pick
from antiphon.domain.policies.shares import Use
from antiphon.domain.queues import Priority, QueuePolicy, QueueState, Reservation, Waiting
from antiphon.engine.queues.shares import Charges
from antiphon.engine.queues.view import StoredQueue
from antiphon.ports.job_store import JobStore
from queue_machine import ListQueue
from stored_facts import T0, add_job, add_session

QPU = "qpu.one"
NOW = T0 + 1_000
JOBS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["u", "v"]),
        st.sampled_from(list(Priority)),
        st.booleans(),
        st.sampled_from([1.0, 20.0, 300.0]),
    ),
    min_size=1,
    max_size=12,
)
WINDOW = Reservation(id="r", target=QPU, workspace="b", starts_at=0, ends_at=0, created_by="op", created_at=0)
OPEN = st.sampled_from([None, evolve(WINDOW, workspace="a", starts_at=NOW - 9, ends_at=NOW + 9)])
BOOKED = st.sampled_from([None, evolve(WINDOW, starts_at=NOW + 50, ends_at=NOW + 99)])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JOBS, st.integers(1, 4), st.sampled_from([0.0, 1e6]), OPEN, BOOKED, st.integers(0, 2))
def test_the_same_jobs_in_the_same_order(
    tmp_path_factory: pytest.TempPathFactory,
    jobs: list[tuple[str, str, Priority, bool, float]],
    aged_every: int,
    patience_s: float,
    now_open: Reservation | None,
    to_come: Reservation | None,
    used: int,
) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = open_store(folder / "test.db")
    try:
        listed = _fill(store, jobs, used)
        policy = QueuePolicy(
            target=QPU, slots=99, aged_every=aged_every, patience_s=patience_s, window_s=listed.window_s
        )
        assert _picked_from_store(store, policy, now_open, to_come) == _picked(listed, policy, now_open, to_come)
    finally:
        store.close()


def _fill(store: JobStore, jobs: list[tuple[str, str, Priority, bool, float]], used: int) -> ListQueue:
    listed = ListQueue(window_s=5_000.0, allotments={"b": 2.0, "c": 0.0})
    for workspace, user, priority, in_session, planned in jobs:
        session = add_session(store, target=QPU, workspace=workspace).id if in_session else None
        job = add_job(
            store,
            target=QPU,
            workspace=workspace,
            created_by=user,
            priority=priority,
            session_id=session,
            planned_s=planned,
        )
        listed.waiting.append(Waiting(job.id, job.rank, workspace, user, job.created_at, session, job.planned_s))
    with store.write() as tx:
        tx.save_allotment("b", 2.0)
        tx.save_allotment("c", 0.0)
        for number, workspace in enumerate("abc"[:used]):
            for user in ("", "u"):
                use = Use(10.0 * (number + 1), T0 - 100.0 * number)
                tx.save_share(QPU, workspace, user, use)
                listed.uses[workspace, user] = use
    return listed


def _picked(
    queue: ListQueue, policy: QueuePolicy, now_open: Reservation | None, to_come: Reservation | None
) -> list[tuple[str, str]]:
    state, found = QueueState(target=QPU), []
    while chosen := pick(queue, state, policy, NOW, now_open, to_come):
        job = chosen.job
        found.append((job.id, chosen.rule.value))
        state = holds.started(state, policy, job.session_id, job.workspace, NOW, counts=chosen.counts)
        queue.waiting.remove(job)
        queue.charge(job, job.planned_s, NOW)
    return found


def _picked_from_store(
    store: JobStore, policy: QueuePolicy, now_open: Reservation | None, to_come: Reservation | None
) -> list[tuple[str, str]]:
    state, found = QueueState(target=QPU), []
    with store.write() as tx:
        charges = Charges(tx, QPU, policy.window_s, NOW)
        view = StoredQueue(charges)
        while chosen := pick(view, state, policy, NOW, now_open, to_come):
            job = tx.job(chosen.job.id)
            assert job is not None
            event = JobEvent(trigger=JobTrigger.CLAIMED, at=NOW, who="eng", owner="eng")
            tx.save_job(job, advance(job, event), event)
            found.append((job.id, chosen.rule.value))
            charges.add(job.workspace, job.created_by, job.planned_s)
            state = holds.started(state, policy, job.session_id, job.workspace, NOW, counts=chosen.counts)
            view.take(chosen.job)
    return found
