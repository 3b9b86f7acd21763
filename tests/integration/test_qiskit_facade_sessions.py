from __future__ import annotations

import threading
from typing import Any

import pytest
from qiskit import QuantumCircuit
from qiskit.primitives import BackendSamplerV2
from qiskit_aer import AerSimulator

from antiphon import SessionStatus, Workspace
from antiphon.errors import AntiphonError, JobFailedError, LimitError, NotFoundError, ProgramError, SessionEndedError
from antiphon.qiskit import AntiphonBackend, AntiphonProvider, Batch, EstimatorV2, SamplerV2, Session


@pytest.fixture
def provider(ws: Workspace) -> AntiphonProvider:
    return AntiphonProvider(ws)


@pytest.fixture
def backend(provider: AntiphonProvider) -> AntiphonBackend:
    return provider.backend("sim.auto")


def coin() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    return circuit


def endless() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.reset(0)
        circuit.measure(0, 0)
    return circuit


def test_every_kind_of_run_inside_is_in_the_session_in_order(backend: AntiphonBackend, ws: Workspace) -> None:
    with Session(backend, name="mixed") as session:
        assert session.session_id is not None
        assert session.status() == "Pending"
        made: list[Any] = [
            SamplerV2(mode=session).run([coin()], shots=3),
            EstimatorV2().run([(QuantumCircuit(1), "Z")]),
            SamplerV2(mode=backend).run([coin()], shots=3),
            backend.run(coin(), shots=3),
        ]
        BackendSamplerV2(backend=backend).run([coin()], shots=3).result()
        assert session.status() == "In progress, accepting new jobs"
    ids = [job.job_id() for job in session.jobs()]
    assert ids[:4] == [job.job_id() for job in made]
    assert len(ids) == 5
    assert all(job.session_id == session.session_id for job in made)
    assert made[0].result().metadata["session_id"] == session.session_id
    assert session.status() == "Closed"
    assert ws.session(str(session.session_id)).name == "mixed"
    assert backend.run(coin(), shots=3).session_id is None
    assert SamplerV2(backend).run([coin()], shots=3).session_id is None


def test_a_closed_session_refuses_and_says_why(backend: AntiphonBackend, ws: Workspace) -> None:
    session = Session(backend)
    sampler = SamplerV2(mode=session)
    sampler.run([coin()], shots=3)
    session.close()
    session.close()
    with pytest.raises(SessionEndedError, match="it was closed"):
        sampler.run([coin()], shots=3)
    with Session(backend) as other:
        inside = SamplerV2()
        ws.session(str(other.session_id)).close()
        with pytest.raises(SessionEndedError, match="it was closed"):
            inside.run([coin()], shots=3)
    assert len(ws.jobs()) == 1


def test_a_session_without_with_takes_only_what_is_given_to_it(backend: AntiphonBackend) -> None:
    session = Session(backend)
    inside = EstimatorV2(mode=session).run([(QuantumCircuit(1), "Z")])
    outside = backend.run(coin(), shots=3)
    assert inside.session_id == session.session_id
    assert outside.session_id is None
    session.close()


def test_an_exception_propagates_and_closes(backend: AntiphonBackend, ws: Workspace) -> None:
    with pytest.raises(ZeroDivisionError), Session(backend) as session:
        SamplerV2().run([coin()], shots=3)
        _ = 1 / 0
    assert session.status() == "Closed"
    assert ws.session(str(session.session_id)).status is SessionStatus.SUCCEEDED
    with pytest.raises(AntiphonError, match="no session is open"):
        SamplerV2()


def test_the_innermost_with_counts(backend: AntiphonBackend, provider: AntiphonProvider) -> None:
    with Session(backend) as outer, Batch(backend) as inner:
        assert SamplerV2().mode is inner
        assert backend.run(coin(), shots=3).session_id == inner.session_id
        inner.close()
        assert SamplerV2().mode is outer
        assert backend.run(coin(), shots=3).session_id == outer.session_id
    with Session(backend) as session, Session(provider.backend("sim.statevector")):
        assert backend.run(coin(), shots=3).session_id == session.session_id


