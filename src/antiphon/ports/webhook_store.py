"""The outbox: endpoints, and deliveries that are due."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from antiphon.domain.webhooks import Delivery, DeliveryStatus, Endpoint

MOST_PASSED_OVER = 16
"""How many endpoints `due_deliveries` can leave alone."""


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """Which deliveries of a workspace, newest first; None means any."""

    workspace: str
    endpoint: str | None = None
    status: DeliveryStatus | None = None
    before: tuple[float, str] | None = None
    """Cursor: (created_at, id) of the last one seen."""
    limit: int = 100


class WebhookTransaction(Protocol):
    """The part of a transaction that is about webhooks."""

    def save_endpoint(self, endpoint: Endpoint) -> None:
        """Insert or replace."""
        ...

    def remove_endpoint(self, workspace: str, endpoint_id: str) -> bool:
        """Forget it with its deliveries; False when there was none."""
        ...

    def endpoint(self, endpoint_id: str, *, workspace: str | None = None) -> Endpoint | None:
        """The endpoint, or None; with a workspace, None also when it belongs to another."""
        ...

    def endpoints(self, workspace: str) -> list[Endpoint]:
        """All of a workspace, oldest first. Cheap when there are none: it is asked at the end of every job."""
        ...

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Append to the outbox."""
        ...

    def due_deliveries(self, now: float, limit: int, *, passing_over: Collection[str] = ()) -> list[Delivery]:
        """Pending ones of all workspaces with `next_at` ≤ now, oldest first.

        In a write transaction they are locked, and those that another transaction holds are passed over (PostgreSQL).

        Args:
            passing_over: Endpoints to leave alone, up to MOST_PASSED_OVER; in a write transaction only.
        """
        ...

    def save_delivery(self, delivery: Delivery) -> None:
        """Store how it went."""
        ...

    def delivery(self, delivery_id: str, *, workspace: str) -> Delivery | None:
        """The delivery, or None."""
        ...

    def find_deliveries(self, query: DeliveryQuery) -> list[Delivery]:
        """Those that match, newest first."""
        ...
