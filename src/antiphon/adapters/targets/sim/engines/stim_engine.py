"""Clifford circuits on stim: counts with Pauli noise, resets and measurements on the way, and expectation values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.angles import Floats
from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.adapters.targets.sim.clifford import clifford_steps
from antiphon.adapters.targets.sim.features import Features
from antiphon.adapters.targets.sim.pauli_sampling import Energies, bit_energies, grouped_on, sampled_value
from antiphon.adapters.targets.sim.paulis import Group, strings_on
from antiphon.adapters.targets.sim.readout import Readout
from antiphon.adapters.targets.sim.task import Ran, Task, Value, over_observables
from antiphon.domain.circuits import Gate, Measure, Reset
from antiphon.domain.noise import NoiseModel
from antiphon.domain.observables import Observable
from antiphon.errors import MissingExtraError, UnsupportedProgramError

_NAMES = {"sdg": "S_DAG", "sx": "SQRT_X", "sxdg": "SQRT_X_DAG"}
_BLOCK_BITS = 2**28

_circuits: BoundedCache[Any] = BoundedCache(1_000_000, lambda circuit: len(circuit) + 1)


def sample(task: Task) -> Ran:
    """Counts of every parameter set."""
    features, noise = task.features, task.settings.noise
    rng = task.generator()
    records = _records(features)
    readout = Readout(features.circuit.registers, ((0, clbit) for clbit in records))
    counts = tuple(_sample_set(task, index, readout, records, noise, rng) for index in range(len(task.parameters)))
    method = "stabilizer tableau and Pauli frames"
    return Ran(
        method if noise is None else f"{method}, depolarising noise as Pauli errors", "exact", len(counts), counts
    )


def estimate(task: Task) -> Ran:
    """Expectation values: exact, or from samples when the pub has shots."""
    shots = task.pub.shots
    rng = task.generator()

    def evaluate(index: int, observables: Sequence[Observable]) -> Sequence[Value]:
        circuit = _circuit(task, index)
        if shots is None:
            simulator = _stim().TableauSimulator()
            simulator.do(circuit)
            return [(_exact(simulator, item, task.features.qubits), 0.0) for item in observables]
        return [_sampled(circuit, task, item, shots, rng) for item in observables]

    values, num_calls = over_observables(task.pub, evaluate)
    method = "stabilizer tableau, exact" if shots is None else "stabilizer samples in commuting groups"
    return Ran(method, "exact", num_calls, values=values)


def _stim() -> Any:
    try:
        import stim
    except ImportError as error:
        raise MissingExtraError.of("stim", "sims", "The stabilizer engine") from error
    return stim


def _records(features: Features) -> dict[int, int]:
    """{classical bit: position of the measurement that it ends with}; -1 reads 0."""
    if not features.dynamic:
        return {clbit: qubit if qubit < 0 else place for place, (qubit, clbit) in enumerate(features.readout)}
    measured = [operation.clbit for operation in features.operations if isinstance(operation, Measure)]
    return {clbit: place for place, clbit in enumerate(measured)}


def _sample_set(
    task: Task,
    index: int,
    readout: Readout,
    records: dict[int, int],
    noise: NoiseModel | None,
    rng: np.random.Generator,
) -> dict[str, int]:
    features = task.features
    circuit = _circuit(task, index)
    if not features.dynamic:
        # One record for each bit keeps positions simple; an idle qubit's bit is set to 0 below.
        circuit = circuit + _stim().Circuit("M " + " ".join(str(max(qubit, 0)) for qubit, _ in features.readout))
    sampler = circuit.compile_sampler(seed=int(rng.integers(2**63)))
    total: Counter[str] = Counter()
    clbits, places = list(records), list(records.values())
    in_order = places == list(range(readout.num_clbits)) == clbits
    idle = [clbit for clbit, place in records.items() if place < 0]
    left = task.shots
    block = max(1, _BLOCK_BITS // max(readout.num_clbits, len(features.operations), 1))
    while left:
        shots = min(left, block)
        left -= shots
        bits = sampler.sample(shots).view(np.uint8)
        if not in_order:
            measured, bits = bits, np.zeros((shots, readout.num_clbits), dtype=np.uint8)
            bits[:, clbits] = measured[:, places]
            bits[:, idle] = 0
        if noise is not None:
            bits = readout.flipped(bits, noise, rng)
        total.update(readout.counts_of_bits(bits))
    return dict(sorted(total.items()))


def _circuit(task: Task, index: int) -> Any:
    """The circuit without the final measurements of a static program; read once unless it has parameters."""
    features, noise, parameters = task.features, task.settings.noise, task.parameters[index]

    def build() -> Any:
        return _stim().Circuit("\n".join(_lines(features, parameters, noise)))

    return build() if features.is_parametric else _circuits.get((task.key, noise), build)


def _lines(features: Features, parameters: Floats, noise: NoiseModel | None) -> list[str]:
    """The circuit as stim's text, which it reads far quicker than it takes single gates."""
    lines: list[str] = []
    angles = iter(features.angles_of_gates(parameters))
    for operation in features.operations:
        match operation:
            case Gate():
                steps = clifford_steps(operation, next(angles))
                if steps is None:
                    raise UnsupportedProgramError(f"Gate {operation.name!r} is not Clifford at these parameters.")
                lines.extend(f"{_NAMES.get(name, name)} {' '.join(map(str, qubits))}" for name, qubits in steps)
                if noise is not None:
                    lines.extend(_noise(operation, noise))
            case Measure(qubit, _):
                lines.append(f"M {qubit}")
            case Reset(qubit):
                lines.append(f"R {qubit}")
            case _:
                pass
    return lines


