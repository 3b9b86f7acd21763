"""Outcomes of an engine as counts: which qubit goes into which classical bit, and bits into result strings.

Bit 0 of a register is the rightmost character, registers are separated by one space, the last declared leftmost;
classical bits that are never measured read 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from antiphon.domain.circuits import Register
from antiphon.domain.noise import Noise

Bits: TypeAlias = "NDArray[np.uint8]"

_WORD_BITS = 62
_ROUNDING = 1e-18  # the square of what double precision leaves of an amplitude that is zero, many gates later
_UNIFORM_SHOTS = 100_000
# Up to here each shot has a random number of its own, so that rounding in an engine moves no more than that shot.


class Readout:
    """Turns outcomes over qubits into counts over registers.

    Args:
        registers: Classical registers in order of declaration.
        pairs: (qubit, clbit) of every measurement that counts; qubit -1 reads 0.
    """

    def __init__(self, registers: Sequence[Register], pairs: Iterable[tuple[int, int]]) -> None:
        self.pairs = tuple(pairs)
        self.num_clbits = sum(register.size for register in registers)
        shown = list(reversed(registers))
        # Columns of clbits from the leftmost character on; -1 is the space between registers.
        columns: list[int] = []
        for place, register in enumerate(shown):
            if place:
                columns.append(-1)
            columns.extend(range(register.offset + register.size - 1, register.offset - 1, -1))
        self._columns = np.array(columns, dtype=np.intp)
        self._spaces = np.flatnonzero(self._columns < 0)
        self._plain = len(shown) <= 1
        self._slices = [
            slice(self.num_clbits - register.offset - register.size, self.num_clbits - register.offset)
            for register in shown
        ]
        self._identity = self.pairs == tuple((bit, bit) for bit in range(self.num_clbits))

    def word_text(self, word: int) -> str:
        """The result string of classical bits packed into an integer, bit i of it being classical bit i."""
        return self.spaced(format(word, f"0{self.num_clbits}b"))

    def spaced(self, text: str) -> str:
        """The result string of one character for each classical bit, the last bit first."""
        return text if self._plain else " ".join(text[part] for part in self._slices)

    def counts_of_words(self, words: Mapping[int, int]) -> dict[str, int]:
        """Counts from {classical bits as an integer: shots}, in the order of the strings."""
        return dict(sorted((self.word_text(word), shots) for word, shots in words.items() if shots))

    def counts_of_outcomes(self, outcomes: NDArray[np.int64], shots: NDArray[np.int64]) -> dict[str, int]:
        """Counts from basis states (qubit q is bit q of the index, at most 62 qubits) and how often each came."""
        if self._identity and not (outcomes >> self.num_clbits).any():  # no unmeasured qubit above the last bit is 1
            return self.counts_of_words(dict(zip(outcomes.tolist(), shots.tolist(), strict=True)))
        if self.num_clbits > _WORD_BITS:
            return self.counts_of_bits(np.repeat(self.bits_of_outcomes(outcomes), shots, axis=0))
        words = np.zeros_like(outcomes)
        for qubit, clbit in self.pairs:
            if qubit >= 0:
                words |= ((outcomes >> qubit) & 1) << clbit
        merged: Counter[int] = Counter()
        for word, count in zip(words.tolist(), shots.tolist(), strict=True):
            merged[word] += count
        return self.counts_of_words(merged)

    def bits_of_outcomes(self, outcomes: NDArray[np.int64]) -> Bits:
        """Classical bits of shape (outcomes, num_clbits)."""
        bits = np.zeros((len(outcomes), self.num_clbits), dtype=np.uint8)
        for qubit, clbit in self.pairs:
            if qubit >= 0:
                bits[:, clbit] = (outcomes >> qubit) & 1
        return bits

    def placed(self, drawn: Bits) -> Bits:
        """Classical bits of shape (outcomes, num_clbits) from the bits of all qubits, qubit q in column q."""
        bits = np.zeros((len(drawn), self.num_clbits), dtype=np.uint8)
        for qubit, clbit in self.pairs:
            if qubit >= 0:
                bits[:, clbit] = drawn[:, qubit]
        return bits

    def exact(self, probabilities: NDArray[Any]) -> dict[str, float]:
        """The exact probability of every result string, from those of all basis states (2^n, qubit q is bit q).

        What is below 1e-18 is rounding, and left out.
        """
        width = len(probabilities).bit_length() - 1
        measured = sorted({qubit for qubit, _ in self.pairs if qubit >= 0})
        others = tuple(width - 1 - qubit for qubit in range(width) if qubit not in measured)
        marginal = probabilities.reshape((2,) * width).sum(axis=others).ravel()
        found = np.flatnonzero(marginal > _ROUNDING)
        place = {qubit: bit for bit, qubit in enumerate(measured)}
        words = np.zeros(len(found), dtype=np.int64 if self.num_clbits <= _WORD_BITS else object)
        for qubit, clbit in self.pairs:
            if qubit >= 0:
                words |= (found >> place[qubit] & 1).astype(words.dtype) << clbit
        values = marginal[found].astype(np.float64).tolist()
        return dict(sorted((self.word_text(word), value) for word, value in zip(words.tolist(), values, strict=True)))

    def counts_of_bits(self, bits: Bits) -> dict[str, int]:
        """Counts from classical bits of shape (shots, num_clbits)."""
        text = bits[:, self._columns] + np.uint8(ord("0"))
        text[:, self._spaces] = ord(" ")
        rows: list[bytes] = np.ascontiguousarray(text).view(f"S{len(self._columns)}").ravel().tolist()
        return {row.decode("ascii"): count for row, count in sorted(Counter(rows).items())}

    def flipped(self, bits: Bits, flips: Flips, rng: np.random.Generator) -> Bits:
        """`bits` as a faulty readout reports them: each measured bit flips by itself, `flips` in the order of pairs."""
        return bits if flips.never else flips.of(bits, [clbit for _, clbit in self.pairs], rng)


@dataclass(frozen=True, slots=True)
class Flips:
    """How measured bits are misread: of each, the chance of reading 1 for 0, and 0 for 1."""

    p01: NDArray[np.float64]
    p10: NDArray[np.float64]

    @classmethod
    def reading(cls, noise: Noise, qubits: Iterable[int]) -> Flips:
        """Of measurements of `qubits`, in order, numbered as `noise` has them."""
        chances = np.array([noise.readout(qubit) for qubit in qubits], dtype=np.float64).reshape(-1, 2)
        return cls(chances[:, 0], chances[:, 1])

    @property
    def never(self) -> bool:
        """True when no bit is ever misread."""
        return not (self.p01.any() or self.p10.any())

    def of(self, bits: Bits, columns: Sequence[int], rng: np.random.Generator) -> Bits:
        """A copy of `bits`, of shape (shots, bits), in which each of `columns` flips by itself, in order."""
        true = bits[:, columns]
        chance = np.where(true == 1, self.p10, self.p01)
        found = bits.copy()
        found[:, columns] = true ^ (rng.random(true.shape) < chance)
        return found


def draw(
    probabilities: NDArray[Any], shots: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sample `shots` outcomes: the distinct indices in rising order, and how often each came.

    `probabilities` need not be normalised to the last digit (single precision).
    """
    if shots > _UNIFORM_SHOTS and shots >= len(probabilities):
        exact = probabilities.astype(np.float64)
        times = rng.multinomial(shots, exact / exact.sum())
        found = np.flatnonzero(times)
        return found, times[found]
    cumulative = np.cumsum(probabilities, dtype=np.float64)
    points = np.sort(rng.random(shots))
    points *= cumulative[-1]
    drawn = np.minimum(np.searchsorted(cumulative, points, side="right"), len(cumulative) - 1)
    starts = np.flatnonzero(np.diff(drawn, prepend=-1))
    return drawn[starts], np.diff(starts, append=shots)
