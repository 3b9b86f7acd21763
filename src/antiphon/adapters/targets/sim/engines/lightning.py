"""Static circuits without noise on Lightning's state vector: counts, and exact expectation values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.adapters.targets.sim.engines.lightning_state import LightningState, borrowed_state
from antiphon.adapters.targets.sim.engines.tape import Tape, tape_of
from antiphon.adapters.targets.sim.pauli_sampling import (
    Energies,
    GroupedSum,
    group_energies,
    grouped_on,
    sampled_value,
)
from antiphon.adapters.targets.sim.paulis import (
    Group,
    Strings,
    commuting_groups,
    diagonal,
    sparse_matrix,
    strings_on,
)
from antiphon.adapters.targets.sim.readout import Readout, draw
from antiphon.adapters.targets.sim.task import Ran, Task, Value, over_observables
from antiphon.domain.observables import Observable

SINGLE_FROM_QUBITS = 16
_MATRIX_BYTES = 64 * 2**20
_INVERSE = {"h": "h", "sdg": "s"}

Expectation: TypeAlias = "Callable[[LightningState], float]"


@dataclass(frozen=True)
class _Compiled:
    """An observable made ready for one register of qubits, and the memory it holds."""

    evaluate: Expectation
    nbytes: int


_tapes: BoundedCache[Tape] = BoundedCache(2_000_000, lambda tape: len(tape.calls) + 1)
_observables: BoundedCache[_Compiled] = BoundedCache(512 * 2**20, lambda compiled: compiled.nbytes + 1024)
_readouts: BoundedCache[Readout] = BoundedCache(1024)


def sample_precision(num_qubits: int, asked: str | None) -> str:
    """Single precision from 16 qubits on unless asked otherwise: its error of 1e-6 drowns in any number of shots."""
    return asked or ("single" if num_qubits >= SINGLE_FROM_QUBITS else "double")


def readout_of(task: Task) -> Readout:
    """The program's readout, built once."""
    features = task.features
    return _readouts.get(task.key, lambda: Readout(features.circuit.registers, features.readout))


def sample(task: Task, kind: type[LightningState] = LightningState) -> Ran:
    """Counts of every parameter set, on states of that kind."""
    features = task.features
    precision = sample_precision(features.num_qubits, task.settings.precision)
    rng = task.generator()
    readout = readout_of(task)
    counts, exact = [], []
    for row in _rows(task, precision, kind):
        state = _evolve(task, precision, row, kind)
        if task.settings.exact_probabilities:
            probabilities = state.probabilities()
            counts.append(readout.counts_of_outcomes(*draw(probabilities, task.shots, rng)))
            exact.append(readout.exact(probabilities))
        else:
            counts.append(readout.counts_of_outcomes(*state.draw(task.shots, rng)))
    found = tuple(exact) if task.settings.exact_probabilities else None
    return Ran("state vector", precision, len(counts), counts=tuple(counts), probabilities=found)


def estimate(task: Task, kind: type[LightningState] = LightningState) -> Ran:
    """Expectation values on states of that kind: exact, or from samples when the pub has shots."""
    precision = task.settings.precision or "double"
    rows = _rows(task, precision, kind)
    shots = task.pub.shots
    if shots is None:

        def evaluate(index: int, observables: Sequence[Observable]) -> Sequence[Value]:
            state = _evolve(task, precision, rows[index], kind)
            return [Value(_compiled(task, observable, state).evaluate(state)) for observable in observables]

    else:
        rng = task.generator()

        def evaluate(index: int, observables: Sequence[Observable]) -> Sequence[Value]:
            state = _evolve(task, precision, rows[index], kind)
            return [_sampled(state, grouped_on(item, task.features.qubits), shots, rng) for item in observables]

    values, num_calls = over_observables(task.pub, evaluate)
    method = "state vector, exact" if shots is None else "state vector, sampled in commuting groups"
    return Ran(method, precision, num_calls, values=values)


def _rows(task: Task, precision: str, kind: type[LightningState]) -> Sequence[list[list[float]]]:
    return _tape(task, precision, kind).parameters.rows(task.parameters)


