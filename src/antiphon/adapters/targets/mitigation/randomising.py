"""One random instance of a circuit: its gates twirled, and the inverse of their noise drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from antiphon.adapters.targets.mitigation.paulis import pauli_gates, twirls
from antiphon.domain.circuits import Operation

Operations = tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Inverse:
    """The inverse of an operation's noise as a quasi-probability over Pauli strings on `qubits`.

    Attributes:
        strings: Distinct, the identity among them.
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


def randomised(
    operations: Operations, rng: np.random.Generator, *, twirl: bool, inverse_of: InverseOf | None = None
) -> tuple[Operations, int]:
    """A random instance of `operations`, and its sign: -1 when an odd number of negative weights was drawn."""
    out: list[Operation] = []
    sign = 1
    for operation in operations:
        pairs = twirls(operation) if twirl else ()
        if pairs:
            before, after = pairs[int(rng.integers(len(pairs)))]
            qubits: tuple[int, ...] = operation.qubits  # type: ignore[union-attr]
            out += [*pauli_gates(before, qubits), operation, *pauli_gates(after, qubits)]
        else:
            out.append(operation)
        for inverse in () if inverse_of is None else inverse_of(operation):
            weights = np.array(inverse.weights)
            chance = np.abs(weights) / inverse.gamma
            drawn = int(np.searchsorted(np.cumsum(chance), rng.random() * chance.sum(), side="right"))
            drawn = min(drawn, len(weights) - 1)
            out += pauli_gates(inverse.strings[drawn], inverse.qubits)
            sign = -sign if weights[drawn] < 0 else sign
    return tuple(out), sign


def num_twirled(operations: Operations) -> int:
    """How many gates twirling is put around."""
    return sum(bool(twirls(operation)) for operation in operations)


def flips(num_bits: int, randomization: int, rng_of: Callable[[int], np.random.Generator]) -> tuple[bool, ...]:
    """Which bits the measurement of a randomization flips; the odd ones are the complements of those before.

    So over an even number of randomizations each bit is read half of the time as it is and half flipped, exactly.
    """
    drawn = rng_of(randomization // 2).integers(0, 2, num_bits).astype(bool)
    return tuple((drawn ^ bool(randomization % 2)).tolist())
