"""Declarations and assignments of OpenQASM: registers, inputs, numbers known while the text is read, and bits."""

from __future__ import annotations

from collections.abc import Iterator

from antiphon.domain.circuits import AssignBit, Bit, Condition, Measure, Register, bits_read
from antiphon.frontends import openqasm_syntax as syntax
from antiphon.frontends.conditions import condition_with_bits
from antiphon.frontends.hidden import FIRST_HIDDEN
from antiphon.frontends.openqasm_angles import parameter
from antiphon.frontends.openqasm_conditions import Bits, constant_bits
from antiphon.frontends.openqasm_gates import LIBRARIES
from antiphon.frontends.openqasm_scope import MAX_BITS, Reading, Variable
from antiphon.frontends.openqasm_values import FOLLOWED, Qubits, Value


class Declaring(Reading):
    """Gives declarations, measurements and assignments their meaning."""

    def include(self, statement: syntax.Include) -> None:
        """Make the gates of a standard library known."""
        if statement.file == "stdgates.inc" and self.parsed.version == 2:
            raise self.evaluator.refuse(statement.at, "OpenQASM 2 has no stdgates.inc", "Include qelib1.inc.")
        self.caller.gates |= LIBRARIES[statement.file]

    def declare_qubits(self, statement: syntax.DeclareQubits) -> None:
        """Number the qubits of a register, after those declared before."""
        if self.hardware_qubits:
            raise self.evaluator.cannot(statement.at, "declared qubits beside hardware ones", "Use one kind of qubits.")
        size = self.size(statement.at, statement.size, "qubits", self.num_qubits)
        qubits = Qubits(tuple(range(self.num_qubits, self.num_qubits + size)), statement.size is None)
        self.declare(statement.at, statement.name, self.variable(qubits))
        self.num_qubits += size

    def size(self, at: int, size: syntax.Expression | None, what: str, already: int) -> int:
        """The length of a register, checked against the limit."""
        number = 1 if size is None else self.evaluator.integer(size, f"a number of {what}")
        if number < 1:
            raise self.evaluator.refuse(at, f"A register of {number} {what} is empty", "Give it a size of 1 or more.")
        if already + number > MAX_BITS:
            raise self.too_many(at, what)
        return number

    def declare_classical(self, statement: syntax.Declare) -> None:
        """Declare an input, bits, a number or a constant."""
        kind = statement.type.kind
        if statement.io == "input":
            self._declare_input(statement)
        elif kind == "bit" and not statement.is_const:
            self._declare_bits(statement)
        elif statement.io == "output" or kind not in {"int", "uint", "float", "angle", "bool", "duration", "bit"}:
            what = f"{'an output' if statement.io else 'a variable'} of the type {kind}"
            raise self.evaluator.cannot(statement.at, what, "Use bits for what is measured, numbers for the rest.")
        else:
            zero = syntax.Literal(statement.at, 0)
            if kind == "duration" and statement.value is None:
                raise self.evaluator.refuse(statement.at, "The duration has no value", "Give it one.")
            value = self.constant(statement.type, zero if statement.value is None else statement.value)
            if statement.is_const:
                if isinstance(value, FOLLOWED):
                    raise self.evaluator.cannot(statement.at, "a constant computed from measured bits", "Drop const.")
                variable = self.variable(value, kind, is_const=True)
            else:
                variable = self.number(value, kind, statement.type.size)
            self.declare(statement.at, statement.name, variable)

    def _declare_input(self, statement: syntax.Declare) -> None:
        if statement.type.kind not in {"float", "angle"}:
            raise self.evaluator.cannot(
                statement.at,
                f"an input of the type {statement.type.kind}",
                "Inputs are float or angle; make it a const with a value.",
            )
        if len(self.scopes) > 1:
            raise self.evaluator.refuse(statement.at, "An input is declared inside a block", "Move it to the top.")
        value = parameter(len(self.parameters))
        self.declare(statement.at, statement.name, self.variable(value, statement.type.kind, is_const=True))
        self.parameters.append(statement.name)

    def _declare_bits(self, statement: syntax.Declare) -> None:
        if len(self.scopes) > 1:
            self._declare_hidden(statement)
            return
        offset = sum(register.size for register in self.registers[-1:]) + (
            self.registers[-1].offset if self.registers else 0
        )
        size = self.size(statement.at, statement.type.size, "classical bits", offset)
        places = tuple(range(offset, offset + size))
        bits = Bits.at(places, is_scalar=statement.type.size is None)
        self.declare(statement.at, statement.name, self.variable(bits, "bit"))
        self.registers.append(Register(statement.name, size, offset))
        if statement.io == "output":
            self.outputs.add(statement.name)
        if statement.value is not None:
            self._assign_bits(statement.at, bits, statement.value, is_initial=True)

    def _declare_hidden(self, statement: syntax.Declare) -> None:
        """Bits of a block are no part of the result."""
        size = self.size(statement.at, statement.type.size, "classical bits", self.unfolding.num_bits - FIRST_HIDDEN)
        places = [self.unfolding.new_bit() for _ in range(size)]
        bits = Bits.at(places, is_scalar=statement.type.size is None)
        self.declare(statement.at, statement.name, self.variable(bits, "bit"))
        if statement.value is not None:
            self._assign_bits(statement.at, bits, statement.value)
        elif self.loops and self.runtime_depth:
            for place in places:
                self.emit(AssignBit(place, False))

    def constant(self, type_name: syntax.TypeName, expression: syntax.Expression) -> Value:
        """The value of a number, which may depend on measured bits."""
        value = self.evaluator.cast(type_name, self.evaluator.value(expression), expression)
        if isinstance(value, Bits) and type_name.kind != "bit":
            return self.evaluator.as_number(value, type_name, expression)
        if isinstance(value, Bits) and any(not isinstance(c, bool) for c in value.values):
            raise self.evaluator.cannot(expression.at, "a constant computed from measured bits", "Drop const.")
        return value

    def alias(self, statement: syntax.Alias) -> None:
        """Name qubits or bits anew."""
        value = self.evaluator.value(statement.value)
        if not isinstance(value, Qubits | Bits):
            raise self.evaluator.refuse(statement.at, "An alias names qubits or bits", "Use const for a number.")
        self.declare(statement.at, statement.name, self.variable(value))

    def measure(self, statement: syntax.MeasureInto) -> None:
        """Measure qubits into bits, one into each."""
        if statement.target is None:
            raise self.evaluator.cannot(
                statement.at, "a measurement whose result is not kept", "Assign it to a bit, or use reset."
            )
        target = self._bit_target(statement.target)
        qubits = self.evaluator.qubits(statement.qubits)
        assert target.places is not None
        if len(qubits.indices) != len(target.places):
            raise self.evaluator.refuse(
                statement.at,
                f"{len(qubits.indices)} qubits are measured into {len(target.places)} bits",
                "Match the lengths.",
            )
        for qubit, place in zip(qubits.indices, target.places, strict=True):
            self.emit(Measure(qubit, place))

    def _bit_target(self, expression: syntax.Expression) -> Bits:
        target = self.evaluator.value(expression)
        if not isinstance(target, Bits) or target.places is None or len(set(target.places)) != len(target.places):
            raise self.evaluator.refuse(expression.at, "A bit or a register of bits is expected", "Declare it as bit.")
        return target

    def assign(self, statement: syntax.Assign) -> None:
        """Assign a measurement, bits, or a number known while the text is read."""
        value = statement.value
        if statement.op:
            value = syntax.Binary(statement.at, statement.op, statement.target, value)
        if isinstance(value, syntax.MeasureOf):
            self.measure(syntax.MeasureInto(statement.at, value.qubits, statement.target))
            return
        target = statement.target
        if isinstance(target, syntax.Name):
            for scope in reversed(self.scopes):
                variable = scope.get(target.name)
                if variable is not None and variable.kind not in {"", "bit"}:
                    self._assign_number(statement, target.name, variable, value)
                    return
        self._assign_bits(statement.at, self._bit_target(target), value)

    def _assign_number(self, statement: syntax.Assign, name: str, variable: Variable, value: syntax.Expression) -> None:
        if variable.is_const:
            raise self.evaluator.refuse(statement.at, f"{name} is a constant", "Declare it without const.")
        if any(loop.may_stop for loop in self.loops[variable.loop_depth :]):
            raise self.evaluator.cannot(
                statement.at,
                f"an assignment to {name} behind a break or continue that depends on a measurement",
                "Put the rest of the loop into an if in the place of the break.",
            )
        assert variable.place is not None
        self.unfolding.values[variable.place] = self.constant(syntax.TypeName(variable.kind, variable.size), value)

    def _assign_bits(self, at: int, target: Bits, value: syntax.Expression, *, is_initial: bool = False) -> None:
        assert target.places is not None
        if isinstance(value, syntax.MeasureOf):
            qubits = self.evaluator.qubits(value.qubits)
            if len(qubits.indices) != len(target.places):
                raise self.evaluator.refuse(at, "The measured qubits do not fit the bits", "Match the lengths.")
            for qubit, place in zip(qubits.indices, target.places, strict=True):
                self.emit(Measure(qubit, place))
            return
        result = self.evaluator.value(value)
        width = len(target.places)
        if isinstance(result, FOLLOWED):
            result = self.evaluator.as_bits(result, width, value)
        elif isinstance(result, bool | int):
            if not 0 <= result < 2**width:
                raise self.evaluator.refuse(at, f"{result} does not fit into {width} bits", "Use a smaller number.")
            result = constant_bits(int(result), width)
        if not isinstance(result, Bits) or len(result.values) != width:
            raise self.evaluator.refuse(at, f"The value does not fit into {width} bits", "Match the widths.")
        pairs = list(zip(target.places, result.values, strict=True))
        if is_initial and not self.loops:
            pairs = [pair for pair in pairs if pair[1] is not False]  # bits begin at 0
        for place, condition in self._in_safe_order(pairs):
            self.emit(AssignBit(place, condition))

    def _in_safe_order(self, pairs: list[tuple[int, Condition]]) -> Iterator[tuple[int, Condition]]:
        """The assignments in an order in which none reads a bit that another has overwritten."""
        left = dict(pairs)
        reads = {place: bits_read(condition) for place, condition in pairs}
        while left:
            free = next((p for p in left if not any(p in reads[other] for other in left if other != p)), None)
            if free is None:
                # Each is read by another: one of them goes through a hidden bit.
                bit, copy = next(iter(left)), self.unfolding.new_bit()
                yield copy, Bit(bit)
                left = {p: _reading(condition, copy, of=bit) for p, condition in left.items()}
                reads = {p: bits_read(condition) for p, condition in left.items()}
                continue
            yield free, left.pop(free)


def _reading(condition: Condition, copy: int, *, of: int) -> Condition:
    """The condition, reading `copy` in the place of the bit `of`."""
    return condition_with_bits(condition, lambda bit: copy if bit == of else bit)
