"""Pauli errors of many noisy shots drawn ahead of the simulation, and grouped by identical pattern."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from antiphon.adapters.targets.sim.features import GateLike
from antiphon.domain.circuits import Gate
from antiphon.domain.noise import NoiseModel

Pattern: TypeAlias = "tuple[tuple[int, int], ...]"
"""The errors of one shot in order: (place, Pauli), the Pauli counted from 1 with base-4 digits I, X, Y, Z."""

_BLOCK_SITES = 10**8


@dataclass(frozen=True, slots=True)
class NoisePlace:
    """Depolarising noise after gate number `after`: `chance` that one of the 4^k - 1 Paulis strikes `qubits`."""

    after: int
    qubits: tuple[int, ...]
    chance: float


def noise_places(gates: Iterable[GateLike], noise: NoiseModel) -> list[NoisePlace]:
    """Where the model strikes, in order.

    (1-p)ρ + p·I/d leaves the state alone with probability 1 - p·(1 - 1/d²). A unitary counts by its width like a gate.
    """
    places = []
    for index, gate in enumerate(gates):
        if isinstance(gate, Gate) and gate.name == "id":
            continue
        match len(gate.qubits):
            case 1:
                places.append(NoisePlace(index, gate.qubits, 0.75 * noise.depolarizing_1q))
            case 2:
                places.append(NoisePlace(index, gate.qubits, 0.9375 * noise.depolarizing_2q))
            case _:
                places.extend(NoisePlace(index, (qubit,), 0.75 * noise.depolarizing_2q) for qubit in gate.qubits)
    return [place for place in places if place.chance > 0.0]


def draw_patterns(places: Sequence[NoisePlace], shots: int, rng: np.random.Generator) -> list[tuple[Pattern, int]]:
    """The distinct patterns of `shots` shots in rising order, and how many shots have each.

    Errors are drawn by how many strike all sites of one chance and which sites they are, so that the work is
    proportional to the errors and not to the sites.
    """
    counted: Counter[Pattern] = Counter()
    block = max(1, _BLOCK_SITES // max(len(places), 1))
    left = shots
    while left:
        part = min(left, block)
        left -= part
        counted.update(_block(places, part, rng))
    return sorted(counted.items())


def _block(places: Sequence[NoisePlace], shots: int, rng: np.random.Generator) -> Counter[Pattern]:
    classes: dict[tuple[float, int], list[int]] = {}
    for index, place in enumerate(places):
        classes.setdefault((place.chance, len(place.qubits)), []).append(index)
    struck_shots, struck_places, paulis = [], [], []
    for (chance, width), members in classes.items():
        sites = shots * len(members)
        struck = rng.choice(sites, size=int(rng.binomial(sites, chance)), replace=False, shuffle=False)
        struck_shots.append(struck // len(members))
        struck_places.append(np.array(members)[struck % len(members)])
        paulis.append(rng.integers(1, 4**width, size=len(struck)))
    if not classes:
        return Counter({(): shots})
    by_shot, by_place, by_pauli = (np.concatenate(parts) for parts in (struck_shots, struck_places, paulis))
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
