import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.adapters.targets.emu import compile as compile_module
from antiphon.adapters.targets.emu import compiling
from antiphon.adapters.targets.emu.cache import CompiledCache
from antiphon.adapters.targets.emu.compile import compiled
from antiphon.adapters.targets.emu.recorded import recorded
from antiphon.adapters.targets.emu.settings import CompileSettings
from antiphon.domain.circuits import (
    Affine,
    AllOf,
    AssignBit,
    Barrier,
    Bit,
    Call,
    Circuit,
    Delay,
    Gate,
    If,
    Measure,
    Parity,
    Register,
    Unitary,
    While,
)
from antiphon.errors import UnsupportedProgramError
from emu_devices import line_calibration, made_up, noise_free
from reference_simulator import distribution
from sim_work import circuit_of, dynamic_circuits, parameter_values, program_of, sampling, static_circuits

DEVICES = {"emu.heron": False, "emu.falcon": False, "emu.manila": False, "emu.willow": False, "emu.ion": True}
LINE = line_calibration(6)


@pytest.fixture
def store(tmp_path: Path) -> CompiledCache:
    return CompiledCache(tmp_path / "compiled")


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for each run of Qiskit's compiler."""
    found: list[int] = []
    original = compiling.transpiled

    def counting(*args: Any, **named: Any) -> Any:
        found.append(1)
        return original(*args, **named)

    monkeypatch.setattr(compiling, "transpiled", counting)
    return found


def used_only(circuit: Circuit) -> Circuit:
    """The circuit on the qubits that it uses, so that the reference simulator can run it."""
    from antiphon.adapters.targets.emu.to_qiskit import qubits_of

    used = sorted(set(qubits_of(circuit.operations)))
    return _renumbered(circuit, {qubit: place for place, qubit in enumerate(used)})


def _renumbered(circuit: Circuit, place: dict[int, int]) -> Circuit:
    def each(operation: Any) -> Any:
        match operation:
            case Gate(name, qubits, params):
                return Gate(name, tuple(place[qubit] for qubit in qubits), params)
            case Unitary(matrix, qubits):
                return Unitary(matrix, tuple(place[qubit] for qubit in qubits))
            case Barrier(qubits):
                return Barrier(tuple(place[qubit] for qubit in qubits))
            case Measure(qubit, clbit):
                return Measure(place[qubit], clbit)
            case Delay(qubit, seconds):
                return Delay(place[qubit], seconds)
            case If(condition, then, otherwise):
                return If(condition, tuple(map(each, then)), tuple(map(each, otherwise)))
            case While(condition, body):
                return While(condition, tuple(map(each, body)))
            case _ if hasattr(operation, "qubit"):
                return type(operation)(place[operation.qubit])
            case _ if hasattr(operation, "bodies"):
                return type(operation)(tuple(tuple(map(each, body)) for body in operation.bodies))
            case _:
                return operation

    return Circuit(len(place), circuit.registers, circuit.parameters, tuple(map(each, circuit.operations)))


def assert_same_outcomes(before: Circuit, after: Circuit, values: list[float] = []) -> None:  # noqa: B006 - not changed
    expected, found = distribution(before, values), distribution(used_only(after), values)
    for key in {*expected, *found}:
        assert math.isclose(expected.get(key, 0.0), found.get(key, 0.0), abs_tol=1e-9)


