"""Subroutines of OpenQASM: their statements are read again where they are called."""

from __future__ import annotations

from collections.abc import Iterator

from antiphon.domain.circuits import Measure
from antiphon.errors import LimitError
from antiphon.frontends import openqasm_syntax as syntax
from antiphon.frontends.openqasm_conditions import Bits
from antiphon.frontends.openqasm_parser import located
from antiphon.frontends.openqasm_scope import Reading, Variable
from antiphon.frontends.openqasm_values import Qubits, Value

MAX_CALLS = 40
"""Subroutines that call one another; deeper, or recursive ones, are refused."""


class Returning(Exception):  # noqa: N818 - not an error
    """A return that is reached for certain."""

    def __init__(self, value: Value | None) -> None:
        super().__init__()
        self.value = value


class Calling(Reading):
    """Gives definitions, calls and returns of subroutines their meaning."""

    def define_subroutine(self, statement: syntax.DefineSubroutine) -> None:
        """Take up a definition."""
        if len(self.scopes) > 1:
            raise self.evaluator.refuse(statement.at, "A subroutine is defined inside a block", "Move it to the top.")
        if statement.name in self.subroutines:
            raise self.evaluator.refuse(statement.at, f"{statement.name} is defined twice", "Rename one of them.")
        self.subroutines[statement.name] = statement
        self.evaluator.subroutine = self.call_subroutine

    def call_alone(self, statement: syntax.CallAlone) -> None:
        """A call whose value is not used."""
        found = self.subroutines.get(statement.call.function)
        if found is None:
            what = "an expression whose value is not used"
            raise self.evaluator.cannot(statement.at, what, "Assign it, or remove it.")
        self._read_again(statement.call, found)

    def give_back(self, statement: syntax.Return) -> None:
        """`return`, at the end of a subroutine."""
        if not self.calls:
            raise self.evaluator.refuse(statement.at, "A return stands outside a subroutine", "Remove it.")
        depth, num_loops = self.calls[-1]
        if self.runtime_depth != depth or len(self.loops) != num_loops:
            what = "a return inside a loop, or that depends on a measurement"
            raise self.evaluator.cannot(statement.at, what, "Keep the value in a variable, and return it at the end.")
        raise Returning(None if statement.value is None else self._value_of(statement.value))

    def _value_of(self, expression: syntax.Expression) -> Value:
        if not isinstance(expression, syntax.MeasureOf):
            return self.evaluator.value(expression)
        qubits = self.evaluator.qubits(expression.qubits)
        places = [self.unfolding.new_bit() for _ in qubits.indices]
        for qubit, place in zip(qubits.indices, places, strict=True):
            self.emit(Measure(qubit, place))
        return Bits.at(places, is_scalar=qubits.is_scalar)

    def call_subroutine(self, call: syntax.CallOf) -> Value | None:
        """What a subroutine gives back for these arguments; None for a function that is none of the program's."""
        found = self.subroutines.get(call.function)
        if found is None:
            return None
        value = self._read_again(call, found)
        if found.returns is None or value is None:
            raise self.evaluator.refuse(call.at, f"{found.name} gives nothing back", "End it with a return.")
        cast = self.evaluator.cast(found.returns, value, call)
        return Bits(cast.values, cast.is_scalar) if isinstance(cast, Bits) else cast

    def _read_again(self, call: syntax.CallOf, found: syntax.DefineSubroutine) -> Value | None:
        if len(self.calls) >= MAX_CALLS:
            raise LimitError(
                f"Subroutines call one another more than {MAX_CALLS} deep, at {located(self.parsed.text, call.at)}",
                next_step="Write the inner ones out, or use a loop.",
            )
        if len(call.arguments) != len(found.parameters):
            message = f"{call.function} takes {len(found.parameters)} arguments, not {len(call.arguments)}"
            raise self.evaluator.refuse(call.at, message, "Match its definition.")
        given = dict(self._given(call, found))
        constants = {name: one for name, one in self.scopes[0].items() if one.is_const}
        outer, self.scopes = self.scopes, [constants, given]
        self.calls.append((self.runtime_depth, len(self.loops)))
        try:
            for statement in found.body:
                self.statement(statement)
        except Returning as returning:
            return returning.value
        finally:
            self.calls.pop()
            self.scopes = outer
        return None

    def _given(self, call: syntax.CallOf, found: syntax.DefineSubroutine) -> Iterator[tuple[str, Variable]]:
        for (kind, name), argument in zip(found.parameters, call.arguments, strict=True):
            value = self.evaluator.value(argument)
            if kind.kind == "qubit":
                size = 1 if kind.size is None else self.evaluator.integer(kind.size, "a number of qubits")
                if not isinstance(value, Qubits) or len(value.indices) != size:
                    what = f"{size} qubit{'s' * (size > 1)} for {name}"
                    raise self.evaluator.refuse(argument.at, f"{call.function} takes {what}", "Match its definition.")
                yield name, self.variable(Qubits(value.indices, kind.size is None))
            elif kind.kind == "bit":
                bits = self.evaluator.cast(kind, value, argument)
                assert isinstance(bits, Bits)
                yield name, self.variable(Bits(bits.values, kind.size is None), "bit", is_const=True)
            elif kind.kind in {"int", "uint", "float", "angle", "bool", "duration"}:
                number = self.evaluator.cast(kind, value, argument)
                if isinstance(number, Bits):
                    number = self.evaluator.as_number(number, kind, argument)
                yield name, self.number(number, kind.kind, kind.size)
            else:
                what = f"an argument of the type {kind.kind}"
                raise self.evaluator.cannot(found.at, what, "Pass qubits, bits and numbers.")
