from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable

import pytest

from antiphon.domain.policies.shares import Use
from antiphon.domain.queues import Access, Priority, QueuePolicy, QueueState, Rank, Reservation, Waiting
from antiphon.ports.job_store import JobStore, VersionConflictError
from antiphon.ports.queue_store import QueueOutcome, StoredPriceList
from stored_facts import T0, add_job, add_session, claim, make_session, opened

QPU = "qpu.one"


def test_a_policy_is_stored_once_and_changed_by_who_read_it(store: JobStore) -> None:
    first = QueuePolicy(target=QPU, slots=2, access=Access.EXCLUSIVE, version=1, updated_at=T0, updated_by="ada")
    second = dataclasses.replace(first, slots=None, access=Access.SHARED, gap_s=1.5, aged_every=7, version=2)
    with store.write() as tx:
        assert tx.queue_policy(QPU) is None
        tx.save_queue_policy(None, first)
        assert tx.queue_policy(QPU) == first
        tx.save_queue_policy(first, second)
        tx.save_queue_policy(None, dataclasses.replace(first, target="another"))
    with store.read() as tx:
        assert tx.queue_policies() == [dataclasses.replace(first, target="another"), second]
    for before in (None, first):
        with pytest.raises(VersionConflictError), store.write() as tx:
            tx.save_queue_policy(before, second)


def test_a_state_is_there_before_anybody_made_it(store: JobStore) -> None:
    with store.read() as tx:
        assert tx.queue_state(QPU) == QueueState(target=QPU)
        assert tx.queue_states() == []
    changed = QueueState(
        target=QPU,
        owner="eng-1",
        fence=3,
        held_by="ses-1",
        held_workspace="default",
        held_since=T0,
        held_until=T0 + 60,
        starts=2**40,
    )
    with store.write() as tx:
        state = tx.queue_state(QPU)
        tx.save_queue_state(state, changed)
        assert tx.queue_state(QPU) == changed
        tx.queue_state("another")
    with store.read() as tx:
        assert tx.queue_states() == [QueueState(target="another"), changed]


