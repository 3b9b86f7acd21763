from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from antiphon.domain.policies.holds import holds_now
from antiphon.domain.policies.pick import Pick, Rule
from antiphon.domain.queues import Access, QueuePolicy, Rank, Reservation, Waiting
from queue_machine import Machine

Happening = Callable[[Machine], object]

# --- the rules one by one


def test_the_session_that_holds_goes_first_then_sessions_priority_shares_and_age() -> None:
    machine = Machine(QueuePolicy(target="qpu", slots=1, access=Access.EXCLUSIVE, gap_s=10))
    machine.submit(Rank.SESSION, "a", "ann", "ses-a")
    for rank, workspace, session in (
        (Rank.STANDARD, "b", None),
        (Rank.HIGH, "b", None),
        (Rank.SESSION, "b", "ses-b"),
        (Rank.SESSION_HIGH, "b", "ses-b"),
        (Rank.SESSION, "a", "ses-a"),
    ):
        machine.pass_time(1)
        machine.submit(rank, workspace, "uli", session)
    rules = []
    while machine.running:
        machine.end()
        machine.pass_time(11)
        rules.append((machine.started[-1][1].job.rank, machine.started[-1][1].rule))
    assert rules[:5] == [
        (Rank.SESSION, Rule.HOLD),
        (Rank.SESSION_HIGH, Rule.SESSION),
        (Rank.SESSION, Rule.HOLD),
        (Rank.HIGH, Rule.PRIORITY),
        (Rank.STANDARD, Rule.SHARE),
    ]


def test_who_used_least_of_an_allotment_goes_first_within_it_the_user_and_then_the_oldest() -> None:
    machine = Machine(QueuePolicy(target="qpu", slots=1))
    machine.queue.allotments = {"large": 10.0}
    machine.submit(Rank.STANDARD, "large", "ann", planned_s=5)
    machine.end()
    machine.submit(Rank.STANDARD, "small", "sue", planned_s=1)  # a tenth of it would be 0.5
    for workspace, user in (("small", "sue"), ("large", "ann"), ("large", "bob"), ("large", "ann"), ("large", "bob")):
        machine.submit(Rank.STANDARD, workspace, user)
    order = []
    while machine.queue.waiting:
        machine.end()
        job = machine.started[-1][1].job
        order.append((job.workspace, job.user))
    assert order == [("large", "bob"), ("large", "bob"), ("large", "ann"), ("large", "ann"), ("small", "sue")]


def test_the_first_turn_by_age_is_the_oldest_jobs() -> None:
    machine = Machine(QueuePolicy(target="qpu", slots=1, patience_s=100, aged_every=4))
    machine.submit(Rank.HIGH, "a", "ann")
    old = machine.submit(Rank.STANDARD, "b", "bob")
    machine.pass_time(100)
    for _ in range(5):
        machine.submit(Rank.HIGH, "a", "ann")
        machine.end()
    assert [(chosen.rule, chosen.job.id == old) for _, chosen, _ in machine.started[:4]] == [
        (Rule.PRIORITY, False),
        (Rule.PRIORITY, False),
        (Rule.PRIORITY, False),
        (Rule.AGED, True),
    ]


def test_the_target_is_kept_for_a_hold_until_its_gap_is_over() -> None:
    machine = Machine(QueuePolicy(target="qpu", slots=2, access=Access.EXCLUSIVE, gap_s=60))
    machine.submit(Rank.SESSION, "a", "ann", "ses-a")
    other = machine.submit(Rank.HIGH, "b", "bob")
    machine.pass_time(1_000)
    assert len(machine.started) == 1, "a slot is free, and kept"
    machine.end()
    machine.pass_time(60)
    machine.submit(Rank.SESSION, "a", "ann", "ses-a")  # just in time
    assert machine.started[-1][1].rule is Rule.HOLD
    machine.end()
    machine.pass_time(60.001)
    assert machine.started[-1][1].job.id == other
    assert machine.state.held_by is None


def test_a_job_that_came_after_the_gap_does_not_bring_the_hold_back_but_queues_for_a_new_one() -> None:
    machine = Machine(QueuePolicy(target="qpu", slots=1, access=Access.EXCLUSIVE, gap_s=60))
    machine.submit(Rank.SESSION, "a", "ann", "ses-a")
    machine.end()
    machine.pass_time(61)
    starts = machine.state.starts
    machine.submit(Rank.SESSION, "a", "ann", "ses-a")
    assert machine.started[-1][1].rule is Rule.SESSION
    assert machine.state.starts == starts + 1
    assert machine.state.held_since == machine.now


def test_a_reservation_is_its_workspaces_alone_and_goes_before_a_hold() -> None:
    booked = Reservation(id="res", target="qpu", workspace="b", starts_at=10, ends_at=20, created_by="op", created_at=0)
    machine = Machine(QueuePolicy(target="qpu", slots=3, access=Access.DEDICATED), [booked])
    machine.submit(Rank.SESSION, "a", "ann", "ses-a")
    machine.pass_time(10)
    machine.submit(Rank.SESSION, "a", "ann", "ses-a")
    assert len(machine.started) == 1
    machine.submit(Rank.STANDARD, "b", "bob")
    assert machine.started[-1][1].job.workspace == "b"
    machine.pass_time(10)
    assert machine.started[-1][1].job.workspace == "a"


