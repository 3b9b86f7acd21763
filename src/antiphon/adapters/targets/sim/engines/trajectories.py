"""Noisy static circuits by Pauli trajectories on Lightning: errors are drawn ahead, equal patterns run once.

Patterns that begin with the same errors share the evolution up to where they part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.adapters.targets.sim.engines.errors_ahead import ErrorsAhead, NoisePlace, Pattern, noise_places
from antiphon.adapters.targets.sim.engines.lightning import readout_of, sample_precision
from antiphon.adapters.targets.sim.engines.lightning_state import Call, LightningState
from antiphon.adapters.targets.sim.engines.tape import TapeBuilder, TapeParameters
from antiphon.adapters.targets.sim.pauli_sampling import Energies, group_energies, grouped_on, sampled_value
from antiphon.adapters.targets.sim.paulis import Group
from antiphon.adapters.targets.sim.readout import Flips
from antiphon.adapters.targets.sim.task import Ran, Task, Value, over_observables
from antiphon.domain.noise import Noise
from antiphon.domain.observables import Observable
from antiphon.errors import UnsupportedProgramError

_LETTERS = ("", "x", "y", "z")


def sample(task: Task, kind: type[LightningState] = LightningState) -> Ran:
    """Counts of every parameter set, on states of that kind."""
    circuit = _circuit(task, kind)
    rng, readout, flips = task.generator(), readout_of(task), task.flips()
    assert flips is not None
    counts, num_calls = [], 0
    for row in circuit.parameters.rows(task.parameters):
        outcomes, patterns = circuit.outcomes(row, task.shots, rng, ())
        num_calls += patterns
        bits = readout.flipped(readout.bits_of_outcomes(outcomes), flips, rng)
        counts.append(readout.counts_of_bits(bits))
    return Ran("Pauli trajectories drawn ahead", circuit.precision, num_calls, counts=tuple(counts))


def estimate(task: Task, kind: type[LightningState] = LightningState) -> Ran:
    """Expectation values from shots; the readout's errors are part of what is measured."""
    circuit = _circuit(task, kind)
    rng = task.generator()
    flips = Flips.reading(circuit.noise, range(task.features.num_qubits))
    rows = circuit.parameters.rows(task.parameters)
    patterns_run = 0

    def value(row: list[list[float]], observable: Observable) -> Value:
        def measure(group: Group, shots: int) -> Energies:
            nonlocal patterns_run
            outcomes, patterns = circuit.outcomes(row, shots, rng, group.rotations())
            patterns_run += patterns
            distinct, times = np.unique(_flipped(outcomes, flips, rng), return_counts=True)
            return group_energies(group, distinct), times

        return sampled_value(grouped_on(observable, task.features.qubits, task.settings.noise), task.shots, measure)

    def evaluate(index: int, observables: Sequence[Observable]) -> Sequence[Value]:
        return [value(rows[index], observable) for observable in observables]

    values, _ = over_observables(task.pub, evaluate)
    method = "Pauli trajectories drawn ahead, sampled in commuting groups"
    return Ran(method, circuit.precision, patterns_run, values=values)


def _circuit(task: Task, kind: type[LightningState]) -> _NoisyCircuit:
    noise = task.noise()
    if noise is None or task.pub.shots is None:
        raise UnsupportedProgramError(
            "Noise trajectories need a noise model and shots.",
            next_step='Give the option "noise" and a number of shots.',
        )
    single = sample_precision(max(task.features.num_qubits, 1), task.settings.precision) == "single"
    return _circuits.get((task.key, noise, single, kind), lambda: _noisy_circuit(task, noise, kind, single=single))


def _flipped(outcomes: NDArray[np.int64], flips: Flips, rng: np.random.Generator) -> NDArray[np.int64]:
    if flips.never:
        return outcomes
    flipped = outcomes.copy()
    for qubit, (p01, p10) in enumerate(zip(flips.p01, flips.p10, strict=True)):
        chance = np.where(outcomes >> qubit & 1, p10, p01)
        flipped ^= (rng.random(len(outcomes)) < chance).astype(np.int64) << qubit
    return flipped


