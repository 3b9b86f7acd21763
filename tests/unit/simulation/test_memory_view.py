from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon.domain.policies.pick import pick
from antiphon.domain.queues import QueuePolicy, QueueState, Rank, Reservation, Waiting
from antiphon.simulation.memory_view import MemoryQueue
from queue_machine import ListQueue

ALLOTMENTS = {"b": 3.0, "c": 0.0}
WINDOW_S = 100.0

jobs = st.tuples(
    st.sampled_from(Rank), st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from([None, "s1", "s2"])
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "pick", "pick in a booked time", "charge", "again"]), jobs, st.integers(-5, 20)
    ),
    max_size=60,
)


def booking(starts_at: float, ends_at: float, workspace: str) -> Reservation:
    return Reservation(
        id="res",
        target="qpu",
        workspace=workspace,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by="op",
        created_at=0.0,
    )


@given(steps, st.booleans(), st.integers(1, 4))
def test_the_rules_pick_from_heaps_what_they_pick_from_a_plain_list(
    happening: list[tuple[str, tuple[Rank, str, str, str | None], int]], whole: bool, aged_every: int
) -> None:
    plain = ListQueue(WINDOW_S, ALLOTMENTS)
    heaps = MemoryQueue(WINDOW_S, ALLOTMENTS, whole=whole)
    policy = QueuePolicy(target="qpu", slots=1, window_s=WINDOW_S, patience_s=10.0, aged_every=aged_every)
    now, number, starts = 0.0, 0, 0
    gone: list[Waiting] = []
    for what, (rank, workspace, user, session), amount in happening:
        now += 1.0
        if what == "add":
            number += 1
            in_session = rank in (Rank.SESSION, Rank.SESSION_HIGH)
            # Several may come at one time: then their ids decide.
            job = Waiting(
                f"{number:04d}", rank, workspace, user, now - now % 4, session if in_session else None, amount
            )
            plain.waiting.append(job)
            heaps.add(job)
        elif what == "again" and gone:
            job = gone.pop()
            plain.waiting.append(job)
            heaps.add(job)
        elif what == "charge":
            job = Waiting("", rank, workspace, user, now)
            plain.charge(job, amount, now)
            heaps.charge(workspace, user, amount, now)
        elif what.startswith("pick"):
            open_now = booking(0.0, 1e9, "b") if whole and what != "pick" else None
            to_come = booking(now + amount, now + amount + 5, "a") if whole and amount > 0 else None
            state = QueueState(target="qpu", starts=starts)
            expected = pick(plain, state, policy, now, open_now, to_come)
            assert pick(heaps, state, policy, now, open_now, to_come) == expected
            if expected is not None:
                starts += expected.counts
                plain.waiting.remove(expected.job)
                heaps.take(expected.job)
                gone.append(expected.job)
        assert len(heaps) == len(plain.waiting)
        for each in ("s1", "s2"):
            assert heaps.first_of_session(each) == plain.first_of_session(each)
        assert sorted(heaps.parties) == sorted({(job.workspace, job.user) for job in plain.waiting})
        for party in heaps.parties:
            others = any((job.workspace, job.user) != party for job in plain.waiting)
            assert heaps.others_wait(*party) is others


def test_use_is_kept_for_the_workspace_and_its_user() -> None:
    view = MemoryQueue(WINDOW_S)
    view.charge("a", "x", 5.0, 1.0)
    view.charge("a", "y", 2.0, 1.0)
    assert (view.use("a").used, view.use("a", "x").used, view.use("a", "z").used) == (7.0, 5.0, 0.0)
