from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.jobs import JobStatus
from antiphon.engine.giving_way import Turn
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.errors import StoreError
from queue_desk import QPU, Desk, queue_desk


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock) -> Iterator[Desk]:
    with queue_desk(tmp_path, clock) as found:
        yield found


@pytest.mark.parametrize("fails", ["read", "write"])
def test_a_store_that_cannot_be_asked_for_a_moment_ends_no_batch(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    set_queue_policy(desk.ctx, target=QPU, quantum_s=10, by="op")
    batch = desk.submit()
    assert desk.start() == [batch]
    desk.submit("bob")
    turn = Turn(desk.ctx, desk.started[batch])
    desk.clock.advance(11)

    def busy() -> None:
        raise StoreError("The store is busy.", code="store-busy")

    with monkeypatch.context() as patched:
        patched.setattr(desk.ctx.store, fails, busy)
        assert not turn.give_way(11.0)
        assert isinstance(turn.may_hand_ahead(20.0), bool)
    assert desk.job(batch).status is JobStatus.EXECUTING
    desk.clock.advance(11)
    assert turn.give_way(22.0)
    assert desk.job(batch).status is JobStatus.WAITING
