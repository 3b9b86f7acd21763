"""A trace follows a job from the client's submit through the server's request and every stage of the job."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer

from antiphon import Workspace
from otlp_receiver import Collector, ReceivedSpan, otlp_receiver
from programs import BELL, ENDLESS
from real_server import environment, real_server

STAGES = ["antiphon.compile", "antiphon.queue", "antiphon.execute", "antiphon.reconcile"]
SERVER, CONSUMER = 2, 5


@pytest.fixture
def tracer() -> Iterator[Tracer]:
    provider = TracerProvider(shutdown_on_exit=False)
    yield provider.get_tracer("the caller's own program")
    provider.shutdown()


@contextmanager
def traced_server(home: Path, *options: str) -> Iterator[tuple[Collector, str, str]]:
    """Spans are all there after the block."""
    with (
        otlp_receiver() as collector,
        real_server(home, "--otlp-endpoint", collector.url, *options) as server,
    ):
        yield collector, server.url, server.key
        assert server.stop() == 0


def one(spans: list[ReceivedSpan]) -> ReceivedSpan:
    (span,) = spans
    return span


def children(collector: Collector, of: ReceivedSpan) -> list[ReceivedSpan]:
    return sorted((span for span in collector.spans if span.parent == of.id), key=lambda span: (span.start, span.end))


@pytest.mark.parametrize("execution", ["inline", "process"])
def test_from_the_clients_span_to_the_last_stage(tmp_path: Path, tracer: Tracer, execution: str) -> None:
    with traced_server(tmp_path) as (collector, url, key):
        with Workspace(url, api_key=key) as ws, tracer.start_as_current_span("mine") as mine:
            job = ws.target("sim.auto").submit(BELL, shots=100, execution=execution)
            job.result()
        context = mine.get_span_context()
    trace, span_id = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    assert collector.paths == {"/v1/traces"}
    request = one(collector.named("POST /v1/jobs"))
    assert (request.trace, request.parent, request.kind) == (trace, span_id, SERVER)
    assert request.attributes["http.response.status_code"] == 202
    whole = one(collector.named("antiphon.job"))
    assert (whole.trace, whole.parent, whole.kind, whole.failed) == (trace, request.id, CONSUMER, False)
    assert whole.resource["service.name"] == "antiphon"
    told = {name: value for name, value in whole.attributes.items() if name.startswith("quantum.")}
    assert told["quantum.job.id"] == job.id
    expected = {
        "quantum.target": "sim.auto",
        "quantum.provider": "antiphon",
        "quantum.shots": 100,
        "quantum.circuits": 1,
        "quantum.qubits": 2,
        "quantum.executor": execution,
        "quantum.job.status": "Succeeded",
    }
    assert expected.items() <= told.items()
    stages = [span for span in collector.spans if span.parent == whole.id]
    assert sorted(span.name for span in stages) == sorted(STAGES)
    by_name = {span.name: span for span in stages}
    assert [by_name[name].start for name in STAGES] == sorted(by_name[name].start for name in STAGES)
    for name, span in by_name.items():
        recorded = job.stages[name.removeprefix("antiphon.")]
        assert (span.end - span.start) / 1e9 == pytest.approx(recorded, abs=1e-3), name
        assert whole.start <= span.start <= span.end <= whole.end
    # No second span for the same request, and none for what machines ask all the time.
    assert len({span.id for span in collector.spans}) == len(collector.spans)
    assert not any("healthz" in span.name or "livez" in span.name for span in collector.spans)


def test_a_job_that_failed_is_an_error(tmp_path: Path, tracer: Tracer) -> None:
    with (
        traced_server(tmp_path) as (collector, url, key),
        Workspace(url, api_key=key) as ws,
        tracer.start_as_current_span("mine"),
    ):
        target = ws.target("sim.auto")
        with target.open_session(name="loop") as session:
            job = target.submit(ENDLESS, shots=1, max_seconds=0.2)
            assert job.wait(timeout=60).status == "Failed"
        error = job.error
    whole = one([span for span in collector.named("antiphon.job") if span.attributes["quantum.job.id"] == job.id])
    assert whole.failed
    assert whole.attributes["error.type"] == (error or {})["code"]
    assert whole.attributes["quantum.session.id"] == session.id


def test_a_trace_that_is_not_sampled_stays_untold(tmp_path: Path) -> None:
    import httpx2

    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    with traced_server(tmp_path) as (collector, url, key):
        headers = {"Authorization": f"Bearer {key}", "traceparent": parent}
        answer = httpx2.post(
            f"{url}/v1/jobs",
            json={"target": "sim.auto", "program": BELL, "shots": 5},
            headers=headers,
            trust_env=False,
        )
        assert answer.status_code == 202
    assert not [span for span in collector.spans if span.trace == "0af7651916cd43dd8448eb211c80319c"]


def test_without_a_collector_the_server_works_and_ends(tmp_path: Path) -> None:
    with real_server(tmp_path, "--otlp-endpoint", "http://127.0.0.1:9") as server:
        with Workspace(server.url, api_key=server.key) as ws:
            assert sum(ws.target("sim.auto").submit(BELL, shots=9).result().counts.values()) == 9
        assert server.stop() == 0


EMBEDDED = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from antiphon import Workspace
from programs import BELL

kept = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))
trace.set_tracer_provider(provider)
with Workspace(HOME) as ws, trace.get_tracer("mine").start_as_current_span("mine") as mine:
    ws.target("sim.auto").submit(BELL, shots=5).result()
spans = {span.name: span for span in kept.get_finished_spans()}
assert len(spans) == 6, spans
assert spans["antiphon.job"].parent.span_id == mine.get_span_context().span_id
assert spans["antiphon.execute"].parent.span_id == spans["antiphon.job"].context.span_id
assert {span.context.trace_id for span in spans.values()} == {mine.get_span_context().trace_id}
print("ok")
"""

WITHOUT = """
import sys
from antiphon import Workspace
from programs import BELL

with Workspace(HOME) as ws:
    ws.target("sim.auto").submit(BELL, shots=5).result()
assert not [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]
print("ok")
"""


@pytest.mark.parametrize("code", [EMBEDDED, WITHOUT], ids=["with", "without"])
def test_an_embedded_workspace(tmp_path: Path, code: str) -> None:
    """In a process of its own: the global provider can be set once."""
    env = environment({"PYTHONPATH": str(Path(__file__).parents[1] / "support")})
    done = subprocess.run(
        [sys.executable, "-c", code.replace("HOME", repr(str(tmp_path)))],
        capture_output=True,
        text=True,
        env=env,
        timeout=100,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("ok\n", 0), done.stderr
