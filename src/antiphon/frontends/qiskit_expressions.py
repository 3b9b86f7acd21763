"""Conditions of a circuit as Qiskit's classical expressions, for what runs or compiles circuits with Qiskit."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit.circuit import Clbit
from qiskit.circuit.classical import expr

from antiphon.domain.circuits import AllOf, AnyOf, Bit, Condition, Not


def expression_of(condition: Condition, clbits: Sequence[Clbit]) -> expr.Expr:
    """The condition as an expression of type Bool; bit i of the circuit is `clbits[i]`."""
    match condition:
        case bool():
            return expr.lift(condition)
        case Bit(index):
            return expr.lift(clbits[index])
        case Not(operand):
            return expr.logic_not(expression_of(operand, clbits))
    if not condition.operands:
        return expr.lift(isinstance(condition, AllOf))
    join = expr.logic_and if isinstance(condition, AllOf) else expr.bit_xor
    join = expr.logic_or if isinstance(condition, AnyOf) else join
    joined, *rest = (expression_of(operand, clbits) for operand in condition.operands)
    for operand in rest:
        joined = join(joined, operand)
    return joined
