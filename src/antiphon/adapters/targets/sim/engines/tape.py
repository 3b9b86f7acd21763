"""A circuit's gates as calls into Lightning, compiled once for each program and shared by threads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.adapters.targets.sim.angles import AngleTable, Floats
from antiphon.adapters.targets.sim.engines.lightning_state import (
    Call,
    LightningState,
    call_of,
    fixed_parameters,
    matrix_call,
)
from antiphon.adapters.targets.sim.features import GateLike
from antiphon.adapters.targets.sim.lowering import Primitive, lower
from antiphon.adapters.targets.sim.matrices import unitary_matrix
from antiphon.domain.circuits import Angle, Gate

_BLOCK_SETS = 1024


class TapeBuilder:
    """Collects calls; constant angles are stored once, parametrised ones are numbered for one evaluation of all."""

    def __init__(self, num_qubits: int, *, single: bool, kind: type[LightningState] = LightningState) -> None:
        self.num_qubits = num_qubits
        self.single = single
        self.kind = kind
        self._constants: list[list[float]] = [[]]
        self._constant_at: dict[float, int] = {}
        self._angles: list[Angle] = []
        self._angle_at: dict[Angle, int] = {}

    def gate(self, gate: GateLike) -> list[Call]:
        """The calls that apply one gate."""
        if isinstance(gate, Gate):
            return [self.primitive(primitive) for primitive in lower(gate)]
        matrix = unitary_matrix(gate)
        return [matrix_call(matrix, gate.qubits, self.num_qubits, 0, single=self.single, kind=self.kind)]

    def primitive(self, primitive: Primitive) -> Call:
        """The call that applies one primitive."""
        name, _, angle = primitive
        if angle is None:
            fixed = fixed_parameters(name, [])
            place = self._constant(fixed[0]) if fixed else 0
        elif isinstance(angle, int | float):
            place = self._constant(float(angle))
        else:
            if angle not in self._angle_at:
                self._angle_at[angle] = len(self._angles)
                self._angles.append(angle)
            place = -1 - self._angle_at[angle]
        return call_of(primitive, self.num_qubits, place, single=self.single, kind=self.kind)

    def parameters(self) -> TapeParameters:
        """Evaluates the parameters of the calls built so far."""
        return TapeParameters(tuple(self._constants), AngleTable(self._angles))

    def _constant(self, value: float) -> int:
        if value not in self._constant_at:
            self._constant_at[value] = len(self._constants)
            self._constants.append([value])
        return self._constant_at[value]


@dataclass(frozen=True)
class TapeParameters:
    """Constants from the front, parametrised angles from the back: a call's place is an index into their list."""

    constants: tuple[list[float], ...]
    table: AngleTable

    def rows(self, parameters: Floats) -> Sequence[list[list[float]]]:
        """One list of call parameters for each set; `parameters` has shape (sets, parameters).

        All sets are evaluated at once, block by block, so that a long sweep does not hold a list of all its angles.
        """
        return self.block(parameters) if len(parameters) <= _BLOCK_SETS else _Rows(self, parameters)

    def block(self, parameters: Floats) -> list[list[list[float]]]:
        """The same at once for all sets given."""
        constants = list(self.constants)
        if not self.table.angles:
            return [constants] * len(parameters)
        values = self.table.evaluate(parameters)[:, ::-1, None].tolist()
        return [constants + row for row in values]


class _Rows(Sequence[list[list[float]]]):
    """The rows of many sets, of which one block is held."""

    def __init__(self, source: TapeParameters, parameters: Floats) -> None:
        self._source = source
        self._parameters = parameters
        self._held = -1
        self._block: list[list[list[float]]] = []

    def __len__(self) -> int:
        return len(self._parameters)

    def __getitem__(self, index: Any) -> Any:
        if index >= len(self):
            raise IndexError(index)
        wanted, place = divmod(index, _BLOCK_SETS)
        if wanted != self._held:
            start = wanted * _BLOCK_SETS
            self._block = self._source.block(self._parameters[start : start + _BLOCK_SETS])
            self._held = wanted
        return self._block[place]


@dataclass(frozen=True)
class Tape:
    """A static circuit's gates as calls, and their parameters."""

    calls: tuple[Call, ...]
    parameters: TapeParameters


def tape_of(
    gates: Iterable[GateLike], num_qubits: int, *, single: bool, kind: type[LightningState] = LightningState
) -> Tape:
    """Compile gates on qubits 0 … num_qubits-1 for states of that kind."""
    builder = TapeBuilder(num_qubits, single=single, kind=kind)
    calls = tuple(call for gate in gates for call in builder.gate(gate))
    return Tape(calls, builder.parameters())
