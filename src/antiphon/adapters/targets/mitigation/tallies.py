"""Circuits that run, and what they brought: counts over rounds, as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.domain.parameters import ParameterSets
from antiphon.domain.programs import Program


@dataclass(frozen=True, slots=True)
class Cell:
    """One circuit.

    Attributes:
        role: "program", "raw" (where the program's own circuits say nothing of it), "sentinel", "sentinel raw" or
            "calibration".
        factor: Index of its noise factor.
        basis: Index of its measurement basis.
        randomization: Which of the random instances it is.
        flips: Bits that its measurement flips; of a calibration circuit, what it prepares.
        stratum: Values of strata are added; those of instances in one are averaged.
        weight: What its values are multiplied with.
        share: Of the shots of its factor and basis.
        seed: From which the seed of each round is derived.
    """

    role: str
    program: Program
    parameters: ParameterSets
    flips: tuple[bool, ...]
    seed: int
    factor: int = 0
    basis: int = 0
    randomization: int = 0
    stratum: int = 0
    weight: float = 1.0
    share: float = 1.0


@dataclass(eq=False, slots=True)
class Tally:
    """What a cell brought so far: shots of each parameter set, and their counts."""

    cell: Cell
    shots: int = 0
    counts: list[Counter[str]] = field(default_factory=list)
    _arrays: tuple[NDArray[np.uint8], NDArray[np.float64]] | None = None

    def add(self, counts: Sequence[Mapping[str, int]], shots: int) -> None:
        """Counts of one more round, of each parameter set."""
        if not self.counts:
            self.counts = [Counter() for _ in counts]
        for total, more in zip(self.counts, counts, strict=True):
            total.update(more)
        self.shots += shots
        self._arrays = None

    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Bits of the distinct outcomes, of shape (outcomes, bits), and how often each came, (sets, outcomes).

        Bit k is bit k of the register declared last, which stands leftmost.
        """
        if self._arrays is None:
            width = len(self.cell.flips)
            strings = sorted({text.partition(" ")[0] for counts in self.counts for text in counts})
            index = {text: place for place, text in enumerate(strings)}
            times = np.zeros((len(self.counts), len(strings)))
            for row, counts in enumerate(self.counts):
                for text, count in counts.items():
                    times[row, index[text.partition(" ")[0]]] += count
            raw = np.frombuffer("".join(strings).encode("ascii"), dtype=np.uint8).reshape(len(strings), width)
            self._arrays = (raw[:, ::-1] - ord("0")), times
        return self._arrays

    def to_json(self) -> dict[str, Any]:
        """What a record keeps of it; counts are as measured, before any flip is undone."""
        cell = self.cell
        return {
            "role": cell.role,
            "factor": cell.factor,
            "basis": cell.basis,
            "randomization": cell.randomization,
            "stratum": cell.stratum,
            "flips": "".join("1" if flip else "0" for flip in reversed(cell.flips)),
            "weight": cell.weight,
            "seed": cell.seed,
            "shots": self.shots,
            "counts": [dict(sorted(counts.items())) for counts in self.counts],
        }


@dataclass(frozen=True, slots=True)
class Request:
    """Shots that a tally asks for in the next round, of each of its parameter sets."""

    tally: Tally
    shots: int

    @property
    def total(self) -> int:
        """Over all parameter sets."""
        return self.shots * self.tally.cell.parameters.num_sets


def shared(total: int, weights: Sequence[float], least: int = 0) -> list[int]:
    """`total` in whole numbers as near to the weights as can be, each at least `least`; they sum to `total`.

    Raises:
        ValueError: There is not enough for `least` each.
    """
    spare = total - least * len(weights)
    if spare < 0:
        raise ValueError(f"{total} cannot be shared among {len(weights)} with {least} each")
    if not weights:
        return []
    whole = sum(weights)
    shares = [spare * weight / whole for weight in weights] if whole > 0 else [spare / len(weights)] * len(weights)
    given = [int(share) for share in shares]
    by_remainder = sorted(range(len(weights)), key=lambda place: (given[place] - shares[place], place))
    for place in by_remainder[: spare - sum(given)]:
        given[place] += 1
    return [least + share for share in given]
