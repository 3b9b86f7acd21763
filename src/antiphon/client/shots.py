"""Counts as single shots, for SDKs whose results are arrays of shots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint8]


def distinct_bits(outcomes: Sequence[str], registers: Iterable[tuple[str, int]]) -> dict[str, Bits]:
    """The bits of each outcome string, register by register.

    Args:
        outcomes: Keys of counts: bit 0 of a register rightmost, registers separated by one space, last leftmost.
        registers: Name and size of each, in order of declaration.

    Returns:
        For each register an array of shape (len(outcomes), size) whose column i is bit i.
    """
    declared = list(registers)
    width = sum(size for _, size in declared) + max(0, len(declared) - 1)
    characters = np.frombuffer("".join(outcomes).encode("ascii"), dtype=np.uint8).reshape(len(outcomes), width)
    found: dict[str, Bits] = {}
    end = width
    for name, size in declared:
        found[name] = characters[:, end - size : end][:, ::-1] - ord("0")
        end -= size + 1
    return found


def shot_order(counts: Iterable[int], seed: int | Sequence[int]) -> npt.NDArray[np.intp]:
    """Which outcome each shot gave, in a random order that `seed` fixes.

    Shots are independent and alike, so their order carries nothing; but sorted by outcome, any slice of them would be
    biased. One row index into the arrays of `distinct_bits` for every shot.
    """
    numbers = np.fromiter(counts, dtype=np.intp)
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(numbers)), numbers))
