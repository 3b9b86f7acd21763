"""Arguments as users really pass them: NumPy's scalars are taken, what cannot be stored is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit

from antiphon import Workspace
from antiphon.errors import AntiphonError, LimitError, ProgramError
from programs import BELL

UNSTORABLE = ["x" * 20_000, "\ud800", "a\0b"]


@pytest.mark.parametrize("execution", ["inline", "process"])
def test_numpy_scalars_are_numbers(ws: Workspace, execution: str) -> None:
    target = ws.target("sim.auto")
    options: dict[str, Any] = {"execution": execution, "max_seconds": np.float32(30), "max_bond_dimension": np.int64(8)}
    job = target.submit(BELL, shots=np.int64(50), seed=np.uint32(7), **options)  # type: ignore[arg-type]
    plain = target.submit(BELL, shots=50, seed=7)
    assert job.result(60).counts == plain.result(60).counts
    assert job.seed == 7
    assert job.record["options"] == {"max_bond_dimension": 8}
    assert job.replay(60).agreement.agrees


def test_a_key_is_the_same_request_with_numpy_or_plain_numbers(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    first = target.submit(BELL, shots=np.int64(50), seed=np.int64(7), key="k")  # type: ignore[arg-type]
    assert target.submit(BELL, shots=50, seed=7, key="k").id == first.id


def test_numpy_limits_of_a_session(ws: Workspace) -> None:
    session = ws.target("sim.auto").open_session(idle_limit=np.int64(60), total_limit=np.float32(90))  # type: ignore[arg-type]
    assert (session.facts.idle_limit_s, session.facts.total_limit_s) == (60.0, 90.0)


@pytest.mark.parametrize("text", [*UNSTORABLE, 5, ["x"]])
def test_names_and_keys_that_no_store_can_keep_are_refused(ws: Workspace, text: str) -> None:
    target = ws.target("sim.auto")
    for call in (
        lambda: target.submit(BELL, name=text),
        lambda: target.submit(BELL, key=text),
        lambda: target.open_session(name=text),
        lambda: target.open_session(key=text),
    ):
        with pytest.raises(LimitError) as caught:
            call()
        assert caught.value.code == "text-invalid"
        assert caught.value.next_step
    assert ws.jobs() == []
    assert ws.sessions() == []


@pytest.mark.parametrize(
    "metadata", [*({"a": text} for text in UNSTORABLE), {"\ud800": 1}, "abc", [1], {str(i): "" for i in range(200)}]
)
def test_labels_that_no_store_can_keep_are_refused(ws: Workspace, metadata: object) -> None:
    with pytest.raises(LimitError) as caught:
        ws.target("sim.auto").submit(BELL, metadata=metadata)
    assert caught.value.code == "text-invalid"
    assert ws.jobs() == []


@pytest.mark.parametrize("name", UNSTORABLE)
def test_a_circuit_may_be_called_anything(ws: Workspace, name: str) -> None:
    circuit = QuantumCircuit(1, 1, name=name)
    circuit.measure(0, 0)
    job = ws.target("sim.auto").submit(circuit, shots=5)
    assert job.result(60).counts == {"0": 5}
    assert len(ws.job(job.id).name) <= 1_000
    assert ws.job(job.id).record["name"] == job.name


@pytest.mark.parametrize("precision", [1e-200, 1e-160, 0, float("nan"), "x"])
def test_a_precision_nobody_can_reach_is_refused(ws: Workspace, precision: float) -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    with pytest.raises(LimitError) as caught:
        ws.target("sim.auto").estimate(circuit, {"Z": 1.0}, precision=precision)
    assert caught.value.code == "shots-invalid"


def test_a_batch_takes_any_iterable_and_refuses_what_is_none(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    batch = target.submit_batch((BELL for _ in range(2)), shots=5)
    assert [sum(counts.values()) for counts in batch.result(60).counts] == [5, 5]
    for wrong in (None, BELL, 5):
        with pytest.raises(ProgramError, match="list"):
            target.submit_batch(wrong)  # type: ignore[arg-type]


def test_other_wrong_types_are_refused_with_a_way_out(ws: Workspace) -> None:
    for call in (
        lambda: ws.target("sim.auto").open_session(failure_policy=5),  # type: ignore[arg-type]
        lambda: ws.target(None),  # type: ignore[arg-type]
        lambda: ws.target("sim.auto").submit(BELL, max_seconds=True),
    ):
        with pytest.raises(AntiphonError) as caught:
            call()
        assert caught.value.next_step
