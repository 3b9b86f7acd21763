"""The calibration circuits of a job: shots for them, the reader they make, and how uncertain it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from antiphon.adapters.targets.mitigation.ground import Ground
from antiphon.adapters.targets.mitigation.programs import derived_seed, program_of, reading
from antiphon.adapters.targets.mitigation.readout import Local, Reader, Shown, Twirled, local_reader, prepared
from antiphon.adapters.targets.mitigation.tallies import Cell, Request, Tally, shared
from antiphon.domain.mitigation import ReadoutCorrection
from antiphon.domain.parameters import NO_PARAMETERS

PART = 0.1
MOST_SHOTS = 20_000
LEAST_SHOTS = 100
FOLDS = 20
"""Of the jackknife that says how much the calibration's own noise counts."""


def least_shots(settings: ReadoutCorrection, total: int) -> int:
    """Shots of the calibration circuits of a job that has `total`, at least."""
    return max(LEAST_SHOTS, min(int(total * PART), MOST_SHOTS)) if settings.shots is None else settings.shots


class Calibrating:
    """Calibration circuits on some qubits of a circuit.

    Args:
        places: Qubits of the circuit, by bit.
        preparations: What each circuit prepares.
    """

    def __init__(
        self,
        ground: Ground,
        places: tuple[int, ...],
        preparations: Sequence[tuple[bool, ...]],
        settings: ReadoutCorrection,
        seed: int,
    ) -> None:
        self.settings = settings
        self._seed = seed
        self.tallies: list[Tally] = []
        circuit = ground.circuit
        for index, truth in enumerate(preparations):
            bare = reading(circuit, prepared(places, truth), places, alone=True)
            bare = type(bare)(bare.num_qubits, bare.registers, (), ground.finish(bare.operations))
            own = derived_seed(seed, "calibration", index)
            program = program_of(bare, ground.program)
            self.tallies.append(Tally(Cell("calibration", program, NO_PARAMETERS, truth, own, randomization=index)))

    @property
    def shots(self) -> int:
        """So far, over all circuits."""
        return sum(tally.shots for tally in self.tallies)

    def wanted(self, total: int) -> int:
        """Shots for the next round in which the job has `total`."""
        least = LEAST_SHOTS if not self.shots else 0
        if self.settings.shots is not None:
            return max(0, self.settings.shots - self.shots)
        return max(least, min(int(total * PART), MOST_SHOTS - self.shots))

    def requests(self, shots: int) -> list[Request]:
        """The next round of the calibration circuits."""
        given = shared(shots, [1.0] * len(self.tallies))
        return [Request(tally, each) for tally, each in zip(self.tallies, given, strict=True) if each]

    def reader(self) -> Reader:
        """What all shots say.

        Raises:
            ExecutionError: The readout says next to nothing (code "mitigation-failed").
        """
        return self._reader([(tally, tally.arrays()[1][0]) for tally in self.tallies if tally.shots])

    def left_out(self) -> Iterator[Reader]:
        """The readers that all shots but a part of them make, for each of `FOLDS` parts."""
        rng = np.random.default_rng(derived_seed(self._seed, "jackknife"))
        ran = [tally for tally in self.tallies if tally.shots]
        parts = []
        for tally in ran:
            times = tally.arrays()[1][0].astype(np.int64)
            shots = rng.permutation(np.repeat(np.arange(len(times)), times))
            parts.append([np.bincount(shots[fold::FOLDS], minlength=len(times)) for fold in range(FOLDS)])
        for fold in range(FOLDS):
            yield self._reader(
                [(tally, tally.arrays()[1][0] - part[fold]) for tally, part in zip(ran, parts, strict=True)]
            )

    def local(self, *, half: int | None = None) -> Local:
        """Confusion matrices, from all shots or from one half of them (0 or 1)."""
        return local_reader(self.halves()[half] if half is not None else self._shown_all())

    def halves(self) -> tuple[list[Shown], list[Shown]]:
        """The shots in two halves that share none, drawn at random."""
        rng = np.random.default_rng(derived_seed(self._seed, "halves"))
        found: tuple[list[Shown], list[Shown]] = ([], [])
        for tally in self.tallies:
            bits, times = tally.arrays()
            whole = times[0].astype(np.int64)
            first = rng.multivariate_hypergeometric(whole, int(whole.sum()) // 2)
            found[0].append(Shown(bits, first.astype(np.float64), tally.cell.flips))
            found[1].append(Shown(bits, (whole - first).astype(np.float64), tally.cell.flips))
        return found

    def _shown_all(self) -> list[Shown]:
        return [Shown(tally.arrays()[0], tally.arrays()[1][0], tally.cell.flips) for tally in self.tallies]

    def _reader(self, parts: Sequence[tuple[Tally, np.ndarray]]) -> Reader:
        shown = [Shown(tally.arrays()[0], times, tally.cell.flips) for tally, times in parts]
        return Twirled(shown) if self.settings.method == "twirled" else local_reader(shown)
