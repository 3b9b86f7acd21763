"""The simulator starts what the engine starts: the same queue in memory and in a store, emptied side by side."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.adapters.store import open_store
from antiphon.domain.jobs import Job
from antiphon.domain.policies import holds
from antiphon.domain.policies.pick import pick
from antiphon.domain.queues import Access, Priority, QueuePolicy, QueueState, Reservation, Waiting
from antiphon.engine.queues.shares import Charges
from antiphon.engine.queues.view import StoredQueue
from antiphon.ports.job_store import JobStore
from antiphon.simulation.memory_view import MemoryQueue
from stored_facts import add_job, add_session, claim

QPU = "qpu"
T = 2_000_000_000.0
ALLOTMENTS = {"b": 2.5, "c": 0.0}

job_kinds = st.tuples(
    st.sampled_from("abc"),
    st.sampled_from(["ann", "bob", "eve"]),
    st.sampled_from(Priority),
    st.integers(-1, 1),
    st.integers(0, 5),
    st.sampled_from([0.5, 2.0, 64.0]),
)
used_before = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["ann", "bob", "eve"]), st.integers(1, 50)), max_size=6
)


@given(
    kinds=st.lists(job_kinds, min_size=1, max_size=12),
    used=used_before,
    access=st.sampled_from(Access),
    aged_every=st.integers(1, 3),
    patience_s=st.sampled_from([0.0, 4.0, 1e6]),
    booked=st.sampled_from([None, 3.0, 40.0]),
)
@settings(max_examples=25, deadline=None)
def test_the_same_queue_is_emptied_in_the_same_order(
    kinds: list[tuple[str, str, Priority, int, int, float]],
    used: list[tuple[str, str, int]],
    access: Access,
    aged_every: int,
    patience_s: float,
    booked: float | None,
) -> None:
    policy = QueuePolicy(
        target=QPU, slots=1, access=access, aged_every=aged_every, patience_s=patience_s, gap_s=5.0, window_s=1_000.0
    )
    to_come = _booked(T + 10 + booked) if booked is not None else None
    with TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "antiphon.db")
        try:
            memory = MemoryQueue(policy.window_s, ALLOTMENTS, whole=to_come is not None)
            waiting = _fill(store, memory, kinds, used, policy)
            _empty(store, memory, waiting, policy, to_come)
        finally:
            store.close()


def _booked(starts_at: float) -> Reservation:
    return Reservation(
        id="res",
        target=QPU,
        workspace="a",
        starts_at=starts_at,
        ends_at=starts_at + 5.0,
        created_by="op",
        created_at=T,
    )


def _fill(
    store: JobStore,
    memory: MemoryQueue,
    kinds: list[tuple[str, str, Priority, int, int, float]],
    used: list[tuple[str, str, int]],
    policy: QueuePolicy,
) -> dict[str, Job]:
    sessions = {
        (workspace, number): add_session(store, target=QPU, workspace=workspace).id
        for workspace in "abc"
        for number in (0, 1)
    }
    stored = {}
    for workspace, user, priority, session, age, planned_s in kinds:
        job = add_job(
            store,
            target=QPU,
            workspace=workspace,
            created_by=user,
            priority=priority,
            session_id=sessions.get((workspace, session)),
            created_at=T + age,
            planned_s=planned_s,
        )
        stored[job.id] = job
        memory.add(Waiting(job.id, job.rank, workspace, user, job.created_at, job.session_id, planned_s))
    with store.write() as tx:
        for workspace, weight in ALLOTMENTS.items():
            tx.save_allotment(workspace, weight)
    for number, (workspace, user, seconds) in enumerate(used):
        _charge(store, memory, policy, workspace, user, seconds, T - 100 + number)
    return stored


def _charge(
    store: JobStore, memory: MemoryQueue, policy: QueuePolicy, workspace: str, user: str, seconds: float, now: float
) -> None:
    with store.write() as tx:
        charges = Charges(tx, QPU, policy.window_s, now)
        charges.add(workspace, user, seconds)
        charges.store()
    memory.charge(workspace, user, seconds, now)


def _empty(
    store: JobStore, memory: MemoryQueue, waiting: dict[str, Job], policy: QueuePolicy, to_come: Reservation | None
) -> None:
    state, now, looks = QueueState(target=QPU), T + 10, 0
    while waiting:
        looks += 1
        assert looks < 100
        open_now = to_come if to_come is not None and to_come.starts_at <= now < to_come.ends_at else None
        ahead = to_come if to_come is not None and now < to_come.starts_at else None
        if state.held_by is not None:
            first = memory.first_of_session(state.held_by)
            state = holds.as_of(state, policy, now, None if first is None else first.created_at)
        with store.read() as tx:
            stored = StoredQueue(Charges(tx, QPU, policy.window_s, now))
            expected = pick(stored, state, policy, now, open_now, ahead)
        assert pick(memory, state, policy, now, open_now, ahead) == expected
        if expected is None:
            now += 7.0
            if looks > 10 and access_is_kept(state):
                state = holds.released(state)  # its session ends
            continue
        job = expected.job
        state = holds.started(state, policy, job.session_id, job.workspace, now, counts=expected.counts)
        claim(store, waiting.pop(job.id))
        memory.take(job)
        _charge(store, memory, policy, job.workspace, job.user, job.planned_s, now)
        now += 1.0
        pending = sum(each.session_id == job.session_id for each in waiting.values())
        state = holds.ended(state, policy, job.session_id, pending=pending, now=now)


def access_is_kept(state: QueueState) -> bool:
    return state.held_by is not None and state.held_until is None
