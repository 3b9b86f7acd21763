"""Programs that have no circuit and run on the engine that takes their own format."""

from typing import Any

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.circuit.classical import expr, types

from antiphon.adapters.targets.sim import build_drivers
from antiphon.domain.observables import Observable
from antiphon.domain.parameters import NO_PARAMETERS, ParameterSets
from antiphon.domain.programs import Program
from antiphon.domain.results import Sampled
from antiphon.domain.work import JobKind, Pub, Work
from antiphon.errors import UnsupportedProgramError
from antiphon.frontends.qir import program_from_qir
from antiphon.frontends.qiskit import program_from_circuit
from qsharp_programs import qir
from sim_work import p_value

DRIVERS = build_drivers()


def work_of(program: Program, parameters: ParameterSets = NO_PARAMETERS, seed: int = 3, **options: Any) -> Work:
    assert program.circuit is None, "the program is meant to be opaque"
    return Work(JobKind.SAMPLE, (Pub(program, parameters, 1000, seed),), options)


def storing(angle: Any) -> QuantumCircuit:
    """Measures into one register, and stores the inverse into another."""
    circuit = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(1, "a"), ClassicalRegister(2, "b"))
    circuit.rx(angle, 0)
    circuit.measure(0, 0)
    circuit.store(circuit.clbits[2], expr.logic_not(circuit.clbits[0]))
    return circuit


@pytest.mark.parametrize("target", ["sim.auto", "sim.statevector"])
def test_qiskit_programs_run_on_aer(target: str) -> None:
    work = work_of(program_from_circuit(storing(2 * np.pi / 3)))
    plan = DRIVERS[target].plan(work)
    assert plan.engine == ("aer-statevector",)
    assert not plan.safe_inline
    execution = DRIVERS[target].execute(work, plan)
    outcome = execution.outcomes[0]
    assert isinstance(outcome, Sampled)
    assert p_value(outcome.counts[0], {"00 1": 0.75, "10 0": 0.25}) > 1e-6
    assert execution.outcomes == DRIVERS[target].execute(work, plan).outcomes


def test_qiskit_parameters_bind_by_name() -> None:
    program = program_from_circuit(storing(Parameter("θ")))
    work = work_of(program, ParameterSets(("θ",), (2,), np.array([0.0, np.pi]).tobytes()))
    outcome = DRIVERS["sim.auto"].execute(work, DRIVERS["sim.auto"].plan(work)).outcomes[0]
    assert isinstance(outcome, Sampled)
    assert outcome.counts == ({"10 0": 1000}, {"00 1": 1000})


def test_qiskit_variables_are_refused() -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    value = circuit.add_var("value", expr.lift(circuit.clbits[0]))
    with circuit.if_test(value):
        circuit.x(0)
    assert value.type == types.Bool()
    with pytest.raises(UnsupportedProgramError, match="run-time variables"):
        DRIVERS["sim.auto"].plan(work_of(program_from_circuit(circuit)))


def test_qir_runs_on_its_interpreter() -> None:
    work = work_of(program_from_qir(qir("count", "Adaptive_RI")))
    plan = DRIVERS["sim.auto"].plan(work)
    assert plan.engine == ("qir",)
    assert not plan.safe_inline
    execution = DRIVERS["sim.auto"].execute(work, plan)
    outcome = execution.outcomes[0]
    assert isinstance(outcome, Sampled)
    assert p_value(outcome.counts[0], {"0": 0.25, "1": 0.5, "2": 0.25}) > 1e-6
    assert execution.provenance["engine_version"].startswith("qdk ")


def test_what_opaque_programs_cannot_have() -> None:
    program = program_from_qir(qir("count", "Adaptive_RI"))
    with pytest.raises(UnsupportedProgramError, match="Readout"):
        DRIVERS["sim.auto"].plan(work_of(program, noise={"readout_p01": 0.1}))
    pub = Pub(program, NO_PARAMETERS, None, 1, (Observable(program.num_qubits, ()),))
    with pytest.raises(UnsupportedProgramError, match="Expectation"):
        DRIVERS["sim.auto"].plan(Work(JobKind.ESTIMATE, (pub,)))
    with pytest.raises(UnsupportedProgramError):
        DRIVERS["sim.mps"].plan(work_of(program))
