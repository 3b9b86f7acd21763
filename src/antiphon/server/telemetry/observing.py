"""What watches the engine of a server: counters and gauges of jobs, a line in the log for each, and traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.composition import trace_jobs
from antiphon.engine.context import EngineContext
from antiphon.server.settings import ServerSettings
from antiphon.server.telemetry.job_metrics import JobMetrics
from antiphon.server.telemetry.logs import JobLog
from antiphon.server.telemetry.metrics import Metrics
from antiphon.server.telemetry.store_metrics import StoreMetrics
from antiphon.server.telemetry.traces import tracer_provider

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


def observe(ctx: EngineContext, settings: ServerSettings, metrics: Metrics) -> TracerProvider | None:
    """Let metrics, logs and traces follow the jobs of this process, and metrics the store of all.

    Returns:
        Where traces go, to be shut down at the end; None without `otlp_endpoint`.

    Raises:
        MissingExtraError: `otlp_endpoint` is set, and what sends there is not installed.
    """
    spans = tracer_provider(settings.otlp_endpoint, ctx.engine_id) if settings.otlp_endpoint else None
    by_workspace = settings.metrics_by_workspace
    ctx.observers += [JobMetrics(metrics.registry, by_workspace=by_workspace), JobLog()]
    metrics.registry.register(StoreMetrics(ctx, by_workspace=by_workspace))
    if spans is not None:
        trace_jobs(ctx, spans)
    return spans
