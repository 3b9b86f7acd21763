"""Errors of measurements: the circuits that show them, and the value of each bit with them undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from antiphon.domain.circuits import Gate, Operation
from antiphon.errors import ExecutionError

Bits = NDArray[np.uint8]
Floats = NDArray[np.float64]

LEAST_CONTRAST = 0.02
"""Of a qubit or a Pauli string: with less, what is read has nothing to do with what is there."""


@dataclass(frozen=True)
class Shown:
    """What a calibration circuit showed: its outcomes, how often each came, and what they had been without errors."""

    bits: Bits
    times: Floats
    truth: tuple[bool, ...]


class Reader(Protocol):
    """How bits are read."""

    def columns(self, bits: Bits, flips: tuple[bool, ...]) -> Floats:
        """The value of each bit of each outcome, 1 for 0 and -1 for 1, with deliberate flips undone."""
        ...

    @property
    def factor_of(self) -> Callable[[tuple[int, ...]], float] | None:
        """By what each string, told by its bits, is divided; None for nothing."""
        ...

    def largest(self, num_bits: int) -> Floats:
        """The largest magnitude that `columns` can give each bit."""
        ...


class AsRead:
    """Bits as they were read."""

    factor_of: Callable[[tuple[int, ...]], float] | None = None

    def columns(self, bits: Bits, flips: tuple[bool, ...]) -> Floats:
        """±1."""
        return np.where(bits ^ np.array(flips, dtype=np.uint8), -1.0, 1.0)

    def largest(self, num_bits: int) -> Floats:
        """1."""
        return np.ones(num_bits)


class Local:
    """Each bit with its own confusion matrix inverted: its mean over shots is what it had been without errors.

    Args:
        p01, p10: Probability of reading 1 for 0, and 0 for 1, of each bit.
        doubts: Standard deviations of both; None where they are known.
    """

    factor_of: Callable[[tuple[int, ...]], float] | None = None

    def __init__(self, p01: Floats, p10: Floats, doubts: tuple[Floats, Floats] | None = None) -> None:
        self.p01, self.p10 = p01, p10
        self.doubts = (np.zeros_like(p01), np.zeros_like(p10)) if doubts is None else doubts
        self._slope = 1.0 - p01 - p10
        if self._slope.min(initial=1.0) < LEAST_CONTRAST:
            bit = int(self._slope.argmin())
            raise _hopeless(f"bit {bit} reads 1 for 0 in {p01[bit]:.0%} of shots, 0 for 1 in {p10[bit]:.0%}")

    def columns(self, bits: Bits, flips: tuple[bool, ...]) -> Floats:
        """The inverse of the confusion matrix applied to each bit; asymmetry is undone before flips are."""
        read = np.where(bits, -1.0, 1.0)
        return (read - (self.p10 - self.p01)) / self._slope * np.where(flips, -1.0, 1.0)

    def largest(self, num_bits: int) -> Floats:  # noqa: ARG002 - it has as many as it knows
        """More than 1: what is read is stretched."""
        return np.asarray((1.0 + np.abs(self.p10 - self.p01)) / self._slope)


class Twirled:
    """Bits as read, and each string divided by what it reads in a twirled |0…0⟩."""

    def __init__(self, shown: Sequence[Shown]) -> None:
        self._errors = np.concatenate([each.bits ^ np.array(each.truth, dtype=np.uint8) for each in shown])
        self._times = np.concatenate([each.times for each in shown])
        self._known: dict[tuple[int, ...], float] = {}

    def columns(self, bits: Bits, flips: tuple[bool, ...]) -> Floats:
        """±1."""
        return AsRead().columns(bits, flips)

    def largest(self, num_bits: int) -> Floats:
        """1."""
        return np.ones(num_bits)

    @property
    def factor_of(self) -> Callable[[tuple[int, ...]], float] | None:
        """The mean parity of errors on the string's bits."""
        return self._factor

    def _factor(self, support: tuple[int, ...]) -> float:
        found = self._known.get(support)
        if found is None:
            parity = 1.0 - 2.0 * (self._errors[:, support].sum(axis=1, dtype=np.int64) & 1)
            found = self._known[support] = float(parity @ self._times / self._times.sum())
            if found < LEAST_CONTRAST:
                raise _hopeless(f"a product of {len(support)} bits keeps {found:.1%} of its value")
        return found


def local_reader(shown: Sequence[Shown]) -> Local:
    """Confusion matrices from circuits that prepare known bits, each bit both ways."""
    ones = np.zeros((2, len(shown[0].truth)))
    shots = np.zeros_like(ones)
    for each in shown:
        truth = np.array(each.truth, dtype=np.intp)
        columns = np.arange(len(truth))
        ones[truth, columns] += each.times @ each.bits
        shots[truth, columns] += each.times.sum()
    read = ones / np.maximum(shots, 1.0)
    # Of Laplace's estimate, which no run of shots that are all alike makes certain.
    likely = (ones + 1.0) / (shots + 2.0)
    doubts = np.sqrt(likely * (1.0 - likely) / np.maximum(shots, 1.0))
    return Local(read[0], 1.0 - read[1], (doubts[0], doubts[1]))


def preparations(num_bits: int, flips: Sequence[tuple[bool, ...]] | None) -> tuple[tuple[bool, ...], ...]:
    """What the calibration circuits prepare: all 0 and all 1; or, for a twirled readout, one for each of `flips`."""
    if flips is None:
        return ((False,) * num_bits, (True,) * num_bits)
    return tuple(dict.fromkeys(flips))


def prepared(places: Sequence[int], truth: tuple[bool, ...]) -> tuple[Operation, ...]:
    """Gates that prepare known bits on qubits in |0⟩."""
    return tuple(Gate("x", (qubit,)) for qubit, is_one in zip(places, truth, strict=True) if is_one)


def _hopeless(cause: str) -> ExecutionError:
    return ExecutionError(
        "The errors of the readout cannot be undone.",
        code="mitigation-failed",
        cause=cause,
        next_step="Leave those qubits out, or run without readout correction.",
    )
