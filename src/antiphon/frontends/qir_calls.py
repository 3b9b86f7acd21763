"""What calls of QIR's own functions do to a circuit: gates, measurements, resets, and the output that they record."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.domain.circuits import Barrier, Bit, Gate, If, Measure, Reset
from antiphon.domain.decisions import Choice, Decision
from antiphon.domain.gates import GATES, GateKind
from antiphon.errors import ProgramError
from antiphon.frontends.decisions import Lost, leaves
from antiphon.frontends.qir_intrinsics import GATE_NAMES, MEASUREMENTS, NO_EFFECT, QIS, RECORDS
from antiphon.frontends.qir_liveness import READS, WRITE
from antiphon.frontends.qir_reader import Instruction, Pointer
from antiphon.frontends.unfolding import Unfolding
from antiphon.frontends.written_decisions import affine_steps, num_paths

MAX_BRANCHES_OF_ANGLE = 64
"""Cases of an angle up to which each has a gate of its own, as a device would play it; beyond, a sum over the bits is
played one bit after the other."""

_ADDITIVE = frozenset({"rx", "ry", "rz", "rxx", "ryy", "rzz"})


class OpaqueError(Exception):
    """The module is fine but no circuit; the text says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """A place in memory: ("memory", frame, name) or ("array", name), and which element."""

    base: tuple[Hashable, ...]
    index: int


