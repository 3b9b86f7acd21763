"""Request headers that routes read: idempotency keys, preferences, and the caller's trace."""

from __future__ import annotations

from typing import Any

import http_sf
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.requests import Request

from antiphon.errors import LimitError

LONGEST_WAIT_S = 60.0
RESERVED_KEYS = "azure:"
"""So begin the keys under which the Azure protocol stores jobs and sessions; nobody else's may."""
_TRACE = TraceContextTextMapPropagator()


def idempotency_key(value: str | None) -> str | None:
    """The key of an `Idempotency-Key` header: a quoted string as the draft has it, or bare as Stripe has it.

    A key with other characters than ASCII's comes as a Display String (RFC 9651).

    Raises:
        LimitError: Neither, or one of the keys that the Azure protocol has for itself (code
            "idempotency-key-invalid").
    """
    if value is None:
        return None
    key: Any = value.strip()
    if key.startswith(('"', '%"')):
        try:
            item: Any = http_sf.parse(key.encode("latin-1"), tltype="item")
            key = str(item[0]) if isinstance(item[0], http_sf.DisplayString) else item[0]
        except (http_sf.StructuredFieldError, UnicodeEncodeError):
            key = None
    if not isinstance(key, str) or not key:
        raise LimitError(
            "The header Idempotency-Key holds no key.",
            code="idempotency-key-invalid",
            next_step='Send Idempotency-Key: "…" with a text of your own that is new for each new request.',
        )
    if key.startswith(RESERVED_KEYS):
        raise LimitError(
            f"An Idempotency-Key cannot begin with {RESERVED_KEYS}",
            code="idempotency-key-invalid",
            cause="so begin the keys of jobs that come by the Azure protocol",
            next_step="Choose another beginning.",
        )
    return key


def preferred_wait(request: Request) -> float | None:
    """Seconds of `Prefer: wait=…` (RFC 7240), bounded; None without it. What is not understood is ignored."""
    given = request.headers.get("Prefer")
    if given is None:
        return None
    try:
        preferences: Any = http_sf.parse(given.lower().encode("latin-1"), tltype="dictionary")
    except (http_sf.StructuredFieldError, UnicodeEncodeError):
        return None
    asked = preferences.get("wait")
    seconds = asked[0] if isinstance(asked, tuple) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 0:
        return None
    return min(float(seconds), LONGEST_WAIT_S)


def trace_of(request: Request) -> str | None:
    """The W3C traceparent that a job of this request belongs under.

    Where this server traces, that is the request's own span; else what the caller sent, when it is a valid one.
    """
    if get_current_span().get_span_context().is_valid:
        own: dict[str, str] = {}
        _TRACE.inject(own)
        return own.get("traceparent")
    given = request.headers.get("traceparent")
    if given is None:
        return None
    span = get_current_span(_TRACE.extract({"traceparent": given}))
    return given if span.get_span_context().is_valid else None
