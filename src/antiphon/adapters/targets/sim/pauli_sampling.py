"""Expectation values from shots: commuting groups share them, and the standard error is that of the weighted sum."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.adapters.targets.sim.paulis import Group, commuting_groups, strings_on
from antiphon.adapters.targets.sim.task import Value
from antiphon.domain.noise import Noise
from antiphon.domain.observables import Observable
from antiphon.errors import LimitError

Energies: TypeAlias = "tuple[NDArray[np.float64], NDArray[np.int64]]"
"""What distinct outcomes contribute to the sum, and how often each came."""

MIN_GROUP_SHOTS = 2
ALIKE = 1e-9
"""Parts of a group's reach by which what shots contribute may differ and is still the same."""


@dataclass(frozen=True)
class GroupedSum:
    """An observable as what is measured: groups that share a basis, and the constant that is not measured at all."""

    constant: float
    groups: tuple[Group, ...]


_grouped: BoundedCache[GroupedSum] = BoundedCache(
    1_000_000, lambda grouped: 1 + sum(len(group.weights) for group in grouped.groups)
)


def grouped_on(observable: Observable, qubits: tuple[int, ...], noise: Noise | None = None) -> GroupedSum:
    """The observable on the used `qubits` in commuting groups, made once; `noise` numbers qubits as it does."""

    def build() -> GroupedSum:
        strings = strings_on(observable, qubits, noise)
        return GroupedSum(strings.get((0, 0), 0.0), tuple(commuting_groups(strings)))

    return _grouped.get((observable.digest, qubits, noise), build)


def check_shots(num_groups: int, shots: int) -> None:
    """Refuse fewer shots than a standard error needs.

    Raises:
        LimitError: Some group would get fewer than two shots.
    """
    if shots < MIN_GROUP_SHOTS * num_groups:
        raise LimitError(
            f"{shots} shots are too few to estimate this observable.",
            code="shots-too-few",
            cause=f"it falls into {num_groups} groups that are measured apart, each with at least two shots",
            next_step=f"Ask for at least {MIN_GROUP_SHOTS * num_groups} shots, or for the exact value (shots=None).",
            details={"shots": shots, "groups": num_groups},
        )


def shared_shots(groups: Sequence[Group], shots: int) -> list[int]:
    """Shots of each group: two each, the rest in proportion to the norm of its coefficients; they sum to `shots`.

    Proportional to the norm is what minimises the standard error when all strings have variance 1.
    """
    check_shots(len(groups), shots)
    spare = shots - MIN_GROUP_SHOTS * len(groups)
    norms = [group.norm for group in groups]
    total = sum(norms) or 1.0
    shares = [spare * norm / total for norm in norms]
    given = [math.floor(share) for share in shares]
    by_remainder = sorted(range(len(groups)), key=lambda place: (given[place] - shares[place], place))
    for place in by_remainder[: spare - sum(given)]:
        given[place] += 1
    return [MIN_GROUP_SHOTS + share for share in given]


def sampled_value(
    grouped: GroupedSum,
    shots: int,
    measure: Callable[[Group, int], Energies],
) -> Value:
    """Mean and standard error of a Pauli sum from `shots` shots in all.

    `measure` takes a group and its shots, measures in the group's basis, and gives what came.
    """
    value, variance, edge = grouped.constant, 0.0, 0.0
    pulls: list[tuple[float, float]] = []
    if not grouped.groups:
        return Value(value)
    for group, group_shots in zip(grouped.groups, shared_shots(grouped.groups, shots), strict=True):
        energies, times = measure(group, group_shots)
        mean = float(np.einsum("i,i->", energies, times)) / group_shots
        value += mean
        squares = float(np.einsum("i,i->", (energies - mean) ** 2, times))
        cubes = float(np.einsum("i,i->", (energies - mean) ** 3, times))
        own = squares / (group_shots - 1) / group_shots
        # Not `squares > 0`: the mean of shots that are all alike differs from them by rounding.
        if np.abs(energies - mean).max() > ALIKE * group.reach:
            side = cubes / squares / 2
            wide = (squares / group_shots + side**2) / group_shots**2
        else:
            side = group.weights.get(0, 0.0) - mean
            wide = (group.reach / group_shots) ** 2
        variance += own
        edge += wide
        pulls.append((side / group_shots, own + wide))
    weight = sum(adds for _, adds in pulls)
    pull = sum(own * adds for own, adds in pulls) / weight if weight else 0.0
    # Where groups lean to different sides, their interval reaches as far to either as each of them does: as in the
    # method of variance estimates recovery (Zou and Donner, Stat. Med. 27, 1693 (2008)).
    edge += sum((own - pull) ** 2 for own, _ in pulls)
    return Value(
        value,
        math.sqrt(variance),
        math.sqrt(edge),
        pull,
        grouped.constant + sum(group.weights.get(0, 0.0) for group in grouped.groups),
        sum(group.reach for group in grouped.groups),
        len(grouped.groups) == 1 and sum(map(bool, grouped.groups[0].weights)) == 1,
    )


def group_energies(group: Group, outcomes: NDArray[np.int64]) -> NDArray[np.float64]:
    """What each outcome contributes: Σ coefficient·(-1)^(parity of the outcome on the string's support)."""
    energies = np.zeros(len(outcomes))
    for support, coefficient in group.weights.items():
        odd = np.bitwise_count(outcomes & support) & 1
        energies += coefficient * (1.0 - 2.0 * odd)
    return energies


def bit_energies(group: Group, bits: NDArray[np.uint8]) -> Energies:
    """The same for one row of bits a shot, of shape (shots, qubits), for any number of qubits."""
    energies = np.zeros(len(bits))
    for support, coefficient in group.weights.items():
        columns = [qubit for qubit in range(bits.shape[1]) if support >> qubit & 1]
        odd = bits[:, columns].sum(axis=1, dtype=np.int64) & 1
        energies += coefficient * (1.0 - 2.0 * odd)
    return energies, np.ones(len(bits), dtype=np.int64)