def _tape(task: Task, precision: str, kind: type[LightningState]) -> Tape:
    features, single = task.features, precision == "single"
    key = (task.key, single, kind)
    return _tapes.get(key, lambda: tape_of(features.gates, _width(task), single=single, kind=kind))


def _width(task: Task) -> int:
    return max(task.features.num_qubits, 1)  # a program without gates still has a state to look at


def _evolve(task: Task, precision: str, parameters: list[list[float]], kind: type[LightningState]) -> LightningState:
    state = borrowed_state(_width(task), single=precision == "single", kind=kind)
    state.run(_tape(task, precision, kind).calls, parameters)
    return state


def _compiled(task: Task, observable: Observable, state: LightningState) -> _Compiled:
    qubits, kind = task.features.qubits, type(state)

    def build() -> _Compiled:
        strings = strings_on(observable, qubits)
        if kind.sums_paulis:
            return _word_form(strings)
        return compile_observable(strings, state.num_qubits, single=state.single)

    return _observables.get((observable.digest, qubits, state.single, kind), build)


def compile_observable(strings: Strings, num_qubits: int, *, single: bool) -> _Compiled:
    """The cheapest exact evaluation: one diagonal, one sparse matrix, or a diagonal for each commuting group."""
    flips = {x for x, _ in strings}
    if flips <= {0}:
        return _diagonal_form({z: value for (_, z), value in strings.items()}, num_qubits)
    if len(flips) * 2**num_qubits * 24 <= _MATRIX_BYTES:
        matrix = sparse_matrix(strings, num_qubits)
        data = matrix.data.astype(np.complex64) if single else matrix.data
        indptr, indices = matrix.indptr, matrix.indices
        return _Compiled(lambda state: state.expectation(indptr, indices, data), matrix.nbytes)
    return _grouped_form(strings, num_qubits)


def _word_form(strings: Strings) -> _Compiled:
    """For states that sum Pauli words where they lie."""
    constant = strings.get((0, 0), 0.0)
    words, places, weights = [], [], []
    for (x, z), weight in strings.items():
        on = [qubit for qubit in range((x | z).bit_length()) if (x | z) >> qubit & 1]
        if on:
            words.append("".join("_XZY"[(x >> qubit & 1) + 2 * (z >> qubit & 1)] for qubit in on))
            places.append(on)
            weights.append(weight)
    if not words:
        return _Compiled(lambda _: constant, 0)
    size = sum(64 + 16 * len(on) for on in places)
    return _Compiled(lambda state: constant + state.pauli_sum(words, places, weights), size)


def _diagonal_form(weights: dict[int, float], num_qubits: int) -> _Compiled:
    values = diagonal(weights, num_qubits)
    return _Compiled(lambda state: _mean(values, state.probabilities()), values.nbytes)


def _grouped_form(strings: Strings, num_qubits: int) -> _Compiled:
    constant = strings.get((0, 0), 0.0)
    parts = [(group.rotations(), diagonal(group.weights, num_qubits)) for group in commuting_groups(strings)]

    def evaluate(state: LightningState) -> float:
        total = constant
        for rotations, values in parts:
            for name, qubit in rotations:
                state.apply(name, qubit)
            total += _mean(values, state.probabilities())
            for name, qubit in reversed(rotations):
                state.apply(_INVERSE[name], qubit)
        return total

    return _Compiled(evaluate, sum(values.nbytes for _, values in parts))


def _mean(values: NDArray[np.float64], probabilities: NDArray[Any]) -> float:
    # Not a dot product: BLAS starts threads for it, and waits for them while other work has the cores.
    return float(np.einsum("i,i->", values, probabilities))


def _sampled(state: LightningState, grouped: GroupedSum, shots: int, rng: np.random.Generator) -> Value:
    def measure(group: Group, group_shots: int) -> Energies:
        rotations = group.rotations()
        for name, qubit in rotations:
            state.apply(name, qubit)
        outcomes, times = state.draw(group_shots, rng)
        for name, qubit in reversed(rotations):
            state.apply(_INVERSE[name], qubit)
        return group_energies(group, outcomes), times

    return sampled_value(grouped, shots, measure)
