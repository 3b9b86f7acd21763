"""Numbers of an OpenQASM program that depend on measured bits: computed in all of their cases while it is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from antiphon.domain.circuits import Affine, Angle, Call, Condition
from antiphon.domain.decisions import Choice, Decision, Word
from antiphon.errors import ProgramError, UnsupportedProgramError
from antiphon.frontends import openqasm_syntax as syntax
from antiphon.frontends.comparisons import any_of
from antiphon.frontends.decisions import Lost, TooManyCasesError, leaves, range_of
from antiphon.frontends.openqasm_conditions import Bits, constant_bits, single
from antiphon.frontends.openqasm_parser import located, unsupported
from antiphon.frontends.openqasm_values import COMPARISONS, FOLLOWED, Followed, Qubits, Seconds, Value
from antiphon.frontends.unfolding import Unfolding
from antiphon.frontends.words import Words, is_word

KEEP_NUMBERS_FEW = "Let fewer measured bits decide it, or keep them in bits and use them one by one."


class Numbers:
    """What an evaluator does with numbers in all of their cases.

    Attributes:
        computes: A number that depends on measured bits was computed.
        real: One of floating point.
        computed_at: Where in the text the first of them is, of floating point if there are any.
    """

    def __init__(self, text: str, unfolding: Unfolding) -> None:
        self.text = text
        self.unfolding = unfolding
        self.words = Words(unfolding)
        self.computes = False
        self.real = False
        self.computed_at: int | None = None

    def refuse(self, at: int, message: str, next_step: str) -> ProgramError:
        """The error for what is wrong, showing the place."""
        return ProgramError(f"{message}, at {located(self.text, at)}", next_step=next_step)

    def cannot(self, at: int, what: str, way_out: str) -> UnsupportedProgramError:
        """The error for what is right but cannot be run here, showing the place."""
        return unsupported(self.text, at, what, way_out)

    def not_known(self, expression: syntax.Expression, what: str) -> UnsupportedProgramError:
        """The error for what is not known while the program is read, showing the place."""
        return self.cannot(
            expression.at,
            f"{what} computed while the program runs",
            "Use numbers, loop indices and constants there; input float or angle for values given at submit.",
        )

    def cast(self, type_name: syntax.TypeName, value: Value, expression: syntax.Expression) -> Value:
        """`value` as a value of that type."""
        raise NotImplementedError

    def truth(self, value: Value, expression: syntax.Expression) -> Condition:
        """The truth of a value; a register is true when any of its bits is."""
        if isinstance(value, Bits):
            return any_of(value.values)
        if isinstance(value, bool | int | float):
            return bool(value)
        if isinstance(value, FOLLOWED):
            try:
                return self.unfolding.test(self.unfolding.known(self.is_not_zero(value, expression)))
            except TooManyCasesError as error:
                raise self.too_many(expression, error) from None
        raise self.not_known(expression, "a condition")

    def is_not_zero(self, value: Followed, expression: syntax.Expression) -> Decision:
        """The truth of a number."""
        if not is_word(value):
            return self.cases(expression, bool, value)
        return self.in_digits(expression, lambda: self.words.is_not_zero(value))

    def as_angle(self, value: Decision, expression: syntax.Expression) -> Angle:
        """A value as an angle."""
        if isinstance(value, Affine | Call):
            return value
        if isinstance(value, bool | int | float):
            if not math.isfinite(value):
                raise self.refuse(expression.at, "The angle is not a finite number", "Give a finite real number.")
            return float(value)
        if isinstance(value, Lost):
            raise self.cannot(expression.at, f"an angle that is not known ({value.why})", KEEP_NUMBERS_FEW)
        raise self.not_known(expression, "an angle")

    def cases(self, at: syntax.Expression, function: Callable[..., Any], *operands: Decision) -> Decision:
        """The function of numbers in all of their cases."""

        def guarded(*values: Any) -> Any:
            try:
                return function(*values)
            except (ArithmeticError, ValueError) as error:
                return Lost(f"it cannot be computed: {error}")

        try:
            found = self.unfolding.decisions.of(guarded, *operands)
        except TooManyCasesError as error:
            if is_word(*operands):
                return Lost(str(error))  # it may never be used
            raise self.too_many(at, error) from None
        return self._noted(found, at)

    def in_digits(self, at: syntax.Expression, function: Callable[[], Decision]) -> Decision:
        """A number that is computed from the digits of others."""
        try:
            return self._noted(function(), at)
        except TooManyCasesError as error:
            raise self.too_many(at, error) from None

    @staticmethod
    def are_in_digits(*numbers: Decision) -> bool:
        """Whether they are integers, and one of them is kept in bits."""
        return is_word(*numbers) and all(range_of(number) is not None for number in numbers)

    def _noted(self, found: Decision, at: syntax.Expression) -> Decision:
        if isinstance(found, Choice | Word):
            real = any(isinstance(leaf, float) for leaf in leaves(found))
            if not self.computes or (real and not self.real):
                self.computed_at = at.at
            self.computes, self.real = True, self.real or real
        return found

    def too_many(self, at: syntax.Expression, error: TooManyCasesError) -> UnsupportedProgramError:
        """The error for a number of more cases than are followed, showing the place."""
        return self.cannot(at.at, f"a number of so many cases ({error})", KEEP_NUMBERS_FEW)

    def operands(
        self, left: Value, right: Value, at: tuple[syntax.Expression, syntax.Expression]
    ) -> tuple[Decision, Decision]:
        """Two values as numbers; bits beside a number that is kept in bits are one too."""
        if not is_word(left, right):
            return self.numbered(left, at[0]), self.numbered(right, at[1])
        pairs = zip((left, right), at, strict=True)
        first, second = (self._word(v) if isinstance(v, Bits) else self.numbered(v, e) for v, e in pairs)
        return first, second

    def _word(self, value: Bits) -> Word:
        return Word(tuple(self.unfolding.decisions.of_condition(one) for one in value.values), signed=False)

    def numbered(self, value: Value, at: syntax.Expression) -> Decision:
        """A value as a number: bits as an unsigned integer, a single one as a truth value."""
        if not isinstance(value, Bits):
            if isinstance(value, Qubits | Seconds):
                raise self.not_known(at, "a number")
            return value
        parts = [self.unfolding.decisions.of_condition(condition) for condition in value.values]
        if value.is_scalar:
            return parts[0]
        total: Decision = 0
        for place, part in enumerate(parts):
            if part is not False:
                total = self.cases(at, lambda sum_, bit, place=place: sum_ | int(bit) << place, total, part)
        return total

    def as_number(self, value: Bits, type_name: syntax.TypeName, at: syntax.Expression) -> Value:
        """Bits as a number of that type."""
        return self.cast(type_name, self.numbered(value, at), at)  # type: ignore[arg-type]

    def as_bits(self, value: Followed, width: int, at: syntax.Expression) -> Bits:
        """An integer as bits."""
        if isinstance(value, Word):
            return self._digits(value, width, at)
        for leaf in leaves(value):
            if isinstance(leaf, Lost):
                raise self.cannot(at.at, f"a number whose value is not known ({leaf.why})", KEEP_NUMBERS_FEW)
            if not isinstance(leaf, int) or not 0 <= leaf < 2**width:
                raise self.refuse(at.at, f"{leaf} does not fit into {width} bits", "Use more bits, or a remainder.")
        digits = (self.cases(at, lambda n, i=i: bool(n >> i & 1), value) for i in range(width))
        try:
            return Bits(tuple(self.unfolding.test(digit) for digit in digits))
        except TooManyCasesError as error:
            raise self.too_many(at, error) from None

    def _digits(self, value: Word, width: int, at: syntax.Expression) -> Bits:
        size = len(value.digits)
        if value.signed or size > width:
            kind = f"a number of {size} bits{' with a sign' if value.signed else ''}, which has no bound in the text,"
            way_out = f"Declare the number as uint[{width}], which wraps round."
            raise self.refuse(at.at, f"{kind} does not fit into {width} bits", way_out)
        digits = (*value.digits, *(False for _ in range(width - size)))
        return Bits(tuple(self.unfolding.test(digit) for digit in digits))

    def cast_cases(
        self, type_name: syntax.TypeName, size: int | None, value: Followed, expression: syntax.Expression
    ) -> Value:
        """A number as a value of that type, in all of its cases; `size` is the type's, once it is known."""
        if type_name.kind == "bit":
            if size is None:
                truth = self.truth(value, expression)
                return constant_bits(int(truth), 1) if isinstance(truth, bool) else single(truth)
            return self.as_bits(value, size, expression)
        if type_name.kind == "bool":
            return self.is_not_zero(value, expression)  # type: ignore[return-value]
        if isinstance(value, Word) and type_name.kind in {"int", "uint"}:
            return self.unfolding.decisions.word(value, size or 64, signed=type_name.kind == "int")
        plain = syntax.TypeName(type_name.kind, None if size is None else syntax.Literal(expression.at, size))
        return self.cases(expression, lambda one: self.cast(plain, one, expression), value)  # type: ignore[return-value]

    def times(self, expression: syntax.Binary, left: Value, right: Value) -> Value:
        """Arithmetic of durations."""
        op = expression.op
        if isinstance(left, Seconds) and isinstance(right, Seconds):
            if op in {"+", "-"}:
                return Seconds(left.value + right.value if op == "+" else left.value - right.value)
            if op == "/" and right.value:
                return left.value / right.value
            if op in COMPARISONS:
                return COMPARISONS[op](left.value, right.value)
        elif isinstance(left, Seconds) and isinstance(right, int | float):
            if op == "*":
                return Seconds(left.value * right)
            if op == "/" and right:
                return Seconds(left.value / right)
        elif isinstance(right, Seconds) and isinstance(left, int | float) and op == "*":
            return Seconds(left * right.value)
        raise self.refuse(
            expression.at, f"The operator {op} does not take these durations", "Write the duration as a number."
        )
