"""Circuits as bytes: quick to hand from one process to the next, and unpacked where they are looked at."""

from __future__ import annotations

import pickle
from typing import Any

from antiphon.domain.circuits import Circuit
from antiphon.domain.evolve import evolve

PIECE = 5_000
"""So many operations are packed and unpacked at a time: the interpreter does nothing else meanwhile."""


class PackedCircuit:
    """A circuit whose operations are bytes until `circuit` is asked for; pickled, it is bytes again.

    It comes from this process or from one that this process started, never from a file, a store or a client.
    """

    __slots__ = ("_bare", "_pieces", "_whole")

    def __init__(self, circuit: Circuit) -> None:
        operations = circuit.operations
        self._bare = evolve(circuit, operations=())
        self._pieces = tuple(
            pickle.dumps(operations[start : start + PIECE], protocol=pickle.HIGHEST_PROTOCOL)
            for start in range(0, len(operations), PIECE)
        )
        self._whole: Circuit | None = None

    @property
    def circuit(self) -> Circuit:
        """The circuit, the same object each time."""
        if self._whole is None:
            pieces = (pickle.loads(piece) for piece in self._pieces)  # noqa: S301 - see the class
            self._whole = evolve(self._bare, operations=tuple(operation for piece in pieces for operation in piece))
        return self._whole

    @property
    def num_bytes(self) -> int:
        """About what it takes while it is packed."""
        return sum(map(len, self._pieces))

    def __getstate__(self) -> tuple[Circuit, tuple[bytes, ...]]:
        return self._bare, self._pieces

    def __setstate__(self, state: tuple[Any, Any]) -> None:
        self._bare, self._pieces = state
        self._whole = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PackedCircuit) and self.circuit == other.circuit

    def __hash__(self) -> int:
        return hash(self._bare)  # equal circuits may be packed to other bytes
