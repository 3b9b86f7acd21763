"""Webhooks: endpoints that are told of events, and the deliveries to them.

Source: the Standard Webhooks specification 1.0; the body is a CloudEvents 1.0 envelope.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

EVENT_TYPES = ("job.succeeded", "job.failed", "job.cancelled", "session.ended")
TEST_EVENT = "webhook.test"
"""What an endpoint gets when its owner asks for it, whatever else it wants."""

RETRY_DELAYS_S = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""From each try that failed to the next one: ten tries in all, over three days and a half."""

RETRY_SPREAD = 0.1
"""Retries come later by up to this part of their delay, so that what failed together does not come back together."""

LONGEST_DELAY_S = 86_400.0
"""However long a receiver asks to be left alone."""

ROTATION_S = 86_400.0
"""How long the secret before the last rotation signs too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where deliveries go. Its signing secret is derived from the server's own and `secret_version`, never stored.

    Attributes:
        events: Types it wants, of EVENT_TYPES; empty means all.
        disabled_at: Set by its owner, or by an answer of 410.
        rotated_at: When `secret_version` last grew; for ROTATION_S from then on the version before signs too.
    """

    id: str
    workspace: str
    url: str
    events: tuple[str, ...]
    created_at: float
    created_by: str
    secret_version: int = 1
    disabled_at: float | None = None
    disabled_because: str = ""
    rotated_at: float | None = None

    def wants(self, event_type: str) -> bool:
        """Whether it is told of events of this type."""
        return self.disabled_at is None and (not self.events or event_type in self.events)

    def signing_versions(self, now: float) -> tuple[int, ...]:
        """Versions of the secret that sign a delivery at `now`, the newest first."""
        if self.rotated_at is None or now >= self.rotated_at + ROTATION_S:
            return (self.secret_version,)
        return (self.secret_version, self.secret_version - 1)


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"  # the last retry failed, or the endpoint was disabled


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one endpoint: a line of the outbox, written in the transaction of the event itself.

    Attributes:
        id: The `webhook-id`: the same for every attempt, so that a receiver can drop repeats.
        body: The CloudEvents envelope.
        next_at: When the next attempt is due; None once it is over.
        last_status: HTTP status of the last answer, or None when there was none; `last_error` says why.
    """

    id: str
    workspace: str
    endpoint: str
    type: str
    subject: str
    body: Mapping[str, Any]
    created_at: float
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    next_at: float | None = None
    delivered_at: float | None = None
    last_status: int | None = None
    last_error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one try to deliver went.

    Attributes:
        status: HTTP status of the answer, or None when there was none; then `error` says why.
        retry_after: Seconds for which the receiver asked to be left alone.
        was_sent: False when nothing was sent because there is nobody to send it to any more.
    """

    status: int | None = None
    error: str = ""
    retry_after: float | None = None
    was_sent: bool = True

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver took it: any status of success; a redirect is none."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == 410


def sent_again(delivery: Delivery, now: float) -> Delivery:
    """The delivery as though it had never been tried: due now, with all its tries before it; pure."""
    return replace(
        delivery,
        status=DeliveryStatus.PENDING,
        attempts=0,
        next_at=now,
        delivered_at=None,
        last_status=None,
        last_error="",
    )


def after_attempt(delivery: Delivery, attempt: Attempt, *, now: float, spread: float) -> Delivery:
    """The delivery after its try number `attempts`; pure.

    Args:
        spread: Between 0 and 1: where in the span that RETRY_SPREAD allows the next try lies.
    """
    if attempt.is_delivered:
        return replace(
            delivery,
            status=DeliveryStatus.DELIVERED,
            next_at=None,
            delivered_at=now,
            last_status=attempt.status,
            last_error="",
        )
    tries = delivery.attempts if attempt.was_sent else delivery.attempts - 1
    tried = replace(delivery, attempts=tries, last_status=attempt.status, last_error=attempt.error)
    if not attempt.was_sent or attempt.is_gone or tries > len(RETRY_DELAYS_S):
        return replace(tried, status=DeliveryStatus.FAILED, next_at=None)
    delay = RETRY_DELAYS_S[tries - 1] * (1 + RETRY_SPREAD * spread)
    return replace(tried, next_at=now + max(delay, min(attempt.retry_after or 0.0, LONGEST_DELAY_S)))
