"""Programs that have no circuit and run on the engine that takes their own format."""

from typing import Any

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Parameter
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


def sharing(angle: Any) -> QuantumCircuit:
    """The second bit of one register is the first of another."""
    first = ClassicalRegister(2, "a")
    second = ClassicalRegister(name="b", bits=[first[1], Clbit()])
    circuit = QuantumCircuit(QuantumRegister(2, "q"), first, second)
    circuit.rx(angle, 0)
    circuit.measure(0, first[1])
    return circuit


def until_one() -> Program:
    """Turns a qubit by a count without a bound."""
    return program_from_qir(qir("angle_of_turns", "Adaptive"))


@pytest.mark.parametrize("target", ["sim.auto", "sim.statevector"])
def test_qiskit_programs_run_on_aer(target: str) -> None:
    work = work_of(program_from_circuit(sharing(2 * np.pi / 3)))
    plan = DRIVERS[target].plan(work)
    assert plan.engine == ("aer-statevector",)
    assert not plan.safe_inline
    execution = DRIVERS[target].execute(work, plan)
    outcome = execution.outcomes[0]
    assert isinstance(outcome, Sampled)
    assert p_value(outcome.counts[0], {"01 10": 0.75, "00 00": 0.25}) > 1e-6
    assert execution.outcomes == DRIVERS[target].execute(work, plan).outcomes


def test_qiskit_parameters_bind_by_name() -> None:
    program = program_from_circuit(sharing(Parameter("θ")))
    work = work_of(program, ParameterSets(("θ",), (2,), np.array([0.0, np.pi]).tobytes()))
    outcome = DRIVERS["sim.auto"].execute(work, DRIVERS["sim.auto"].plan(work)).outcomes[0]
    assert isinstance(outcome, Sampled)
    assert outcome.counts == ({"00 00": 1000}, {"01 10": 1000})


def test_qiskit_variables_are_refused() -> None:
    circuit = QuantumCircuit(1, 1)
    total = circuit.add_var("total", expr.lift(0.0, types.Float()))
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.while_loop(expr.less(total, expr.lift(1e9, types.Float()))):
        circuit.store(total, expr.add(total, expr.lift(0.5, types.Float())))
        circuit.measure(0, 0)
    with pytest.raises(UnsupportedProgramError, match="run-time variables"):
        DRIVERS["sim.auto"].plan(work_of(program_from_circuit(circuit)))


def test_qir_runs_on_its_interpreter() -> None:
    work = work_of(until_one())
    plan = DRIVERS["sim.auto"].plan(work)
    assert plan.engine == ("qir",)
    assert not plan.safe_inline
    execution = DRIVERS["sim.auto"].execute(work, plan)
    outcome = execution.outcomes[0]
    assert isinstance(outcome, Sampled)
    late = sum(count for key, count in outcome.counts[0].items() if int(key[6:-1]) > 4)
    found = {turns: outcome.counts[0][f"(One, {turns})"] for turns in (1, 2, 3, 4)}
    expected = {"1": 0.5, "2": 0.25, "3": 0.125, "4": 0.0625, "later": 0.0625}
    assert p_value({**{str(turns): count for turns, count in found.items()}, "later": late}, expected) > 1e-6
    assert execution.provenance["engine_version"].startswith("qdk ")


def test_what_opaque_programs_cannot_have() -> None:
    program = until_one()
    with pytest.raises(UnsupportedProgramError, match="Readout"):
        DRIVERS["sim.auto"].plan(work_of(program, noise={"readout_p01": 0.1}))
    pub = Pub(program, NO_PARAMETERS, None, 1, (Observable(program.num_qubits, ()),))
    with pytest.raises(UnsupportedProgramError, match="Expectation"):
        DRIVERS["sim.auto"].plan(Work(JobKind.ESTIMATE, (pub,)))
    with pytest.raises(UnsupportedProgramError):
        DRIVERS["sim.mps"].plan(work_of(program))
