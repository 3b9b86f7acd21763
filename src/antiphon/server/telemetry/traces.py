"""Traces of a server: its requests and the jobs that end in it, sent by OTLP over HTTP to `otlp_endpoint`.

What the OpenTelemetry SDK reads from the environment (OTEL_EXPORTER_OTLP_HEADERS and _CERTIFICATE, OTEL_TRACES_SAMPLER,
OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME, …) counts here, too.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from fastapi.telemetry import TelemetryConfig

from antiphon.errors import MissingExtraError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

TRACES_PATH = "/v1/traces"
EXPORT_S = 10.0
LAST_SPANS_S = 3.0
"""Time for spans that are still to be sent when the server ends; a collector that is away must not hold it."""
UNTOLD = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})


def traces_url(endpoint: str) -> str:
    """Where spans are posted: an endpoint without a path is a collector's base, as OTEL_EXPORTER_OTLP_ENDPOINT is."""
    parts = urlsplit(endpoint)
    path = parts.path if parts.path.strip("/") else TRACES_PATH
    return urlunsplit(parts._replace(path=path))


def tracer_provider(endpoint: str, instance: str) -> TracerProvider:
    """A provider of its own, not the global one: two servers in one process do not mix their spans.

    Args:
        instance: Which server process it is.

    Raises:
        MissingExtraError: The SDK or its exporter is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise MissingExtraError.of(error.name or "opentelemetry", "telemetry", "`otlp_endpoint`") from None
    resource = Resource.create(
        {
            "service.name": os.environ.get("OTEL_SERVICE_NAME") or "antiphon",
            "service.version": version("antiphon"),
            "service.instance.id": instance,
        }
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(traces_url(endpoint), timeout=EXPORT_S)))
    return provider


def of_requests(provider: TracerProvider | None) -> TelemetryConfig:
    """What FastAPI is told about its own telemetry: spans of requests to our provider, and nothing else.

    Its metrics would double ours.
    """
    return {
        "tracing": provider is not None,
        "tracer_provider": provider,
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "auto_configure": False,
        "exclude": lambda scope: scope.get("path") in UNTOLD,
    }


async def close_quickly(shutdown: Callable[[], None]) -> None:
    """Send what is left, in LAST_SPANS_S at most."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    def run() -> None:
        try:
            shutdown()
        finally:
            with suppress(RuntimeError):  # nobody waits any more: the loop is closed
                loop.call_soon_threadsafe(done.set)

    # A daemon: a thread of a pool would be waited for at the end of the process.
    threading.Thread(target=run, name="antiphon-last-spans", daemon=True).start()
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_SPANS_S):
            await done.wait()
