"""Clifford circuits on stim: counts with Pauli noise, resets and measurements on the way, and expectation values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.angles import Floats
from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.adapters.targets.sim.channels import pauli_channels
from antiphon.adapters.targets.sim.clifford import clifford_steps
from antiphon.adapters.targets.sim.features import Features
from antiphon.adapters.targets.sim.pauli_sampling import Energies, bit_energies, grouped_on, sampled_value
from antiphon.adapters.targets.sim.paulis import Group, strings_on
from antiphon.adapters.targets.sim.readout import Flips, Readout
from antiphon.adapters.targets.sim.task import Ran, Task, Value, over_observables
from antiphon.domain.circuits import Gate, Measure, Reset
from antiphon.domain.noise import Noise, PauliChannel
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
    flips = None if noise is None else Flips.reading(noise, _read_from(features))
    counts = tuple(_sample_set(task, index, readout, records, flips, rng) for index in range(len(task.parameters)))
    method = "stabilizer tableau and Pauli frames"
    return Ran(method if noise is None else f"{method}, noise as Pauli errors", "exact", len(counts), counts)


def estimate(task: Task) -> Ran:
    """Expectation values: exact, or from samples when the pub has shots."""
    shots = task.pub.shots
    rng = task.generator()

    def evaluate(index: int, observables: Sequence[Observable]) -> Sequence[Value]:
        circuit = _circuit(task, index)
        if shots is None:
            simulator = _stim().TableauSimulator()
            simulator.do(circuit)
            return [Value(_exact(simulator, item, task.features.qubits)) for item in observables]
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


def _read_from(features: Features) -> Sequence[int]:
    """The circuit's qubit that each of `_records` was measured from, in order."""
    if not features.dynamic:
        return features.read_from
    return list({op.clbit: features.qubits[op.qubit] for op in features.operations if isinstance(op, Measure)}.values())


def _sample_set(
    task: Task,
    index: int,
    readout: Readout,
    records: dict[int, int],
    flips: Flips | None,
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
        if flips is not None:
            bits = readout.flipped(bits, flips, rng)
        total.update(readout.counts_of_bits(bits))
    return dict(sorted(total.items()))


def _circuit(task: Task, index: int) -> Any:
    """The circuit without the final measurements of a static program; read once unless it has parameters."""
    features, noise, parameters = task.features, task.noise(), task.parameters[index]

    def build() -> Any:
        return _stim().Circuit("\n".join(_lines(features, parameters, noise)))

    return build() if features.is_parametric else _circuits.get((task.key, noise), build)


def _lines(features: Features, parameters: Floats, noise: Noise | None) -> list[str]:
    """The circuit as stim's text, which it reads far quicker than it takes single gates."""
    lines: list[str] = []
    angles = iter(features.angles_of_gates(parameters))
    for place, operation in enumerate(features.operations):
        match operation:
            case Gate():
                steps = clifford_steps(operation, next(angles))
                if steps is None:
                    raise UnsupportedProgramError(f"Gate {operation.name!r} is not Clifford at these parameters.")
                lines.extend(f"{_NAMES.get(name, name)} {' '.join(map(str, qubits))}" for name, qubits in steps)
            case Measure(qubit, _):
                lines.append(f"M {qubit}")
            case Reset(qubit):
                lines.append(f"R {qubit}")
            case _:
                pass
        if noise is not None and place < features.before_end:
            lines.extend(line for channel in pauli_channels(noise, operation) for line in _error(channel))
    return lines


def _error(channel: PauliChannel) -> list[str]:
    """A Pauli channel in stim's words; it counts some error, not the full depolarisation of (1-p)ρ + p·I/d."""
    width = len(channel.qubits)
    on = " ".join(map(str, channel.qubits))
    chances = dict(channel.errors)
    if width > 2:
        return _correlated(channel)
    strings = ["".join(letters) for letters in product("IXYZ", repeat=width)][1:]
    each = [chances.get(string, 0.0) for string in strings]
    if len(set(each)) == 1:
        return [f"DEPOLARIZE{width}({math.fsum(each)}) {on}"]
    return [f"PAULI_CHANNEL_{width}({','.join(map(repr, each))}) {on}"]


def _correlated(channel: PauliChannel) -> list[str]:
    lines: list[str] = []
    left = 1.0
    for string, chance in channel.errors:
        targets = " ".join(f"{letter}{q}" for letter, q in zip(string, channel.qubits, strict=True) if letter != "I")
        name = "ELSE_CORRELATED_ERROR" if lines else "CORRELATED_ERROR"
        lines.append(f"{name}({min(1.0, chance / left) if left > 0.0 else 0.0}) {targets}")
        left -= chance
    return lines


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
    noise = task.noise()
    width = task.features.num_qubits
    flips = None if noise is None else Flips.reading(noise, range(width))

    def measure(group: Group, group_shots: int) -> Energies:
        lines = [f"{_NAMES.get(name, name)} {qubit}" for name, qubit in group.rotations()]
        lines.append("M " + " ".join(map(str, range(width))))
        rotated = circuit + _stim().Circuit("\n".join(lines))
        sampler = rotated.compile_sampler(seed=int(rng.integers(2**63)))
        bits: NDArray[np.uint8] = sampler.sample(group_shots).astype(np.uint8)
        if flips is not None and not flips.never:
            bits = flips.of(bits, range(width), rng)
        return bit_energies(group, bits)

    return sampled_value(grouped_on(observable, task.features.qubits, task.settings.noise), shots, measure)
