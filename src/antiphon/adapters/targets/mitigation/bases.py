"""Observables as what is measured: bases that serve many Pauli strings, and the value that each outcome contributes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.paulis import commuting_groups
from antiphon.domain.circuits import Gate
from antiphon.domain.observables import Observable

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Basis:
    """One basis: X, Y or Z of each measured bit, and the strings that are read from it.

    Attributes:
        letters: Letter of each bit, "Z" where it does not matter.
        supports: Bits of each string.
        weights: Coefficient of each string in each observable, of shape (strings, observables).
    """

    letters: str
    supports: tuple[tuple[int, ...], ...]
    weights: Floats

    @property
    def norm(self) -> float:
        """How much its shots count if all strings have variance 1 and do not correlate."""
        return float(np.sqrt((self.weights**2).sum()))

    def rotations(self, places: Sequence[int]) -> tuple[Gate, ...]:
        """Gates on the qubits `places` of the bits, after which measuring in the computational basis measures it."""
        gates: list[Gate] = []
        for letter, qubit in zip(self.letters, places, strict=True):
            if letter == "Y":
                gates.append(Gate("sdg", (qubit,)))
            if letter in "XY":
                gates.append(Gate("h", (qubit,)))
        return tuple(gates)

    def energies(self, columns: Floats, factor_of: Callable[[tuple[int, ...]], float] | None = None) -> Floats:
        """What each outcome contributes to each observable, of shape (outcomes, observables).

        Args:
            columns: Value of each bit in each outcome: ±1 as read, or corrected; of shape (outcomes, bits).
            factor_of: What each string, by its bits, is divided by.
        """
        strings = np.empty((len(columns), len(self.supports)))
        for index, support in enumerate(self.supports):
            strings[:, index] = columns[:, support].prod(axis=1)
            if factor_of is not None:
                strings[:, index] /= factor_of(support)
        return strings @ self.weights

    def reach(self, largest: Floats, factor_of: Callable[[tuple[int, ...]], float] | None = None) -> Floats:
        """How far from 0 a shot can contribute to each observable.

        Args:
            largest: Magnitude of each bit.
        """
        strings = np.array(
            [largest[list(each)].prod() / (factor_of(each) if factor_of else 1.0) for each in self.supports]
        )
        return np.asarray(strings @ np.abs(self.weights))


@dataclass(frozen=True)
class Measured:
    """Everything that is measured for some observables.

    Attributes:
        qubits: Of the program, that are measured: bit k is `qubits[k]`.
        constants: Of each observable, what needs no measurement.
        reach: Of each observable, the sum of the other coefficients' absolute values: it lies within ± of the constant.
        bases: Those that are needed.
    """

    qubits: tuple[int, ...]
    constants: Floats
    reach: Floats
    bases: tuple[Basis, ...]

    def range_of(self, observable: int) -> tuple[float, float]:
        """Between which an observable lies in every state."""
        constant, reach = float(self.constants[observable]), float(self.reach[observable])
        return constant - reach, constant + reach


def measured_for(observables: Sequence[Observable]) -> Measured:
    """The fewest bases a greedy grouping finds, largest coefficient first; strings of all observables share them."""
    masks: list[dict[tuple[int, int], float]] = []
    for observable in observables:
        strings: dict[tuple[int, int], float] = {}
        for pauli, coefficient in observable.terms:
            x = z = 0
            for qubit, letter in enumerate(reversed(pauli)):
                x |= (letter in "XY") << qubit
                z |= (letter in "YZ") << qubit
            strings[x, z] = strings.get((x, z), 0.0) + coefficient
        masks.append(strings)
    constants = np.array([strings.pop((0, 0), 0.0) for strings in masks])
    reach = np.array([sum(map(abs, strings.values())) for strings in masks])
    size: dict[tuple[int, int], float] = {}
    for strings in masks:
        for key, coefficient in strings.items():
            size[key] = math.hypot(size.get(key, 0.0), coefficient)
    support = 0
    for x, z in size:
        support |= x | z
    qubits = tuple(qubit for qubit in range(support.bit_length()) if support >> qubit & 1)
    place = {qubit: bit for bit, qubit in enumerate(qubits)}
    bases = []
    for group in commuting_groups(size):
        letters = "".join("IXZY"[(group.x >> qubit & 1) + 2 * (group.z >> qubit & 1)] for qubit in qubits)
        keys = [(support & group.x, support & group.z) for support in group.weights]
        bases.append(
            Basis(
                letters.replace("I", "Z"),
                tuple(tuple(place[q] for q in range(s.bit_length()) if s >> q & 1) for s in group.weights),
                np.array([[strings.get(key, 0.0) for strings in masks] for key in keys]),
            )
        )
    return Measured(qubits, constants, reach, tuple(bases))
