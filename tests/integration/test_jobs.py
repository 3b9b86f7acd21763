from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from antiphon import JobStatus, Workspace
from antiphon.errors import (
    AntiphonError,
    ConflictError,
    JobCancelledError,
    JobFailedError,
    LimitError,
    NotFoundError,
    ProgramError,
    WaitTimeoutError,
)
from programs import BELL, ENDLESS


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def test_the_lines_of_the_design(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    job = target.submit(bell(), shots=1000, name="bell", seed=7)
    counts = job.result().counts
    assert set(counts) == {"00", "11"}
    assert sum(counts.values()) == 1000
    assert job.status is JobStatus.SUCCEEDED
    assert set(job.stages) == {"compile", "queue", "execute", "reconcile"}
    assert all(seconds is not None and seconds >= 0 for seconds in job.stages.values())
    assert job.name == "bell"
    assert [ws.job(job.id).id, ws.jobs()[0].id] == [job.id, job.id]


@pytest.mark.parametrize("execution", ["inline", "process"])
def test_where_a_job_runs_can_be_forced_and_gives_the_same_counts(ws: Workspace, execution: str) -> None:
    target = ws.target("sim.auto")
    job = target.submit(bell(), shots=500, seed=11, execution=execution)
    reference = target.submit(bell(), shots=500, seed=11)
    assert job.executor == execution
    assert job.result(60).counts == reference.result(60).counts


def test_neighbouring_seeds_share_nothing(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    circuit = QuantumCircuit(6, 6)
    circuit.h(range(6))
    circuit.measure(range(6), range(6))
    all_counts = [target.submit(circuit, shots=200, seed=seed).result().counts for seed in range(8)]
    assert len({tuple(sorted(counts.items())) for counts in all_counts}) == 8


def test_a_seed_is_drawn_and_recorded(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    first, second = target.submit(bell(), shots=100), target.submit(bell(), shots=100)
    assert first.seed != second.seed
    assert target.submit(bell(), shots=100, seed=first.seed).result().counts == first.result().counts


def test_estimate_exact_and_sampled(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    theta = Parameter("θ")
    circuit = QuantumCircuit(1)
    circuit.ry(theta, 0)
    observable = SparsePauliOp(["Z"], [1.0])
    angles = np.linspace(0, np.pi, 5)
    exact = target.estimate(circuit, observable, {theta: angles}).result()
    np.testing.assert_allclose(exact.values, np.cos(angles), atol=1e-9)
    assert not np.any(exact.stderr)
    sampled = target.estimate(circuit, observable, [0.7], precision=0.02, seed=3).result()
    assert sampled.shots is not None
    assert sampled.shots < 2500  # what is enough for any state; this one varies less
    assert 0 < sampled.stderr <= 0.02
    assert abs(sampled.values - np.cos(0.7)) < 5 * sampled.stderr
    assert 0 < sampled.stderr < 0.02


def test_sweep_is_one_job_with_one_plan(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    theta = Parameter("theta")
    circuit = QuantumCircuit(1, 1)
    circuit.rx(theta, 0)
    circuit.measure(0, 0)
    job = target.sweep(circuit, [{"theta": 0.0}, {"theta": np.pi}, {"theta": np.pi / 2}], shots=400, seed=5)
    counts = job.result().counts
    assert counts[0] == {"0": 400}
    assert counts[1] == {"1": 400}
    assert 100 < counts[2]["0"] < 300
    record = job.record
    assert len(record["programs"]) == 1
    assert record["pubs"][0]["parameters_shape"] == [3]
    assert record["provenance"]["plan"]["num_calls"] >= 1


def test_the_record_holds_what_is_needed_to_run_it_again(ws: Workspace) -> None:
    job = ws.target("sim.auto").submit(BELL, shots=100, seed=1, metadata={"paper": "fig 2"}, key="k-1")
    record = job.record
    program = next(iter(record["programs"].values()))
    assert program["source"] == BELL
    assert "cx q[0], q[1];" in program["compiled"]
    assert record["seed"] == 1
    assert record["idempotency_key"] == "k-1"
    assert record["metadata"] == {"paper": "fig 2"}
    assert record["provenance"]["environment"]["antiphon"]
    assert record["provenance"]["engine"]
    assert record["provenance"]["plan"]["reason"]
    assert record["result"][0]["counts"][0] == job.result().counts
    assert [event["event"] for event in record["events"]] == ["submitted", "claimed", "succeeded"]
    assert all(event["who"] for event in record["events"])


def test_replay_agrees_to_the_bit(ws: Workspace) -> None:
    job = ws.target("sim.auto").submit(bell(), shots=1000, seed=3)
    replay = job.replay(60)
    assert replay.agreement.agrees
    assert replay.agreement.test == "identical"
    assert replay.job.id != job.id
    assert replay.job.spec.metadata["replay_of"] == job.id


def test_a_key_makes_one_job(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    jobs: list[str] = []

    def submit() -> None:
        jobs.append(target.submit(bell(), shots=100, key="only-once").id)

    threads = [threading.Thread(target=submit) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(jobs) == 20
    assert len(set(jobs)) == 1
    assert len(ws.jobs()) == 1
    with pytest.raises(ConflictError) as caught:
        target.submit(bell(), shots=101, key="only-once")
    assert caught.value.code == "key-reused"


def test_a_job_is_taken_up_by_id_from_another_workspace_object(open_workspace: Callable[..., Workspace]) -> None:
    first = open_workspace()
    job = first.target("sim.auto").submit(bell(), shots=100, execution="process")
    second = open_workspace()
    assert second.job(job.id).result(60).counts == job.result(60).counts
    assert second.job(job.id[:12] if len(second.jobs()) == 1 else job.id).id == job.id


def test_an_endless_program_is_killed_at_its_limit(ws: Workspace) -> None:
    job = ws.target("sim.auto").submit(ENDLESS, shots=10, max_seconds=1.5)
    assert job.executor == "process"
    with pytest.raises(JobFailedError) as caught:
        job.result(60)
    assert caught.value.code == "worker-timeout"
    assert caught.value.next_step
    # The next job is none the worse.
    assert ws.target("sim.auto").submit(bell(), shots=10, execution="process").result(60)


def test_cancel_kills_a_running_job(ws: Workspace) -> None:
    job = ws.target("sim.auto").submit(ENDLESS, shots=10)
    while job.status is JobStatus.WAITING:
        pass
    job.cancel()
    with pytest.raises(JobCancelledError):
        job.result(60)
    assert job.status is JobStatus.CANCELLED
    assert [event["event"] for event in job.events] == ["submitted", "claimed", "cancel requested", "cancelled"]


def test_a_timeout_of_the_caller_changes_nothing(ws: Workspace) -> None:
    job = ws.target("sim.auto").submit(ENDLESS, shots=10)
    with pytest.raises(WaitTimeoutError) as caught:
        job.wait(0.3)
    assert isinstance(caught.value, TimeoutError)
    assert not job.status.is_final
    job.cancel().wait(60)


def test_batch_keeps_what_succeeded(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    job = target.submit_batch([BELL, ENDLESS, BELL], shots=50, seed=2, max_seconds=1.5)
    with pytest.raises(JobFailedError) as caught:
        job.result(60)
    assert caught.value.code == "batch-partial"
    assert caught.value.details["failed"] == [1]
    counts = job.result(partial=True).counts
    assert counts[1] is None
    assert sum(counts[0].values()) == sum(counts[2].values()) == 50
    assert [item.status.value for item in job.items] == ["Succeeded", "Failed", "Succeeded"]
    assert job.items[1].error is not None
    assert job.items[1].error["code"] == "worker-timeout"


def test_batch_counts_are_not_padded_and_keep_their_order(ws: Workspace) -> None:
    programs = []
    for index in range(5):
        circuit = QuantumCircuit(3, 3)
        for qubit in range(3):
            if index >> qubit & 1:
                circuit.x(qubit)
        circuit.measure(range(3), range(3))
        programs.append(circuit)
    counts = ws.target("sim.auto").submit_batch(programs, shots=7).result(60).counts
    assert counts == [{format(index, "03b"): 7} for index in range(5)]


def test_a_batch_with_one_invalid_program_is_refused_whole(ws: Workspace) -> None:
    wide = QuantumCircuit(60, 1)
    wide.h(range(60))
    wide.t(range(60))
    for left in range(60):
        for right in range(left):
            wide.cp(0.1, left, right)
    wide.measure(0, 0)
    with pytest.raises((ProgramError, LimitError)) as caught:
        ws.target("sim.statevector").submit_batch([bell(), wide, bell()])
    assert caught.value.details["item"] == 1
    assert "1" in caught.value.message
    assert ws.jobs() == []


@pytest.mark.parametrize("shots", [0, -1, 10**12, 1.5, True])
def test_absurd_shots_are_refused(ws: Workspace, shots: int) -> None:
    with pytest.raises(LimitError) as caught:
        ws.target("sim.auto").submit(bell(), shots=shots)
    assert caught.value.next_step
    assert ws.jobs() == []


def test_unknown_names_suggest_the_closest(ws: Workspace) -> None:
    with pytest.raises(NotFoundError, match=r"sim\.statevector"):
        ws.target("sim.statevektor")
    with pytest.raises(NotFoundError):
        ws.job("job_nothing")
    with pytest.raises(AntiphonError, match="Choose one of"):
        ws.jobs(status="done")


def test_every_status_can_be_asked_for(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    target.submit(bell(), shots=10)
    for status in JobStatus:
        found = ws.jobs(status=status.value.lower())
        assert len(found) == (1 if status is JobStatus.SUCCEEDED else 0)
    assert ws.jobs(target="sim.auto")
    assert not ws.jobs(target="sim.mps")


async def _awaited(ws: Workspace) -> int:
    result = await ws.target("sim.auto").submit(bell(), shots=10, execution="process")
    return sum(result.counts.values())


def test_a_job_can_be_awaited(ws: Workspace) -> None:
    import asyncio

    assert asyncio.run(_awaited(ws)) == 10


@pytest.mark.parametrize("single", [bell(), BELL])
def test_a_batch_of_one_program_without_a_list_says_so(ws: Workspace, single: object) -> None:
    with pytest.raises(ProgramError, match="list"):
        ws.target("sim.auto").submit_batch(single)  # type: ignore[arg-type]


def test_an_empty_id_is_no_prefix(ws: Workspace) -> None:
    ws.target("sim.auto").submit(bell(), shots=10)
    with pytest.raises(NotFoundError, match="There is no job"):
        ws.job("")