def test_who_decides_about_a_queue_decides_alone(open_another: Callable[[], JobStore]) -> None:
    stores = [open_another() for _ in range(4)]

    def start_some(store: JobStore) -> None:
        for _ in range(10):
            with store.write() as tx:
                state = tx.queue_state(QPU)
                tx.save_queue_state(state, dataclasses.replace(state, starts=state.starts + 1))

    threads = [threading.Thread(target=start_some, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with stores[0].read() as tx:
        assert tx.queue_state(QPU).starts == 40


def test_what_waits_is_seen_by_class_workspace_and_user(store: JobStore) -> None:
    session = add_session(store, target=QPU)
    jobs = [
        add_job(store, target=QPU, workspace=workspace, created_by=user, priority=priority, planned_s=number + 0.5)
        for number, (workspace, user, priority) in enumerate(
            [
                ("b", "uma", Priority.STANDARD),
                ("a", "bob", Priority.STANDARD),
                ("a", "bob", Priority.STANDARD),
                ("a", "ada", Priority.STANDARD),
                ("c", "eve", Priority.HIGH),
            ]
        )
    ]
    in_session = add_job(store, target=QPU, session_id=session.id)
    add_job(store, target="elsewhere", workspace="z")
    running = claim(store, add_job(store, target=QPU, workspace="z"))
    with store.write() as tx:
        tx.save_share(QPU, "a", "", Use(9.0, T0))
        tx.save_share(QPU, "a", "bob", Use(2.5, T0 + 1))
        tx.save_share("elsewhere", "b", "", Use(7.0, T0))
        tx.save_allotment("b", 0.25)
    with store.read() as tx:
        assert [rank for rank in Rank if tx.has_waiting(QPU, rank, None)] == [Rank.SESSION, Rank.HIGH, Rank.STANDARD]
        assert tx.waiting_classes(QPU) == {Rank.SESSION, Rank.HIGH, Rank.STANDARD}
        assert tx.waiting_classes("none") == set()
        assert tx.targets_waited_for() == ["elsewhere", QPU]
        assert [rank for rank in Rank if tx.has_waiting(QPU, rank, "a")] == [Rank.STANDARD]
        assert sorted(tx.waiting_workspaces(QPU, Rank.STANDARD)) == [
            ("a", Use(9.0, T0), 1.0),
            ("b", Use(), 0.25),
        ]
        assert tx.waiting_workspaces(QPU, Rank.SESSION_HIGH) == []
        assert sorted(tx.waiting_users(QPU, Rank.STANDARD, "a")) == [("ada", Use()), ("bob", Use(2.5, T0 + 1))]
        assert tx.waiting_users(QPU, Rank.STANDARD, "none") == []
        first = tx.first_waiting(QPU, Rank.STANDARD, "a", "bob")
        assert first == Waiting(jobs[1].id, Rank.STANDARD, "a", "bob", jobs[1].created_at, None, 1.5)
        assert tx.first_waiting(QPU, Rank.HIGH, "a", "bob") is None
        oldest, oldest_of_a = tx.oldest_in_queue(QPU, None), tx.oldest_in_queue(QPU, "a")
        assert oldest is not None
        assert oldest_of_a is not None
        assert (oldest.id, oldest_of_a.id) == (jobs[0].id, jobs[1].id)
        assert tx.oldest_in_queue(QPU, "z") is None
        of_session = tx.first_of_session(QPU, session.id)
        assert of_session is not None
        assert (of_session.id, of_session.rank, of_session.session_id) == (in_session.id, Rank.SESSION, session.id)
        assert tx.first_of_session("elsewhere", session.id) is None
        assert tx.running_on(QPU) == 1
        assert tx.running_on("elsewhere") == 0
        assert tx.job(running.id) == running


def test_the_oldest_of_a_session_is_the_oldest_that_waits(store: JobStore) -> None:
    session = add_session(store, target=QPU)
    first, second = (add_job(store, target=QPU, session_id=session.id) for _ in range(2))
    claim(store, first)
    with store.read() as tx:
        found = tx.first_of_session(QPU, session.id)
        assert found is not None
        assert found.id == second.id


@pytest.mark.parametrize(
    ("workspace", "user", "priority"),
    [
        ("a", "uma", Priority.STANDARD),
        ("n", "uma", Priority.STANDARD),
        ("m", "uma", Priority.STANDARD),
        ("m", "ada", Priority.STANDARD),
        ("m", "zoe", Priority.HIGH),
        ("z", "mel", Priority.HIGH),
    ],
)
def test_whether_anybody_else_waits(store: JobStore, workspace: str, user: str, priority: Priority) -> None:
    add_job(store, target=QPU, workspace="m", created_by="mel")
    add_job(store, target=QPU, workspace="m", created_by="mel", priority=Priority.HIGH)
    with store.read() as tx:
        assert not tx.others_wait(QPU, "m", "mel")
        assert not tx.others_wait("elsewhere", "n", "mel")
    add_job(store, target=QPU, workspace=workspace, created_by=user, priority=priority)
    with store.read() as tx:
        assert tx.others_wait(QPU, "m", "mel")


def test_the_work_ahead_is_told_by_class_and_relation(store: JobStore) -> None:
    session = add_session(store, target=QPU)
    add_job(store, target=QPU, session_id=session.id, planned_s=100.0)
    add_job(store, target=QPU, workspace="a", priority=Priority.HIGH, planned_s=10.0)
    for workspace, user in (("a", "x"), ("m", "ada"), ("m", "zoe"), ("m", "mel"), ("z", "x"), ("z", "x")):
        add_job(store, target=QPU, workspace=workspace, created_by=user, planned_s=1.0)
    mine = add_job(store, target=QPU, workspace="m", created_by="mel", planned_s=1.0)
    add_job(store, target=QPU, workspace="m", created_by="mel", planned_s=50.0)
    with store.read() as tx:
        assert sorted(tx.work_ahead(QPU, Rank.STANDARD, "m", "mel", mine.created_at, 10)) == [
            (Rank.SESSION, "session", 1, 100.0),
            (Rank.HIGH, "priority", 1, 10.0),
            (Rank.STANDARD, "own", 1, 1.0),
            (Rank.STANDARD, "user", 2, 2.0),
            (Rank.STANDARD, "workspace", 3, 3.0),
        ]
        capped = tx.work_ahead(QPU, Rank.STANDARD, "m", "mel", mine.created_at, 2)
        assert (Rank.STANDARD, "workspace", 2, 2.0) in capped
        assert tx.work_ahead(QPU, Rank.HIGH, "a", "ada", mine.created_at, 10) == [
            (Rank.SESSION, "session", 1, 100.0),
            (Rank.HIGH, "own", 1, 10.0),
        ]
        assert tx.work_ahead("elsewhere", Rank.STANDARD, "m", "mel", mine.created_at, 10) == []


def test_a_job_keeps_what_the_rules_look_at(store: JobStore) -> None:
    job = add_job(
        store,
        priority=Priority.HIGH,
        planned_s=2.5,
        estimate={"wait_s": {"0.5": 1.0}},
    )
    session = make_session(max_jobs=3, max_seconds=1.5, max_cost=0.25)
    with store.write() as tx:
        tx.add_session(session, opened(session))
        assert tx.job(job.id) == job
        assert tx.session(session.id) == session


def test_shares_and_allotments_are_replaced(store: JobStore) -> None:
    with store.write() as tx:
        assert tx.share(QPU, "a", "") == Use()
        tx.save_share(QPU, "a", "", Use(1.0, T0))
        tx.save_share(QPU, "a", "", Use(2.0, T0 + 1))
        tx.save_share(QPU, "a", "ada", Use(0.5, T0 + 1))
        tx.save_share("elsewhere", "a", "", Use(9.0, T0))
        assert tx.share(QPU, "a", "") == Use(2.0, T0 + 1)
        assert tx.shares_of(QPU, "a", "ada") == (Use(2.0, T0 + 1), Use(0.5, T0 + 1))
        assert tx.shares_of(QPU, "a", "bob") == (Use(2.0, T0 + 1), Use())
        assert tx.shares_of(QPU, "b", "ada") == (Use(), Use())
        assert tx.shares(QPU) == [("a", "", Use(2.0, T0 + 1)), ("a", "ada", Use(0.5, T0 + 1))]
        tx.save_allotment("a", 2.0)
        tx.save_allotment("b", 0.5)
        tx.save_allotment("a", 3.0)
        assert tx.allotments() == {"a": 3.0, "b": 0.5}
        tx.save_allotment("a", None)
        tx.save_allotment("none", None)
        assert tx.allotments() == {"b": 0.5}


def test_nobodys_charge_is_lost(open_another: Callable[[], JobStore]) -> None:
    stores = [open_another() for _ in range(4)]
    with stores[0].write() as tx:
        tx.save_share(QPU, "a", "", Use(0.0, T0))

    def charge(store: JobStore) -> None:
        for _ in range(10):
            with store.write() as tx:
                whole, _ = tx.shares_of(QPU, "a", "ada")
                tx.save_share(QPU, "a", "", whole.charged(1.0, T0, 60.0))

    threads = [threading.Thread(target=charge, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with stores[0].read() as tx:
        assert tx.share(QPU, "a", "") == Use(40.0, T0)


def test_reservations_come_by_their_start_until_they_end(store: JobStore) -> None:
    def booked(number: int, start: float, target: str = QPU) -> Reservation:
        return Reservation(
            id=f"res-{number}",
            target=target,
            workspace="a",
            starts_at=T0 + start,
            ends_at=T0 + start + 10,
            created_by="ada",
            created_at=T0,
            note="calibration, é",
        )

    late, early, elsewhere, gone = booked(1, 50), booked(2, 20), booked(3, 30, "elsewhere"), booked(4, 40)
    with store.write() as tx:
        for reservation in (late, early, elsewhere, gone):
            tx.add_reservation(reservation)
        assert tx.cancel_reservation(gone.id, T0 + 1)
        assert not tx.cancel_reservation(gone.id, T0 + 2)
        assert not tx.cancel_reservation("res-unknown", T0 + 2)
    with store.read() as tx:
        assert tx.reservation(gone.id) == dataclasses.replace(gone, cancelled_at=T0 + 1)
        assert tx.reservation("res-unknown") is None
        assert tx.reservations(None, T0) == [early, elsewhere, late]
        assert tx.reservations(QPU, T0) == [early, late]
        assert tx.reservations(QPU, T0 + 30) == [late]


def test_price_lists_have_versions(store: JobStore) -> None:
    first = StoredPriceList(target=QPU, version=1, body={"task": 0.3, "é": [1]}, created_at=T0, created_by="ada")
    second = dataclasses.replace(first, version=2, body={})
    with store.write() as tx:
        assert tx.price_list(QPU) is None
        tx.add_price_list(first)
        tx.add_price_list(second)
        assert tx.price_list(QPU) == second
        assert tx.price_list(QPU, 1) == first
        assert tx.price_list(QPU, 3) is None
    with pytest.raises(VersionConflictError), store.write() as tx:
        tx.add_price_list(dataclasses.replace(first, body={"task": 9}))


def test_outcomes_come_newest_first_and_are_forgotten_oldest_first(store: JobStore) -> None:
    outcomes = [
        QueueOutcome(
            target=QPU,
            priority="High" if number == 2 else "Standard",
            job_id=f"job-{number}",
            ended_at=T0 + number,
            planned_s=1.0,
            ahead_s=2.0,
            wait_s=3.0,
            run_s=4.0,
            cost=None if number % 2 else 0.5,
            estimate={"wait_s": [1, 2]} if number == 3 else None,
        )
        for number in range(5)
    ]
    elsewhere = dataclasses.replace(outcomes[0], target="elsewhere")
    with store.write() as tx:
        for outcome in (*outcomes, elsewhere):
            tx.add_outcome(outcome)
        assert tx.queue_outcomes(QPU, 3) == [outcomes[4], outcomes[3], outcomes[2]]
        assert tx.queue_outcomes(QPU, 9, "High") == [outcomes[2]]
        assert tx.prune_outcomes(QPU, 9) == 0
        assert tx.prune_outcomes(QPU, 2) == 3
        assert tx.queue_outcomes(QPU, 9) == [outcomes[4], outcomes[3]]
        assert tx.prune_outcomes(QPU, 0) == 2
        assert tx.queue_outcomes("elsewhere", 9) == [elsewhere]


def test_a_session_is_busy_with_what_was_started_before(store: JobStore) -> None:
    session = add_session(store)
    times = [(T0, T0 + 5), (T0 + 1, T0 + 3), (T0 + 8, None), (T0 + 8, T0 + 9)]
    jobs = [
        add_job(store, session_id=session.id, executor="process", started_at=began, ended_at=ended)
        for began, ended in times
    ]
    cached = add_job(store, session_id=session.id, executor="inline", fence=1, started_at=T0 + 6, ended_at=T0 + 7)
    with store.read() as tx:
        assert tx.busy_until(session.id, T0, jobs[0].id) is None
        assert tx.busy_until(session.id, T0 + 1, jobs[1].id) == T0 + 5
        first, second = sorted(jobs[2:], key=lambda job: job.id)
        assert tx.busy_until(session.id, T0 + 8, first.id) == T0 + 5
        assert tx.busy_until(session.id, T0 + 8, second.id) == (first.ended_at or 1e308)
        assert tx.busy_until(session.id, T0 + 9, cached.id) == 1e308
        assert tx.busy_until("another", T0 + 9, "job") is None