def test_before_a_reservation_what_would_run_into_it_is_passed_over() -> None:
    booked = Reservation(id="res", target="qpu", workspace="b", starts_at=10, ends_at=20, created_by="op", created_at=0)
    machine = Machine(QueuePolicy(target="qpu", slots=9), [booked])
    machine.submit(Rank.HIGH, "a", "ann", planned_s=10.5)
    machine.submit(Rank.STANDARD, "a", "zoe", planned_s=10)
    machine.submit(Rank.STANDARD, "b", "bob", planned_s=99)
    assert [(chosen.job.user, chosen.rule) for _, chosen, _ in machine.started] == [
        ("zoe", Rule.SHARE),
        ("bob", Rule.SHARE),
    ]
    machine.pass_time(20)
    assert machine.started[-1][1].job.user == "ann"


# --- what holds whatever happens

SECONDS = st.sampled_from([0.0, 0.5, 1.0, 3.0, 10.0, 40.0])


@st.composite
def happenings(draw: st.DrawFn) -> Happening:
    kind = draw(st.sampled_from(["submit", "submit", "flood", "end", "end", "time"]))
    if kind == "end":
        index = draw(st.integers(0, 3))
        return lambda machine: machine.end(index)
    if kind == "time":
        seconds = draw(SECONDS)
        return lambda machine: machine.pass_time(seconds)
    session = draw(st.sampled_from([None, None, "ses-1", "ses-2"]))
    # A session is in one workspace, and of one user here.
    workspace = draw(st.sampled_from("abc")) if session is None else {"ses-1": "a", "ses-2": "b"}[session]
    user = draw(st.sampled_from(["u", "v"])) if session is None else "u"
    high = draw(st.booleans())
    rank = (Rank.HIGH if high else Rank.STANDARD) if session is None else Rank.SESSION_HIGH if high else Rank.SESSION
    planned = draw(SECONDS)
    if kind == "submit":
        return lambda machine: machine.submit(rank, workspace, user, session, planned)

    def flood(machine: Machine) -> None:
        """Somebody who keeps the target as busy as it can be."""
        for _ in range(12):
            machine.submit(rank, workspace, user, session, planned)
            machine.end()

    return flood


POLICIES = st.builds(
    QueuePolicy,
    target=st.just("qpu"),
    slots=st.integers(1, 3),
    access=st.sampled_from(list(Access)),
    gap_s=st.sampled_from([0.0, 2.0, 10.0]),
    patience_s=st.sampled_from([0.0, 1.0, 5.0, 30.0]),
    aged_every=st.integers(1, 5),
)
BOOKED = st.lists(
    st.builds(
        lambda index, length, workspace: Reservation(
            id=f"res-{index}",
            target="qpu",
            workspace=workspace,
            starts_at=20.0 * index,
            ends_at=20.0 * index + length,
            created_by="op",
            created_at=0.0,
        ),
        st.integers(0, 6),
        st.sampled_from([1.0, 15.0, 20.0]),
        st.sampled_from("abc"),
    ),
    max_size=3,
    unique_by=lambda each: each.starts_at,
)


@given(POLICIES, BOOKED, st.lists(happenings(), max_size=40))
def test_no_job_starves(policy: QueuePolicy, booked: list[Reservation], what: list[Happening]) -> None:
    """The bound of `policies.pick`, as it says it."""
    machine = Machine(policy, booked)
    for happens in what:
        happens(machine)
        assert all(left > 0 for left in machine.bounds.values())


@given(POLICIES, BOOKED, st.lists(happenings(), max_size=40))
def test_no_slot_stays_empty_but_for_a_hold_or_a_reservation(
    policy: QueuePolicy, booked: list[Reservation], what: list[Happening]
) -> None:
    machine = Machine(policy, booked)
    for happens in what:
        happens(machine)
        if len(machine.running) == policy.slots:
            continue
        now_open, to_come = machine.booked()
        if to_come is not None or (machine.state.held_by is not None and holds_now(machine.state, machine.now)):
            continue
        eligible = [job for job in machine.queue.waiting if now_open is None or job.workspace == now_open.workspace]
        assert eligible == []


@given(POLICIES, st.lists(happenings(), max_size=40))
def test_starts_are_in_the_order_of_the_rules(policy: QueuePolicy, what: list[Happening]) -> None:
    machine = Watched(policy)
    for happens in what:
        happens(machine)
        assert machine.next() is None or len(machine.running) == policy.slots
    assert all(machine.in_order)


@given(POLICIES, st.lists(happenings(), max_size=40))
def test_a_hold_ends(policy: QueuePolicy, what: list[Happening]) -> None:
    """Shared: there is none. Exclusive: once its session has no more jobs, after the gap."""
    machine = Machine(policy)
    for happens in what:
        happens(machine)
    if policy.access is Access.SHARED:
        assert all(state.held_by is None for _, _, state in machine.started)
    machine.pass_time(policy.gap_s + 0.001)
    for _ in range(len(machine.queue.waiting) + len(machine.running)):
        machine.end()
        machine.pass_time(policy.gap_s + 0.001)
    machine.next()
    if policy.access is not Access.DEDICATED:
        assert machine.queue.waiting == []
        assert machine.state.held_by is None


class Watched(Machine):
    """Compares each start with all that waited, before it is taken out of the queue."""

    def __init__(self, policy: QueuePolicy) -> None:
        super().__init__(policy)
        self.in_order: list[bool] = []

    def next(self) -> Pick | None:
        chosen = super().next()
        if chosen is not None:
            self.in_order.append(self._is_first(chosen))
        return chosen

    def _is_first(self, chosen: Pick) -> bool:
        job, queue = chosen.job, self.queue
        if chosen.rule is Rule.HOLD:
            return job.session_id == self.state.held_by
        if chosen.rule is Rule.AGED:
            return job == queue.oldest(None)

        def place(other: Waiting) -> tuple[object, ...]:
            return (
                other.rank,
                (queue.standing(other.workspace), other.workspace),
                (queue.standing(other.workspace, other.user), other.user),
                other.created_at,
                other.id,
            )

        return job == min(queue.waiting, key=place)
