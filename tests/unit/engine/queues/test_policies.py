from __future__ import annotations

from typing import Any

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.queues import Access, QueuePolicy
from antiphon.engine.context import EngineContext
from antiphon.engine.queues.policies import known_policy, queue_policy, set_queue_policy
from antiphon.errors import LimitError, NotFoundError
from antiphon.ports.access_store import AuditQuery
from queue_desk import QPU, Desk


def test_without_a_word_of_an_operator_the_targets_own_slots_count(desk: Desk) -> None:
    assert queue_policy(desk.ctx, QPU) == QueuePolicy(target=QPU, slots=1)
    assert queue_policy(desk.ctx, "sim.auto") == QueuePolicy(target="sim.auto")
    assert known_policy(desk.ctx, QPU).is_queued


def test_what_is_not_given_stays_as_it_was(desk: Desk, clock: ManualClock) -> None:
    first = set_queue_policy(desk.ctx, target=QPU, access="exclusive", gap_s=30, by="op")
    assert first == QueuePolicy(
        target=QPU,
        slots=1,
        access=Access.EXCLUSIVE,
        gap_s=30.0,
        version=1,
        updated_at=clock.now(),
        updated_by="op",
    )
    second = set_queue_policy(desk.ctx, target=QPU, slots=3, by="root")
    assert (second.slots, second.access, second.gap_s, second.version) == (3, Access.EXCLUSIVE, 30.0, 2)
    assert queue_policy(desk.ctx, QPU) == second


def test_none_takes_the_slots_away(ctx: EngineContext) -> None:
    assert set_queue_policy(ctx, target="sim.auto", slots=2, by="op").is_queued
    assert not set_queue_policy(ctx, target="sim.auto", slots=None, by="op").is_queued


def test_to_set_what_is_set_changes_nothing(ctx: EngineContext) -> None:
    first = set_queue_policy(ctx, target="sim.auto", slots=2, by="op")
    assert set_queue_policy(ctx, target="sim.auto", slots=2, by="somebody else") == first


def test_the_audit_log_says_what_was_changed(ctx: EngineContext) -> None:
    set_queue_policy(ctx, target="sim.auto", slots=2, patience_s=60, by="op")
    with ctx.store.read() as tx:
        (entry,) = tx.audit(AuditQuery("default", subject="sim.auto"))
    assert (entry.who, entry.action, entry.details) == ("op", "queue.policy", {"slots": "2", "patience_s": "60.0"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slots", 0),
        ("slots", 1.5),
        ("slots", True),
        ("slots", 10_001),
        ("access", "mine"),
        ("gap_s", -1),
        ("gap_s", float("nan")),
        ("gap_s", 10**400),
        ("window_s", 1),
        ("patience_s", "soon"),
        ("aged_every", 0),
        ("aged_every", 2.0),
        ("quantum_s", 0),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(desk: Desk, field: str, value: Any) -> None:
    with pytest.raises(LimitError) as caught:
        set_queue_policy(desk.ctx, target=QPU, by="op", **{field: value})
    assert caught.value.code == "queue-policy-invalid"
    assert caught.value.details == {"field": field}
    assert field in caught.value.message
    assert queue_policy(desk.ctx, QPU).version == 0


@pytest.mark.parametrize("access", ["exclusive", "dedicated"])
def test_only_a_target_with_slots_can_be_held(ctx: EngineContext, access: str) -> None:
    with pytest.raises(LimitError) as caught:
        set_queue_policy(ctx, target="sim.auto", access=access, by="op")
    assert caught.value.code == "queue-policy-invalid"
    set_queue_policy(ctx, target="sim.auto", access=access, slots=1, by="op")
    with pytest.raises(LimitError):
        set_queue_policy(ctx, target="sim.auto", slots=None, by="op")


def test_a_target_that_is_not_there(ctx: EngineContext) -> None:
    with pytest.raises(NotFoundError):
        queue_policy(ctx, "sim.none")
    with pytest.raises(NotFoundError):
        set_queue_policy(ctx, target="sim.none", slots=1, by="op")


def test_a_submit_goes_by_a_policy_at_most_a_second_old(desk: Desk, other: Desk, clock: ManualClock) -> None:
    assert known_policy(other.ctx, QPU).slots == 1
    set_queue_policy(desk.ctx, target=QPU, slots=5, by="op")
    assert known_policy(desk.ctx, QPU).slots == 5
    clock.advance(1)
    assert known_policy(other.ctx, QPU).slots == 5
