"""The fault-tolerant estimate: the same whatever SDK the program is from, and that of qdk itself."""

from __future__ import annotations

import builtins
import gc
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("QDK_PYTHON_TELEMETRY", "none")

import cirq
import qdk
from qdk import qre, qsharp
from qdk.qre.application import OpenQASMApplication, QSharpApplication
from qdk.qre.models import GateBased, RoundBasedFactory, SurfaceCode
from qiskit import QuantumCircuit

from antiphon.adapters.estimators.qdk_resources import fault_tolerant
from antiphon.adapters.estimators.qubit_models import QUBIT_MODELS
from antiphon.domain.circuits import Circuit, Gate, Measure, Register
from antiphon.domain.gates import GATES
from antiphon.domain.parameters import NO_PARAMETERS
from antiphon.domain.programs import Profile, Program, ProgramFormat
from antiphon.domain.resources import FaultTolerant
from antiphon.errors import LimitError, MissingExtraError, UnsupportedProgramError
from antiphon.frontends.parameters import bind
from antiphon.frontends.recognise import to_program

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; '
BODY = (
    "qubit[3] q; bit[3] c; h q[0]; cx q[0], q[1]; rz(0.3) q[1]; t q[2]; ccx q[0], q[1], q[2]; rx(0.7) q[0]; "
    "c = measure q;"
)
QSHARP = """operation Main() : Result[] {
    use q = Qubit[3];
    H(q[0]); CNOT(q[0], q[1]); Rz(0.3, q[1]); T(q[2]); CCNOT(q[0], q[1], q[2]); Rx(0.7, q[0]);
    return MResetEachZ(q);
}"""


def estimate(program: object, parameters: Any = None, **settings: Any) -> FaultTolerant:
    read = to_program(program)
    return fault_tolerant(
        read, bind(read, parameters), **{"model": "qubit_gate_ns_e3", "error_budget": 0.01, **settings}
    )


def in_qiskit() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.rz(0.3, 1)
    circuit.t(2)
    circuit.ccx(0, 1, 2)
    circuit.rx(0.7, 0)
    circuit.measure(range(3), range(3))
    return circuit


def in_cirq() -> cirq.Circuit:
    a, b, c = cirq.LineQubit.range(3)
    gates = [cirq.H(a), cirq.CNOT(a, b), cirq.rz(0.3)(b), cirq.T(c), cirq.CCNOT(a, b, c), cirq.rx(0.7)(a)]
    return cirq.Circuit(*gates, cirq.measure(a, b, c))


def in_qsharp() -> object:
    qsharp.init(target_profile=qsharp.TargetProfile.Base)
    qsharp.eval(QSHARP)
    return qsharp.compile("Main()")


def bare(application: Any, error: float = 0.01) -> list[tuple[int, float, float]]:
    """qdk called by itself: (qubits, seconds, error), fewest qubits first."""
    architecture = GateBased(error_rate=1e-3, gate_time=50, measurement_time=100)
    table = qre.estimate(application, architecture, SurfaceCode.q() * RoundBasedFactory.q(), max_error=error)
    return sorted((entry.qubits, entry.runtime * 1e-9, entry.error) for entry in table)


def figures(found: FaultTolerant) -> list[tuple[int, float, float]]:
    return [(way.qubits, way.runtime_s, way.error) for way in found.ways]


def test_the_same_circuit_has_the_same_estimate_from_every_sdk() -> None:
    first = estimate(HEAD + BODY)
    assert first.logical.toffoli == 1
    assert (first.logical.qubits, first.logical.t, first.logical.rotations, first.logical.measurements) == (3, 1, 2, 3)
    for program in (in_qiskit(), in_qsharp(), in_cirq()):
        again = estimate(program)
        assert (again.logical, again.ways) == (first.logical, first.ways)


def test_it_is_what_qdk_says_itself() -> None:
    found = estimate(HEAD + BODY)
    assert figures(found) == pytest.approx(np.array(bare(OpenQASMApplication(HEAD + BODY))))
    in_qsharp()
    assert figures(found) == pytest.approx(np.array(bare(QSharpApplication("Main()"))))
    smallest, fastest = found.smallest, found.fastest
    assert smallest is not None
    assert fastest is not None
    assert smallest.qubits < fastest.qubits
    assert 0 < fastest.runtime_s < smallest.runtime_s < 1
    for way in found.ways:
        assert way.error <= 0.01
        assert way.compute_qubits + way.factory_qubits == way.qubits
        assert way.code_distance is not None
        assert way.code_distance % 2 == 1
        assert way.t_factories >= 1
        assert way.t_states >= 15  # 5 at least for each rotation, 4 for the Toffoli, 1


def test_nothing_is_left_in_the_users_own_interpreter() -> None:
    qsharp.init()
    estimate(HEAD + BODY)
    assert not hasattr(qdk.code, "qasm_import")


def test_worse_qubits_and_smaller_errors_take_more() -> None:
    base = estimate(HEAD + BODY).smallest
    better = estimate(HEAD + BODY, model="qubit_gate_ns_e4").smallest
    slower = estimate(HEAD + BODY, model="qubit_gate_us_e3").smallest
    safer = estimate(HEAD + BODY, error_budget=1e-6).smallest
    other = estimate(HEAD + BODY, model="qubit_maj_ns_e6").smallest
    assert base is not None
    assert better is not None
    assert slower is not None
    assert safer is not None
    assert other is not None
    assert better.qubits < base.qubits < safer.qubits
    assert slower.runtime_s > 100 * base.runtime_s
    assert other.error <= 0.01


