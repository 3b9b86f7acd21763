"""What time does to the Azure protocol's sessions and queues, on a clock that the test moves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.server.azure.refusals import SESSION_IS_OVER
from azure_wire import AzureWire
from served import Served, served

IDLE_S = 600


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def timed(tmp_path: Path, clock: ManualClock) -> Iterator[Served]:
    with served(tmp_path, azure=True, inline_seconds=0.1, workers=0, clock=clock) as running:
        yield running


@pytest.fixture
def wire(timed: Served) -> Iterator[AzureWire]:
    with timed.client() as client, AzureWire(client) as found:
        yield found


def status_of(wire: AzureWire, session_id: str, awaited: str) -> str:
    until = time.monotonic() + 30
    while (found := str(wire.session(session_id)["status"])) != awaited and time.monotonic() < until:
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("fails", [False, True])
def test_a_session_nobody_uses_times_out(wire: AzureWire, clock: ManualClock, fails: bool) -> None:
    session = wire.open_session(jobFailurePolicy="Continue")
    changes = {"inputDataFormat": "qir.v1", "outputDataFormat": None} if fails else {}
    wire.run(sessionId=session["id"], **changes)
    before = "Failure(s)" if fails else "Executing"
    clock.advance(IDLE_S - 1)
    assert wire.session(session["id"])["status"] == before
    clock.advance(2)
    assert status_of(wire, session["id"], "TimedOut") == "TimedOut"
    ended = wire.session(session["id"])
    assert ended["errorData"]["code"] == "SessionTimedOut"
    assert ended["endExecutionTime"]
    assert wire.close_session(session["id"]) == ended
    answer = wire.submit(sessionId=session["id"])
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == SESSION_IS_OVER


def test_a_queue_tells_how_long_its_head_has_waited(tmp_path: Path, clock: ManualClock) -> None:
    with (
        served(tmp_path, azure=True, inline_seconds=0, workers=0, clock=clock) as running,
        running.client() as client,
        AzureWire(client) as wire,
    ):

        def queue_time() -> int:
            targets = [target for each in wire.items("/providerStatus") for target in each["targets"]]
            return int(next(target for target in targets if target["id"] == "sim.auto")["averageQueueTime"])

        assert queue_time() == 0
        wire.submit()
        clock.advance(90)
        assert queue_time() == 90
