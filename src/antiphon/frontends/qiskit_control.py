"""Control flow and classical variables of a Qiskit circuit.

Conditions on measured bits stay conditions; run-time variables are followed through all of their cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from qiskit.circuit import (
    CASE_DEFAULT,
    BoxOp,
    ClassicalRegister,
    Clbit,
    ControlFlowOp,
    ForLoopOp,
    IfElseOp,
    Parameter,
    QuantumCircuit,
    Store,
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.circuit.classical import expr, types

from antiphon.domain import circuits as tape
from antiphon.domain.circuits import Condition, bits_read, leaves_loop
from antiphon.domain.decisions import Decision
from antiphon.frontends import comparisons
from antiphon.frontends.decisions import TooManyCasesError, same
from antiphon.frontends.hidden import FIRST_HIDDEN
from antiphon.frontends.qiskit_conditions import InexpressibleError, Scope, read_condition, read_target
from antiphon.frontends.qiskit_numbers import NumberReader, needs_numbers
from antiphon.frontends.unfolding import Unfolding
from antiphon.frontends.unfolding_loops import EndlessError
from antiphon.frontends.unfolding_ways import LeftEarlyError, decide, repeat


class ControlReader:
    """The part of reading a circuit that knows control flow; a subclass reads the blocks."""

    def __init__(self) -> None:
        self.loop_parameters: list[Parameter] = []
        self.variables: list[Any] = []
        self.unfolding = Unfolding(FIRST_HIDDEN, lambda _: None)
        self.numbers = NumberReader(self.unfolding)
        self._expanded = 0

    @property
    def num_hidden(self) -> int:
        """How many classical bits beside the circuit's own are used."""
        return self.unfolding.num_bits - FIRST_HIDDEN

    def _block(
        self, block: QuantumCircuit, targets: Sequence[int], clbits: Iterable[Clbit], scope: Scope
    ) -> list[tape.Operation]:
        raise NotImplementedError

    def _count(self, operations: int, *, loop: int = 0) -> None:
        raise NotImplementedError

    def _emit(self, operations: Iterable[tape.Operation]) -> None:
        self.unfolding.operations.extend(operations)

    # --- Variables ----------------------------------------------------------------------------------------------------

    def _store(self, operation: Store, scope: Scope) -> None:
        target, value = operation.lvalue, operation.rvalue
        if isinstance(target, expr.Var) and not isinstance(target.var, Clbit | ClassicalRegister):
            if target not in self.variables:
                self.variables.append(target)
            self.unfolding.values[target] = self.numbers.value(value, scope)
            return
        places = _places(target, scope)
        if needs_numbers(value, scope.variables):
            bits = self.numbers.bits(value, scope, len(places))
        else:
            bits = read_target(value, scope)
            if isinstance(target.type, types.Bool):
                bits = [comparisons.any_of(bits)]
            bits = [*bits, *([False] * len(places))][: len(places)]
        if len(places) > 1 and any(bits_read(bit) & set(places) for bit in bits):
            # The bits are written one after the other, and the value reads some of them.
            copies = [self.unfolding.new_bit() for _ in places]
            self._emit(tape.AssignBit(copy, bit) for copy, bit in zip(copies, bits, strict=True))
            bits = [tape.Bit(copy) for copy in copies]
        for place, bit in zip(places, bits, strict=True):
            self.unfolding.keep(place)
            self._emit([tape.AssignBit(place, bit)])

    def _condition(self, condition: Any, scope: Scope) -> Condition:
        if needs_numbers(condition, scope.variables):
            return self.numbers.condition(condition, scope)
        return read_condition(condition, scope)

    def _decision(self, condition: Any, scope: Scope) -> Decision:
        if needs_numbers(condition, scope.variables):
            return self.numbers.truth(self.numbers.followed(condition, scope))
        return self.unfolding.decisions.of_condition(read_condition(condition, scope))

    # --- Control flow -------------------------------------------------------------------------------------------------

    def _control_flow(
        self, operation: ControlFlowOp, targets: Sequence[int], clbits: Sequence[Clbit], scope: Scope
    ) -> None:
        def body(block: QuantumCircuit) -> list[tape.Operation]:
            made = self._block(block, targets, clbits, scope)
            self._emit(made)
            return made

        match operation:
            case IfElseOp():
                then, otherwise = operation.blocks[0], operation.blocks[1:]
                decide(
                    self.unfolding,
                    self._condition(operation.condition, scope),
                    lambda: _drop(body(then)),
                    lambda: _drop([body(one) for one in otherwise]),
                )
            case WhileLoopOp():
                self._while(operation, body, scope)
            case SwitchCaseOp():
                self._switch(operation, body, scope)
            case ForLoopOp():
                self._emit(self._for(operation, targets, clbits, scope))
            case BoxOp() if operation.duration is None:
                body(operation.body)
            case _:
                raise InexpressibleError(f"the control flow {operation.name!r}")

    def _while(self, operation: WhileLoopOp, body: Any, scope: Scope) -> None:
        condition, block = operation.condition, operation.blocks[0]
        try:
            repeat(
                self.unfolding,
                lambda: self._condition(condition, scope),
                lambda: self._decision(condition, scope),
                lambda: leaves_loop(body(block)),
                counted=needs_numbers(condition, scope.variables),
            )
        except LeftEarlyError:
            raise InexpressibleError("a loop that a break or continue may leave while it changes a variable") from None
        except EndlessError:
            raise InexpressibleError("a loop that nothing ends") from None
        except TooManyCasesError as error:
            raise InexpressibleError(f"a loop of so many cases ({error})") from None

    def _switch(self, operation: SwitchCaseOp, body: Any, scope: Scope) -> None:
        target = operation.target
        if needs_numbers(target, scope.variables):
            width = target.type.width if isinstance(target.type, types.Uint) else 1
            bits = self.numbers.bits(target, scope, width)
        else:
            bits = read_target(target, scope)

        def chain(cases: list[tuple[Any, QuantumCircuit]]) -> None:
            if not cases:
                return
            (values, block), *rest = cases
            matches = comparisons.any_of(
                True if value is CASE_DEFAULT else comparisons.equal(bits, comparisons.constant(int(value)))
                for value in values
            )
            decide(self.unfolding, matches, lambda: _drop(body(block)), lambda: chain(rest))

        chain(list(operation.cases_specifier()))

    def _for(
        self, operation: ForLoopOp, targets: Sequence[int], clbits: Sequence[Clbit], scope: Scope
    ) -> Iterable[tape.Operation]:
        indexset, parameter, block = operation.params
        if not isinstance(indexset, range | tuple):
            raise InexpressibleError("a for-loop over a range that is known only at run time")
        turns = _length(indexset)
        if turns == 0:
            return []
        if isinstance(parameter, Parameter):
            self.loop_parameters.append(parameter)
        before, held = self._expanded, dict(self.unfolding.values)
        bodies = [self._turn(block, targets, clbits, scope, parameter, indexset[0])]
        self._count(max(1, self._expanded - before) * (turns - 1), loop=turns)
        self._expanded = before
        met = len(self.loop_parameters)
        changes = any(not same(self.unfolding.values[place], value) for place, value in held.items())
        may_leave = leaves_loop(bodies[0])
        if changes and may_leave:
            raise InexpressibleError("a loop that a break or continue may leave while it changes a variable")
        if parameter is None and not self.unfolding.values:
            self._expanded += sum(1 for _ in _walk(bodies[0])) * turns
            bodies *= turns
        else:
            bodies += [self._turn(block, targets, clbits, scope, parameter, value) for value in _after_first(indexset)]
        del self.loop_parameters[met:]
        if may_leave:
            return [tape.For(tuple(bodies))]
        # A loop nobody leaves is its bodies in a row, and stays static when they are.
        return (operation for body in bodies for operation in body)

    def _turn(
        self,
        block: QuantumCircuit,
        targets: Sequence[int],
        clbits: Sequence[Clbit],
        scope: Scope,
        parameter: Any,
        value: int,
    ) -> tuple[tape.Operation, ...]:
        if isinstance(parameter, Parameter):
            scope = replace(scope, constants={**scope.constants, parameter.name: float(value)})
        elif isinstance(parameter, expr.Var):
            if value < 0:
                raise InexpressibleError(f"the loop variable {parameter.name!r}, which takes a negative value")
            scope = replace(scope, variables={**scope.variables, parameter: comparisons.constant(value)})
        return tuple(self._block(block, targets, clbits, scope))


def _drop(_: object) -> None:
    """What was emitted is on the tape."""


def _places(target: Any, scope: Scope) -> list[int]:
    """The classical bits that a store writes."""
    match target:
        case expr.Var(var=Clbit() as bit):
            return [scope.clbits[bit]]
        case expr.Var(var=ClassicalRegister() as register):
            return [scope.clbits[bit] for bit in register]
        case expr.Index(target=expr.Var(var=ClassicalRegister() as register), index=expr.Value(value=int() as index)):
            return [scope.clbits[register[index]]]
    raise InexpressibleError("a store to a place that is known only at run time")


def _length(indexset: range | tuple[int, ...]) -> int:
    try:
        return len(indexset)
    except OverflowError:  # a range longer than a machine word counts
        return 2**63


def _after_first(indexset: range | tuple[int, ...]) -> Iterator[int]:
    values = iter(indexset)
    next(values)
    return values


def _walk(operations: tuple[tape.Operation, ...]) -> Iterator[tape.Operation]:
    return tape.Circuit(0, (), (), operations).walk()
