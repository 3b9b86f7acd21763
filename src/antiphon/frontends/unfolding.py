"""Programs that compute while their qubits live, as circuits: every number is followed through all of its cases.

Each location (a variable, a register, a place in memory) holds a decision over classical bits. Where such a value
decides what happens, the circuit gets a branch; where the two ways meet, their values are merged, so that work grows
with the number of different values and not with the number of ways. Loops are in `unfolding_loops`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from antiphon.domain.circuits import AssignBit, Bit, Condition, If, Operation
from antiphon.domain.decisions import Choice, Decision, bits_asked, choices
from antiphon.frontends.comparisons import negate
from antiphon.frontends.decisions import Decisions, Lost, TooManyCasesError, leaves, same
from antiphon.frontends.written_decisions import condition_of, num_paths

MAX_GATE_CASES = 1_024
"""Cases of one gate: of its angles, or of the qubits it acts on."""
MAX_TESTS = 32
"""Ways through one condition; a longer one is computed into bits first."""
_MAX_ASSUMED = 512


@dataclass(frozen=True)
class Mark:
    """A place in the program that is being read."""

    operations: int
    num_bits: int
    values: dict[Hashable, Decision]
    assumed: Decision


class Unfolding:
    """The circuit as it grows, and what every location holds at the place that is being read.

    Attributes:
        values: Decision of each location. A front end reads and writes it.
        operations: The operations of the block at hand.
        num_bits: Classical bits used so far.
        assumed: What is known of the bits at this place, because of the branches around it.
        depth: How many branches and loops that bits decide stand around it.
        loops: How many of them are loops.
        is_pure: Nothing may be computed into bits here.
    """

    def __init__(self, num_bits: int, spend: Callable[[int], None]) -> None:
        self.decisions = Decisions()
        self.values: dict[Hashable, Decision] = {}
        self.operations: list[Operation] = []
        self.num_bits = num_bits
        self.assumed: Decision = True
        self.depth = 0
        self.loops = 0
        self.is_pure = False
        self._spend = spend

    def emit(self, operation: Operation) -> None:
        """Append an operation."""
        self._spend(1)
        self.operations.append(operation)

    def new_bit(self) -> int:
        """A classical bit that nothing has written; 0, except in a later turn of a loop."""
        self.num_bits += 1
        return self.num_bits - 1

    def mark(self) -> Mark:
        """This place, to which `back_to` returns."""
        return Mark(len(self.operations), self.num_bits, dict(self.values), self.assumed)

    def back_to(self, mark: Mark) -> None:
        """Forget everything since the mark, which was made in the same block."""
        del self.operations[mark.operations :]
        self.num_bits, self.values, self.assumed = mark.num_bits, dict(mark.values), mark.assumed

    def block(self, fill: Callable[[], None]) -> tuple[Operation, ...]:
        """The operations that `fill` emits, on their own."""
        outer, self.operations = self.operations, []
        try:
            fill()
            return tuple(self.operations)
        finally:
            self.operations = outer

    def depends_on(self, bit: int) -> bool:
        """Whether a location does."""
        return any(bit in bits_asked(value) for value in self.values.values())

    def keep(self, bit: int) -> None:
        """Make what depends on a bit independent of it, before the bit is written again."""
        stale = [place for place, value in self.values.items() if bit in bits_asked(value)]
        if stale:
            copy = self.new_bit()
            self.emit(AssignBit(copy, Bit(bit)))
            for place in stale:
                self.values[place] = self.decisions.renamed(self.values[place], {bit: self.decisions.bit(copy)})
        if bit in bits_asked(self.assumed):
            self.assumed = self.decisions.forget(self.assumed, [bit])

    # --- Conditions ---------------------------------------------------------------------------------------------------

    def known(self, decision: Decision) -> Decision:
        """The decision as far as it is open at this place."""
        return self.decisions.given(decision, self.assumed)

    def test(self, decision: Decision) -> Condition:
        """A truth value as a condition, for use right here.

        Raises:
            TooManyCasesError: The value was lost.
        """
        refuse_lost(decision)
        if num_paths(decision) > MAX_TESTS:
            decision = self._in_parts(decision)
        return condition_of(decision)

    def _in_parts(self, decision: Decision) -> Decision:
        """The same truth value, with parts that many ways share computed into bits."""
        short: dict[Choice, Decision] = {}
        for choice in sorted(choices(decision), key=lambda one: -one.bit):
            zero, one = (short[p] if isinstance(p, Choice) else p for p in (choice.zero, choice.one))
            # A bit for a part has a larger index than all before, which is no rising order: written as a condition.
            part = Choice(choice.bit, zero, one)
            if num_paths(part) > 4 and choice is not decision:
                bit = self.new_bit()
                self.emit(AssignBit(bit, condition_of(part)))
                short[choice] = Choice(bit, zero=False, one=True)
            else:
                short[choice] = part
        return short[decision] if isinstance(decision, Choice) else decision

    def branch(self, condition: Decision, then: Callable[[], None], otherwise: Callable[[], None]) -> None:
        """Run one of two ways; both, each in its branch, where bits decide."""
        condition = self.known(condition)
        refuse_lost(condition)
        if not isinstance(condition, Choice):
            (then if condition else otherwise)()
            return
        test = self.test(condition)
        before, assumed = self.values, self.assumed
        ways, found = [], []
        self.depth += 1
        try:
            for way, holds in ((then, condition), (otherwise, self.decisions.opposite(condition))):
                self.values = dict(before)
                self.assumed = self.assuming(assumed, holds)
                ways.append(self.block(way))
                found.append(self.values)
        finally:
            self.depth -= 1
            self.values, self.assumed = before, assumed
        self.values = self.merged(condition, found[0], found[1])
        if ways[0] or ways[1]:
            if ways[0]:
                self.emit(If(test, ways[0], ways[1]))
            else:
                self.emit(If(negate(test), ways[1]))

    def assuming(self, assumed: Decision, holds: Decision) -> Decision:
        """What is known where `holds` holds too, or less where that would be much to remember."""
        try:
            both = self.decisions.both(assumed, holds)
        except TooManyCasesError:
            return assumed
        return both if sum(1 for _ in choices(both)) <= _MAX_ASSUMED else assumed

    def merged(
        self, condition: Decision, then: dict[Hashable, Decision], otherwise: dict[Hashable, Decision]
    ) -> dict[Hashable, Decision]:
        """What locations hold where two ways meet."""
        merged = dict(otherwise)
        for place, value in then.items():
            other = otherwise.get(place, value)
            if not same(value, other):
                merged[place] = self._chosen(condition, value, other)
            else:
                merged[place] = value
        return merged

    def _chosen(self, condition: Decision, one: Decision, zero: Decision) -> Decision:
        try:
            return self.decisions.choose(condition, one, zero)
        except TooManyCasesError as error:
            return Lost(str(error))  # it may never be used

    def spread(self, cases: Decision, emit: Callable[[Decision], None]) -> None:
        """Call `emit` for the value, in a branch for each of its cases where bits decide.

        Raises:
            TooManyCasesError: More cases than `MAX_GATE_CASES`.
        """
        cases = self.known(cases)
        if num_paths(cases) > MAX_GATE_CASES:
            raise TooManyCasesError(f"a gate has more than {MAX_GATE_CASES:,} cases")
        self._spread(cases, emit)

    def _spread(self, cases: Decision, emit: Callable[[Decision], None]) -> None:
        if not isinstance(cases, Choice):
            refuse_lost(cases)
            emit(cases)
            return
        one = self.block(lambda: self._spread(cases.one, emit))
        zero = self.block(lambda: self._spread(cases.zero, emit))
        if one:
            self.emit(If(Bit(cases.bit), one, zero))
        elif zero:
            self.emit(If(negate(Bit(cases.bit)), zero))


def refuse_lost(decision: Decision) -> None:
    """Raise for a value that is not known.

    Raises:
        TooManyCasesError: With the reason why it was lost.
    """
    for value in leaves(decision):
        if isinstance(value, Lost):
            raise TooManyCasesError(value.why)
