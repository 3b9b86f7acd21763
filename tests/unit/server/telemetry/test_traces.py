from __future__ import annotations

import asyncio
import sys
import threading

import pytest
from pydantic import ValidationError

from antiphon.errors import MissingExtraError
from antiphon.server.settings import ServerSettings
from antiphon.server.telemetry import traces
from antiphon.server.telemetry.traces import close_quickly, of_requests, tracer_provider, traces_url


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("http://c:4318", "http://c:4318/v1/traces"),
        ("http://c:4318/", "http://c:4318/v1/traces"),
        ("https://c/otlp/v1/traces", "https://c/otlp/v1/traces"),
        ("https://c/custom?x=1", "https://c/custom?x=1"),
    ],
)
def test_an_endpoint_without_a_path_is_a_base(endpoint: str, expected: str) -> None:
    assert traces_url(endpoint) == expected


@pytest.mark.parametrize("endpoint", ["collector:4318", "ftp://c", "http://", ""])
def test_what_is_no_url_is_refused(endpoint: str) -> None:
    with pytest.raises(ValidationError):
        ServerSettings.model_validate({"otlp_endpoint": endpoint})


def test_without_the_sdk_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(MissingExtraError) as caught:
        tracer_provider("http://c", "eng-1")
    assert "antiphon[telemetry]" in caught.value.next_step


def test_the_resource_names_service_and_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
    provider = tracer_provider("http://127.0.0.1:9", "eng-1")
    try:
        told = provider.resource.attributes
        assert (told["service.name"], told["service.instance.id"]) == ("antiphon", "eng-1")
        assert told["deployment.environment"] == "test"
    finally:
        provider.shutdown()


def test_requests_are_traced_only_with_somewhere_to_send_them() -> None:
    told = of_requests(None)
    assert told["tracing"] is False
    assert told["metrics"] is False
    assert told["exclude"] is not None
    assert told["exclude"]({"path": "/healthz"})
    assert not told["exclude"]({"path": "/v1/jobs"})


def test_a_collector_that_is_away_does_not_hold_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "LAST_SPANS_S", 0.01)
    let_go, over = threading.Event(), threading.Event()

    def shutdown() -> None:
        let_go.wait(30)
        over.set()

    asyncio.run(close_quickly(shutdown))
    assert not over.is_set()
    let_go.set()
    assert over.wait(30)
    ended: list[bool] = []
    monkeypatch.setattr(traces, "LAST_SPANS_S", 30)
    asyncio.run(close_quickly(lambda: ended.append(True)))
    assert ended == [True]
