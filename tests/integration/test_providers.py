"""Jobs of a real provider in a process of its own, brought by a plugin as pip would have installed it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon import JobStatus, Workspace
from antiphon.adapters.targets import plugins
from antiphon.client.embedded import EmbeddedConnection
from antiphon.engine.context import EngineContext
from antiphon.engine.providers.doubt import resolve_in_doubt
from antiphon.errors import LimitError, WaitTimeoutError
from command_line import antiphon
from counting_provider import TARGET
from programs import BELL
from real_provider import RealProvider
from real_server import environment

PATIENCE_S = 60.0
OpenLab = Callable[[], Workspace]


@pytest.fixture(params=["key"])
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealProvider]:
    running = RealProvider(tmp_path / "provider", request.param)
    yield running
    if running.is_running:
        running.kill()


@pytest.fixture
def open_lab(provider: RealProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenLab]:
    """Opens workspaces in this process, in which the plugin is installed."""
    found = provider.environment(tmp_path / "site", slots=0)
    monkeypatch.setenv("COUNTING_PROVIDER", found["COUNTING_PROVIDER"])
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    plugins.installed.cache_clear()
    opened: list[Workspace] = []

    def open_one() -> Workspace:
        opened.append(Workspace(tmp_path / "lab", workers=1))
        return opened[-1]

    yield open_one
    for workspace in opened:
        workspace.close()
    plugins.installed.cache_clear()


def context(ws: Workspace) -> EngineContext:
    connection = ws._connection
    assert isinstance(connection, EmbeddedConnection)
    return connection._engine.ctx


def wait_until(holds: Callable[[], Any]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


def states(job: Any) -> list[str]:
    return [line["state"] for line in job.record["submissions"]]


def log(job: Any) -> list[str]:
    return [event["event"] for event in job.events]


def test_a_job_runs_at_its_provider_and_its_record_says_so(open_lab: OpenLab, provider: RealProvider) -> None:
    target = open_lab().target(TARGET)
    job = target.submit(BELL, shots=200, seed=5).wait(PATIENCE_S)
    same = open_lab().target("sim.auto").submit(BELL, shots=200, seed=5)
    assert job.result().counts == same.result().counts
    assert job.record["execution"]["executor"] == "provider"
    (line,) = job.record["submissions"]
    assert (line["state"], line["provider_id"], line["key"]) == ("ended", "cp-1", f"{job.id}-0")
    assert line["cost"][0]["total"] == 0.01
    assert job.record["cost"]
    assert provider.sums()["executions"] == 1


def test_a_batch_is_one_submission(open_lab: OpenLab, provider: RealProvider) -> None:
    job = open_lab().target(TARGET).submit_batch([BELL] * 3, shots=50).wait(PATIENCE_S)
    assert len(job.record["result"]) == 3
    assert [item["status"] for item in job.record["items"]] == ["Succeeded"] * 3
    assert states(job) == ["ended"]
    assert provider.sums()["executions"] == 1


@pytest.mark.parametrize("provider", ["key", "listing"], indirect=True)
@pytest.mark.parametrize("fault", ["cut after", "crashes after", "arrives late", "broken", "about another"])
def test_a_lost_answer_is_found_and_nothing_runs_twice(open_lab: OpenLab, provider: RealProvider, fault: str) -> None:
    target = open_lab().target(TARGET)
    target.submit(BELL, shots=10).wait(PATIENCE_S)
    provider.control(faults={"send": {fault: 1.0}})
    job = target.submit(BELL, shots=10)
    wait_until(lambda: "in doubt" in log(job))
    if not provider.is_running:
        provider.start()
    provider.control(faults={})
    job.wait(PATIENCE_S)
    # The provider that crashed may be away for so long that the log says it.
    events = [event for event in log(job) if "provider" not in event]
    assert events == ["submitted", "claimed", "in doubt", "resolved", "succeeded"]
    assert states(job) == ["ended"]
    assert provider.sums()["executions"] == 2


@pytest.mark.parametrize("provider", ["key", "listing"], indirect=True)
def test_what_never_arrived_is_sent_again_on_a_line_of_its_own(open_lab: OpenLab, provider: RealProvider) -> None:
    provider.control(faults={"send": {"cut before": 1.0}})
    job = open_lab().target(TARGET).submit(BELL, shots=10)
    wait_until(lambda: "in doubt" in log(job))
    provider.control(faults={})
    job.wait(PATIENCE_S)
    assert states(job) == ["refused", "ended"]
    assert job.record["submissions"][1]["parent"] == job.record["submissions"][0]["id"]
    assert provider.sums()["executions"] == 1


@pytest.mark.parametrize("provider", ["neither"], indirect=True)
def test_what_nobody_can_know_waits_for_an_operator(open_lab: OpenLab, provider: RealProvider) -> None:
    ws = open_lab()
    provider.control(faults={"send": {"cut after": 1.0}})
    job = ws.target(TARGET).submit(BELL, shots=10)
    wait_until(lambda: "in doubt" in log(job))
    provider.control(faults={})
    time.sleep(0.5)
    assert job.status is JobStatus.WAITING
    assert "nobody knows" in str(job.explain())
    ctx = context(ws)
    resolve_in_doubt(ctx, workspace="default", job_id=job.id, arrived=True, provider_id="cp-1", by="grace")
    job.wait(PATIENCE_S)
    assert job.result().counts
    assert provider.sums()["executions"] == 1


@pytest.mark.parametrize("provider", ["neither"], indirect=True)
def test_an_operator_sees_the_doubt_and_says_what_became_of_it(
    open_lab: OpenLab, provider: RealProvider, tmp_path: Path
) -> None:
    provider.control(faults={"send": {"cut before": 1.0}})
    job = open_lab().target(TARGET).submit(BELL, shots=10)
    wait_until(lambda: job.in_doubt)
    provider.control(faults={})
    shown = antiphon(tmp_path / "lab", "jobs", "show", job.id)
    assert "nobody knows whether its provider took it" in shown.out
    assert "asked of the provider" in shown.out
    data = antiphon(tmp_path / "lab", "jobs", "show", job.id, "--json").data
    assert (data["in_doubt"], [line["state"] for line in data["submissions"]]) == (True, ["in doubt"])
    unnamed = antiphon(tmp_path / "lab", "jobs", "resolve", job.id, "--arrived")
    assert "provider's name for it" in unnamed.err
    job.resolve(arrived=False)
    job.wait(PATIENCE_S)
    assert not job.in_doubt
    assert states(job) == ["refused", "ended"]
    assert provider.sums()["executions"] == 1
    assert "not in doubt" in antiphon(tmp_path / "lab", "jobs", "resolve", job.id, "--never-arrived").err


def test_a_busy_provider_is_tried_again(open_lab: OpenLab, provider: RealProvider) -> None:
    provider.control(faults={"send": {"busy": 0.5, "unavailable": 0.5}})
    job = open_lab().target(TARGET).submit(BELL, shots=10)
    wait_until(lambda: len(states(job)) >= 2)
    provider.control(faults={})
    job.wait(PATIENCE_S)
    assert states(job)[-1] == "ended"
    assert set(states(job)[:-1]) == {"refused"}
    assert provider.sums()["executions"] == 1


def test_a_program_that_does_not_end_there_is_stopped_by_whoever_asked_or_ends_itself(
    open_lab: OpenLab, provider: RealProvider
) -> None:
    provider.control(paused=True)
    job = open_lab().target(TARGET).submit(BELL, shots=10)
    wait_until(lambda: states(job) == ["accepted"])
    job.cancel()
    job.wait(PATIENCE_S)
    assert job.status is JobStatus.CANCELLED
    assert states(job) == ["ended"]
    provider.control(paused=False, run_s=1.0)
    late = open_lab().target(TARGET).submit(BELL, shots=10)
    wait_until(lambda: provider.sums()["states"].get("running"))
    late.cancel()
    late.wait(PATIENCE_S)
    assert late.status is JobStatus.SUCCEEDED
    assert [event for event in log(late) if "provider" not in event][-2:] == ["cancel requested", "succeeded"]
    assert provider.sums()["executions"] == 1


def test_a_callers_patience_changes_nothing(open_lab: OpenLab, provider: RealProvider) -> None:
    provider.control(paused=True)
    job = open_lab().target(TARGET).submit(BELL, shots=10)
    with pytest.raises(WaitTimeoutError):
        job.wait(0.2)
    provider.control(paused=False)
    job.wait(PATIENCE_S)
    assert job.status is JobStatus.SUCCEEDED
    assert provider.sums()["executions"] == 1


def test_a_provider_that_is_down_for_a_while_fails_nothing(open_lab: OpenLab, provider: RealProvider) -> None:
    provider.control(paused=True)
    job = open_lab().target(TARGET).submit(BELL, shots=10)
    wait_until(lambda: states(job) == ["accepted"])
    provider.kill()
    wait_until(lambda: "provider unreachable" in log(job))
    assert job.status is JobStatus.WAITING
    provider.start()
    provider.control(paused=False)
    job.wait(PATIENCE_S)
    events = [event for event in log(job) if event != "started at provider"]
    assert events[-3:] == ["provider unreachable", "provider reached", "succeeded"]
    assert provider.sums()["executions"] == 1


def test_jobs_at_a_provider_occupy_no_worker(open_lab: OpenLab, provider: RealProvider) -> None:
    provider.control(paused=True)
    ws = open_lab()
    jobs = [ws.target(TARGET).submit(BELL, shots=10, seed=number) for number in range(50)]
    wait_until(lambda: provider.sums()["states"].get("queued") == 50)
    here = ws.target("sim.auto").submit(BELL, shots=10, execution="process")
    here.wait(PATIENCE_S)
    assert here.record["execution"]["executor"] == "process"
    provider.control(paused=False)
    for job in jobs:
        job.wait(PATIENCE_S)
    assert provider.sums()["executions"] == 50


def test_what_a_provider_has_holds_up_no_shutdown_and_goes_on_without_us(
    open_lab: OpenLab, provider: RealProvider
) -> None:
    provider.control(paused=True)
    ws = open_lab()
    job = ws.target(TARGET).submit(BELL, shots=10)
    wait_until(lambda: states(job) == ["accepted"])
    connection = ws._connection
    assert isinstance(connection, EmbeddedConnection)
    dispatcher = connection._engine.dispatcher
    assert dispatcher is not None
    assert dispatcher.is_idle
    ws.close()
    provider.control(paused=False)
    wait_until(lambda: provider.sums()["states"].get("succeeded") == 1)
    again = open_lab().job(job.id).wait(PATIENCE_S)
    assert again.status is JobStatus.SUCCEEDED
    assert states(again) == ["ended"]
    assert provider.sums()["executions"] == 1


def test_a_failure_there_is_the_jobs_failure_with_its_reason(open_lab: OpenLab, provider: RealProvider) -> None:
    provider.control(paused=True)
    job = open_lab().target(TARGET).submit(BELL, shots=10)
    wait_until(lambda: states(job) == ["accepted"])
    provider.control(fail=[f"{job.id}-0"], paused=False)
    job.wait(PATIENCE_S)
    assert job.status is JobStatus.FAILED
    assert job.record["error"]["message"] == "The dilution refrigerator is warm."
    assert states(job) == ["ended"]


def test_what_the_driver_does_not_take_is_refused_before_anything_leaves(
    open_lab: OpenLab, provider: RealProvider
) -> None:
    with pytest.raises(LimitError):
        open_lab().target(TARGET).submit(BELL, shots=0)
    assert provider.sums()["states"] == {}


CHILD = f"""
import sys, time
from antiphon import Workspace
ws = Workspace(sys.argv[1], workers=1)
job = ws.target({TARGET!r}).submit({BELL!r}, shots=10)
print(job.id, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("moment", ["accepted", "in doubt"])
def test_an_engine_that_is_killed_is_followed_by_another(
    open_lab: OpenLab, provider: RealProvider, tmp_path: Path, moment: str
) -> None:
    if moment == "accepted":
        provider.control(paused=True)
    else:
        provider.control(faults={"send": {"cut after": 1.0}, "find": {"unavailable": 1.0}})
    found = environment(provider.environment(tmp_path / "site", slots=0))
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "lab")], stdout=subprocess.PIPE, text=True, env=found
    )
    with child:
        assert child.stdout is not None
        job_id = child.stdout.readline().strip()
        with Workspace(tmp_path / "lab", workers=0, dispatch=False) as looking:
            wait_until(lambda: states(looking.job(job_id)) == [moment])
        child.send_signal(signal.SIGKILL)
    provider.control(paused=False, faults={})
    job = open_lab().job(job_id).wait(PATIENCE_S)
    assert job.status is JobStatus.SUCCEEDED
    assert "lease lost" in log(job)
    assert states(job) == ["ended"]
    assert provider.sums()["executions"] == 1


def test_a_plugin_that_is_broken_takes_nothing_else_away(open_lab: OpenLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTING_PROVIDER", "not three words")
    names = [target.name for target in open_lab().targets()]
    assert TARGET not in names
    assert "sim.auto" in names
