"""Control flow of OpenQASM: decided while the text is read where it can be, left to the circuit where bits decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from antiphon.domain.circuits import Affine, Break, Call, Condition, Continue, For, Operation
from antiphon.domain.decisions import Choice, Word
from antiphon.frontends import openqasm_syntax as syntax
from antiphon.frontends.comparisons import any_of
from antiphon.frontends.decisions import Lost, TooManyCasesError
from antiphon.frontends.openqasm_conditions import Bits, compare, constant_bits
from antiphon.frontends.openqasm_scope import KEEP_IN_BITS, Loop, Reading, StopReading
from antiphon.frontends.openqasm_values import Value
from antiphon.frontends.unfolding_loops import EndlessError
from antiphon.frontends.unfolding_ways import LeftEarlyError, decide, repeat

NO_BREAK = "Put the rest of the loop into an if in the place of the break."


class Controlling(Reading):
    """Gives branches and loops their meaning."""

    def branch(self, statement: syntax.Branch) -> None:
        """Choose the branch, or leave the choice to measured bits."""
        condition = self.evaluator.condition(statement.condition)
        if isinstance(condition, bool):
            self.inline(statement.then if condition else statement.otherwise)
            return
        self.decide(condition, lambda: self.inline(statement.then), lambda: self.inline(statement.otherwise))

    def decide(self, condition: Condition, then: Callable[[], None], otherwise: Callable[[], None]) -> None:
        """Two ways, between which measured bits decide; numbers that they leave different depend on those bits."""
        if isinstance(condition, bool):
            (then if condition else otherwise)()
            return
        decide(self.unfolding, condition, lambda: self.guarded(then), lambda: self.guarded(otherwise))

    def switch(self, statement: syntax.Switch) -> None:
        """A switch, as nested branches."""
        value = self.evaluator.value(statement.target)
        chosen = [
            (labels, [self.evaluator.integer(x, "a case") for x in labels], body) for labels, body in statement.cases
        ]
        seen = [number for _, numbers, _ in chosen for number in numbers]
        if len(set(seen)) != len(seen):
            raise self.evaluator.refuse(statement.at, "Two cases have the same label", "Remove one of them.")
        if isinstance(value, int):
            bodies = [body for _, numbers, body in chosen if value in numbers]
            self.inline(bodies[0] if bodies else statement.default or ())
            return
        if isinstance(value, Choice | Lost):
            tests = [
                self.evaluator.truth(
                    self.evaluator.cases(statement.target, lambda one, of=numbers: one in of, value),  # type: ignore[arg-type]
                    statement.target,
                )
                for _, numbers, _ in chosen
            ]
        elif isinstance(value, Word):
            tests = [any_of([self._is(value, number, statement.target) for number in of]) for _, of, _ in chosen]
        elif isinstance(value, Bits):
            tests = [any_of([self._equals(value, number) for number in numbers]) for _, numbers, _ in chosen]
        else:
            raise self.evaluator.refuse(statement.at, "A switch takes an integer or bits", "Switch on a register.")
        self._switched([(test, body) for test, (_, _, body) in zip(tests, chosen, strict=True)], statement.default)

    def _is(self, value: Word, number: int, at: syntax.Expression) -> Condition:
        holds = self.evaluator.in_digits(at, lambda: self.evaluator.words.compared("==", value, number))
        return self.unfolding.test(holds)

    def _switched(
        self,
        cases: Sequence[tuple[Condition, tuple[syntax.Statement, ...]]],
        default: tuple[syntax.Statement, ...] | None,
    ) -> None:
        if not cases:
            self.inline(default or ())
            return
        (test, body), *rest = cases
        self.decide(test, lambda: self.inline(body), lambda: self._switched(rest, default))

    def _equals(self, value: Bits, number: int) -> Condition:
        if number < 0:
            return False
        return compare("==", value, constant_bits(number, max(len(value.values), number.bit_length())))

    def for_each(self, statement: syntax.ForEach) -> None:
        """Unroll a counted loop; it stays a loop only where measured bits may leave it."""
        items = self._loop_items(statement)
        loop = Loop(self.runtime_depth)
        self.loops.append(loop)
        bodies: list[tuple[Operation, ...]] = []
        try:
            for item in items:
                operations, stop = self._turn(statement, item)
                bodies.append(operations)
                if stop == "break":
                    break
        finally:
            self.loops.pop()
        if loop.may_stop:
            self.unfolding.operations.append(For(tuple(bodies)))
        else:
            for body in bodies:
                self.unfolding.operations.extend(body)

    def _loop_items(self, statement: syntax.ForEach) -> Iterable[Value]:
        if isinstance(statement.items, syntax.Slice | syntax.SetOf):
            if isinstance(statement.items, syntax.SetOf):
                return [self.evaluator.value(value) for value in statement.items.values]
            turns = self.evaluator.items(statement.items)
            self.step(len(turns))  # before the first turn: a loop of a thousand million turns is refused at once
            return turns
        value = self.evaluator.value(statement.items)
        if isinstance(value, Bits) and not value.is_scalar:
            places = value.places or (None,) * len(value.values)
            return [
                Bits((condition,), True, None if place is None else (place,))
                for condition, place in zip(value.values, places, strict=True)
            ]
        raise self.evaluator.refuse(statement.at, "A loop runs over a range, a set or a register of bits", "Use [a:b].")

    def _turn(self, statement: syntax.ForEach, item: Value) -> tuple[tuple[Operation, ...], str]:
        """One turn of a counted loop, and the break or continue that ended it for certain."""
        stop = ""

        def fill() -> None:
            nonlocal stop
            try:
                with self.scope():
                    kind, value = statement.type.kind, item
                    if not isinstance(value, Bits | Affine | Call):
                        value = self.evaluator.cast(statement.type, value, syntax.Literal(statement.at, 0))
                    self.declare(statement.at, statement.name, self.variable(value, kind, is_const=True))
                    self.inline(statement.body)
            except StopReading as reached:
                if reached.word == "end":
                    raise
                stop = reached.word

        return self.unfolding.block(fill), stop

    def repeat(self, statement: syntax.Repeat) -> None:
        """A loop on measured bits, or one on numbers, which is unrolled."""
        if self._calls(statement.condition):
            what = "a subroutine in the condition of a while loop"
            raise self.evaluator.cannot(statement.at, what, "Call it in the loop, and keep what it returns in a bit.")
        if self._is_counted(statement.condition):
            self._counted_while(statement)
            return
        self._measured_while(statement)

    def _measured_while(self, statement: syntax.Repeat) -> None:
        """A loop on measured bits; one that carries numbers is written turn by turn, or carries them in bits."""
        try:
            repeat(
                self.unfolding,
                lambda: self.evaluator.condition(statement.condition),
                lambda: self.evaluator.decision(statement.condition),
                lambda: self._while_body(statement),
                counted=self._is_counted(statement.condition),
            )
        except LeftEarlyError:
            what = "a loop that a break or continue may leave while it changes a number"
            raise self.evaluator.cannot(statement.at, what, NO_BREAK) from None
        except TooManyCasesError as error:
            raise self.evaluator.cannot(statement.at, f"a loop of so many cases ({error})", KEEP_IN_BITS) from None
        except EndlessError:
            way_out = "Measure what its condition reads."
            raise self.evaluator.refuse(statement.at, "Nothing ends the loop", way_out) from None

    def _while_body(self, statement: syntax.Repeat) -> bool:
        loop = Loop(self.runtime_depth + 1)
        self.loops.append(loop)

        def fill() -> None:
            try:
                self.inline(statement.body)
            except StopReading as stop:
                if stop.word == "end":
                    raise
                loop.may_stop = True
                self.unfolding.operations.append(Break() if stop.word == "break" else Continue())

        try:
            self.guarded(fill)
        finally:
            self.loops.pop()
        return loop.may_stop

    def _calls(self, condition: syntax.Expression) -> bool:
        """Whether the condition calls a subroutine of the program, which may do more than compute."""
        match condition:
            case syntax.CallOf(_, function, arguments):
                return function in self.subroutines or any(map(self._calls, arguments))
            case syntax.Unary(_, _, operand) | syntax.CastTo(_, _, operand):
                return self._calls(operand)
            case syntax.Binary(_, _, left, right):
                return self._calls(left) or self._calls(right)
            case _:
                return False

    def _is_counted(self, condition: syntax.Expression) -> bool:
        """Whether the condition reads a variable number, so that its turns are counted while the text is read."""
        match condition:
            case syntax.Name(_, name):
                found = next((scope[name] for scope in reversed(self.scopes) if name in scope), None)
                return found is not None and not found.is_const and found.kind not in {"", "bit"}
            case syntax.Unary(_, _, operand) | syntax.CastTo(_, _, operand):
                return self._is_counted(operand)
            case syntax.Binary(_, _, left, right):
                return self._is_counted(left) or self._is_counted(right)
            case _:
                return False

    def _counted_while(self, statement: syntax.Repeat) -> None:
        turn = syntax.ForEach(statement.at, syntax.TypeName("int"), " turn", statement.condition, statement.body)
        loop = Loop(self.runtime_depth)
        self.loops.append(loop)
        bodies: list[tuple[Operation, ...]] = []
        condition: Condition = True
        try:
            while True:
                condition = self.evaluator.condition(statement.condition)
                if not isinstance(condition, bool) or not condition:
                    break
                self.step(20)
                operations, stop = self._turn(turn, 0)
                bodies.append(operations)
                if stop == "break":
                    break
        finally:
            self.loops.pop()
        made = [For(tuple(bodies))] if loop.may_stop else [o for body in bodies for o in body]
        self.unfolding.operations.extend(made)
        if not isinstance(condition, bool):
            if loop.may_stop:
                raise self.evaluator.cannot(
                    statement.at,
                    "a loop that a break or continue may leave before measured bits come into its condition",
                    NO_BREAK,
                )
            self._measured_while(statement)

    def leave(self, statement: syntax.Leave) -> None:
        """`break`, `continue` or `end`."""
        if statement.word == "end":
            if self.runtime_depth or any(loop.may_stop for loop in self.loops):
                raise self.evaluator.cannot(
                    statement.at, "an end that depends on a measurement", "Guard the rest of the program by an if."
                )
            raise StopReading("end")
        if not self.loops:
            raise self.evaluator.refuse(statement.at, f"{statement.word} stands outside a loop", "Remove it.")
        loop = self.loops[-1]
        if loop.runtime_depth == self.runtime_depth:
            raise StopReading(statement.word)
        loop.may_stop = True
        self.emit(Break() if statement.word == "break" else Continue())
