"""What watches the engine of a server: counters and gauges of jobs, a line in the log for each, and traces."""

from __future__ import annotations

from antiphon.engine.context import EngineContext
from antiphon.server.settings import ServerSettings
from antiphon.server.telemetry.job_metrics import JobMetrics
from antiphon.server.telemetry.logs import JobLog
from antiphon.server.telemetry.metrics import Metrics
from antiphon.server.telemetry.store_metrics import StoreMetrics


def observe(ctx: EngineContext, settings: ServerSettings, metrics: Metrics) -> None:
    """Let metrics and logs follow the jobs of this process, and metrics the store of all."""
    by_workspace = settings.metrics_by_workspace
    ctx.observers += [JobMetrics(metrics.registry, by_workspace=by_workspace), JobLog()]
    metrics.registry.register(StoreMetrics(ctx, by_workspace=by_workspace))
