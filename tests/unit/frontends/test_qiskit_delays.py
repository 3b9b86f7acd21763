from __future__ import annotations

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Duration, Gate
from qiskit.circuit.classical import expr

from antiphon.domain.circuits import Delay
from antiphon.errors import UnsupportedProgramError
from antiphon.frontends.qiskit import program_from_circuit
from antiphon.frontends.qiskit_delays import in_seconds

DT = 4e-9


def delays_of(circuit: QuantumCircuit, dt_s: float | None = DT) -> list[float]:
    read = program_from_circuit(circuit, dt_s=dt_s).circuit
    assert read is not None
    return [each.seconds for each in read.operations if isinstance(each, Delay)]


def test_a_delay_in_dt_takes_so_many_units_of_the_device() -> None:
    circuit = QuantumCircuit(1)
    circuit.delay(100, 0)
    circuit.delay(100, 0, "ns")
    circuit.delay(expr.lift(Duration.dt(50)), 0)
    assert delays_of(circuit) == pytest.approx([400e-9, 100e-9, 200e-9])
    assert circuit.data[0].operation.unit == "dt"


def test_it_is_found_in_blocks_and_in_definitions() -> None:
    inner = QuantumCircuit(1)
    inner.delay(10, 0)
    wait = Gate("wait", 1, [])
    wait.definition = inner
    circuit = QuantumCircuit(1, 1)
    circuit.append(wait, [0])
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
        circuit.delay(20, 0)
    program = program_from_circuit(circuit, dt_s=DT)
    assert str(program.circuit).count("Delay(") == 2
    assert str(4e-8) in str(program.circuit)
    assert str(8e-8) in str(program.circuit)
    assert wait.definition.data[0].operation.unit == "dt"


def test_a_circuit_without_any_stays_the_object_that_it_is() -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.delay(1.0, 0, "us")
    assert in_seconds(circuit, DT) is circuit


def test_nobody_knows_a_dt_without_a_device() -> None:
    circuit = QuantumCircuit(1)
    circuit.delay(100, 0)
    with pytest.raises(UnsupportedProgramError, match="100 dt"):
        delays_of(circuit, dt_s=None)
