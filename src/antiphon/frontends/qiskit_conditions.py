"""Qiskit's classical expressions as conditions on single bits. Bit 0 of a Qiskit register is the least significant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from qiskit.circuit import ClassicalRegister, Clbit
from qiskit.circuit.classical import expr, types

from antiphon.domain.circuits import Bit, Condition
from antiphon.frontends import comparisons

Bits: TypeAlias = list[Condition]


class InexpressibleError(Exception):
    """Valid in Qiskit, but the circuit tape has no word for it; the text says what it is."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean at one place of a program.

    Attributes:
        clbits: Index of each classical bit that the block around the place knows.
        constants: Value of each loop parameter, by name.
        variables: Bits of each loop variable.
    """

    clbits: Mapping[Clbit, int]
    constants: Mapping[str, float] = field(default_factory=dict)
    variables: Mapping[Any, Bits] = field(default_factory=dict)


def read_condition(condition: Any, scope: Scope) -> Condition:
    """The condition of an `if` or a `while`: a pair (bit or register, value) or an expression of type Bool.

    Raises:
        InexpressibleError: It needs run-time variables, integer arithmetic or floating point.
    """
    if isinstance(condition, tuple):
        target, value = condition
        if isinstance(target, Clbit):
            bit = Bit(scope.clbits[target])
            return bit if value else comparisons.negate(bit)
        return comparisons.equal(_register(target, scope.clbits), comparisons.constant(int(value)))
    return comparisons.any_of(_Reader(scope).bits(condition))


def read_target(target: Any, scope: Scope) -> Bits:
    """The bits of the number that a `switch` looks at, least significant first."""
    if isinstance(target, Clbit):
        return [Bit(scope.clbits[target])]
    if isinstance(target, ClassicalRegister):
        return _register(target, scope.clbits)
    return _Reader(scope).bits(target)


def _register(register: ClassicalRegister, clbits: Mapping[Clbit, int]) -> Bits:
    return [Bit(clbits[bit]) for bit in register]


class _Reader:
    """Evaluates an expression to its bits; a Bool is a number of one bit."""

    def __init__(self, scope: Scope) -> None:
        self._clbits = scope.clbits
        self._variables = scope.variables

    def bits(self, node: Any) -> Bits:
        match node:
            case expr.Value():
                return self._value(node)
            case expr.Var():
                return self._var(node)
            case expr.Cast():
                return self._cast(node)
            case expr.Index():
                return self._index(node)
            case expr.Unary():
                return self._unary(node)
            case expr.Binary():
                return self._binary(node)
        raise InexpressibleError(f"the classical expression {type(node).__name__}")

    def _value(self, node: Any) -> Bits:
        if not isinstance(node.type, types.Bool | types.Uint):
            raise InexpressibleError(f"a classical value of type {node.type!r}")
        return _fit(comparisons.constant(int(node.value)), node.type)

    def _var(self, node: Any) -> Bits:
        if isinstance(node.var, Clbit):
            return [Bit(self._clbits[node.var])]
        if isinstance(node.var, ClassicalRegister):
            return _register(node.var, self._clbits)
        if node in self._variables:
            return _fit(self._variables[node], node.type)
        raise InexpressibleError(f"the run-time variable {node.name!r}")

    def _cast(self, node: Any) -> Bits:
        bits = self.bits(node.operand)
        if isinstance(node.type, types.Bool):
            return [comparisons.any_of(bits)]
        if isinstance(node.type, types.Uint):
            return _fit(bits, node.type)
        raise InexpressibleError(f"a cast to {node.type!r}")

    def _index(self, node: Any) -> Bits:
        if not isinstance(node.index, expr.Value):
            raise InexpressibleError("a register index that is known only at run time")
        bits = self.bits(node.target)
        position = int(node.index.value)
        return [bits[position] if position < len(bits) else False]

    def _unary(self, node: Any) -> Bits:
        bits = self.bits(node.operand)
        if node.op is expr.Unary.Op.BIT_NOT:
            return [comparisons.negate(bit) for bit in bits]
        if node.op is expr.Unary.Op.LOGIC_NOT:
            return [comparisons.negate(comparisons.any_of(bits))]
        raise InexpressibleError(f"the operator {node.op.name} on a classical value")

    def _binary(self, node: Any) -> Bits:
        op = expr.Binary.Op
        if node.op in (op.SHIFT_LEFT, op.SHIFT_RIGHT):
            return self._shift(node)
        combine = _BITWISE.get(node.op)
        compare = _COMPARISONS.get(node.op)
        if combine is None and compare is None:
            raise InexpressibleError(f"the arithmetic operator {node.op.name} on registers")
        left, right = self.bits(node.left), self.bits(node.right)
        if compare is not None:
            return [compare(left, right)]
        assert combine is not None
        width = max(len(left), len(right))
        left += [False] * (width - len(left))
        right += [False] * (width - len(right))
        return [combine(a, b) for a, b in zip(left, right, strict=True)]

    def _shift(self, node: Any) -> Bits:
        if not isinstance(node.right, expr.Value):
            raise InexpressibleError("a shift by a number that is known only at run time")
        bits, distance = self.bits(node.left), int(node.right.value)
        width = len(bits)
        distance = min(distance, width)
        if node.op is expr.Binary.Op.SHIFT_LEFT:
            return [*([False] * distance), *bits[: width - distance]]
        return [*bits[distance:], *([False] * distance)]


_BITWISE: Mapping[Any, Callable[[Condition, Condition], Condition]] = {
    expr.Binary.Op.BIT_AND: lambda a, b: comparisons.all_of([a, b]),
    expr.Binary.Op.LOGIC_AND: lambda a, b: comparisons.all_of([a, b]),
    expr.Binary.Op.BIT_OR: lambda a, b: comparisons.any_of([a, b]),
    expr.Binary.Op.LOGIC_OR: lambda a, b: comparisons.any_of([a, b]),
    expr.Binary.Op.BIT_XOR: comparisons.differ,
}

_COMPARISONS: Mapping[Any, Callable[[Bits, Bits], Condition]] = {
    expr.Binary.Op.EQUAL: comparisons.equal,
    expr.Binary.Op.NOT_EQUAL: lambda a, b: comparisons.negate(comparisons.equal(a, b)),
    expr.Binary.Op.LESS: comparisons.less,
    expr.Binary.Op.LESS_EQUAL: lambda a, b: comparisons.negate(comparisons.less(b, a)),
    expr.Binary.Op.GREATER: lambda a, b: comparisons.less(b, a),
    expr.Binary.Op.GREATER_EQUAL: lambda a, b: comparisons.negate(comparisons.less(a, b)),
}


def _fit(bits: Bits, kind: Any) -> Bits:
    """Cut or fill with zeros to the width of a classical type."""
    width = kind.width if isinstance(kind, types.Uint) else 1
    return [*bits[:width], *([False] * (width - len(bits)))]
