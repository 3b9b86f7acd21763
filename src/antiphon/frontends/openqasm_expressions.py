"""Evaluates OpenQASM expressions while the program is read.

Whatever is known then is folded: numbers, loop indices, compile-time variables. Free parameters stay as angles,
classical bits as conditions, and numbers computed from them as decisions between their cases.

Numbers are Python's: angles are real numbers of radians, not rounded to fixed point and not reduced modulo 2π, as in
Qiskit. Division of two integers is integer division (OpenQASM 3), except in a gate's angles and exponents, where `1/2`
is a half, as the standard library itself writes it; in OpenQASM 2 every number is real.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from antiphon.domain.circuits import Affine, Angle, Call, Condition
from antiphon.domain.decisions import Decision, Word
from antiphon.errors import LimitError
from antiphon.frontends import openqasm_syntax as syntax
from antiphon.frontends.comparisons import all_of, any_of, differ, negate
from antiphon.frontends.openqasm_angles import FUNCTIONS, combine
from antiphon.frontends.openqasm_angles import negate as negate_angle
from antiphon.frontends.openqasm_conditions import Bits, compare, constant_bits, shifted, single
from antiphon.frontends.openqasm_numbers import Numbers
from antiphon.frontends.openqasm_parser import located
from antiphon.frontends.openqasm_values import COMPARISONS, FOLLOWED, Qubits, Seconds, Value, arithmetic, wrapped
from antiphon.frontends.unfolding import Unfolding

MAX_ORDERED_BITS = 64
"""Registers wider than this are not compared by < and >: the expansion nests as deep as the register is wide."""


_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
_BITWISE: dict[str, Callable[[Condition, Condition], Condition]] = {
    "&": lambda x, y: all_of([x, y]),
    "|": lambda x, y: any_of([x, y]),
    "^": differ,
}


class Evaluator(Numbers):
    """Evaluates expressions with names looked up by `look_up`, which raises for an unknown one."""

    def __init__(self, text: str, version: int, look_up: Callable[[syntax.Name], Value], unfolding: Unfolding) -> None:
        super().__init__(text, unfolding)
        self.version = version
        self.look_up = look_up
        self._real = version == 2
        self.subroutine: Callable[[syntax.CallOf], Value | None] = lambda _: None

    # --- Typed entry points -------------------------------------------------------------------------------------------

    def angle(self, expression: syntax.Expression) -> Angle:
        """A gate's angle, or an exponent: a finite number or an angle with parameters."""
        before, self._real = self._real, True
        try:
            value = self.value(expression)
        finally:
            self._real = before
        return self.as_angle(value, expression)

    def angles(self, expressions: Sequence[syntax.Expression]) -> Decision:
        """The angles of a gate: a tuple, or a decision between tuples where measured bits decide."""
        before, self._real = self._real, True
        try:
            values = [self.value(expression) for expression in expressions]
        finally:
            self._real = before
        if not any(isinstance(value, (*FOLLOWED, Bits)) for value in values):
            return tuple(self.as_angle(v, e) for v, e in zip(values, expressions, strict=True))
        numbers = [self.numbered(value, e) for value, e in zip(values, expressions, strict=True)]
        return self.cases(expressions[0], lambda *found: found, *numbers)

    def integer(self, expression: syntax.Expression, what: str) -> int:
        """A number known when the program is read."""
        value = self.value(expression)
        if isinstance(value, int):
            return int(value)
        raise self.not_known(expression, what)

    def condition(self, expression: syntax.Expression) -> Condition:
        """A truth value; a register is true when any of its bits is."""
        return self.truth(self.value(expression), expression)

    def decision(self, expression: syntax.Expression) -> Decision:
        """A truth value as a decision: nothing is computed into bits on the way."""
        value = self.value(expression)
        if isinstance(value, Bits):
            return self.unfolding.decisions.of_condition(any_of(value.values))
        if isinstance(value, FOLLOWED):
            return self.is_not_zero(value, expression)
        if isinstance(value, bool | int | float):
            return bool(value)
        raise self.not_known(expression, "a condition")

    def qubits(self, expression: syntax.Expression) -> Qubits:
        """An operand of a gate."""
        value = self.value(expression)
        if not isinstance(value, Qubits):
            raise self.refuse(expression.at, "A qubit is expected", "Name a qubit or a register of qubits.")
        return value

    # --- Expressions --------------------------------------------------------------------------------------------------

    def value(self, expression: syntax.Expression) -> Value:
        """The value of an expression."""
        match expression:
            case syntax.Literal(_, value):
                return value
            case syntax.Name():
                return self.look_up(expression)
            case syntax.Index(_, base, item):
                return self._index(self.value(base), item)
            case syntax.Unary(_, op, operand):
                return self._unary(op, operand)
            case syntax.Binary():
                return self._binary(expression)
            case syntax.CallOf():
                return self._call(expression)
            case syntax.BitString(_, value, width):
                return constant_bits(value, width)
            case syntax.DurationLiteral():
                return self._duration(expression)
            case syntax.CastTo(_, type_name, operand):
                return self.cast(type_name, self.value(operand), expression)
            case syntax.Join(_, parts):
                return self._join(expression.at, [self.value(part) for part in parts])
            case syntax.MeasureOf(at, _):
                raise self.cannot(at, "a measurement inside an expression", "Assign the measurement to a bit first.")
            case syntax.Unknown(at, what):
                raise self.cannot(at, f"the expression ({what})", "Use numbers, bits, angles and registers.")

    def _duration(self, literal: syntax.DurationLiteral) -> Seconds:
        if literal.unit not in _UNITS:
            raise self.cannot(
                literal.at,
                f"a duration in {literal.unit}",
                "dt depends on a device's clock and this program names none: use ns, us, ms or s.",
            )
        return Seconds(literal.value * _UNITS[literal.unit])

    def _join(self, at: int, values: list[Value]) -> Value:
        if all(isinstance(v, Qubits) for v in values):
            return Qubits(tuple(i for v in values if isinstance(v, Qubits) for i in v.indices))
        if all(isinstance(v, Bits) for v in values):
            parts = [v for v in values if isinstance(v, Bits)]
            places = [v.places for v in parts]
            joined = None if None in places else tuple(i for p in places if p is not None for i in p)
            return Bits(tuple(c for v in parts for c in v.values), places=joined)
        raise self.refuse(at, "Only registers of one kind can be joined", "Join qubits with qubits and bits with bits.")

    def _index(self, base: Value, item: syntax.Expression | syntax.Slice | syntax.SetOf) -> Value:
        if not isinstance(base, Qubits | Bits):
            raise self.refuse(item.at, "Only a register of qubits or bits can be indexed", "Remove the index.")
        if base.is_scalar:
            raise self.refuse(
                item.at, "A single qubit or bit cannot be indexed", "Declare a register, or remove the index."
            )
        length = len(base.indices) if isinstance(base, Qubits) else len(base.values)
        if isinstance(item, syntax.Slice | syntax.SetOf):
            chosen = tuple(self._place(i, length, item.at) for i in self.items(item, length))
            scalar = False
        else:
            chosen = (self._place(self.integer(item, "an index"), length, item.at),)
            scalar = True
        if isinstance(base, Qubits):
            return Qubits(tuple(base.indices[i] for i in chosen), scalar)
        places = None if base.places is None else tuple(base.places[i] for i in chosen)
        return Bits(tuple(base.values[i] for i in chosen), scalar, places)

    def _place(self, index: int, length: int, at: int) -> int:
        if not -length <= index < length:
            raise self.refuse(at, f"Index {index} is outside the register of {length}", f"Use 0 to {length - 1}.")
        return index % length

    def items(self, item: syntax.Slice | syntax.SetOf, length: int | None = None) -> Sequence[int]:
        """The integers of a range (both ends included) or a set, as they are written."""
        if isinstance(item, syntax.SetOf):
            return [self.integer(value, "an element of a set") for value in item.values]
        step = 1 if item.step is None else self.integer(item.step, "a step")
        if step == 0:
            raise self.refuse(item.at, "The step of a range is 0", "Use a step of another size.")
        if length is None and (item.start is None or item.stop is None):
            raise self.refuse(item.at, "The range of a loop has an open end", "Write both ends.")
        last = (length or 0) - 1
        start = (0 if step > 0 else last) if item.start is None else self.integer(item.start, "an end of a range")
        stop = (last if step > 0 else 0) if item.stop is None else self.integer(item.stop, "an end of a range")
        if length is not None:
            start, stop = (end % length if -length <= end < 0 else end for end in (start, stop))
        return range(start, stop + (1 if step > 0 else -1), step)

    def _unary(self, op: str, operand: syntax.Expression) -> Value:
        value = self.value(operand)
        if op == "!":
            truth = negate(self.truth(value, operand))
            return truth if isinstance(truth, bool) else single(truth)
        if op == "~" and isinstance(value, Bits):
            return Bits(tuple(negate(c) for c in value.values), value.is_scalar)
        if op == "~" and isinstance(value, bool | int):
            return not value if isinstance(value, bool) else ~value
        if op == "-" and isinstance(value, Affine | Call):
            return negate_angle(value)
        if op == "-" and isinstance(value, bool | int | float):
            return -value
        if op == "-" and isinstance(value, Seconds):
            return Seconds(-value.value)
        if op in {"-", "~"} and isinstance(value, Word):
            turned = self.words.negated if op == "-" else self.words.inverted
            return self.in_digits(operand, lambda: turned(value))  # type: ignore[return-value]
        if op in {"-", "~"} and isinstance(value, (*FOLLOWED, Bits)):
            number = self.numbered(value, operand)
            return self.cases(operand, (lambda n: -n) if op == "-" else (lambda n: ~int(n)), number)  # type: ignore[return-value]
        raise self.not_known(operand, f"the operator {op} on a value")

    def _binary(self, expression: syntax.Binary) -> Value:
        op = expression.op
        left, right = self.value(expression.left), self.value(expression.right)
        if op in {"&&", "||"}:
            truths = [self.truth(left, expression.left), self.truth(right, expression.right)]
            truth = all_of(truths) if op == "&&" else any_of(truths)
            return truth if isinstance(truth, bool) else single(truth)
        if isinstance(left, (*FOLLOWED, Bits)) or isinstance(right, (*FOLLOWED, Bits)):
            found = None
            if not isinstance(left, FOLLOWED) and not isinstance(right, FOLLOWED):
                found = self._bitwise(expression, left, right)
            return self._measured(expression, left, right) if found is None else found
        if isinstance(left, Seconds) or isinstance(right, Seconds):
            return self.times(expression, left, right)
        if isinstance(left, Qubits) or isinstance(right, Qubits):
            raise self.refuse(expression.at, f"The operator {op} does not take qubits", "Measure them first.")
        try:
            return self._computed(expression, left, right)  # type: ignore[no-any-return]
        except (ArithmeticError, ValueError) as error:
            raise self.refuse(
                expression.at, f"The value cannot be computed ({error})", "Correct the arithmetic."
            ) from None

    def _computed(self, expression: syntax.Binary, left: Any, right: Any) -> Any:
        op = expression.op
        if isinstance(left, Affine | Call) or isinstance(right, Affine | Call):
            if op in {"+", "-", "*", "/", "**"}:
                return combine(op, _as_angle(left), _as_angle(right))
            raise self.not_known(expression, f"the operator {op} on an input")
        return arithmetic(op, left, right, real_division=self._real)

    def _measured(self, expression: syntax.Binary, left: Value, right: Value) -> Value:
        real = self._real
        numbers = self.operands(left, right, (expression.left, expression.right))
        if self.are_in_digits(*numbers) and not (real and expression.op == "/"):
            return self.in_digits(expression, lambda: self.words.computed(expression.op, *numbers))  # type: ignore[return-value]

        def computed(a: Any, b: Any) -> Any:
            before, self._real = self._real, real
            try:
                return self._computed(expression, a, b)
            finally:
                self._real = before

        return self.cases(expression, computed, *numbers)  # type: ignore[return-value]

    def _bitwise(self, expression: syntax.Binary, left: Value, right: Value) -> Value | None:
        """An operator that keeps bits; None for one that makes numbers of them."""
        op = expression.op
        if op in {"<<", ">>"} and isinstance(left, Bits) and isinstance(right, int):
            return shifted(left, -right if op == "<<" else right)
        for value, sign in ((left, 1), (right, -1)):
            # A negative number is below every register, whose value has no sign.
            if isinstance(value, int) and value < 0 and op in COMPARISONS:
                return COMPARISONS[op](-sign, sign)
        a, b = _as_bits(left, right), _as_bits(right, left)
        if a is None or b is None:
            return None
        if op in COMPARISONS:
            if op not in {"==", "!="} and max(len(a.values), len(b.values)) > MAX_ORDERED_BITS:
                raise LimitError(
                    f"A register wider than {MAX_ORDERED_BITS} bits is compared by {op}, "
                    f"at {located(self.text, expression.at)}",
                    next_step="Compare its highest bits only.",
                )
            truth = compare(op, a, b)
            return truth if isinstance(truth, bool) else single(truth)
        if op not in _BITWISE:
            return None
        if len(a.values) != len(b.values):
            raise self.not_known(expression, f"the operator {op} on values of different widths")
        values = tuple(_BITWISE[op](x, y) for x, y in zip(a.values, b.values, strict=True))
        return Bits(values, all(v.is_scalar for v in (left, right) if isinstance(v, Bits)))

    def _call(self, call: syntax.CallOf) -> Value:
        returned = self.subroutine(call)
        if returned is not None:
            return returned
        values = [self.value(argument) for argument in call.arguments]
        name = call.function
        if name == "popcount" and len(values) == 1 and isinstance(values[0], Bits):
            total: Decision = 0
            for condition in values[0].values:
                bit = self.unfolding.decisions.of_condition(condition)
                total = self.cases(call, lambda sum_, one: sum_ + int(one), total, bit)
            return total  # type: ignore[return-value]
        if name not in {"sizeof", "mod", "pow"} and any(isinstance(value, FOLLOWED) for value in values):
            return self.cases(call, lambda *found: self._called(call, list(found)), *values)  # type: ignore[return-value]
        return self._called(call, values)

    def _called(self, call: syntax.CallOf, values: list[Any]) -> Value:
        name = call.function
        try:
            match name, values:
                case "sizeof", [Bits() | Qubits() as register]:
                    return len(register.values if isinstance(register, Bits) else register.indices)
                case "popcount", [int(number)]:
                    return int(number).bit_count()
                case (("floor" | "ceiling"), [int() | float() as number]):
                    return math.floor(number) if name == "floor" else math.ceil(number)
                case (("mod" | "pow"), [_, _]):
                    op = "%" if name == "mod" else "**"
                    return self._binary(syntax.Binary(call.at, op, call.arguments[0], call.arguments[1]))
                case _, [Affine() | Call() as angle] if name in FUNCTIONS:
                    return Call(FUNCTIONS[name][0], (angle,))
                case _, [int() | float() as number] if name in FUNCTIONS:
                    return FUNCTIONS[name][1](number)
        except (ArithmeticError, ValueError) as error:
            raise self.refuse(call.at, f"{name} cannot be computed ({error})", "Correct the argument.") from None
        raise self.cannot(
            call.at,
            f"the function {name} with {len(values)} arguments",
            f"Use one of {', '.join(sorted([*FUNCTIONS, 'mod', 'pow', 'floor', 'ceiling']))}.",
        )

    # --- Types --------------------------------------------------------------------------------------------------------

    def cast(self, type_name: syntax.TypeName, value: Value, expression: syntax.Expression) -> Value:
        """`value` as a value of that type, by OpenQASM's rules for conversions."""
        size = None if type_name.size is None else self.integer(type_name.size, "a width")
        if isinstance(value, FOLLOWED):
            return self.cast_cases(type_name, size, value, expression)
        match type_name.kind, value:
            case ("bool", _):
                truth = self.truth(value, expression)
                return truth if isinstance(truth, bool) else single(truth)
            case "int", Bits(values, False) if size is not None and size <= len(values):
                return self.as_number(value, type_name, expression)  # the highest bit is the sign
            case "int" | "uint", Bits(values):
                width = max(64, len(values)) if size is None else size
                return Bits((values + (False,) * width)[:width])
            case "int" | "uint", bool() | int() | float():
                return wrapped(int(value), size or 64, is_signed=type_name.kind == "int")
            case (("float" | "angle"), Bits()):
                return self.as_number(value, type_name, expression)
            case "float", bool() | int() | float():
                return float(value)
            case "angle", bool() | int() | float():
                return float(value)
            case (("float" | "angle"), Affine() | Call()):
                return value
            case "bit", Bits(values):
                if size is not None and len(values) != size:
                    raise self.refuse(
                        expression.at, f"{len(values)} bits do not fit a register of {size}", "Match the widths."
                    )
                return value
            case "bit", bool() | int() if size is None:
                return constant_bits(int(bool(value)), 1)
            case "bit", int() if size is not None and 0 <= value < 2**size:
                return constant_bits(value, size)
            case "duration", Seconds():
                return value
        raise self.not_known(expression, f"a value of the type {type_name.kind}")


def _as_angle(value: float | bool | Affine | Call) -> Angle:
    return value if isinstance(value, Affine | Call) else float(value)


def _as_bits(value: Value, other: Value) -> Bits | None:
    if isinstance(value, Bits):
        return value
    if isinstance(value, int) and value >= 0 and isinstance(other, Bits):
        return constant_bits(int(value), max(len(other.values), int(value).bit_length()))
    return None
