"""Aer's methods: state vector, density matrix, matrix product state and stabilizer.

The circuit is written in Aer's own gates and never transpiled to it (that refuses wide circuits). Static circuits are
asked for their state, from which counts are drawn here: probabilities, or a matrix product state as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.angles import Floats
from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.adapters.targets.sim.engines.aer_circuit import NATIVE, qiskit_circuit
from antiphon.adapters.targets.sim.engines.aer_noise import model_by_name, writing
from antiphon.adapters.targets.sim.engines.mps_sampling import draw_bits
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
from antiphon.adapters.targets.sim.readout import Flips, Readout, draw
from antiphon.adapters.targets.sim.settings import Settings, uniform_noise
from antiphon.adapters.targets.sim.task import Ran, Task, Value, over_observables, parameter_array
from antiphon.domain.noise import Noise
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
    noise = uniform_noise(settings)
    options = {} if noise is None else {"noise_model": model_by_name(noise, circuit.num_qubits)}
    circuit = transpile(circuit, basis_gates=sorted(NATIVE), optimization_level=0)
    assert pub.shots is not None
    rng = np.random.Generator(np.random.PCG64(pub.seed))
    counts = []
    for row in parameter_array(pub).tolist():
        bound = circuit.assign_parameters(dict(zip(pub.parameters.names, row, strict=True)))
        counts.append(_spelled(_counts(simulator, bound, pub.shots, rng, **options), circuit))
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
    return _aer().AerSimulator(**options)


@dataclass(frozen=True)
class _Written:
    """A Qiskit circuit with its noise, and the options that running it needs."""

    circuit: Any
    options: dict[str, Any]


_written: BoundedCache[_Written] = BoundedCache(200_000, lambda written: 1 + len(written.circuit.data))


def _write(task: Task, parameters: Floats, method: str, save: str = "") -> _Written:
    """The circuit at one parameter set with the task's noise in it; kept when it has no parameters.

    It ends with its measurements, or with `save`, what is to be read of the state before them.
    """
    noise, features = task.noise(), task.features

    def build() -> _Written:
        clifford = method == "stabilizer"
        channels = None if noise is None else writing(noise, method)
        after = None if channels is None else channels.after
        circuit = qiskit_circuit(features, parameters, clifford=clifford, measured=not save, after=after)
        if save:
            getattr(circuit, f"save_{save}")()
        return _Written(circuit, {} if channels is None else {"noise_model": channels.model(features.num_qubits)})

    if noise is None or features.is_parametric:
        return build()
    return _written.get((task.key, noise, method, save), build)


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


def _counts(simulator: Any, circuit: Any, shots: int, rng: np.random.Generator, **options: Any) -> dict[str, int]:
    seed = int(rng.integers(2**31))
    counts = _result(simulator, circuit, shots=shots, seed_simulator=seed, **options).get_counts()
    return {key: int(counts[key]) for key in sorted(counts)}


def _spelled(counts: dict[str, int], circuit: Any) -> dict[str, int]:
    """Counts whose keys have every register whole: Aer writes a bit that is in two registers only once."""
    registers = [[circuit.find_bit(bit).index for bit in register] for register in circuit.cregs]
    if len({bit for register in registers for bit in register}) == sum(map(len, registers)):
        return counts
    spelled = {}
    for key, count in counts.items():
        bits = key.replace(" ", "")[::-1]
        words = ["".join(bits[bit] for bit in reversed(register)) for register in reversed(registers)]
        spelled[" ".join(words)] = count
    return spelled


def _sample(task: Task, method: str) -> Ran:
    features, flips = task.features, task.flips()
    precision = task.settings.precision or "double"
    rng = task.generator()
    simulator = _simulator(method, task.settings, features.num_qubits)
    drawn = not features.dynamic and method in ("statevector", "density_matrix")
    counts, exact = [], []
    readout = Readout(features.circuit.registers, features.readout)
    for parameters in task.parameters:
        if drawn and (method == "density_matrix" or flips is None):
            probabilities = _state(simulator, task, parameters, method, "probabilities")
            outcomes, times = draw(np.maximum(probabilities, 0.0), task.shots, rng)
            if task.settings.exact_probabilities:
                exact.append(readout.exact(probabilities))
            if flips is None:
                counts.append(readout.counts_of_outcomes(outcomes, times))
            else:
                bits = np.repeat(readout.bits_of_outcomes(outcomes), times, axis=0)
                counts.append(readout.counts_of_bits(readout.flipped(bits, flips, rng)))
        elif not features.dynamic and not any(qubit >= 0 for qubit, _ in features.readout):
            bits = np.zeros((task.shots, readout.num_clbits), dtype=np.uint8)
            counts.append(readout.counts_of_bits(bits if flips is None else readout.flipped(bits, flips, rng)))
        elif method == "matrix_product_state" and not features.dynamic and task.noise() is None:
            circuit = qiskit_circuit(features, parameters, measured=False)
            counts.append(readout.counts_of_bits(readout.placed(_mps_bits(simulator, circuit, task.shots, rng))))
        else:
            written = _write(task, parameters, method)
            native = _counts(simulator, written.circuit, task.shots, rng, **written.options)
            words = {key.replace(" ", ""): count for key, count in native.items()}
            if flips is not None and any(qubit < 0 for qubit, _ in features.readout):
                counts.append(_idle_flipped(words, task, readout, flips, rng))
            else:
                counts.append({readout.spaced(word): count for word, count in words.items()})
    found = tuple(exact) if task.settings.exact_probabilities else None
    return Ran(f"Aer {method}", precision, len(counts), counts=tuple(counts), probabilities=found)


def _idle_flipped(
    words: dict[str, int], task: Task, readout: Readout, flips: Flips, rng: np.random.Generator
) -> dict[str, int]:
    """Counts in which bits of idle qubits, which Aer does not see, are misread too."""
    rows = [[int(bit) for bit in reversed(word)] for word in words]
    bits = np.repeat(np.array(rows, dtype=np.uint8), list(words.values()), axis=0)
    idle = [place for place, (qubit, _) in enumerate(task.features.readout) if qubit < 0]
    columns = [task.features.readout[place][1] for place in idle]
    return readout.counts_of_bits(Flips(flips.p01[idle], flips.p10[idle]).of(bits, columns, rng))


def _state(simulator: Any, task: Task, parameters: Floats, method: str, what: str) -> NDArray[Any]:
    """The final probabilities, state vector or density matrix, before any measurement."""
    if not task.features.num_qubits:
        return np.ones((1, 1) if what == "density_matrix" else 1)
    written = _write(task, parameters, method, save=what)
    data = _result(simulator, written.circuit, **written.options).data()[what]
    return np.asarray(getattr(data, "data", data))


def _estimate(task: Task, method: str) -> Ran:
    shots, noise, qubits = task.pub.shots, task.noise(), task.features.qubits
    simulator = _simulator(method, task.settings, task.features.num_qubits)
    rng = task.generator()

    def evaluate(index: int, observables: Sequence[Observable]) -> Sequence[Value]:
        parameters = task.parameters[index]
        if shots is not None:
            groups = [grouped_on(observable, qubits, task.settings.noise) for observable in observables]
            if method == "matrix_product_state":
                return [_mps_sampled(simulator, task, parameters, item, shots, rng) for item in groups]
            state = _state(simulator, task, parameters, method, method)
            return [_sampled(state, item, shots, noise, rng) for item in groups]
        sums = [strings_on(observable, qubits, task.settings.noise) for observable in observables]
        if method == "matrix_product_state":
            return _mps_exact(simulator, task, parameters, sums)
        state = _state(simulator, task, parameters, method, method)
        reported = sums if noise is None else [through_readout(strings, noise) for strings in sums]
        return [Value(_exact(state, strings)) for strings in reported]

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
    state: NDArray[Any], grouped: GroupedSum, shots: int, noise: Noise | None, rng: np.random.Generator
) -> Value:
    width = len(state).bit_length() - 1
    flips = None if noise is None else Flips.reading(noise, range(width))

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
        if flips is None or flips.never:
            return group_energies(group, outcomes), times
        each = np.repeat(outcomes, times)
        bits = (each[:, None] >> np.arange(width) & 1).astype(np.uint8)
        return bit_energies(group, flips.of(bits, range(width), rng))

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
        Value(float(data[f"value{next(found)}"]) if any(x | z for x, z in strings) else sum(strings.values()))
        for strings in sums
    ]


def _mps_sampled(
    simulator: Any, task: Task, parameters: Floats, grouped: GroupedSum, shots: int, rng: np.random.Generator
) -> Value:
    def measure(group: Group, group_shots: int) -> Energies:
        circuit = qiskit_circuit(task.features, parameters, measured=False)
        for name, qubit in group.rotations():
            getattr(circuit, name)(qubit)
        return bit_energies(group, _mps_bits(simulator, circuit, group_shots, rng))

    return sampled_value(grouped, shots, measure)


def _mps_bits(simulator: Any, circuit: Any, shots: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Bits of shape (shots, qubits) of a circuit without measurements."""
    if not circuit.num_qubits:
        return np.zeros((shots, 0), dtype=np.uint8)
    circuit.save_matrix_product_state()
    gammas, lambdas = _result(simulator, circuit).data()["matrix_product_state"]
    return draw_bits(gammas, lambdas, shots, rng)


def _letters(x: int, z: int, width: int) -> str:
    return "".join("IXZY"[(x >> q & 1) + 2 * (z >> q & 1)] for q in reversed(range(width)))