@dataclass(frozen=True)
class _NoisyCircuit:
    """The gates of a circuit as calls, cut after every place where noise strikes."""

    noise: Noise
    kind: type[LightningState]
    num_qubits: int
    precision: str
    places: list[NoisePlace]
    ahead: ErrorsAhead
    calls: list[Call]
    stops: list[int]
    parameters: TapeParameters

    def outcomes(
        self,
        parameters: list[list[float]],
        shots: int,
        rng: np.random.Generator,
        rotations: Sequence[tuple[str, int]],
    ) -> tuple[NDArray[np.int64], int]:
        """One basis state for each shot, after noise-free `rotations`; and how many distinct patterns came."""
        patterns = self.ahead.patterns(shots, rng)
        run = _PatternRun(self, parameters, patterns, rotations, rng)
        return run.all(), len(patterns)


_circuits: BoundedCache[_NoisyCircuit] = BoundedCache(
    1_000_000, lambda circuit: 1 + len(circuit.calls) + len(circuit.places)
)


def _noisy_circuit(task: Task, noise: Noise, kind: type[LightningState], *, single: bool) -> _NoisyCircuit:
    num_qubits = max(task.features.num_qubits, 1)
    places = noise_places(task.features.operations, noise)
    builder = TapeBuilder(num_qubits, single=single, kind=kind)
    calls: list[Call] = []
    ends = [0]
    for gate in task.features.gates:
        calls.extend(builder.gate(gate))
        ends.append(len(calls))
    stops = [ends[place.gates] for place in places]
    precision = "single" if single else "double"
    ahead, parameters = ErrorsAhead(places), builder.parameters()
    return _NoisyCircuit(noise, kind, num_qubits, precision, places, ahead, calls, stops, parameters)


class _PatternRun:
    """Evolves patterns in rising order, depth first: each state goes on along the errors it shares."""

    def __init__(
        self,
        circuit: _NoisyCircuit,
        parameters: list[list[float]],
        patterns: list[tuple[Pattern, int]],
        rotations: Sequence[tuple[str, int]],
        rng: np.random.Generator,
    ) -> None:
        self.circuit = circuit
        self.parameters = parameters
        self.patterns = patterns
        self.rotations = rotations
        self.rng = rng
        self.drawn: list[NDArray[np.int64]] = []
        self.spare: list[LightningState] = []

    def all(self) -> NDArray[np.int64]:
        state = self.fresh()
        state.reset()
        self.descend(state, 0, 0, len(self.patterns), 0)
        return np.concatenate(self.drawn)

    def descend(self, state: LightningState, at: int, low: int, high: int, depth: int) -> None:
        """Finish patterns low … high-1, which share their first `depth` errors, already in `state` at call `at`."""
        circuit, patterns = self.circuit, self.patterns
        # Rising order puts the pattern without a further error first; it ends last, on the state that saw no other.
        ends_here = patterns[low][1] if len(patterns[low][0]) == depth else 0
        low += bool(ends_here)
        while low < high:
            error = patterns[low][0][depth]
            stop = low + 1
            while stop < high and patterns[stop][0][depth] == error:
                stop += 1
            place, pauli = error
            state.run(circuit.calls[at : circuit.stops[place]], self.parameters)
            at = circuit.stops[place]
            if stop == high and not ends_here:
                # Nobody else needs this state: go on in it, so that a long pattern takes no copies.
                self.strike(state, circuit.places[place], pauli)
                depth += 1
                ends_here = patterns[low][1] if len(patterns[low][0]) == depth else 0
                low += bool(ends_here)
                continue
            forked = self.fresh()
            forked.copy_from(state)
            self.strike(forked, circuit.places[place], pauli)
            self.descend(forked, at, low, stop, depth + 1)
            self.spare.append(forked)
            low = stop
        if ends_here:
            state.run(circuit.calls[at:], self.parameters)
            self.measure(state, ends_here)

    @staticmethod
    def strike(state: LightningState, place: NoisePlace, pauli: int) -> None:
        for qubit in place.qubits:
            letter = _LETTERS[pauli % 4]
            pauli //= 4
            if letter:
                state.apply(letter, qubit)

    def measure(self, state: LightningState, shots: int) -> None:
        for name, qubit in self.rotations:
            state.apply(name, qubit)
        outcomes, times = state.draw(shots, self.rng)
        self.drawn.append(np.repeat(outcomes, times))

    def fresh(self) -> LightningState:
        circuit = self.circuit
        if self.spare:
            return self.spare.pop()
        return circuit.kind(circuit.num_qubits, single=circuit.precision == "single")
