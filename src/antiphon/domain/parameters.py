"""Parameter values: an array of sets, each with one finite float for every parameter of the program."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """Values for a program's parameters, one set or many.

    Attributes:
        names: The program's parameters, in the program's own order.
        shape: Shape of the array of sets; () for a single set. A sweep of N sets has shape (N,).
        data: Float64, little-endian, C order, of shape `shape + (len(names),)`. Bytes, so that equality is to the bit.
    """

    names: tuple[str, ...]
    shape: tuple[int, ...]
    data: bytes

    @property
    def num_sets(self) -> int:
        """How many sets the array holds."""
        count = 1
        for length in self.shape:
            count *= length
        return count


NO_PARAMETERS = ParameterSets((), (), b"")
"""The one set of a program without parameters."""
