"""Aer's methods: state vector, density matrix, matrix product state and stabilizer.

The circuit is written in Aer's own gates and never transpiled to it (that refuses wide circuits). Static state vectors
and density matrices are asked for their probabilities, from which counts are drawn as for every other engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.angles import Floats
from antiphon.adapters.targets.sim.engines.aer_circuit import NATIVE, qiskit_circuit, unitary_label
from antiphon.adapters.targets.sim.matrices import apply, gate_matrix
from antiphon.adapters.targets.sim.pauli_sampling import (
    Energies,
    GroupedSum,
    bit_energies,
    group_energies,
    grouped_on,
    sampled_value,
)
from antiphon.adapters.targets.sim.paulis import Group, Strings, flip_columns, strings_on, through_readout
from antiphon.adapters.targets.sim.readout import Readout, draw
from antiphon.adapters.targets.sim.settings import Settings
from antiphon.adapters.targets.sim.task import Ran, Task, Value, over_observables, parameter_array
from antiphon.domain.gates import GATES
from antiphon.domain.noise import NoiseModel
from antiphon.domain.observables import Observable
from antiphon.domain.results import Sampled
from antiphon.domain.work import Pub
from antiphon.errors import ExecutionError, MissingExtraError

_THREADS_FROM_QUBITS = 16  # below, starting threads costs more than they save


def sampler(method: str) -> Callable[[Task], Ran]:
    """A function that samples a task with that method of Aer."""
    return lambda task: _sample(task, method)


def estimator(method: str) -> Callable[[Task], Ran]:
    """A function that estimates a task with that method of Aer."""
    return lambda task: _estimate(task, method)


def run_opaque(pub: Pub, method: str, settings: Settings) -> tuple[Sampled, Ran]:
    """Sample a Qiskit program that has no circuit of ours, in the gates Aer has."""
    from qiskit import transpile

    from antiphon.frontends.qiskit import circuit_from_program

    circuit = circuit_from_program(pub.program)
    simulator = _simulator(method, settings, circuit.num_qubits)
    circuit = transpile(circuit, basis_gates=sorted(NATIVE), optimization_level=0)
    assert pub.shots is not None
    rng = np.random.Generator(np.random.PCG64(pub.seed))
    counts = []
    for row in parameter_array(pub).tolist():
        bound = circuit.assign_parameters(dict(zip(pub.parameters.names, row, strict=True)))
        counts.append(_counts(simulator, bound, pub.shots, rng))
    return Sampled(pub.parameters.shape, tuple(counts), pub.shots), Ran(f"Aer {method}, shot by shot")


def _aer() -> Any:
    try:
        import qiskit_aer
    except ImportError as error:
        raise MissingExtraError.of("qiskit-aer", "sims", "Aer") from error
    return qiskit_aer


def _simulator(method: str, settings: Settings, num_qubits: int) -> Any:
    options: dict[str, Any] = {"method": method}
    if (2 * num_qubits if method == "density_matrix" else num_qubits) < _THREADS_FROM_QUBITS:
        options["max_parallel_threads"] = 1
    if settings.precision == "single":
        options["precision"] = "single"
    if method == "matrix_product_state":
        options["matrix_product_state_max_bond_dimension"] = settings.max_bond_dimension
        options["matrix_product_state_truncation_threshold"] = settings.truncation_threshold
    if settings.noise is not None:
        options["noise_model"] = _noise_model(settings.noise, num_qubits)
    return _aer().AerSimulator(**options)


@lru_cache(maxsize=64)
def _noise_model(noise: NoiseModel, num_qubits: int) -> Any:
    """The model in Aer's terms. Aer's own `from_backend` is not used: it makes an asymmetric readout symmetric."""
    from qiskit_aer.noise import NoiseModel as AerNoise
    from qiskit_aer.noise import ReadoutError, depolarizing_error

    single = depolarizing_error(noise.depolarizing_1q, 1)
    pair = depolarizing_error(noise.depolarizing_2q, 2)
    apart = depolarizing_error(noise.depolarizing_2q, 1)
    triple = apart.tensor(apart).tensor(apart)
    labels = [unitary_label(width) for width in (1, 2, 3)]
    model = AerNoise(basis_gates=sorted({*NATIVE, "unitary"}))
    for error, width in ((single, 1), (pair, 2), (triple, 3)):
        names = [kind.name for kind in GATES.values() if kind.num_qubits == width and kind.name != "id"]
        model.add_all_qubit_quantum_error(error, [*names, labels[width - 1]])
    if noise.readout_p01 or noise.readout_p10:
        readout = ReadoutError([[1 - noise.readout_p01, noise.readout_p01], [noise.readout_p10, 1 - noise.readout_p10]])
        # Qubit by qubit, so that the spare one of bit assignments reads true.
        for qubit in range(num_qubits):
            model.add_readout_error(readout, [qubit])
    return model


def _result(simulator: Any, circuit: Any, **options: Any) -> Any:
    result = simulator.run(circuit, **options).result()
    if not result.success:
        raise ExecutionError(
            "Aer ended without a result.",
            code="engine-failed",
            cause=str(result.status),
            next_step="Use another engine, or fewer qubits.",
        )
    return result


def _counts(simulator: Any, circuit: Any, shots: int, rng: np.random.Generator) -> dict[str, int]:
    seed = int(rng.integers(2**31))
    counts = _result(simulator, circuit, shots=shots, seed_simulator=seed).get_counts()
    return {key: int(counts[key]) for key in sorted(counts)}


def _sample(task: Task, method: str) -> Ran:
    features, noise = task.features, task.settings.noise
    precision = task.settings.precision or "double"
    rng = task.generator()
    simulator = _simulator(method, task.settings, features.num_qubits)
    drawn = not features.dynamic and method in ("statevector", "density_matrix")
    counts, exact = [], []
    readout = Readout(features.circuit.registers, features.readout)
    for parameters in task.parameters:
        if drawn and (method == "density_matrix" or noise is None):
            probabilities = _state(simulator, task, parameters, "probabilities")
            outcomes, times = draw(np.maximum(probabilities, 0.0), task.shots, rng)
            if task.settings.exact_probabilities:
                exact.append(readout.exact(probabilities))
            if noise is None:
                counts.append(readout.counts_of_outcomes(outcomes, times))
            else:
                bits = np.repeat(readout.bits_of_outcomes(outcomes), times, axis=0)
                counts.append(readout.counts_of_bits(readout.flipped(bits, noise, rng)))
        elif not features.dynamic and not any(qubit >= 0 for qubit, _ in features.readout):
            bits = np.zeros((task.shots, readout.num_clbits), dtype=np.uint8)
            counts.append(readout.counts_of_bits(bits if noise is None else readout.flipped(bits, noise, rng)))
        else:
            circuit = qiskit_circuit(features, parameters, clifford=method == "stabilizer")
            native = _counts(simulator, circuit, task.shots, rng)
            counts.append({readout.spaced(key.replace(" ", "")): count for key, count in native.items()})
    found = tuple(exact) if task.settings.exact_probabilities else None
    return Ran(f"Aer {method}", precision, len(counts), counts=tuple(counts), probabilities=found)


def _state(simulator: Any, task: Task, parameters: Floats, what: str) -> NDArray[Any]:
    """The final probabilities, state vector or density matrix, before any measurement."""
    circuit = qiskit_circuit(task.features, parameters, measured=False)
    if not task.features.num_qubits:
        return np.ones((1, 1) if what == "density_matrix" else 1)
    getattr(circuit, f"save_{what}")()
    data = _result(simulator, circuit).data()[what]
    return np.asarray(getattr(data, "data", data))


def _estimate(task: Task, method: str) -> Ran:
    shots, noise, qubits = task.pub.shots, task.settings.noise, task.features.qubits
    simulator = _simulator(method, task.settings, task.features.num_qubits)
    rng = task.generator()

    def evaluate(index: int, observables: Sequence[Observable]) -> Sequence[Value]:
        parameters = task.parameters[index]
        if shots is not None:
            groups = [grouped_on(observable, qubits, noise) for observable in observables]
            if method == "matrix_product_state":
                return [_mps_sampled(simulator, task, parameters, item, shots, rng) for item in groups]
            state = _state(simulator, task, parameters, method)
            return [_sampled(state, item, shots, noise, rng) for item in groups]
        sums = [strings_on(observable, qubits, noise) for observable in observables]
        if method == "matrix_product_state":
            return _mps_exact(simulator, task, parameters, sums)
        state = _state(simulator, task, parameters, method)
        reported = sums if noise is None else [through_readout(strings, noise) for strings in sums]
        return [(_exact(state, strings), 0.0) for strings in reported]

    values, num_calls = over_observables(task.pub, evaluate)
    how = "exact" if shots is None else "sampled in commuting groups"
    return Ran(f"Aer {method}, {how}", task.settings.precision or "double", num_calls, values=values)


def _exact(state: NDArray[Any], strings: Strings) -> float:
    """Tr(ρH) or ⟨ψ|H|ψ⟩, one flip of bits at a time."""
    states = np.arange(len(state))
    total = 0.0
    for x, column in flip_columns(strings, len(state).bit_length() - 1).items():
        moved = states ^ x
        pairs = state[states, moved] if state.ndim == 2 else state[states] * state[moved].conj()
        total += float(np.einsum("i,i->", pairs, column).real)
    return total


def _sampled(
    state: NDArray[Any], grouped: GroupedSum, shots: int, noise: NoiseModel | None, rng: np.random.Generator
) -> Value:
    width = len(state).bit_length() - 1
    flips = Readout((), ((qubit, qubit) for qubit in range(width)))

    def measure(group: Group, group_shots: int) -> Energies:
        rotated = state.reshape(-1).astype(np.complex128)
        for name, qubit in group.rotations():
            matrix = gate_matrix(name)
            if state.ndim == 2:
                # Flattened, the row index is the more significant half.
                rotated = apply(rotated, matrix.conj(), [qubit])
                rotated = apply(rotated, matrix, [width + qubit])
            else:
                rotated = apply(rotated, matrix, [qubit])
        diagonal = rotated.reshape(state.shape)
        found = np.diagonal(diagonal).real if state.ndim == 2 else np.abs(diagonal) ** 2
        outcomes, times = draw(np.maximum(found, 0.0), group_shots, rng)
        if noise is None:
            return group_energies(group, outcomes), times
        each = np.repeat(outcomes, times)
        bits = (each[:, None] >> np.arange(width) & 1).astype(np.uint8)
        return bit_energies(group, flips.flipped(bits, noise, rng))

    return sampled_value(grouped, shots, measure)


def _mps_exact(simulator: Any, task: Task, parameters: Floats, sums: Sequence[Strings]) -> list[Value]:
    from qiskit.quantum_info import SparsePauliOp

    width = task.features.num_qubits
    circuit = qiskit_circuit(task.features, parameters, measured=False)
    asked = [strings for strings in sums if any(x | z for x, z in strings)]
    for place, strings in enumerate(asked):
        terms = [(_letters(x, z, width), value) for (x, z), value in strings.items()]
        circuit.save_expectation_value(SparsePauliOp.from_list(terms), range(width), label=f"value{place}")
    data = _result(simulator, circuit).data() if asked else {}
    found = iter(range(len(asked)))
    return [
        (float(data[f"value{next(found)}"]) if any(x | z for x, z in strings) else sum(strings.values()), 0.0)
        for strings in sums
    ]


def _mps_sampled(
    simulator: Any, task: Task, parameters: Floats, grouped: GroupedSum, shots: int, rng: np.random.Generator
) -> Value:
    width = task.features.num_qubits

    def measure(group: Group, group_shots: int) -> Energies:
        circuit = qiskit_circuit(task.features, parameters, measured=False)
        for name, qubit in group.rotations():
            getattr(circuit, name)(qubit)
        bare = circuit.remove_final_measurements(inplace=False)
        bare.measure_all(add_bits=True)
        counts = _counts(simulator, bare, group_shots, rng)
        rows = [[int(bit) for bit in reversed(key.split()[0])] for key in counts]
        energies, _ = bit_energies(group, np.array(rows, dtype=np.uint8).reshape(len(rows), width))
        return energies, np.array(list(counts.values()), dtype=np.int64)

    return sampled_value(grouped, shots, measure)


def _letters(x: int, z: int, width: int) -> str:
    return "".join("IXZY"[(x >> q & 1) + 2 * (z >> q & 1)] for q in reversed(range(width)))