def test_values_of_parameters_count() -> None:
    text = HEAD + "input float a; input float b; qubit q; bit c; rz(2 * a + b) q; rx(sin(b)) q; c = measure q;"
    assert estimate(text, {"a": 0.1, "b": 0.2}).logical.rotations == 2
    clifford = estimate(text, {"a": math.pi / 4, "b": 0.0}).logical
    assert (clifford.rotations, clifford.t) == (0, 0)
    t_gate = estimate(text, {"a": math.pi / 8, "b": 0.0}).logical
    assert (t_gate.rotations, t_gate.t) == (0, 1)
    swept = estimate(text, [{"a": math.pi / 8, "b": 0.0}, {"a": 0.1, "b": 0.2}])
    assert swept.logical == t_gate
    assert swept.notes == ("Counted with the first of 2 parameter sets.",)


@pytest.mark.parametrize("name", sorted(GATES))
def test_every_gate_is_counted(name: str) -> None:
    kind = GATES[name]
    gate = Gate(name, tuple(range(kind.num_qubits)), (0.1,) * kind.num_params)
    circuit = Circuit(3, (Register("c", 1, 0),), (), (gate, Measure(0, 0)))
    program = Program(ProgramFormat.OPENQASM3, b"", "", "", circuit, 3, circuit.registers, (), Profile.BASE)
    found = fault_tolerant(program, NO_PARAMETERS, model="qubit_gate_ns_e3", error_budget=0.01)
    takes_magic = found.logical.t + found.logical.rotations + found.logical.toffoli > 0
    assert takes_magic == (not kind.clifford)


def test_both_sides_of_a_branch_are_counted_every_time() -> None:
    branch = "qubit[2] q; bit[2] c; h q[0]; c[0] = measure q[0]; if (c[0]) { t q[1]; } else { t q[1]; t q[1]; } "
    found = [estimate(HEAD + branch + "c[1] = measure q[1];") for _ in range(3)]
    assert {each.logical.t for each in found} == {3}
    assert "upper bound" in found[0].notes[0]


@pytest.mark.parametrize(
    ("program", "code"),
    [
        (HEAD + "qubit q; bit c; h q; c = measure q; while (!c) { h q; c = measure q; }", "resources-unbounded"),
        (cirq.Circuit(cirq.MatrixGate(np.eye(4))(*cirq.LineQubit.range(2)), cirq.measure(cirq.q(0))),
         "resources-unitary"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_refused_with_the_reason(program: object, code: str) -> None:
    with pytest.raises(UnsupportedProgramError) as refused:
        estimate(program)
    assert refused.value.code == code
    assert refused.value.next_step


def test_a_program_that_ends_before_any_factory_waits_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = estimate(HEAD + "qubit q; bit c; t q; c = measure q;", error_budget=0.001)
    assert found.smallest is not None
    assert found.smallest.t_factories == 1
    assert "slowed down" in found.notes[0]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("model", sorted(QUBIT_MODELS))
def test_every_model_has_an_estimate_within_its_budget(model: str) -> None:
    found = estimate(HEAD + BODY, model=model, error_budget=0.001)
    assert found.ways, found.notes
    assert all(0 < way.error <= 0.001 for way in found.ways)


def test_it_needs_no_home_to_write_to(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    mkdir = Path.mkdir

    def watched(path: Path, **how: Any) -> None:
        made.append(path)
        mkdir(path, **how)

    monkeypatch.setattr(Path, "mkdir", watched)
    assert estimate(HEAD + BODY).ways
    assert not [path for path in made if path.is_relative_to(Path.home())]


def test_a_budget_that_nothing_meets_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    found = estimate(HEAD + BODY, error_budget=1e-18)
    assert found.ways == ()
    assert found.smallest is None
    assert "No code and T factory of the estimator meets" in found.notes[0]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("settings", [{"model": "qubit"}, {"error_budget": 0.0}, {"error_budget": math.nan}])
def test_what_is_no_model_or_probability_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(LimitError):
        estimate(HEAD + BODY, **settings)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    program = to_program(HEAD + BODY)
    importing = builtins.__import__

    def without(
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - the builtin's own names
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        if name == "qdk.qre":
            raise ImportError(name)
        return importing(name, globals, locals, fromlist or (), level)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError) as missing:
        fault_tolerant(program, NO_PARAMETERS, model="qubit_gate_ns_e3", error_budget=0.01)
    assert missing.value.details == {"package": "pandas", "extra": "resources"}


def test_the_interpreter_is_dropped_in_the_thread_that_made_it() -> None:
    # Dropped in another, as the collector would, it raises where nobody can catch it.
    gc.collect()
    gc.disable()
    try:
        estimate(HEAD + BODY)
        left = [each for each in gc.get_objects() if isinstance(each, qdk.Context)]
    finally:
        gc.enable()
    assert [each for each in left if not getattr(each, "_is_global_context", False)] == []
