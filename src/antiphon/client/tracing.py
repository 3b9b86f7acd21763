"""The caller's span, where the caller uses OpenTelemetry: a job's own spans become its children."""

from __future__ import annotations

import sys


def trace_headers() -> dict[str, str]:
    """Headers that carry the caller's context, as the program's propagators write them; none without OpenTelemetry."""
    headers: dict[str, str] = {}
    # Never imported here: a program that has a span has imported it.
    if "opentelemetry.trace" in sys.modules:
        from opentelemetry.propagate import inject

        inject(headers)
    return headers


def current_trace() -> str | None:
    """The W3C traceparent of the caller's span; None when there is none."""
    return trace_headers().get("traceparent")