@given(static_circuits(), parameter_values(), st.sampled_from([0, 1, 2, 3]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_compiled_static_circuits_mean_the_same(circuit: Circuit, values: list[float], level: int) -> None:
    made, _, _ = compiling.transpiled(circuit, LINE, all_to_all=False, optimization_level=level, seed=1)
    assert_same_outcomes(circuit, made, values)


@given(dynamic_circuits())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_compiled_dynamic_circuits_mean_the_same(circuit: Circuit) -> None:
    try:
        made, _, _ = compiling.transpiled(circuit, LINE, all_to_all=False, optimization_level=1, seed=1)
    except UnsupportedProgramError as error:
        assert "turns that differ" in error.message  # noqa: PT017 - some of what is drawn is refused, for this reason
        return
    values = [0.3] * len(circuit.parameters)
    assert_same_outcomes(circuit, made, values)


@pytest.mark.parametrize(("name", "all_to_all"), DEVICES.items())
def test_only_native_gates_and_pairs_are_left(name: str, all_to_all: bool, store: CompiledCache) -> None:
    calibration = recorded(name).calibrations[-1]
    circuit = circuit_of(4, 4, Gate("h", (0,)), Gate("ccx", (0, 1, 2)), Gate("rzz", (3, 0), (0.3,)), Measure(3, 0))
    done = compiled(program_of(circuit), calibration, CompileSettings(), all_to_all=all_to_all, store=store)
    for operation in done.kept.circuit.walk():
        if isinstance(operation, Gate):
            assert operation.qubits in calibration.gates[operation.name]


def test_the_qubits_of_the_program_are_where_the_layout_says(store: CompiledCache) -> None:
    # A chain that ends with a swap of its ends: routing moves qubits about.
    pairs = [("swap", 0, 4), ("cx", 1, 3), ("cx", 0, 2), ("cx", 4, 1)]
    operations = [Gate("x", (0,)), *(Gate(name, (a, b)) for name, a, b in pairs)]
    circuit = circuit_of(5, 0, *operations)
    done = compiled(program_of(circuit), LINE, CompileSettings(), all_to_all=False, store=store)
    ends = done.kept.final
    read = Circuit(
        6,
        (Register("c", 5, 0),),
        (),
        (*done.kept.circuit.operations, *(Measure(ends[qubit], qubit) for qubit in range(5))),
    )
    assert distribution(read, []) == pytest.approx({"10010": 1.0})
    assert len(set(done.kept.layout)) == len(set(ends)) == 5


def test_a_layout_that_was_asked_for_is_begun_on(store: CompiledCache) -> None:
    settings_ = CompileSettings(layout=(5, 4))
    circuit = circuit_of(2, 2, Gate("cx", (0, 1)), Measure(0, 0), Measure(1, 1))
    done = compiled(program_of(circuit), LINE, settings_, all_to_all=False, store=store)
    assert done.kept.layout == (5, 4)


def test_bad_qubits_are_avoided(store: CompiledCache) -> None:
    calibration = recorded("emu.falcon").calibrations[-1]
    circuit = circuit_of(2, 2, Gate("h", (0,)), Gate("cx", (0, 1)), Measure(0, 0), Measure(1, 1))
    done = compiled(program_of(circuit), calibration, CompileSettings(), all_to_all=False, store=store)
    errors = sorted(each.error for each in calibration.gates["cx"].values())
    on = next(each for each in done.kept.circuit.operations if isinstance(each, Gate) and each.name == "cx").qubits
    assert calibration.gates["cx"][on].error <= errors[len(errors) // 4]


def test_clifford_circuits_stay_clifford(store: CompiledCache) -> None:
    from antiphon.adapters.targets.sim.reading import features_of

    gates = [Gate("h", (0,)), *(Gate("cx", (0, qubit)) for qubit in range(1, 12)), Gate("swap", (3, 9))]
    circuit = circuit_of(12, 12, *gates, *(Measure(qubit, qubit) for qubit in range(12)))
    for name in ("emu.heron", "emu.willow"):
        calibration = recorded(name).calibrations[-1]
        done = compiled(program_of(circuit), calibration, CompileSettings(), all_to_all=False, store=store)
        assert (done.level, features_of(done.kept.circuit).may_be_clifford) == (1, True)


def test_a_program_with_free_parameters_is_compiled_once(store: CompiledCache, count: list[int]) -> None:
    turned = Gate("rx", (0,), (Affine(0.1, ((1, 2.0), (0, -1.0))),))
    called = Gate("rz", (1,), (Call("mul", (Affine(0.0, ((0, 1.0),)), Call("sin", (Affine(0.0, ((1, 1.0),)),)))),))
    circuit = Circuit(
        2,
        (Register("c", 2, 0),),
        ("b", "a"),
        (turned, Gate("h", (1,)), called, Gate("h", (1,)), Gate("cx", (0, 1)), Measure(0, 0), Measure(1, 1)),
    )
    first, again = (
        compiled(program_of(circuit), LINE, CompileSettings(), all_to_all=False, store=store) for _ in range(2)
    )
    assert (first.reused, again.reused, len(count)) == (False, True, 1)
    for values in ([0.4, 1.1], [-2.0, 0.3]):
        assert_same_outcomes(circuit, first.kept.circuit, values)


def test_a_thousand_sets_of_parameters_are_compiled_once(tmp_path: Path, count: list[int]) -> None:
    turned = Gate("rx", (0,), (Affine(0.0, ((0, 1.0),)),))
    circuit = Circuit(2, (Register("c", 2, 0),), ("a",), (turned, Gate("cx", (0, 1)), Measure(0, 0), Measure(1, 1)))
    sweep = sampling(circuit, [[0.001 * step] for step in range(1_000)], shots=10)
    plan = made_up(LINE, folder=tmp_path).plan(sweep)
    assert (len(count), plan.num_calls) == (1, 1_000)


def test_a_parameter_that_matters_to_nothing_moves_no_other(store: CompiledCache) -> None:
    free = [Affine(0.0, ((index, 1.0),)) for index in range(3)]
    operations = (Gate("rz", (0,), (free[0],)), Gate("rx", (0,), (free[2],)), Measure(0, 0))
    circuit = Circuit(1, (Register("c", 1, 0),), ("z", "y", "x"), operations)
    done = compiled(program_of(circuit), LINE, CompileSettings(), all_to_all=False, store=store)
    assert done.kept.circuit.parameters == ("z", "y", "x")
    assert_same_outcomes(circuit, done.kept.circuit, [0.2, 9.0, 1.3])


def test_classical_work_is_kept(store: CompiledCache) -> None:
    operations = (
        Gate("h", (0,)),
        Measure(0, 0),
        Gate("h", (1,)),
        Measure(1, 1),
        AssignBit(2, Parity((Bit(0), Bit(1)))),
        If(AllOf((Bit(2), Bit(0))), (Gate("x", (2,)),), (AssignBit(3, True), Gate("h", (3,)))),
        Measure(2, 0),
        Measure(3, 1),
    )
    circuit = circuit_of(4, 4, *operations)
    done = compiled(program_of(circuit), LINE, CompileSettings(), all_to_all=False, store=store)
    assert_same_outcomes(circuit, done.kept.circuit)


CHANGES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "the calibration": lambda: (noise_free(recorded("emu.manila").calibrations[0]), CompileSettings()),
    "the level": lambda: (recorded("emu.manila").calibrations[0], CompileSettings(optimization_level=3)),
    "the layout": lambda: (recorded("emu.manila").calibrations[0], CompileSettings(layout=(1, 0))),
    "the seed": lambda: (recorded("emu.manila").calibrations[0], CompileSettings(seed=5)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_compiling_depends_on_compiles_anew(change: str, store: CompiledCache, count: list[int]) -> None:
    program = program_of(circuit_of(2, 2, Gate("h", (0,)), Gate("cx", (0, 1)), Measure(0, 0), Measure(1, 1)))
    calibration, settings_ = CHANGES[change]()
    compiled(program, recorded("emu.manila").calibrations[0], CompileSettings(), all_to_all=False, store=store)
    assert not compiled(program, calibration, settings_, all_to_all=False, store=store).reused
    assert len(count) == 2


@pytest.mark.parametrize("package", ["qiskit", "antiphon"])
def test_another_version_of_the_compiler_compiles_anew(
    package: str, store: CompiledCache, count: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = program_of(circuit_of(1, 1, Gate("h", (0,)), Measure(0, 0)))
    calibration = recorded("emu.manila").calibrations[0]
    compiled(program, calibration, CompileSettings(), all_to_all=False, store=store)
    versions = {**compile_module._versions(), package: "0.0.1"}
    monkeypatch.setattr(compile_module, "_versions", lambda: versions)
    assert not compiled(program, calibration, CompileSettings(), all_to_all=False, store=store).reused
    assert len(count) == 2


def test_a_program_that_is_no_circuit_is_refused_and_told_why(store: CompiledCache) -> None:
    from dataclasses import replace

    program = replace(program_of(circuit_of(1, 1, Measure(0, 0))), circuit=None, opaque_because="it adds integers")
    with pytest.raises(UnsupportedProgramError) as caught:
        compiled(program, LINE, CompileSettings(), all_to_all=False, store=store)
    assert caught.value.cause == "it adds integers"


def test_the_same_program_compiles_to_the_same_circuit_in_another_process(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from antiphon.adapters.targets.emu.cache import CompiledCache
from antiphon.adapters.targets.emu.compile import compiled
from antiphon.adapters.targets.emu.recorded import recorded
from antiphon.adapters.targets.emu.settings import CompileSettings
from antiphon.domain.circuits import Gate, Measure
from sim_work import circuit_of, program_of
gates = [Gate("h", (0,))] + [Gate("rzz", (a, (3 * a + 1) % 8), (0.3,)) for a in range(8) if a != (3 * a + 1) % 8]
program = program_of(circuit_of(8, 8, *gates, *(Measure(q, q) for q in range(8))))
calibration = recorded("emu.falcon").calibrations[-1]
store = CompiledCache(Path(sys.argv[1]))
done = compiled(program, calibration, CompileSettings(), all_to_all=False, store=store)
print(done.reused, done.kept.layout, len(done.kept.circuit.operations), done.kept.duration)
"""
    support = str(Path(__file__).parents[4] / "support")

    def ran(folder: str) -> list[str]:
        out = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / folder)],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": support, "PATH": ""},
        )
        return out.stdout.split(maxsplit=1)

    first, apart, again = ran("one"), ran("two"), ran("one")
    assert (first[0], apart[0], again[0]) == ("False", "False", "True")
    assert first[1] == apart[1] == again[1]