class Calls:
    """Carries out calls.

    Attributes:
        records: Kind, size or place in `recorded`, and label of what was recorded.
        recorded: The values.
    """

    def __init__(self, unfolding: Unfolding, num_qubits: int) -> None:
        self._unfolding = unfolding
        self._num_qubits = num_qubits
        self.records: list[tuple[str, int | None, str]] = []
        self.recorded: list[Decision] = []

    def mark(self) -> tuple[int, int]:
        """How much was recorded, for `back_to`."""
        return len(self.records), len(self.recorded)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Forget what was recorded since."""
        del self.records[mark[0] :], self.recorded[mark[1] :]

    def call(self, one: Instruction, operands: Sequence[Decision]) -> Decision:
        """Carry out a call of a function without a body; its value, or None."""
        name = one.callee.removeprefix(QIS)
        if one.callee in RECORDS:
            self._record(one, operands)
        elif one.callee in READS:
            return self._read(_operand(operands, 0, "result"))
        elif one.callee == WRITE:
            self._write(_operand(operands, 1, "result"), _operand(operands, 0, "value"))
        elif one.callee in NO_EFFECT:
            pass
        elif name in GATE_NAMES:
            self._gate(one.callee, GATES[GATE_NAMES[name]], operands)
        elif name in MEASUREMENTS:
            qubit, result = _operand(operands, 0, "qubit"), _operand(operands, 1, "result")
            self._measure(qubit, result)
            if MEASUREMENTS[name]:
                self._reset(qubit)
        elif name == "reset__body":
            self._reset(_operand(operands, 0, "qubit"))
        elif name == "barrier__body":
            self._unfolding.emit(Barrier(tuple(range(self._num_qubits))))
        else:
            raise OpaqueError(f"it calls {one.callee or 'a function that it computes'}")
        return None

    # --- Output and results -------------------------------------------------------------------------------------------

    def _record(self, one: Instruction, operands: Sequence[Decision]) -> None:
        if self._unfolding.depth:
            raise OpaqueError("it records its output inside a branch")
        kind = RECORDS[one.callee]
        first = operands[0] if operands else Lost("nothing is recorded")
        if kind in {"array", "tuple"}:
            if not isinstance(first, int):
                raise OpaqueError("it returns an array whose length is known only while it runs")
            self.records.append((kind, first, one.label))
            return
        self.records.append((kind, len(self.recorded), one.label))
        self.recorded.append(self._read(first) if kind == "result" else first)

    def _read(self, result: Decision) -> Decision:
        total: Decision = False
        for place, pointer in enumerate(leaves(result)):
            if not isinstance(pointer, Pointer):
                raise OpaqueError(pointer.why if isinstance(pointer, Lost) else "it reads what is no result")
            value = self._unfolding.values.get(("result", pointer.number), False)
            chosen = self._unfolding.decisions.of(lambda found, wanted=pointer: found == wanted, result)
            total = self._unfolding.decisions.choose(chosen, value, total) if place else value
        return total

    # --- Qubits -------------------------------------------------------------------------------------------------------

    def _measure(self, qubit: Decision, result: Decision) -> None:
        bit = self._unfolding.new_bit()
        self._unfolding.spread(qubit, lambda one: self._unfolding.emit(Measure(self._qubit(one), bit)))
        self._write(result, self._unfolding.decisions.bit(bit))

    def _write(self, result: Decision, found: Decision) -> None:
        for pointer in leaves(result):
            if not isinstance(pointer, Pointer):
                raise OpaqueError("it writes to what is no result")
            place = ("result", pointer.number)
            before = self._unfolding.values.get(place, False)
            chosen = self._unfolding.decisions.of(lambda one, wanted=pointer: one == wanted, result)
            self._unfolding.values[place] = self._unfolding.decisions.choose(chosen, found, before)

    def _reset(self, qubit: Decision) -> None:
        self._unfolding.spread(qubit, lambda one: self._unfolding.emit(Reset(self._qubit(one))))

    def _gate(self, callee: str, kind: GateKind, operands: Sequence[Decision]) -> None:
        if len(operands) != kind.num_params + kind.num_qubits:
            raise malformed(f"{callee} takes {kind.num_params} angles and {kind.num_qubits} qubits")
        cases = self._unfolding.decisions.of(lambda *values: values, *operands)
        if isinstance(cases, Choice):
            cases = self._unfolding.known(cases)
            if num_paths(cases) > MAX_BRANCHES_OF_ANGLE and self._rotated_bit_by_bit(callee, kind, operands):
                return
        self._unfolding.spread(cases, lambda values: self._unfolding.emit(self._one_gate(callee, kind, values)))

    def _rotated_bit_by_bit(self, callee: str, kind: GateKind, operands: Sequence[Decision]) -> bool:
        """Write a rotation by a sum over bits as one rotation for each; whether it is one."""
        if kind.name not in _ADDITIVE or any(isinstance(operand, Choice) for operand in operands[1:]):
            return False
        if any(isinstance(leaf, Lost) for leaf in leaves(operands[0])):
            return False
        found = affine_steps(operands[0])
        if found is None:
            return False
        constant, steps = found
        self._unfolding.emit(self._one_gate(callee, kind, (constant, *operands[1:])))
        for bit, step in steps.items():
            self._unfolding.emit(If(Bit(bit), (self._one_gate(callee, kind, (step, *operands[1:])),)))
        return True

    def _one_gate(self, callee: str, kind: GateKind, values: Any) -> Gate:
        angles = values[: kind.num_params]
        if not all(isinstance(angle, float) for angle in angles):
            raise OpaqueError("it uses an angle that is not known")
        if not all(math.isfinite(angle) for angle in angles):
            raise malformed(f"an angle of {callee} is not a finite number")
        qubits = tuple(self._qubit(qubit) for qubit in values[kind.num_params :])
        if len(set(qubits)) != len(qubits):
            raise malformed(f"{callee} is given one qubit twice")
        return Gate(kind.name, qubits, tuple(angles))

    def _qubit(self, value: Any) -> int:
        if not isinstance(value, Pointer):
            raise OpaqueError(value.why if isinstance(value, Lost) else "it uses a qubit that is not known")
        if value.number >= self._num_qubits:
            raise malformed(f"it uses qubit {value.number} but requires only {self._num_qubits}")
        return value.number


def _operand(operands: Sequence[Decision], place: int, what: str) -> Decision:
    if place >= len(operands):
        raise malformed(f"a call lacks its {what}")
    return operands[place]


def malformed(what: str) -> ProgramError:
    """The error for a module that contradicts itself."""
    return ProgramError(
        f"The QIR module is not valid: {what}.",
        next_step="Submit what the compiler wrote, unchanged.",
        code="qir-invalid",
    )
