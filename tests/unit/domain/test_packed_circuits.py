from __future__ import annotations

import pickle

import pytest

from antiphon.domain import packed_circuits
from antiphon.domain.circuits import Circuit, Gate, Measure, Operation, Register
from antiphon.domain.packed_circuits import PackedCircuit
from antiphon.domain.work import Compiled


@pytest.mark.parametrize("gates", [0, 7, 8, 20])
def test_it_is_the_same_circuit_wherever_it_is_unpacked(monkeypatch: pytest.MonkeyPatch, gates: int) -> None:
    monkeypatch.setattr(packed_circuits, "PIECE", 8)
    operations: tuple[Operation, ...] = (*(Gate("rx", (0,), (0.1 * turn,)) for turn in range(gates)), Measure(0, 0))
    circuit = Circuit(1, (Register("c", 1, 0),), ("a",), operations)
    packed = PackedCircuit(circuit)
    elsewhere = pickle.loads(pickle.dumps(packed))
    assert elsewhere.circuit == packed.circuit == circuit
    assert packed.circuit is packed.circuit
    assert (elsewhere, hash(elsewhere)) == (packed, hash(packed))
    # Looking into it does not make it larger to hand on.
    assert len(pickle.dumps(elsewhere)) == len(pickle.dumps(PackedCircuit(circuit)))
    assert Compiled(packed, (0,), reused=False, seconds=0.0).circuit == circuit
