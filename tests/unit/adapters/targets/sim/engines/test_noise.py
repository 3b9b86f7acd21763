"""Noisy engines, against a density matrix written out here and against each other."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.adapters.targets.sim import build_drivers
from antiphon.domain.circuits import Bit, Circuit, Gate, If, Measure, Unitary
from antiphon.domain.noise import NoiseModel
from antiphon.domain.observables import Observable
from antiphon.errors import UnsupportedProgramError
from reference_simulator import PAULIS, apply, bitstring, gate_matrix
from sim_work import circuit_of, counts_of, estimated, estimating, p_value, sampling

DRIVERS = build_drivers()
AUTO = DRIVERS["sim.auto"]
NOISE = NoiseModel(depolarizing_1q=0.05, depolarizing_2q=0.15, readout_p01=0.03, readout_p10=0.11)
SWAPPING = Unitary((0, 1, 1, 0), (2,))

GENERAL = circuit_of(
    3,
    3,
    Gate("h", (0,)),
    Gate("t", (0,)),
    Gate("iswap", (0, 1)),
    Gate("u", (1,), (0.4, 0.9, 0.2)),
    Gate("cry", (1, 2), (1.3,)),
    SWAPPING,
    Gate("ccx", (0, 1, 2)),
    Gate("id", (0,)),
    Measure(0, 0),
    Measure(1, 1),
    Measure(2, 2),
)
CLIFFORD = circuit_of(
    3,
    3,
    Gate("h", (0,)),
    Gate("cx", (0, 1)),
    Gate("s", (1,)),
    Gate("h", (1,)),
    Gate("iswap", (1, 2)),
    Measure(2, 0),
    Measure(1, 1),
    Measure(0, 2),
)
OBSERVABLE = Observable(3, (("III", 0.3), ("IXZ", 0.7), ("YIY", -0.4), ("ZZZ", 1.1)))

Matrix = NDArray[Any]


def conjugated(rho: Matrix, matrix: Matrix, qubits: tuple[int, ...]) -> Matrix:
    half = np.stack([apply(column, matrix, qubits) for column in rho.T], axis=1)
    return np.stack([apply(row.conj(), matrix, qubits).conj() for row in half])


def depolarised(rho: Matrix, qubits: tuple[int, ...], p: float) -> Matrix:
    mixed = rho
    for qubit in qubits:  # the full twirl over Paulis replaces a qubit by the mixed state
        mixed = sum((conjugated(mixed, PAULIS[letter], (qubit,)) for letter in "IXYZ"), np.zeros_like(rho)) / 4
    return (1 - p) * rho + p * mixed


def noisy_state(circuit: Circuit, noise: NoiseModel) -> Matrix:
    rho: Matrix = np.zeros((2**circuit.num_qubits,) * 2, dtype=complex)
    rho[0, 0] = 1
    for operation in circuit.operations:
        if not isinstance(operation, Gate | Unitary):
            continue
        if isinstance(operation, Gate):
            matrix = gate_matrix(operation.name, [float(angle) for angle in operation.params])  # type: ignore[arg-type]
        else:
            size = 2 ** len(operation.qubits)
            matrix = np.array(operation.matrix, dtype=complex).reshape(size, size)
        rho = conjugated(rho, matrix, operation.qubits)
        if operation == Gate("id", operation.qubits):
            continue
        if len(operation.qubits) == 1:
            rho = depolarised(rho, operation.qubits, noise.depolarizing_1q)
        elif len(operation.qubits) == 2:
            rho = depolarised(rho, operation.qubits, noise.depolarizing_2q)
        else:
            for qubit in operation.qubits:
                rho = depolarised(rho, (qubit,), noise.depolarizing_2q)
    return rho


def confusion(noise: NoiseModel) -> NDArray[np.float64]:
    return np.array([[1 - noise.readout_p01, noise.readout_p10], [noise.readout_p01, 1 - noise.readout_p10]])


def noisy_distribution(circuit: Circuit, noise: NoiseModel) -> dict[str, float]:
    width = circuit.num_qubits
    truth = np.diag(noisy_state(circuit, noise)).real
    seen = truth.reshape((2,) * width)
    for axis in range(width):
        seen = np.moveaxis(np.tensordot(confusion(noise), seen, axes=(1, axis)), 0, axis)
    pairs = {op.clbit: op.qubit for op in circuit.operations if isinstance(op, Measure)}
    result: dict[str, float] = {}
    for index, chance in enumerate(seen.reshape(-1).tolist()):
        bits = [index >> pairs[clbit] & 1 if clbit in pairs else 0 for clbit in range(circuit.num_clbits)]
        key = bitstring(bits, circuit.registers)
        result[key] = result.get(key, 0.0) + chance
    return result


def noisy_value(circuit: Circuit, observable: Observable, noise: NoiseModel) -> float:
    """Each letter is what its measurement reports: a change of basis, then ±1 through the confusion."""
    rho, total = noisy_state(circuit, noise), 0.0
    signs = np.array([1.0, -1.0]) @ confusion(noise)
    turns = {"X": gate_matrix("h"), "Y": gate_matrix("h") @ gate_matrix("sdg"), "Z": np.eye(2)}
    for pauli, coefficient in observable.terms:
        matrix: Matrix = np.eye(1, dtype=complex)
        for letter in pauli:
            one = np.eye(2) if letter == "I" else turns[letter].conj().T @ np.diag(signs) @ turns[letter]
            matrix = np.kron(matrix, one)
        total += coefficient * float(np.trace(rho @ matrix).real)
    return total


def run(
    circuit: Circuit, noise: NoiseModel = NOISE, target: str = "sim.auto", shots: int = 20_000, **options: Any
) -> Any:
    work = sampling(circuit, shots=shots, noise=noise.to_json(), **options)
    return DRIVERS[target].execute(work, DRIVERS[target].plan(work))


def cases() -> Iterable[tuple[Circuit, str]]:
    for engine in ("aer-density-matrix", "trajectories", "aer-statevector"):
        yield GENERAL, engine
    for engine in ("aer-density-matrix", "trajectories", "stim"):
        yield CLIFFORD, engine


@pytest.mark.parametrize(("circuit", "engine"), list(cases()))
@pytest.mark.parametrize("noise", [NOISE, NoiseModel(depolarizing_2q=1.0), NoiseModel(readout_p01=0.2)])
def test_noisy_counts(circuit: Circuit, engine: str, noise: NoiseModel) -> None:
    # Aer's trajectories run shot by shot.
    shots = 3_000 if engine == "aer-statevector" else 20_000
    counts = counts_of(run(circuit, noise, shots=shots, engine=engine))
    assert sum(counts.values()) == shots
    assert p_value(counts, noisy_distribution(circuit, noise)) > 1e-6


def test_a_measured_idle_qubit_is_misread_too() -> None:
    circuit = circuit_of(2, 2, Gate("x", (0,)), Measure(0, 0), Measure(1, 1))
    for engine in ("aer-density-matrix", "trajectories", "stim"):
        assert p_value(counts_of(run(circuit, engine=engine)), noisy_distribution(circuit, NOISE)) > 1e-6


@pytest.mark.parametrize("circuit", [GENERAL, CLIFFORD])
def test_exact_noisy_values(circuit: Circuit) -> None:
    gates = Circuit(circuit.num_qubits, (), (), tuple(op for op in circuit.operations if not isinstance(op, Measure)))
    work = estimating(gates, OBSERVABLE, noise=NOISE.to_json())
    plan = DRIVERS["sim.density_matrix"].plan(work)
    found = estimated(DRIVERS["sim.density_matrix"].execute(work, plan))
    assert found.values[0] == pytest.approx(noisy_value(gates, OBSERVABLE, NOISE), abs=1e-9)


@pytest.mark.parametrize(
    ("circuit", "engine"),
    [(GENERAL, "trajectories"), (GENERAL, "aer-density-matrix"), (CLIFFORD, "stim"), (CLIFFORD, "trajectories")],
)
def test_noisy_values_from_shots(circuit: Circuit, engine: str) -> None:
    gates = Circuit(circuit.num_qubits, (), (), tuple(op for op in circuit.operations if not isinstance(op, Measure)))
    work = estimating(gates, OBSERVABLE, shots=40_000, noise=NOISE.to_json(), engine=engine)
    found = estimated(AUTO.execute(work, AUTO.plan(work)))
    assert found.stderr[0] < 0.02
    assert abs(found.values[0] - noisy_value(gates, OBSERVABLE, NOISE)) < 4.5 * found.stderr[0]


def test_idle_qubits_of_an_observable_are_misread_too() -> None:
    circuit = circuit_of(3, 0, Gate("ry", (1,), (0.8,)))
    observable = Observable(3, (("IZZ", 1.0), ("XZI", 0.5), ("YII", 0.3)))
    work = estimating(circuit, observable, noise=NOISE.to_json())
    found = estimated(AUTO.execute(work, AUTO.plan(work)))
    assert found.values[0] == pytest.approx(noisy_value(circuit, observable, NOISE), abs=1e-9)


def test_noisy_dynamic_programs_condition_on_what_was_read() -> None:
    circuit = circuit_of(2, 2, Gate("x", (0,)), Measure(0, 0), If(Bit(0), (Gate("x", (1,)),)), Measure(1, 1))
    counts = counts_of(run(circuit, NoiseModel(readout_p10=0.25)))
    expected = {"00": 0.25, "01": 0.75 * 0.25, "11": 0.75 * 0.75}
    assert p_value(counts, expected) > 1e-6


def test_trivial_noise_is_no_noise() -> None:
    circuit = circuit_of(1, 1, Gate("h", (0,)), Measure(0, 0))
    assert AUTO.plan(sampling(circuit, noise=NoiseModel().to_json())).engine == ("lightning",)


def test_one_noisy_trajectory_is_no_expectation_value() -> None:
    circuit = circuit_of(1, 0, Gate("h", (0,)))
    work = estimating(circuit, Observable(1, (("X", 1.0),)), noise=NOISE.to_json(), engine="aer-statevector")
    with pytest.raises(UnsupportedProgramError, match="aer-statevector"):
        AUTO.plan(work)
