"""Webhooks and deliveries as the native API and the command line show them."""

from __future__ import annotations

from typing import Any

from antiphon.client.wire.times import to_iso
from antiphon.domain.webhooks import Delivery, Endpoint


def endpoint_to_json(endpoint: Endpoint) -> dict[str, Any]:
    """An endpoint as its resource; there is nothing of its secret in it."""
    return {
        "id": endpoint.id,
        "workspace": endpoint.workspace,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "enabled": endpoint.disabled_at is None,
        "disabled_at": to_iso(endpoint.disabled_at),
        "disabled_because": endpoint.disabled_because,
        "secret_version": endpoint.secret_version,
        "rotated_at": to_iso(endpoint.rotated_at),
        "created_at": to_iso(endpoint.created_at),
        "created_by": endpoint.created_by,
    }


def delivery_to_json(delivery: Delivery) -> dict[str, Any]:
    """A line of the delivery log."""
    return {
        "id": delivery.id,
        "webhook": delivery.endpoint,
        "type": delivery.type,
        "subject": delivery.subject,
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "created_at": to_iso(delivery.created_at),
        "next_at": to_iso(delivery.next_at),
        "delivered_at": to_iso(delivery.delivered_at),
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
        "event": dict(delivery.body),
    }
