from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from antiphon.domain.webhooks import Delivery, DeliveryStatus, Endpoint
from antiphon.errors import ConflictError
from antiphon.ports.job_store import JobStore
from antiphon.ports.webhook_store import DeliveryQuery
from stored_facts import T0


def _endpoint(number: int = 1, **changes: object) -> Endpoint:
    endpoint = Endpoint(
        id=f"whe-{number}",
        workspace="default",
        url="https://example.org/hook",
        events=("job.failed", "session.ended"),
        created_at=T0 + number,
        created_by="ada",
    )
    return dataclasses.replace(endpoint, **changes)  # type: ignore[arg-type]


def _delivery(number: int = 1, **changes: object) -> Delivery:
    delivery = Delivery(
        id=f"msg-{number}",
        workspace="default",
        endpoint="whe-1",
        type="job.failed",
        subject="job-1",
        body={"specversion": "1.0", "data": {"name": "é", "list": [1, None]}},
        created_at=T0 + number,
        next_at=T0 + number,
    )
    return dataclasses.replace(delivery, **changes)  # type: ignore[arg-type]


def test_endpoints_come_change_and_go(store: JobStore) -> None:
    first, second, elsewhere = _endpoint(1), _endpoint(2, events=()), _endpoint(3, workspace="other")
    changed = dataclasses.replace(
        first, secret_version=2, rotated_at=T0 + 8, disabled_at=T0 + 9, disabled_because="it answered 410"
    )
    with store.write() as tx:
        for endpoint in (second, first, elsewhere):
            tx.save_endpoint(endpoint)
        assert tx.endpoint(first.id) == first
        tx.save_endpoint(changed)
    with store.read() as tx:
        assert tx.endpoints("default") == [changed, second]
        assert tx.endpoints("none") == []
        assert tx.endpoint(second.id) == second
        assert tx.endpoint(elsewhere.id, workspace="other") == elsewhere
        assert tx.endpoint(elsewhere.id, workspace="default") is None
        assert tx.endpoint("whe-unknown") is None
    with pytest.raises(ConflictError), store.write() as tx:
        tx.save_endpoint(dataclasses.replace(elsewhere, workspace="default", url="https://elsewhere.example"))
    with store.read() as tx:
        assert tx.endpoint(elsewhere.id) == elsewhere


def test_an_endpoint_takes_its_deliveries_along(store: JobStore) -> None:
    delivery, other = _delivery(1), _delivery(2, endpoint="whe-2")
    with store.write() as tx:
        tx.save_endpoint(_endpoint(1))
        tx.save_endpoint(_endpoint(2))
        tx.add_deliveries([delivery, other])
        assert not tx.remove_endpoint("other", "whe-1")
        assert tx.remove_endpoint("default", "whe-1")
        assert not tx.remove_endpoint("default", "whe-1")
    with store.write() as tx:
        tx.save_delivery(dataclasses.replace(delivery, attempts=1))
        assert tx.delivery(delivery.id, workspace="default") is None
        assert tx.due_deliveries(T0 + 99, 10) == [other]
        assert tx.endpoints("default") == [_endpoint(2)]


def test_a_delivery_comes_back_as_it_was_stored(store: JobStore) -> None:
    plain = _delivery(1)
    failed = _delivery(2, status=DeliveryStatus.FAILED, attempts=9, next_at=None, last_status=500, last_error="no")
    with store.write() as tx:
        tx.add_deliveries([])
        tx.add_deliveries([plain, failed])
        assert tx.delivery(plain.id, workspace="default") == plain
    with store.read() as tx:
        assert tx.delivery(failed.id, workspace="default") == failed
        assert tx.delivery(failed.id, workspace="other") is None
        assert tx.delivery("msg-unknown", workspace="default") is None


def test_a_delivery_is_due_until_it_is_over(store: JobStore) -> None:
    late, early, elsewhere = _delivery(3), _delivery(1), _delivery(2, workspace="other")
    with store.write() as tx:
        tx.add_deliveries([late, early, elsewhere])
    with store.read() as tx:
        assert tx.due_deliveries(T0 + 0.5, 10) == []
        assert tx.due_deliveries(T0 + 2, 10) == [early, elsewhere]
        assert tx.due_deliveries(T0 + 9, 2) == [early, elsewhere]
    delivered = dataclasses.replace(
        early, status=DeliveryStatus.DELIVERED, attempts=2, next_at=None, delivered_at=T0 + 4, last_status=204
    )
    again = dataclasses.replace(late, attempts=1, next_at=T0 + 99.5, last_error="timed out")
    with store.write() as tx:
        tx.save_delivery(delivered)
        tx.save_delivery(again)
    with store.read() as tx:
        assert tx.delivery(early.id, workspace="default") == delivered
        assert tx.due_deliveries(T0 + 99, 10) == [elsewhere]
        assert tx.due_deliveries(T0 + 100, 10) == [elsewhere, again]


def test_two_couriers_do_not_take_the_same_delivery(open_another: Callable[[], JobStore], store_url: str) -> None:
    first, second = open_another(), open_another()
    with first.write() as tx:
        tx.add_deliveries([_delivery(number) for number in range(4)])
    with first.write() as tx:
        mine = [delivery.id for delivery in tx.due_deliveries(T0 + 9, 2)]
        if store_url.startswith("postgresql"):
            with second.write() as other:
                assert [delivery.id for delivery in other.due_deliveries(T0 + 9, 9)] == ["msg-2", "msg-3"]
        for delivery in tx.due_deliveries(T0 + 9, 2):
            tx.save_delivery(dataclasses.replace(delivery, next_at=T0 + 60))
    assert mine == ["msg-0", "msg-1"]
    with second.write() as tx:
        assert [delivery.id for delivery in tx.due_deliveries(T0 + 9, 9)] == ["msg-2", "msg-3"]


def test_busy_endpoints_are_passed_over(store: JobStore) -> None:
    with store.write() as tx:
        tx.add_deliveries([_delivery(number, endpoint=f"whe-{number}") for number in range(1, 5)])
        assert [each.endpoint for each in tx.due_deliveries(T0 + 9, 9, passing_over=["whe-1", "whe-3"])] == [
            "whe-2",
            "whe-4",
        ]
        assert [each.endpoint for each in tx.due_deliveries(T0 + 9, 1, passing_over=["whe-1"])] == ["whe-2"]


def test_the_delivery_log_is_read_newest_first(store: JobStore) -> None:
    first = _delivery(1)
    second = _delivery(2, endpoint="whe-2")
    same_time = _delivery(3, created_at=second.created_at, status=DeliveryStatus.FAILED, next_at=None)
    with store.write() as tx:
        tx.add_deliveries([first, second, same_time, _delivery(4, workspace="other")])
    cases = [
        (DeliveryQuery("default"), [same_time, second, first]),
        (DeliveryQuery("default", limit=1), [same_time]),
        (DeliveryQuery("default", endpoint="whe-1"), [same_time, first]),
        (DeliveryQuery("default", status=DeliveryStatus.PENDING), [second, first]),
        (DeliveryQuery("default", endpoint="whe-1", status=DeliveryStatus.FAILED), [same_time]),
        (DeliveryQuery("default", before=(same_time.created_at, same_time.id)), [second, first]),
        (DeliveryQuery("default", before=(second.created_at, second.id), endpoint="whe-1"), [first]),
        (DeliveryQuery("none"), []),
    ]
    with store.read() as tx:
        for query, expected in cases:
            assert tx.find_deliveries(query) == expected, query
