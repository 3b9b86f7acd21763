"""The numbers that Prometheus collects from a server."""

from __future__ import annotations

from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """One registry for each server process, so that two servers in one process do not count into each other."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "antiphon_http_requests_total",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "antiphon_http_request_duration_seconds",
            "From the request's head to the answer's last byte.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "antiphon_http_requests_in_flight",
            "Requests being answered, open streams among them.",
            registry=self.registry,
        )
        self.auth_refusals = Counter(
            "antiphon_auth_refusals_total",
            "Requests whose key or token opened nothing.",
            ("code",),
            registry=self.registry,
        )
        self.webhook_deliveries = Counter(
            "antiphon_webhook_deliveries_total",
            "Tries to deliver a webhook, by how they went: delivered, retry, or failed for good.",
            ("outcome",),
            registry=self.registry,
        )
        build = Gauge("antiphon_build_info", "Always 1; the version is a label.", ("version",), registry=self.registry)
        build.labels(version("antiphon")).set(1)

    def render(self) -> tuple[bytes, str]:
        """All metrics in Prometheus' text format, and its media type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
