from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.domain.batches import ITEM_TRANSITIONS, BatchItem, ItemEvent, ItemTrigger, advance_item, verdict
from antiphon.domain.jobs import JobStatus
from antiphon.domain.transitions import TransitionRefusedError

LISTED = {(status, trigger) for status, trigger, _ in ITEM_TRANSITIONS.rows()}


@given(st.lists(st.tuples(st.sampled_from(ItemTrigger), st.floats(0, 1e10)), max_size=15))
def test_no_order_of_events_breaks_an_item(events: list[tuple[ItemTrigger, float]]) -> None:
    item = BatchItem(3)
    for trigger, at in events:
        event = ItemEvent(trigger=trigger, at=at, outcome={"x": 1} if trigger is ItemTrigger.SUCCEEDED else None)
        if (item.status, trigger) not in LISTED:
            with pytest.raises(TransitionRefusedError):
                advance_item(item, event)
            continue
        assert not item.status.is_final
        item = advance_item(item, event)
        assert item.index == 3
        assert (item.ended_at is not None) == item.status.is_final
        assert (item.outcome is not None) == (item.status is JobStatus.SUCCEEDED)
        if item.status is JobStatus.WAITING:
            assert item == BatchItem(3)


def test_a_failed_item_keeps_its_error() -> None:
    started = advance_item(BatchItem(0), ItemEvent(trigger=ItemTrigger.STARTED, at=1.0))
    failed = advance_item(started, ItemEvent(trigger=ItemTrigger.FAILED, at=2.0, error={"code": "x"}))
    assert failed == BatchItem(0, JobStatus.FAILED, {"code": "x"}, started_at=1.0, ended_at=2.0)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((JobStatus.SUCCEEDED, JobStatus.SUCCEEDED), JobStatus.SUCCEEDED),
        ((JobStatus.SUCCEEDED, JobStatus.CANCELLED), JobStatus.CANCELLED),
        ((JobStatus.CANCELLED, JobStatus.FAILED, JobStatus.SUCCEEDED), JobStatus.FAILED),
    ],
)
def test_the_worst_item_decides(statuses: tuple[JobStatus, ...], expected: JobStatus) -> None:
    assert verdict(BatchItem(index, status) for index, status in enumerate(statuses)) is expected
