"""Engines that die with a queue of theirs: on one clock, so that nobody need wait for a lease."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from antiphon.engine.context import EngineContext
from antiphon.engine.leases import beat, recover
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.ports.job_store import EngineLease
from queue_desk import QPU, Desk


class Watcher:
    """Knows which engines' processes are gone."""

    def __init__(self, ctx: EngineContext) -> None:
        self._real = ctx.liveness
        self.gone: set[str] = set()

    def describe_self(self) -> tuple[str, int, float]:
        return self._real.describe_self()

    def is_dead(self, lease: EngineLease) -> bool:
        return lease.id in self.gone


@pytest.fixture
def watcher(other: Desk) -> Watcher:
    found = Watcher(other.ctx)
    other.ctx.liveness = found
    return found


def test_the_queue_of_a_process_that_is_gone_is_taken_at_once(desk: Desk, other: Desk, watcher: Watcher) -> None:
    first = desk.submit()
    second = desk.submit("bob")
    assert desk.start() == [first]
    assert other.start() == []
    watcher.gone.add(desk.ctx.engine_id)
    assert other.start() == [first], "what was charged for it was given back"
    other.end(first)
    assert other.start() == [second]
    assert other.state().owner == other.ctx.engine_id


def test_a_silent_engine_of_another_host_loses_its_queue_in_time(desk: Desk, other: Desk, watcher: Watcher) -> None:
    first = desk.submit()
    assert desk.start() == [first]
    settings = other.ctx.settings
    for _ in range(2):
        other.clock.advance(settings.lease_seconds + 1)
        beat(other.ctx)
        recover(other.ctx)
    assert other.start() == [first]
    assert desk.start() == [], "it is not its queue any more"
    desk.end(first)
    assert other.job(first).owner == other.ctx.engine_id, "nor its job"


def test_a_queue_whose_owner_nobody_knows_is_taken_back(desk: Desk, other: Desk) -> None:
    first = desk.submit()
    desk.start()
    desk.end(first)
    with desk.ctx.store.write() as tx:
        tx.remove_engine(desk.ctx.engine_id)
    second = desk.submit()
    assert other.start() == []
    recover(other.ctx)
    assert other.start() == [second]


def test_a_hold_goes_on_with_the_next_owner_of_the_queue(
    desk: Desk, other: Desk, watcher: Watcher, hold: Callable[[], str]
) -> None:
    session = hold()
    desk.submit("bob", high=True)
    mine = desk.submit(session_id=session)
    assert desk.start() == [mine]
    watcher.gone.add(desk.ctx.engine_id)
    assert other.start() == [mine]
    assert other.state().held_by == session


@pytest.fixture
def hold(desk: Desk) -> Callable[[], str]:

    def take() -> str:
        set_queue_policy(desk.ctx, target=QPU, access="exclusive", by="op")
        session = desk.open_session()
        desk.submit(session_id=session)
        desk.end(desk.start()[0])
        return session

    return take
