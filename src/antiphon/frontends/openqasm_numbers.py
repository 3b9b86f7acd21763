"""Numbers of an OpenQASM program that depend on measured bits: computed in all of their cases while it is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from antiphon.domain.circuits import Affine, Angle, Call, Condition
from antiphon.domain.decisions import Choice, Decision
from antiphon.errors import ProgramError, UnsupportedProgramError
from antiphon.frontends import openqasm_syntax as syntax
from antiphon.frontends.comparisons import any_of
from antiphon.frontends.decisions import Lost, TooManyCasesError, leaves
from antiphon.frontends.openqasm_conditions import Bits, constant_bits, single
from antiphon.frontends.openqasm_parser import located, unsupported
from antiphon.frontends.openqasm_values import Qubits, Seconds, Value
from antiphon.frontends.unfolding import Unfolding

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
        if isinstance(value, Choice):
            try:
                return self.unfolding.test(self.unfolding.known(self.cases(expression, bool, value)))
            except TooManyCasesError as error:
                raise self.too_many(expression, error) from None
        raise self.not_known(expression, "a condition")

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
            raise self.too_many(at, error) from None
        if isinstance(found, Choice):
            real = any(isinstance(leaf, float) for leaf in leaves(found))
            if not self.computes or (real and not self.real):
                self.computed_at = at.at
            self.computes, self.real = True, self.real or real
        return found

    def too_many(self, at: syntax.Expression, error: TooManyCasesError) -> UnsupportedProgramError:
        """The error for a number of more cases than are followed, showing the place."""
        return self.cannot(at.at, f"a number of so many cases ({error})", KEEP_NUMBERS_FEW)

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

    def as_bits(self, value: Choice, width: int, at: syntax.Expression) -> Bits:
        """An integer as bits."""
        for leaf in leaves(value):
            if not isinstance(leaf, int) or not 0 <= leaf < 2**width:
                shown = leaf.why if isinstance(leaf, Lost) else leaf
                raise self.refuse(at.at, f"{shown} does not fit into {width} bits", "Use more bits, or a remainder.")
        digits = (self.cases(at, lambda n, i=i: bool(n >> i & 1), value) for i in range(width))
        try:
            return Bits(tuple(self.unfolding.test(digit) for digit in digits))
        except TooManyCasesError as error:
            raise self.too_many(at, error) from None

    def cast_cases(
        self, type_name: syntax.TypeName, size: int | None, value: Choice, expression: syntax.Expression
    ) -> Value:
        """A number as a value of that type, in all of its cases; `size` is the type's, once it is known."""
        if type_name.kind == "bit":
            if size is None:
                truth = self.truth(value, expression)
                return constant_bits(int(truth), 1) if isinstance(truth, bool) else single(truth)
            return self.as_bits(value, size, expression)
        if type_name.kind == "bool":
            return self.cases(expression, bool, value)  # type: ignore[return-value]
        plain = syntax.TypeName(type_name.kind, None if size is None else syntax.Literal(expression.at, size))
        return self.cases(expression, lambda one: self.cast(plain, one, expression), value)  # type: ignore[return-value]