def test_details_have_the_names_of_ibm(backend: AntiphonBackend) -> None:
    with Session(backend, max_time="2h 30m") as session:
        assert session.usage() == 0.0
        SamplerV2().run([coin()], shots=3).result()
        details = session.details()
        assert details is not None
        assert set(details) == {
            "id",
            "backend_name",
            "interactive_timeout",
            "max_time",
            "active_timeout",
            "state",
            "accepting_jobs",
            "last_job_started",
            "last_job_completed",
            "started_at",
            "closed_at",
            "activated_at",
            "mode",
            "usage_time",
            "timestamps",
        }
        assert details["id"] == session.session_id
        assert details["max_time"] == 9000
        assert details["state"] == "active"
        assert details["accepting_jobs"] is True
        assert details["closed_at"] is None
        assert details["last_job_completed"]
        assert (session.usage() or 0) > 0
    details = session.details()
    assert details is not None
    assert details["state"] == "closed"
    assert details["closed_at"]
    assert details["usage_time"] == session.usage()


@pytest.mark.parametrize(
    ("max_time", "seconds"), [(60, 60), ("45s", 45), ("1d", 86_400), ("1h 1m 1s", 3661), (None, 28_800)]
)
def test_max_time(backend: AntiphonBackend, max_time: int | str | None, seconds: int) -> None:
    with Session(backend, max_time=max_time) as session:
        details = session.details()
    assert details is not None
    assert details["max_time"] == seconds


@pytest.mark.parametrize("max_time", ["", "2 fortnights", "soon", 0, -5])
def test_a_max_time_that_is_none(backend: AntiphonBackend, max_time: int | str, ws: Workspace) -> None:
    with pytest.raises(LimitError, match=r"max_time|total_limit"):
        Session(backend, max_time=max_time)
    assert ws.sessions() == []


def test_a_batch(backend: AntiphonBackend) -> None:
    with Batch(backend) as batch:
        assert isinstance(batch, Session)
        jobs = [SamplerV2(mode=batch).run([coin()], shots=3) for _ in range(3)]
    details = batch.details()
    assert details is not None
    assert details["mode"] == "batch"
    assert batch.usage() == pytest.approx(sum(job.usage() for job in jobs))
    assert [job.job_id() for job in batch.jobs()] == [job.job_id() for job in jobs]


def test_a_session_taken_up_by_id(backend: AntiphonBackend, provider: AntiphonProvider) -> None:
    session = Session(backend)
    again = Session.from_id(str(session.session_id), service=provider)
    assert again.session_id == session.session_id
    assert again.backend() == "sim.auto"
    job = SamplerV2(mode=again).run([coin()], shots=3)
    assert job.session_id == session.session_id
    again.close()
    with pytest.raises(SessionEndedError):
        SamplerV2(mode=session).run([coin()], shots=3)
    assert Batch.from_id(str(session.session_id), provider).mode == "batch"
    with pytest.raises(NotFoundError):
        Session.from_id("ses_nowhere", provider)


def test_cancel_ends_what_is_queued(backend: AntiphonBackend) -> None:
    session = Session(backend)
    sampler = SamplerV2(mode=session)
    running = sampler.run([endless()], shots=1)  # the fixture's workspace has one worker
    deadline = threading.Event()
    while not running.running():
        deadline.wait(0.01)
    queued = sampler.run([endless()], shots=1)
    session.cancel()
    queued.wait_for_final_state(timeout=30)
    assert queued.status() == "CANCELLED"
    running.cancel()
    running.wait_for_final_state(timeout=30)
    assert session.status() == "Closed"


def test_a_failing_job_ends_the_session_only_if_asked_to(backend: AntiphonBackend) -> None:
    options = {"max_execution_time": 0.5}
    with Session(backend) as session:
        with pytest.raises(JobFailedError):
            SamplerV2(options=options).run([endless()], shots=1).result()
        SamplerV2().run([coin()], shots=3).result()
    assert len(session.jobs()) == 2
    with Session(backend, failure_policy="abort"):
        with pytest.raises(JobFailedError):
            SamplerV2(options=options).run([endless()], shots=1).result()
        with pytest.raises(SessionEndedError, match="abort"):
            SamplerV2().run([coin()], shots=3)


def test_what_is_not_a_mode(backend: AntiphonBackend) -> None:
    with pytest.raises(ProgramError, match="not a backend of Antiphon"):
        Session(AerSimulator())
    with pytest.raises(AntiphonError, match="not a mode"):
        SamplerV2(mode=AerSimulator())
    with pytest.raises(AntiphonError, match="no session is open"):
        EstimatorV2()
    unopened = Session(backend, create_new=False)
    assert (unopened.session_id, unopened.status(), unopened.details(), unopened.usage()) == (None, None, None, None)
    with pytest.raises(SessionEndedError, match="never opened"):
        SamplerV2(mode=unopened).run([coin()])
