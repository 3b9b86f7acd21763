"""One random instance of a circuit: its gates twirled, and the inverse of their noise drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from antiphon.adapters.targets.mitigation.paulis import pauli_gates, twirls
from antiphon.domain.circuits import Gate, Operation

Operations = tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Inverse:
    """The inverse of an operation's noise as a quasi-probability over Pauli strings on `qubits`.

    Attributes:
        strings: Distinct, the identity first.
        weights: One each; they sum to 1, and some are negative.
    """

    qubits: tuple[int, ...]
    strings: tuple[str, ...]
    weights: tuple[float, ...]

    @property
    def gamma(self) -> float:
        """The sum of their absolute values: by how much a sample's weight grows, at least 1."""
        return float(np.abs(self.weights).sum())


InverseOf = Callable[[Operation], Sequence[Inverse]]


@dataclass(frozen=True)
class Insertions:
    """Where a circuit's noise is undone, and what can be put there.

    Attributes:
        sites: The inverses, in the order of the circuit, with the number of the operation that each follows.
    """

    sites: tuple[tuple[int, Inverse], ...]

    @classmethod
    def of(cls, operations: Operations, inverse_of: InverseOf) -> Insertions:
        """All sites of a circuit."""
        return cls(
            tuple((place, inverse) for place, operation in enumerate(operations) for inverse in inverse_of(operation))
        )

    @property
    def none_chance(self) -> float:
        """The probability that nothing is put anywhere."""
        return float(np.prod([_stays(inverse) for _, inverse in self.sites]))

    def drawn(self, rng: np.random.Generator) -> tuple[dict[int, tuple[Gate, ...]], int]:
        """Gates after operations, by number, at least one; and the sign of the sample."""
        stays = np.array([_stays(inverse) for _, inverse in self.sites])
        # The first site where something is put: all before it stay as they are.
        first_here = np.concatenate(([1.0], np.cumprod(stays)[:-1])) * (1.0 - stays)
        first = int(np.searchsorted(np.cumsum(first_here), rng.random() * first_here.sum(), side="right"))
        first = min(first, len(self.sites) - 1)
        put: dict[int, tuple[Gate, ...]] = {}
        sign = 1
        for index, (place, inverse) in enumerate(self.sites[first:], start=first):
            letters, negative = _one_of(inverse, rng, something=index == first)
            put[place] = put.get(place, ()) + pauli_gates(letters, inverse.qubits)
            sign = -sign if negative else sign
        return put, sign


def _stays(inverse: Inverse) -> float:
    return abs(inverse.weights[0]) / inverse.gamma


def _one_of(inverse: Inverse, rng: np.random.Generator, *, something: bool) -> tuple[str, bool]:
    chances = np.abs(inverse.weights)
    if something:
        chances[0] = 0.0
    drawn = int(np.searchsorted(np.cumsum(chances), rng.random() * chances.sum(), side="right"))
    drawn = min(drawn, len(chances) - 1)
    return inverse.strings[drawn], inverse.weights[drawn] < 0


def randomised(
    operations: Operations,
    rng: np.random.Generator,
    *,
    twirl: bool,
    put: Mapping[int, tuple[Gate, ...]] | None = None,
) -> Operations:
    """A random instance of `operations`.

    Args:
        twirl: Put Pauli operators around two-qubit gates.
        put: Gates to put after operations, by number.
    """
    out: list[Operation] = []
    for place, operation in enumerate(operations):
        pairs = twirls(operation) if twirl else ()
        if pairs:
            before, after = pairs[int(rng.integers(len(pairs)))]
            qubits: tuple[int, ...] = operation.qubits  # type: ignore[union-attr]
            out += [*pauli_gates(before, qubits), operation, *pauli_gates(after, qubits)]
        else:
            out.append(operation)
        if put is not None:
            out += put.get(place, ())
    return tuple(out)


def num_twirled(operations: Operations) -> int:
    """How many gates twirling is put around."""
    return sum(bool(twirls(operation)) for operation in operations)


def flips(num_bits: int, randomization: int, rng_of: Callable[[int], np.random.Generator]) -> tuple[bool, ...]:
    """Which bits the measurement of a randomization flips; the odd ones are the complements of those before.

    So over an even number of randomizations each bit is read half of the time as it is and half flipped, exactly.
    """
    drawn = rng_of(randomization // 2).integers(0, 2, num_bits).astype(bool)
    return tuple((drawn ^ bool(randomization % 2)).tolist())
