"""A vendor's process is killed at the worst moments, as the kernel would: whatever the vendor, a job runs once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from antiphon import JobStatus
from command_line import antiphon
from holding_relay import HoldingRelay
from ionq_service import IonqService
from real_server import RealServer
from vendor_labs import PATIENCE_S, Lab, log_of, states_of, wait_until

pytestmark = pytest.mark.timeout(240)

PROGRAM = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
TARGETS = {
    "azure": "azure.sim.auto",
    "braket": "braket.braket_sv",
    "ibm": "ibm.fake_manila",
    "ionq": "ionq.simulator",
    "iqm": "iqm.fake_adonis",
}
SLOW = {"azure", "ionq", "iqm"}
"""What is kept back on the way is as good a test of the first two; the SDK of the last takes ten seconds to import."""


@dataclass
class Watched:
    """A vendor's service: what is kept back on the way there, and how many jobs it took."""

    lab: Lab
    relay: HoldingRelay
    submits: str
    looks: str
    jobs: Callable[[], int]


@pytest.fixture(
    params=[
        pytest.param(
            name, marks=[pytest.mark.xdist_group(f"vendor-{name}"), *([pytest.mark.soak] if name in SLOW else [])]
        )
        for name in TARGETS
    ]
)
def of_any(request: pytest.FixtureRequest) -> Lab:
    found: Lab = request.getfixturevalue(request.param)
    return found


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.xdist_group(f"vendor-{name}")) for name in ("azure", "ionq")]
)
def watched(request: pytest.FixtureRequest) -> Watched:
    lab: Lab = request.getfixturevalue(request.param)
    if request.param == "ionq":
        service: IonqService = request.getfixturevalue("ionq_service")
        relay: HoldingRelay = request.getfixturevalue("ionq_relay")
        return Watched(lab, relay, r"POST /v0.4/jobs", r"GET /v0.4/jobs/", lambda: service.submitted)
    server: RealServer = request.getfixturevalue("server")
    relay = request.getfixturevalue("relay")
    jobs = r"/subscriptions/\S*/jobs/"
    return Watched(lab, relay, f"PUT {jobs}", f"GET {jobs}", lambda: _listed(server))


def _listed(server: RealServer) -> int:
    return len(antiphon(server.home, "jobs", "list", "--json", "--limit", "500").data)


def test_killed_with_a_job_that_it_did_not_send_it_is_asked_after_and_sent_again(of_any: Lab) -> None:
    """Stopped, so that it has the request and does nothing; then killed, and nothing of it is left to be found."""
    target = of_any.ws.target(TARGETS[of_any.vendor])
    target.submit(PROGRAM, shots=5).wait(PATIENCE_S)
    of_any.process.suspend()
    job = target.submit(PROGRAM, shots=7)
    wait_until(lambda: states_of(job) == ["sent"])
    of_any.kill()
    wait_until(lambda: "in doubt" in log_of(job))
    wait_until(lambda: job.status.is_final)
    assert job.status is JobStatus.SUCCEEDED
    assert states_of(job) == ["refused", "ended"]
    assert sum(job.result().counts.values()) == 7


@pytest.mark.parametrize("answer", [True, False], ids=["the answer is lost", "the request is lost"])
def test_killed_while_it_sends_the_job_runs_once(watched: Watched, answer: bool) -> None:
    target = watched.lab.ws.target(TARGETS[watched.lab.vendor])
    target.submit(PROGRAM, shots=5).wait(PATIENCE_S)
    before = watched.jobs()
    watched.relay.hold(watched.submits, answer=answer)
    job = target.submit(PROGRAM, shots=11)
    assert watched.relay.held.wait(PATIENCE_S)
    watched.lab.kill()
    wait_until(lambda: "in doubt" in log_of(job))
    if answer:
        watched.relay.release()
    else:
        watched.relay.drop()
    job.wait(PATIENCE_S)
    assert job.status is JobStatus.SUCCEEDED, job.record["error"]
    assert sum(job.result().counts.values()) == 11
    assert log_of(job) == ["submitted", "claimed", "in doubt", "resolved", "succeeded"]
    assert states_of(job) == (["ended"] if answer else ["refused", "ended"])
    assert watched.jobs() == before + 1


def test_killed_while_it_looks_it_looks_again(watched: Watched) -> None:
    before = watched.jobs()
    watched.relay.hold(watched.looks, answer=True)
    job = watched.lab.ws.target(TARGETS[watched.lab.vendor]).submit(PROGRAM, shots=12)
    assert watched.relay.held.wait(PATIENCE_S)
    watched.lab.kill()
    watched.relay.release()
    job.wait(PATIENCE_S)
    assert log_of(job) == ["submitted", "claimed", "succeeded"]
    assert watched.jobs() == before + 1
