"""From a QIR module to a circuit, for straight code and forward branches on measured results.

A module that computes (integers, doubles, phi nodes, loops, memory) stays opaque: its own engine runs it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from antiphon.domain.circuits import (
    AssignBit,
    Barrier,
    Bit,
    Circuit,
    Condition,
    Gate,
    If,
    Measure,
    Operation,
    Reset,
)
from antiphon.domain.gates import GATES, GateKind
from antiphon.errors import LimitError, ProgramError, UnsupportedProgramError
from antiphon.frontends.comparisons import all_of, any_of, differ, negate
from antiphon.frontends.qir_bits import place_results, results_read
from antiphon.frontends.qir_flow import EXIT, meeting_points, successors, topological_order
from antiphon.frontends.qir_outputs import Output, leaves, registers_of, tree_of
from antiphon.frontends.qir_reader import Function, Instruction, Local, Number, Operand, Pointer, QirModule
from antiphon.frontends.unrolling import MAX_OPERATIONS

MAX_DEPTH = 40

_QIS = "__quantum__qis__"
_RT = "__quantum__rt__"
GATE_NAMES = {
    # intrinsic: gate of the table. Angles come first, then the qubits.
    **{f"{name}__body": name for name in ("h", "x", "y", "z", "s", "t", "rx", "ry", "rz", "rxx", "ryy", "rzz", "sx")},
    **{f"{name}__body": name for name in ("cx", "cy", "cz", "swap", "ccx")},
    "s__adj": "sdg",
    "t__adj": "tdg",
    "sx__adj": "sxdg",
    "cnot__body": "cx",
    "i__body": "id",
    "id__body": "id",
}
MEASUREMENTS = {"m__body": False, "mz__body": False, "mresetz__body": True}
"""Intrinsic: whether the qubit is reset afterwards."""
OTHER_INTRINSICS = frozenset({"reset__body", "barrier__body", "read_result__body"})
RECORDS = {f"{_RT}{kind}_record_output": kind for kind in ("result", "array", "tuple", "int", "bool", "double")}
_READS = frozenset({f"{_RT}read_result", f"{_QIS}read_result__body"})
_NO_EFFECT = frozenset({f"{_RT}initialize", f"{_RT}message"})


_COMBINED: dict[str, Callable[[Condition, Condition], Condition]] = {
    "XOR": differ,
    "AND": lambda left, right: all_of([left, right]),
    "OR": lambda left, right: any_of([left, right]),
}


class OpaqueError(Exception):
    """The module is fine but no circuit; the text says why."""


def check_intrinsics(module: QirModule) -> None:
    """Refuse gates that no engine for QIR knows.

    Raises:
        UnsupportedProgramError: Names the intrinsic.
    """
    for function in module.functions.values():
        for block in function.blocks:
            for one in block.instructions:
                name = one.callee.removeprefix(_QIS)
                known = name in GATE_NAMES or name in MEASUREMENTS or name in OTHER_INTRINSICS
                if one.callee.startswith(_QIS) and not known:
                    raise UnsupportedProgramError(
                        f"The QIR module calls {one.callee}, which no simulator here knows.",
                        next_step="Decompose it into the gates of the QIR base profile.",
                        details={"instruction": one.callee},
                    )


def recorded_output(function: Function) -> Output:
    """What the function records, read from its blocks in order."""
    records: list[tuple[str, int | None, str]] = []
    for block in function.blocks:
        records.extend(_record(one) for one in block.instructions if one.callee in RECORDS)
    return tree_of(records)


def _record(one: Instruction) -> tuple[str, int | None, str]:
    kind = RECORDS[one.callee]
    first = one.operands[0] if one.operands else None
    if kind in {"array", "tuple"}:
        return kind, int(first.value) if isinstance(first, Number) else 0, one.label
    return kind, first.number if kind == "result" and isinstance(first, Pointer) else None, one.label


def circuit_of(module: QirModule, entry: Function, num_qubits: int) -> Circuit:
    """The circuit of a module.

    Raises:
        OpaqueError: It computes, loops, or calls what a circuit cannot hold.
        ProgramError: It uses a qubit beyond those it declares.
        LimitError: Too many operations.
    """
    lowering = _Lowering(module, num_qubits)
    operations = lowering.function(entry, {}, 0)
    output = tree_of(lowering.records)
    registers = registers_of(output)
    if registers is None:
        raise OpaqueError("it returns values other than measurement results")
    recorded = [leaf.number for leaf in leaves(output)]
    if any(number is None for number in recorded):
        raise OpaqueError("it records a result that is chosen while it runs")
    placed = place_results(operations, [number for number in recorded if number is not None])
    if placed is None:
        raise OpaqueError("it keeps more results at a time than it returns")
    copies = [
        AssignBit(i, Bit(placed.bits[number]))
        for i, number in enumerate(recorded)
        if number is not None and placed.bits[number] != i
    ]
    return Circuit(num_qubits, registers, (), (*placed.operations, *copies))


class _Lowering:
    def __init__(self, module: QirModule, num_qubits: int) -> None:
        self.module = module
        self.num_qubits = num_qubits
        self.records: list[tuple[str, int | None, str]] = []
        self.made = 0
        self.has_recorded = False

    def function(self, function: Function, arguments: dict[str, Operand], depth: int) -> list[Operation]:
        """The operations of one call."""
        if depth > MAX_DEPTH:
            raise OpaqueError("its functions call one another too deeply")
        order = topological_order(function)
        if order is None:
            raise OpaqueError("it has a loop")
        return _Body(self, function, arguments, depth, meeting_points(function, order)).run()

    def spend(self) -> None:
        """Count an operation."""
        self.made += 1
        if self.made > MAX_OPERATIONS:
            raise LimitError(
                f"The QIR module has more than {MAX_OPERATIONS:,} operations.", next_step="Split the program."
            )


class _Body:
    """One call of one function."""

    def __init__(
        self, outer: _Lowering, function: Function, arguments: dict[str, Operand], depth: int, meets: dict[str, str]
    ) -> None:
        self.outer = outer
        self.blocks = {block.name: block for block in function.blocks}
        self.first = function.blocks[0].name
        self.arguments = arguments
        self.depth = depth
        self.meets = meets
        self.conditions: dict[str, Condition] = {}
        self.seen: set[str] = set()

    def run(self) -> list[Operation]:
        return self.path(self.first, EXIT, 0)

    def path(self, start: str, stop: str, branches: int) -> list[Operation]:
        """The operations from `start` until `stop` is reached."""
        if branches > MAX_DEPTH:
            raise OpaqueError("its branches are nested too deeply")
        operations: list[Operation] = []
        name = start
        while name != stop:
            if name in self.seen:
                raise OpaqueError("its branches do not nest")
            self.seen.add(name)
            block = self.blocks[name]
            for one in block.instructions[:-1]:
                operations.extend(self.instruction(one, branches))
            ways = successors(block)
            last = block.instructions[-1]
            if last.opcode not in {"BR", "RET"}:
                raise OpaqueError(f"it uses the instruction {last.opcode.lower()}")
            name = self.meets[name]
            if len(ways) == 2 and ways[0] != ways[1]:
                condition = self.condition(last.operands[0])
                sides = [tuple(self.path(way, name, branches + 1)) for way in ways]
                if isinstance(condition, bool):
                    operations.extend(sides[0] if condition else sides[1])
                elif sides[0] or sides[1]:
                    self.outer.spend()
                    operations.append(If(condition, sides[0], sides[1]))
        return operations

    def instruction(self, one: Instruction, branches: int) -> Iterator[Operation]:
        if one.opcode == "CALL":
            yield from self.call(one, branches)
        elif one.opcode == "ICMP" and one.predicate in {"EQ", "NE"}:
            left, right = (self.condition(operand) for operand in one.operands)
            differs = differ(left, right)
            self.conditions[one.name] = differs if one.predicate == "NE" else negate(differs)
        elif one.opcode in {"XOR", "AND", "OR"}:
            left, right = (self.condition(operand) for operand in one.operands)
            self.conditions[one.name] = _COMBINED[one.opcode](left, right)
        else:
            raise OpaqueError(f"it uses the instruction {one.opcode.lower().replace('_', ' ')}")

    def condition(self, operand: Operand) -> Condition:
        if isinstance(operand, Local) and operand.name in self.conditions:
            return self.conditions[operand.name]
        if isinstance(operand, Number) and operand.width == 1:
            return bool(operand.value)
        raise OpaqueError("it branches on a value that it computes")

    def operand(self, operand: Operand) -> Operand:
        return self.arguments.get(operand.name, operand) if isinstance(operand, Local) else operand

    def call(self, one: Instruction, branches: int) -> Iterator[Operation]:
        operands = [self.operand(operand) for operand in one.operands]
        name = one.callee.removeprefix(_QIS)
        if one.callee in RECORDS:
            if branches or self.depth:
                raise OpaqueError("it records its output inside a branch or a function")
            self.outer.records.append(_record(one))
            self.outer.has_recorded = True
            return
        if one.callee in _NO_EFFECT:
            return
        callee = self.outer.module.functions.get(one.callee)
        if callee is not None and callee.blocks:
            arguments = dict(zip(callee.parameters, operands, strict=True))
            yield from self.outer.function(callee, arguments, self.depth + 1)
            return
        if self.outer.has_recorded:
            raise OpaqueError("it goes on after it has recorded its output")
        self.outer.spend()
        if one.callee in _READS:
            self.conditions[one.name] = Bit(self.pointer(operands, 0, "result"))
        elif name in GATE_NAMES:
            yield self.gate(one.callee, GATES[GATE_NAMES[name]], operands)
        elif name in MEASUREMENTS:
            qubit, result = self.qubit(operands, 0), self.pointer(operands, 1, "result")
            # A condition read from this result before means the value of before: it is lost now.
            stale = [key for key, value in self.conditions.items() if result in results_read(value)]
            for key in stale:
                del self.conditions[key]
            yield Measure(qubit, result)
            if MEASUREMENTS[name]:
                yield Reset(qubit)
        elif name == "reset__body":
            yield Reset(self.qubit(operands, 0))
        elif name == "barrier__body":
            yield Barrier(tuple(range(self.outer.num_qubits)))
        else:
            raise OpaqueError(f"it calls {one.callee or 'a function that it computes'}")

    def gate(self, callee: str, kind: GateKind, operands: list[Operand]) -> Gate:
        angles = [operand.value for operand in operands[: kind.num_params] if isinstance(operand, Number)]
        if len(operands) != kind.num_params + kind.num_qubits:
            raise _malformed(f"{callee} takes {kind.num_params} angles and {kind.num_qubits} qubits")
        if len(angles) != kind.num_params:
            raise OpaqueError("it uses an angle that it computes")
        if not all(math.isfinite(angle) for angle in angles):
            raise _malformed(f"an angle of {callee} is not a finite number")
        qubits = tuple(self.qubit(operands, kind.num_params + i) for i in range(kind.num_qubits))
        if len(set(qubits)) != len(qubits):
            raise _malformed(f"{callee} is given one qubit twice")
        return Gate(kind.name, qubits, tuple(float(angle) for angle in angles))

    def pointer(self, operands: list[Operand], place: int, what: str) -> int:
        if place >= len(operands):
            raise _malformed(f"a call lacks its {what}")
        operand = operands[place]
        if not isinstance(operand, Pointer):
            raise OpaqueError(f"it uses a {what} that it chooses while it runs")
        return operand.number

    def qubit(self, operands: list[Operand], place: int) -> int:
        number = self.pointer(operands, place, "qubit")
        if number >= self.outer.num_qubits:
            raise _malformed(f"it uses qubit {number} but requires only {self.outer.num_qubits}")
        return number


def _malformed(what: str) -> ProgramError:
    return ProgramError(
        f"The QIR module is not valid: {what}.",
        next_step="Submit what the compiler wrote, unchanged.",
        code="qir-invalid",
    )
