"""Where the operations of a circuit stand in the source, for messages: found by reading the source once more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from antiphon.domain.circuits import Circuit, Operation


@dataclass(frozen=True, slots=True)
class SourcePlaces:
    """A place for each operation of a circuit, nested ones included and in program order; "" where none is known.

    `computed` is the place of the first number that depends on what was measured.
    """

    operations: tuple[str, ...] = ()
    computed: str = ""


def places_of_steps(operations: Sequence[Operation], starts: Sequence[int], names: Sequence[str]) -> SourcePlaces:
    """Places from the steps of the source: step i made the operations from `starts[i]` on and is called `names[i]`."""
    return SourcePlaces(tuple(_steps(operations, starts, names)))


def _steps(operations: Sequence[Operation], starts: Sequence[int], names: Sequence[str]) -> Iterator[str]:
    step = -1
    for index, operation in enumerate(operations):
        while step + 1 < len(starts) and starts[step + 1] <= index:
            step += 1
        for _ in Circuit(0, (), (), (operation,)).walk():
            yield names[step] if step >= 0 else ""