def _noise(gate: Gate, noise: NoiseModel) -> list[str]:
    # stim's p is the probability of some error; (1-p)ρ + p·I/d has one with (1 - 1/d²)·p.
    if gate.name == "id":
        return []
    if len(gate.qubits) == 1:
        return [f"DEPOLARIZE1({0.75 * noise.depolarizing_1q}) {gate.qubits[0]}"] if noise.depolarizing_1q else []
    if len(gate.qubits) == 2 and noise.depolarizing_2q:
        return [f"DEPOLARIZE2({0.9375 * noise.depolarizing_2q}) {gate.qubits[0]} {gate.qubits[1]}"]
    return []


def _exact(simulator: Any, observable: Observable, qubits: Sequence[int]) -> float:
    total = 0.0
    for (x, z), coefficient in strings_on(observable, qubits).items():
        if not x | z:
            total += coefficient
            continue
        letters = "".join("_XZY"[(x >> place & 1) + 2 * (z >> place & 1)] for place in range(len(qubits)))
        total += coefficient * simulator.peek_observable_expectation(_stim().PauliString(letters))
    return total


def _sampled(circuit: Any, task: Task, observable: Observable, shots: int, rng: np.random.Generator) -> Value:
    noise = task.settings.noise
    width = task.features.num_qubits
    flips = Readout((), ())
    flips.pairs = tuple((qubit, qubit) for qubit in range(width))

    def measure(group: Group, group_shots: int) -> Energies:
        lines = [f"{_NAMES.get(name, name)} {qubit}" for name, qubit in group.rotations()]
        lines.append("M " + " ".join(map(str, range(width))))
        rotated = circuit + _stim().Circuit("\n".join(lines))
        sampler = rotated.compile_sampler(seed=int(rng.integers(2**63)))
        bits: NDArray[np.uint8] = sampler.sample(group_shots).astype(np.uint8)
        if noise is not None:
            bits = flips.flipped(bits, noise, rng)
        return bit_energies(group, bits)

    return sampled_value(grouped_on(observable, task.features.qubits, noise), shots, measure)
