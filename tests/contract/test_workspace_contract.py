"""One promise, kept twice: a workspace behind a server gives what an embedded one gives, to the bit and to the word."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from antiphon import JobStatus, NoiseModel, Workspace
from antiphon.domain.jobs import Job as JobFacts
from antiphon.errors import AntiphonError, JobFailedError, NotFoundError, StoreError, WaitTimeoutError
from programs import BELL, ENDLESS
from workspaces import SharedServer

Call = Callable[[Workspace], Any]
Both = tuple[Workspace, Workspace]
"""Embedded, and remote."""


# --- both at once: the same call gives the same answer


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, shared_server: SharedServer) -> Iterator[Both]:
    with (
        Workspace(tmp_path_factory.mktemp("lab"), workers=1) as embedded,
        Workspace(shared_server.server.url, api_key=shared_server.new_key()) as remote,
    ):
        yield embedded, remote


def ansatz() -> QuantumCircuit:
    angles = ParameterVector("a", 11)  # a[10] must not come before a[2]
    circuit = QuantumCircuit(3, 3, name="ansatz")
    for index, angle in enumerate(angles):
        circuit.ry(angle * math.pi / 7, index % 3)
        circuit.cx(index % 3, (index + 1) % 3)
    circuit.measure(range(3), range(3))
    return circuit


ANGLES = np.random.default_rng(5).normal(size=(4, 11))


def test_the_same_seed_gives_the_same_counts_to_the_bit(both: Both) -> None:
    def counts(ws: Workspace) -> list[Any]:
        target = ws.target("sim.auto")
        noisy = target.submit(BELL, 500, seed=3, noise=NoiseModel(depolarizing_2q=0.05))
        batch = target.submit_batch([BELL, ansatz()], 100, seed=4, parameters=[None, ANGLES[0]])
        sweep = target.sweep(ansatz(), ANGLES, 100, seed=6)
        return [job.result(60).to_dict()["outcomes"] for job in (noisy, batch, sweep)]

    embedded, remote = map(counts, both)
    assert remote == embedded


def test_exact_probabilities_arrive_to_the_last_bit(both: Both) -> None:
    def exact(ws: Workspace) -> list[Any]:
        target = ws.target("sim.auto")
        asked: Any = {"exact_probabilities": True, "seed": 3}
        jobs = (
            target.submit(BELL, 10, **asked),
            target.submit_batch([BELL, ansatz()], 10, parameters=[None, ANGLES[0]], **asked),
            target.sweep(ansatz(), ANGLES, 10, **asked),
            target.submit(BELL, 10, exact_probabilities="where possible", noise=NoiseModel(depolarizing_2q=0.1)),
        )
        with pytest.raises(AntiphonError, match="did not ask"):
            _ = target.submit(BELL, 10).result(60).exact_probabilities
        return [job.result(60).exact_probabilities for job in jobs]

    embedded, remote = map(exact, both)
    assert remote == embedded
    bell, batch, sweep, noisy = embedded
    assert bell == pytest.approx({"00": 0.5, "11": 0.5})
    assert batch[0] == bell
    assert len(batch) == 2
    assert [sum(each.values()) for each in (*batch, *sweep)] == pytest.approx([1.0] * 6)
    assert sweep[0] == batch[1] != sweep[1]
    assert noisy is None


def test_values_arrive_to_the_last_bit(both: Both) -> None:
    def values(ws: Workspace) -> tuple[Any, Any]:
        observables = [{"ZZI": 1 / 3, "XIX": -0.1}, {"YYY": math.pi}]
        result = ws.target("sim.auto").estimate(ansatz(), observables, ANGLES[:, None, :]).result(60)
        return result.values, result.stderr

    (one, one_err), (other, other_err) = map(values, both)
    assert one.shape == other.shape == (4, 2)
    assert one.tobytes() == other.tobytes()
    assert one_err.tobytes() == other_err.tobytes()


def test_targets_say_the_same(both: Both) -> None:
    embedded, remote = ([(target.info, target.expected_wait) for target in ws.targets()] for ws in both)
    assert remote == embedded


def shape_of(value: Any) -> Any:
    """The names in a document, without what differs from run to run."""
    if isinstance(value, dict):
        return {re.sub(r"^sha256:.*", "sha256", key): shape_of(each) for key, each in value.items()}
    return [shape_of(value[0])] if isinstance(value, list) and value else type(value).__name__


def test_records_logs_and_items_have_the_same_form(both: Both) -> None:
    def forms(ws: Workspace) -> list[Any]:
        job = ws.target("sim.auto").submit_batch([BELL, BELL], 10, seed=1, key="forms", metadata={"fig": "2"})
        job.wait(60)
        record = job.record
        record["provenance"].pop("plan")  # where it runs is the server's own decision
        return [shape_of(record), shape_of(job.events), [event["event"] for event in job.events], job.items[1].outcome]

    embedded, remote = map(forms, both)
    assert remote == embedded


BAD: dict[str, Call] = {
    "no such target": lambda ws: ws.target("sim.atuo"),
    "no such job": lambda ws: ws.job("job_nothing"),
    "an id that is a path": lambda ws: ws.job("../sessions"),
    "an empty id": lambda ws: ws.job(""),
    "no such session": lambda ws: ws.session("ses_nothing"),
    "no such status": lambda ws: ws.jobs(status="done"),
    "no shots": lambda ws: ws.target("sim.auto").submit(BELL, 0),
    "too many shots": lambda ws: ws.target("sim.auto").submit(BELL, 10**15),
    "no seed": lambda ws: ws.target("sim.auto").submit(BELL, seed=-1),
    "a key that cannot be kept": lambda ws: ws.target("sim.auto").submit(BELL, key="x" * 251),
    "an unknown option": lambda ws: ws.target("sim.auto").submit(BELL, bond=3),
    "an option of the wrong type": lambda ws: ws.target("sim.auto").submit(BELL, max_bond_dimension="many"),
    "a way to run that is none": lambda ws: ws.target("sim.auto").submit(BELL, execution="somewhere"),
    "noise that would be dropped": lambda ws: ws.target("sim.statevector").submit(
        BELL, noise=NoiseModel(readout_p01=0.1)
    ),
    "a gate the target lacks": lambda ws: ws.target("sim.stabilizer").submit(
        'OPENQASM 3.0; include "stdgates.inc"; qubit q; bit c; t q; c = measure q;'
    ),
    "an empty batch": lambda ws: ws.target("sim.auto").submit_batch([]),
    "one bad program of three": lambda ws: ws.target("sim.stabilizer").submit_batch(
        [BELL, BELL.replace("cx q[0], q[1];", "t q[0];"), BELL]
    ),
    "a policy that is none": lambda ws: ws.target("sim.auto").open_session(failure_policy="abbort"),
    "a limit that is none": lambda ws: ws.target("sim.auto").open_session(idle_limit=math.nan),
    "a session's name that cannot be kept": lambda ws: ws.target("sim.auto").open_session(name="a\0b"),
    "a key of another request": lambda ws: [ws.target("sim.auto").submit(BELL, n, key="ключ") for n in (1, 2)],
    "a key of another target": lambda ws: [
        ws.target(name).open_session(key="s") for name in ("sim.auto", "sim.statevector")
    ],
    "a session of another target": lambda ws: _in_session(ws, "sim.statevector"),
    "a session that is closed": lambda ws: _in_session(ws, "sim.auto", closed=True),
}


def _in_session(ws: Workspace, name: str, *, closed: bool = False) -> None:
    session = ws.target("sim.auto").open_session()
    if closed:
        session.close()
    target = ws.target(name)
    target.enter_session(session)
    target.submit(BELL)


@pytest.mark.parametrize("call", BAD.values(), ids=BAD)
def test_a_refusal_is_the_same_to_the_word(both: Both, call: Call) -> None:
    def refusal(ws: Workspace) -> tuple[type[AntiphonError], str]:
        with pytest.raises(AntiphonError) as caught:
            call(ws)
        assert caught.value.next_step
        # Ids differ, and nothing else.
        return type(caught.value), re.sub(r"(job|ses)_01[0-9A-Z]{24}", r"\1", str(caught.value.to_dict()))

    embedded, remote = map(refusal, both)
    assert remote == embedded


# --- each on its own: what a workspace promises, whichever it is


def test_pages_of_jobs_follow_one_another(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    ids = [target.submit(BELL, 5, name=f"n{index % 2}").id for index in range(7)]
    newest = ws.jobs(limit=3)
    assert [job.id for job in newest] == ids[:3:-1]
    assert [job.id for job in ws.jobs(limit=3, before=newest[-1])] == ids[3:0:-1]
    oldest = ws.jobs(limit=3, oldest_first=True)
    assert [job.id for job in ws.jobs(before=oldest[-1], oldest_first=True)] == ids[3:]
    assert [job.id for job in ws.jobs(name="n1")] == ids[5::-2]
    assert ws.jobs(limit=0) == []


def test_an_unambiguous_beginning_of_an_id_is_enough(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    first, second = target.submit(BELL, 5), target.submit(BELL, 5)
    assert ws.job(first.id[:-1]).id == first.id
    session = target.open_session()
    assert ws.session(session.id[:-1]).id == session.id
    with pytest.raises(NotFoundError) as caught:
        ws.job("job_")
    assert caught.value.code == "id-ambiguous"
    assert set(caught.value.details["ids"]) == {first.id, second.id}


def test_a_watcher_sees_each_state_and_the_end(ws: Workspace) -> None:
    seen: list[JobFacts] = []
    job = ws.target("sim.auto").submit(BELL, 5, execution="process")
    job.wait(60, watch=seen.append)
    assert seen[-1].status is JobStatus.SUCCEEDED
    versions = [facts.version for facts in seen]
    assert versions == sorted(versions)
    assert seen[-1].stages.execute is not None


def test_a_wait_of_no_time_looks_once(ws: Workspace) -> None:
    job = ws.target("sim.auto").submit(ENDLESS, 5)
    with pytest.raises(WaitTimeoutError) as caught:
        job.wait(0)
    assert caught.value.details["job"] == job.id
    assert caught.value.cause
    assert job.cancel().wait(60).status is JobStatus.CANCELLED
    assert job.wait(0) is job


def test_a_failed_job_tells_its_own_reason(ws: Workspace) -> None:
    job = ws.target("sim.auto").submit(ENDLESS, 5, max_seconds=0.5, name="for ever")
    with pytest.raises(JobFailedError) as caught:
        job.result(60)
    assert (caught.value.code, caught.value.details["job"]) == ("worker-timeout", job.id)
    assert "for ever" in caught.value.message
    with pytest.raises(JobFailedError):
        job.replay(60)


def test_a_replay_of_what_ran_in_a_worker(ws: Workspace) -> None:
    job = ws.target("sim.auto").submit(ansatz(), 200, parameters=ANGLES[0], seed=9, execution="process")
    view = job.replay(60)
    assert view.agreement.agrees
    assert (view.original.id, view.job.spec.seed, view.changed) == (job.id, 9, ())
    assert len(ws.jobs()) == 2


def test_a_large_sweep_and_its_large_result_arrive_whole(ws: Workspace) -> None:
    circuit = QuantumCircuit(3)
    angles = ParameterVector("a", 3)
    for qubit in range(3):
        circuit.ry(angles[qubit], qubit)
    values = np.random.default_rng(1).uniform(0, math.pi, size=(20_000, 3))
    result = ws.target("sim.auto").estimate(circuit, {"ZII": 1.0}, values).result(100)
    np.testing.assert_allclose(result.values, np.cos(values[:, 2]), atol=1e-9)


def test_a_closed_workspace_says_so(open_workspace: Callable[..., Workspace]) -> None:
    ws = open_workspace()
    target = ws.target("sim.auto")
    ws.close()
    with pytest.raises(StoreError) as caught:
        target.submit(BELL, 5)
    assert caught.value.code == "store-closed"
    ws.close()
