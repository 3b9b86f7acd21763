"""Pauli errors of many noisy shots drawn ahead of the simulation, and grouped by identical pattern."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.channels import chance_of, pauli_channels
from antiphon.domain.circuits import Gate, Operation, Unitary
from antiphon.domain.noise import Noise

Pattern: TypeAlias = "tuple[tuple[int, int], ...]"
"""The errors of one shot in order: (place, Pauli), its base-4 digits I, X, Y, Z from the place's first qubit on."""

_BLOCK_SITES = 10**8
_EXACT_CLASSES = 8
"""Up to so many different channels, sites are drawn channel by channel; beyond, those of similar chance together."""


@dataclass(frozen=True, slots=True)
class NoisePlace:
    """Where one Pauli of a channel may strike `qubits`.

    Attributes:
        gates: How many gates of the circuit come before.
        qubits: What is struck.
        errors: (Pauli, probability) of each.
        chance: Of any of them.
    """

    gates: int
    qubits: tuple[int, ...]
    errors: tuple[tuple[int, float], ...]
    chance: float


def noise_places(operations: Iterable[Operation], noise: Noise) -> list[NoisePlace]:
    """Where the noise of a static circuit strikes, in order; relaxation is twirled."""
    places = []
    gates = 0
    for operation in operations:
        gates += isinstance(operation, Gate | Unitary)
        for channel in pauli_channels(noise, operation):
            errors = tuple((_numbered(string), chance) for string, chance in channel.errors)
            places.append(NoisePlace(gates, channel.qubits, errors, chance_of(channel)))
    return places


def _numbered(string: str) -> int:
    return sum("IXYZ".index(letter) << 2 * place for place, letter in enumerate(string))


@dataclass(frozen=True)
class _Sites:
    """Places drawn together: a candidate strikes each with `ceiling`, and is kept in proportion to the place's chance.

    Attributes:
        members: Their numbers.
        ceiling: The largest chance among them.
        paulis: The Paulis of each of their distinct channels, of shape (channels, most errors of one).
        steps: In row r: r + the cumulative share of each error in the ceiling, so that one search serves all rows.
        rows: The channel of each member.
        any_pauli: The number of all Paulis where every one is equally likely at every place, else 0.
    """

    members: NDArray[np.int64]
    ceiling: float
    paulis: NDArray[np.int64]
    steps: NDArray[np.float64]
    rows: NDArray[np.int64]
    any_pauli: int

    @classmethod
    def of(cls, places: Sequence[NoisePlace], members: Sequence[int]) -> _Sites:
        ceiling = max(places[index].chance for index in members)
        distinct = dict.fromkeys(places[index].errors for index in members)
        channels = {errors: row for row, errors in enumerate(distinct)}
        width = max(len(errors) for errors in channels)
        paulis = np.zeros((len(channels), width), dtype=np.int64)
        steps = np.ones((len(channels), width))
        for errors, row in channels.items():
            paulis[row, : len(errors)] = [pauli for pauli, _ in errors]
            shares = np.minimum(np.cumsum([chance for _, chance in errors]) / ceiling, 1.0)
            steps[row, : len(errors)] = shares
            steps[row, len(errors) :] = shares[-1]
        steps += np.arange(len(channels))[:, None]
        rows = np.array([channels[places[index].errors] for index in members])
        first = places[members[0]]
        size = 4 ** len(first.qubits)
        is_even = len(channels) == 1 and len(first.errors) == size - 1 and len({p for _, p in first.errors}) == 1
        return cls(np.array(members), ceiling, paulis, steps.ravel(), rows, size if is_even else 0)

    def draw(
        self, shots: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Shot, place and Pauli of each strike."""
        sites = shots * len(self.members)
        struck = rng.choice(sites, size=int(rng.binomial(sites, self.ceiling)), replace=False, shuffle=False)
        of_shot, of_member = np.divmod(struck, len(self.members))
        if self.any_pauli:
            return of_shot, self.members[of_member], rng.integers(1, self.any_pauli, size=len(struck))
        rows = self.rows[of_member]
        width = self.paulis.shape[1]
        found = np.searchsorted(self.steps, rows + rng.random(len(struck)), side="right") - rows * width
        kept = found < width
        return of_shot[kept], self.members[of_member[kept]], self.paulis[rows[kept], found[kept]]


class ErrorsAhead:
    """Draws the errors of a circuit's shots.

    They are drawn by how many strike all sites of one chance and which sites they are, so that the work is
    proportional to the errors and not to the sites.
    """

    def __init__(self, places: Sequence[NoisePlace]) -> None:
        self.num_places = len(places)
        same: dict[tuple[tuple[int, float], ...], list[int]] = {}
        for index, place in enumerate(places):
            same.setdefault(place.errors, []).append(index)
        groups = list(same.values())
        if len(groups) > _EXACT_CLASSES:
            similar: dict[int, list[int]] = {}
            for index, place in enumerate(places):
                similar.setdefault(math.frexp(place.chance)[1], []).append(index)
            groups = list(similar.values())
        self._sites = [_Sites.of(places, members) for members in groups]

    def patterns(self, shots: int, rng: np.random.Generator) -> list[tuple[Pattern, int]]:
        """The distinct patterns of `shots` shots in rising order, and how many shots have each."""
        counted: Counter[Pattern] = Counter()
        block = max(1, _BLOCK_SITES // max(self.num_places, 1))
        left = shots
        while left:
            part = min(left, block)
            left -= part
            counted.update(self._block(part, rng))
        return sorted(counted.items())

    def _block(self, shots: int, rng: np.random.Generator) -> Counter[Pattern]:
        if not self._sites:
            return Counter({(): shots})
        drawn = [sites.draw(shots, rng) for sites in self._sites]
        by_shot, by_place, by_pauli = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
        order = np.lexsort((by_place, by_shot))
        errors: dict[int, list[tuple[int, int]]] = {}
        for shot, place, pauli in zip(
            by_shot[order].tolist(), by_place[order].tolist(), by_pauli[order].tolist(), strict=True
        ):
            errors.setdefault(shot, []).append((place, pauli))
        counted = Counter(tuple(pattern) for pattern in errors.values())
        if len(errors) < shots:
            counted[()] = shots - len(errors)
        return counted
