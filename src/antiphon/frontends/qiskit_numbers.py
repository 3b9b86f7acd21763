"""Qiskit's run-time variables and arithmetic: values followed through all of their cases."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from qiskit.circuit import ClassicalRegister, Clbit
from qiskit.circuit.classical import expr, types

from antiphon.domain.circuits import Condition
from antiphon.domain.decisions import Choice, Decision, Word
from antiphon.frontends.decisions import Lost, TooManyCasesError, leaves
from antiphon.frontends.qiskit_conditions import InexpressibleError, Scope, read_target
from antiphon.frontends.unfolding import Unfolding
from antiphon.frontends.words import Words, is_word

_BITS = (
    expr.Binary.Op.BIT_AND,
    expr.Binary.Op.BIT_OR,
    expr.Binary.Op.BIT_XOR,
    expr.Binary.Op.LOGIC_AND,
    expr.Binary.Op.LOGIC_OR,
)


def needs_numbers(node: Any, variables: Mapping[Any, Any]) -> bool:
    """Whether an expression reads a run-time variable or computes, so that conditions on bits do not say it.

    Args:
        node: What Qiskit takes as a condition, a target, or a value.
        variables: Variables whose bits are known (indices of loops).
    """
    match node:
        case expr.Var():
            return not isinstance(node.var, Clbit | ClassicalRegister) and node not in variables
        case expr.Value():
            return isinstance(node.type, types.Float)
        case expr.Cast():
            return isinstance(node.type, types.Float) or needs_numbers(node.operand, variables)
        case expr.Unary():
            return node.op is expr.Unary.Op.NEGATE or needs_numbers(node.operand, variables)
        case expr.Index():
            return not isinstance(node.index, expr.Value) or needs_numbers(node.target, variables)
        case expr.Binary():
            if node.op in _ARITHMETIC or (node.op in _SHIFTS and not isinstance(node.right, expr.Value)):
                return True
            return needs_numbers(node.left, variables) or needs_numbers(node.right, variables)
    return False


class NumberReader:
    """Evaluates expressions in all of their cases.

    Attributes:
        computes: A value that depends on measured bits was computed.
        real: One of floating point.
    """

    def __init__(self, unfolding: Unfolding) -> None:
        self._unfolding = unfolding
        self._words = Words(unfolding)
        self.computes = False
        self.real = False

    def value(self, node: Any, scope: Scope) -> Decision:
        """The value: a bool, an integer that is not negative, or a float.

        Raises:
            InexpressibleError: It has more cases than are followed, or is of a kind that no circuit holds.
        """
        try:
            return self.followed(node, scope)
        except TooManyCasesError as error:
            raise InexpressibleError(f"a value of so many cases ({error})") from None

    def condition(self, node: Any, scope: Scope) -> Condition:
        """A truth value as a condition, for use right here."""
        truth = self.value(node, scope)
        try:
            return self._unfolding.test(self._unfolding.known(self.truth(truth)))
        except TooManyCasesError as error:
            raise InexpressibleError(f"a condition that is not known ({error})") from None

    def truth(self, number: Decision) -> Decision:
        """Whether a number is another than 0."""
        return self._words.is_not_zero(number) if is_word(number) else self._of(bool, number)

    def bits(self, node: Any, scope: Scope, width: int) -> list[Condition]:
        """An unsigned integer or truth value as conditions, least significant first."""
        number = self.value(node, scope)
        try:
            if isinstance(number, Word):
                digits = self._unfolding.decisions.word(number, width, signed=False).digits
                return [self._unfolding.test(digit) for digit in digits]
            return [
                self._unfolding.test(self._of(lambda n, at=place: bool(int(n) >> at & 1), number))
                for place in range(width)
            ]
        except TooManyCasesError as error:
            raise InexpressibleError(f"a value that is not known ({error})") from None

    def _of(self, function: Callable[..., Any], *operands: Decision) -> Decision:
        def guarded(*values: Any) -> Any:
            try:
                return function(*values)
            except (ArithmeticError, ValueError) as error:
                return Lost(f"it cannot be computed: {error}")

        try:
            found = self._unfolding.decisions.of(guarded, *operands)
        except TooManyCasesError as error:
            if not is_word(*operands):
                raise
            return Lost(str(error))  # it may never be used
        return self._noted(found)

    def _noted(self, found: Decision) -> Decision:
        if isinstance(found, Choice | Word):
            self.computes = True
            self.real |= any(isinstance(leaf, float) for leaf in leaves(found))
        return found

    def followed(self, node: Any, scope: Scope) -> Decision:
        """The same as `value`, but raises `TooManyCasesError` as it is."""
        if not needs_numbers(node, scope.variables):
            return self._from_bits(node, scope)
        match node:
            case expr.Value():
                return float(node.value)
            case expr.Var():
                if node not in self._unfolding.values:
                    raise InexpressibleError(f"the run-time variable {node.name!r}, which nothing has set")
                return self._unfolding.values[node]
            case expr.Cast() | expr.Unary():
                operand = self.followed(node.operand, scope)
                if isinstance(operand, Word):
                    return self._noted(self._in_digits(node, operand))
                return self._of(_conversion(node.type) if isinstance(node, expr.Cast) else _unary(node), operand)
            case expr.Index():
                target, index = self.followed(node.target, scope), self.followed(node.index, scope)
                if isinstance(target, Word) and isinstance(index, int):
                    return target.digits[index] if index < len(target.digits) else False
                return self._of(lambda n, at: bool(int(n) >> int(at) & 1), target, index)
            case expr.Binary():
                operands = self.followed(node.left, scope), self.followed(node.right, scope)
                if is_word(*operands) and node.op in _WRITTEN:
                    return self._noted(self._kept(node.type, self._words.computed(_WRITTEN[node.op], *operands)))
                return self._of(_binary(node), *operands)
        raise InexpressibleError(f"the classical expression {type(node).__name__}")

    def _in_digits(self, node: Any, operand: Word) -> Decision:
        """A conversion of a number that is kept in bits, or an operator on it."""
        if isinstance(node, expr.Cast):
            return self._kept(node.type, operand)
        if node.op is expr.Unary.Op.BIT_NOT:
            return self._kept(node.type, self._words.inverted(operand))
        return self._of(_unary(node), operand)

    def _kept(self, kind: Any, number: Decision) -> Decision:
        """The number as a value of that type: unsigned integers wrap round."""
        match kind:
            case types.Uint() if is_word(number):
                return self._unfolding.decisions.word(number, kind.width, signed=False)
            case types.Bool() if is_word(number):
                return self._words.is_not_zero(number)
        return self._of(_conversion(kind), number)

    def _from_bits(self, node: Any, scope: Scope) -> Decision:
        bits = [self._unfolding.decisions.of_condition(bit) for bit in read_target(node, scope)]
        if isinstance(node, Clbit) or (isinstance(node, expr.Expr) and isinstance(node.type, types.Bool)):
            return bits[0]
        total: Decision = 0
        for place, bit in enumerate(bits):
            if bit is not False:
                total = self._unfolding.decisions.of(lambda sum_, one, at=place: sum_ | int(one) << at, total, bit)
        return total


_SHIFTS: dict[Any, Callable[[int, int], int]] = {
    expr.Binary.Op.SHIFT_LEFT: lambda a, b: a << min(b, 128),
    expr.Binary.Op.SHIFT_RIGHT: operator.rshift,
}
_ARITHMETIC: dict[Any, Callable[[Any, Any], Any]] = {
    expr.Binary.Op.ADD: operator.add,
    expr.Binary.Op.SUB: operator.sub,
    expr.Binary.Op.MUL: operator.mul,
}
_OTHERS: dict[Any, Callable[[Any, Any], Any]] = {
    expr.Binary.Op.BIT_AND: operator.and_,
    expr.Binary.Op.BIT_OR: operator.or_,
    expr.Binary.Op.BIT_XOR: operator.xor,
    expr.Binary.Op.LOGIC_AND: lambda a, b: bool(a) and bool(b),
    expr.Binary.Op.LOGIC_OR: lambda a, b: bool(a) or bool(b),
    expr.Binary.Op.EQUAL: operator.eq,
    expr.Binary.Op.NOT_EQUAL: operator.ne,
    expr.Binary.Op.LESS: operator.lt,
    expr.Binary.Op.LESS_EQUAL: operator.le,
    expr.Binary.Op.GREATER: operator.gt,
    expr.Binary.Op.GREATER_EQUAL: operator.ge,
}
_ARITHMETIC[expr.Binary.Op.DIV] = lambda a, b: a // b if isinstance(a, int) and isinstance(b, int) else a / b


_WRITTEN = {
    expr.Binary.Op.ADD: "+",
    expr.Binary.Op.SUB: "-",
    expr.Binary.Op.MUL: "*",
    expr.Binary.Op.DIV: "/",
    expr.Binary.Op.BIT_AND: "&",
    expr.Binary.Op.BIT_OR: "|",
    expr.Binary.Op.BIT_XOR: "^",
    expr.Binary.Op.SHIFT_LEFT: "<<",
    expr.Binary.Op.SHIFT_RIGHT: ">>",
    expr.Binary.Op.EQUAL: "==",
    expr.Binary.Op.NOT_EQUAL: "!=",
    expr.Binary.Op.LESS: "<",
    expr.Binary.Op.LESS_EQUAL: "<=",
    expr.Binary.Op.GREATER: ">",
    expr.Binary.Op.GREATER_EQUAL: ">=",
}


def _binary(node: Any) -> Callable[[Any, Any], Any]:
    function = _ARITHMETIC.get(node.op) or _SHIFTS.get(node.op) or _OTHERS.get(node.op)
    if function is None or isinstance(node.left.type, types.Duration):
        raise InexpressibleError(f"the operator {node.op.name} on values of type {node.left.type!r}")
    kept = _conversion(node.type)
    return lambda a, b: kept(function(a, b))


def _unary(node: Any) -> Callable[[Any], Any]:
    match node.op:
        case expr.Unary.Op.LOGIC_NOT:
            return lambda a: not a
        case expr.Unary.Op.BIT_NOT if isinstance(node.type, types.Bool):
            return lambda a: not a
        case expr.Unary.Op.BIT_NOT:
            kept = _conversion(node.type)
            return lambda a: kept(~int(a))
        case expr.Unary.Op.NEGATE if isinstance(node.type, types.Float):
            return operator.neg
    raise InexpressibleError(f"the operator {node.op.name} on a value of type {node.type!r}")


def _conversion(kind: Any) -> Callable[[Any], Any]:
    """Makes a value one of that type: unsigned integers wrap round."""
    match kind:
        case types.Bool():
            return bool
        case types.Uint():
            mask = (1 << kind.width) - 1
            return lambda value: int(value) & mask
        case types.Float():
            return float
    raise InexpressibleError(f"a classical value of type {kind!r}")
