"""Loops that end on a measurement: what they carry from turn to turn is written into bits of its own.

The body is read again and again, each time with all values that a location was seen to hold when a turn ended, until
none is new. The bits then say which of these values it is.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable
from dataclasses import dataclass, field, replace

from antiphon.domain.circuits import AssignBit, Bit, Operation, While
from antiphon.domain.decisions import Choice, Decision, bits_asked
from antiphon.frontends.conditions import bits_read_by, bits_written_by
from antiphon.frontends.decisions import (
    Lost,
    TooManyCasesError,
    condition_of,
    key_of,
    leaves,
    num_paths,
    same,
    sequence_of,
)
from antiphon.frontends.unfolding import MAX_TESTS, Unfolding, refuse_lost

MAX_CARRIED = 64
"""Values that one variable of a loop on measurements may take."""
MAX_CARRIED_TOGETHER = 256
"""Values that all variables of such a loop may take together, where they have to be followed together."""
MAX_PASSES = 64
"""How often the body of such a loop is read until all values that it carries are known."""
_NOT_REACHED = ("not reached",)


class EndlessError(Exception):
    """A loop that nothing ends."""


def loop_on_bits(
    unfolding: Unfolding,
    test: Callable[[], Decision],
    body: Callable[[], None],
    live: Container[Hashable] | None = None,
    *,
    only_truths: bool = False,
) -> None:
    """Run `body` as long as `test` holds, which depends on the unfolding's `values` alone.

    Args:
        unfolding: The circuit as it grows.
        test: Whether there is another turn.
        body: A turn.
        live: Locations that are read again; all of them when left out. Others are forgotten if the body changes them.
        only_truths: Give up when it carries anything but truth values, since then its turns may be counted.

    Raises:
        EndlessError: The test always holds.
        TooManyCasesError: More values than `MAX_CARRIED` and `MAX_CARRIED_TOGETHER`.
    """
    start = unfolding.mark()
    unfolding.depth += 1
    unfolding.loops += 1
    try:
        try:
            _Loop(unfolding, only_truths=only_truths).run(test, body, live, together=False)
        except TooManyCasesError:
            if only_truths:
                raise
            # One by one they seem to take values that they never take together.
            unfolding.back_to(start)
            _Loop(unfolding).run(test, body, live, together=True)
    except BaseException:
        unfolding.back_to(start)
        raise
    finally:
        unfolding.depth -= 1
        unfolding.loops -= 1


@dataclass
class _Carried:
    """Locations that change in a loop: the values they take together, and the bits that say which they have."""

    places: tuple[Hashable, ...]
    values: list[tuple[Decision, ...]] = field(default_factory=list)
    bits: list[int] = field(default_factory=list)
    _numbers: dict[Hashable, int] = field(default_factory=dict)

    def take_up(self, values: Iterable[tuple[Decision, ...]]) -> bool:
        """Add the values that are not known; whether there were any."""
        new = [value for value in values if key_of(value) not in self._numbers]
        self.values += new
        most = MAX_CARRIED if len(self.places) == 1 else MAX_CARRIED_TOGETHER
        if len(self.values) > most:
            raise TooManyCasesError(f"what a loop carries takes more than {most} values")
        if len(self.places) == 1 and all(isinstance(value, bool) for known in self.values for value in known):
            self.values.sort()  # so that the bit of a truth value is the value
        self._numbers = {key_of(value): number for number, value in enumerate(self.values)}
        return bool(new)

    def number(self, value: tuple[Decision, ...]) -> int:
        """The place of a value; 0 for one that cannot occur."""
        return self._numbers.get(key_of(value), 0)


class _Loop:
    def __init__(self, unfolding: Unfolding, *, only_truths: bool = False) -> None:
        self._u = unfolding
        self._only_truths = only_truths

    def run(
        self,
        test: Callable[[], Decision],
        body: Callable[[], None],
        live: Container[Hashable] | None,
        *,
        together: bool,
    ) -> None:
        """Read the loop until what it carries is known, and write it down."""
        mark = self._u.mark()
        carried: list[_Carried] = []
        for _ in range(MAX_PASSES):
            self._u.back_to(mark)
            self._encode(carried)
            header = dict(self._u.values)
            first_bit = self._u.num_bits
            going = self._u.known(test())
            refuse_lost(going)
            if going is False:
                return
            self._u.assumed = self._u.assuming(mark.assumed, going)
            operations = self._u.block(body)
            stale = bits_asked(mark.assumed) & bits_written_by(operations)
            if stale:
                # What was known of these bits before the loop holds for its first turn alone.
                mark = replace(mark, assumed=self._u.decisions.forget(mark.assumed, sorted(stale)))
                continue
            after, holds = self._u.values, self._u.assuming(self._u.assumed, going)
            changed = [place for place, value in header.items() if not same(after.get(place, value), value)]
            watched = [place for place in changed if live is None or place in live]
            taken_up = {place for one in carried for place in one.places}
            new = [place for place in watched if place not in taken_up]
            if new:
                carried = self._with(carried, new, mark.values, together=together)
            elif not self._grow(carried, after, holds):
                break
        else:
            raise TooManyCasesError(f"what a loop carries takes more than {MAX_PASSES} values, one after the other")
        if going is True:
            raise EndlessError("a loop that nothing ends")
        for place in changed:
            if place not in taken_up:
                header[place] = Lost("it is the value of an earlier turn of a loop")
        self._u.assumed = holds
        after = {place: self._u.known(after[place]) for place in taken_up}
        aliases = self._aliases(carried, operations, mark.values, after, first_bit)
        closing = self._u.block(lambda: self._write(carried, after, aliases))
        self._u.assumed = mark.assumed
        self._begin(carried, mark.values, aliases)
        rename = {one.bits[0]: truth for one, truth in aliases}
        self._u.values = {place: self._u.decisions.renamed(value, rename) for place, value in header.items()}
        going = self._u.decisions.renamed(going, rename)
        self._u.emit(While(condition_of(self._short(going)), (*operations, *closing)))
        self._u.assumed = self._u.assuming(mark.assumed, self._u.decisions.opposite(going))

    @staticmethod
    def _short(going: Decision) -> Decision:
        # The test is made again in every turn, so nothing may be computed ahead of it.
        if num_paths(going) > 16 * MAX_TESTS:
            raise TooManyCasesError("the condition of a loop has too many cases")
        return going

    def _state(self, one: _Carried, values: dict[Hashable, Decision]) -> Decision:
        """What the locations hold, as one value."""
        return self._u.decisions.of(lambda *found: found, *(values[place] for place in one.places), keep_lost=True)

    def _with(
        self, carried: list[_Carried], new: list[Hashable], start: dict[Hashable, Decision], *, together: bool
    ) -> list[_Carried]:
        """The locations carried, and new ones with what they hold before the loop."""
        if together:
            groups = [tuple(place for one in carried for place in one.places) + tuple(new)]
            carried = []
        else:
            groups = [(place,) for place in new]
        more = [_Carried(group) for group in groups]
        for one in more:
            one.take_up(leaves(self._state(one, start)))
            if self._only_truths and not all(isinstance(value, bool | Lost) for known in one.values for value in known):
                raise TooManyCasesError("a loop carries a number")
        return [*carried, *more]

    def _encode(self, carried: list[_Carried]) -> None:
        """Give the locations that change bits of their own, and make their values what those say."""
        for one in carried:
            one.bits = [self._u.new_bit() for _ in range((len(one.values) - 1).bit_length())]
            state = sequence_of(one.values, one.bits, self._u.decisions)
            for position, place in enumerate(one.places):
                self._u.values[place] = self._u.decisions.of(lambda found, at=position: found[at], state)

    def _grow(self, carried: list[_Carried], after: dict[Hashable, Decision], holds: Decision) -> bool:
        """Take up values that were not known yet; whether there were any."""
        grew = False
        for one in carried:
            reached = self._u.decisions.choose(holds, self._state(one, after), _NOT_REACHED)
            grew |= one.take_up([value for value in leaves(reached) if value is not _NOT_REACHED])
        return grew

    def _aliases(
        self,
        carried: list[_Carried],
        operations: tuple[Operation, ...],
        start: dict[Hashable, Decision],
        after: dict[Hashable, Decision],
        first_bit: int,
    ) -> list[tuple[_Carried, Decision]]:
        """Locations whose own bit is not needed, since the body writes another that says the same; and that truth."""
        read = bits_read_by(operations)
        aliases: list[tuple[_Carried, Decision]] = []
        taken: dict[int, Decision] = {}
        for one in carried:
            end = after[one.places[0]]
            if len(one.bits) != 1 or len(one.places) > 1 or not isinstance(end, Choice) or end.bit < first_bit:
                continue
            numbers = [None if isinstance(p, Choice) else one.number((p,)) for p in (end.zero, end.one)]
            others = bits_asked(*(after[place] for other in carried if other is not one for place in other.places))
            if None in numbers or numbers[0] == numbers[1] or one.bits[0] in read | others:
                continue
            # Two locations may share the bit if they agree on what it is before the first turn.
            before = self._u.decisions.of(lambda value, holding=end.one: same(value, holding), start[one.places[0]])
            if not same(taken.setdefault(end.bit, before), before):
                continue
            aliases.append((one, self._u.decisions.choice(end.bit, numbers[0] == 1, numbers[1] == 1)))
        return aliases

    def _digits(self, one: _Carried, values: dict[Hashable, Decision]) -> list[Decision]:
        """The bits of the number of what the locations hold."""
        number = self._u.decisions.of(one.number, self._state(one, values))
        return [
            self._u.decisions.of(lambda found, at=position: bool(found >> at & 1), number)
            for position in range(len(one.bits))
        ]

    def _begin(
        self,
        carried: list[_Carried],
        start: dict[Hashable, Decision],
        aliases: list[tuple[_Carried, Decision]],
    ) -> None:
        """Write what the locations hold before the first turn."""
        instead = {one.places: truth for one, truth in aliases}
        written: set[int] = set()
        for one in carried:
            for bit, digit in zip(one.bits, self._digits(one, start), strict=True):
                truth = instead.get(one.places)
                if isinstance(truth, Choice):
                    bit, digit = truth.bit, digit if truth.one is True else self._u.decisions.opposite(digit)
                # A bit that nothing has written is 0, but not in a later turn of a loop around this one.
                if bit not in written and (digit is not False or self._u.loops > 1):
                    written.add(bit)
                    self._u.emit(AssignBit(bit, self._u.test(digit)))

    def _write(
        self,
        carried: list[_Carried],
        after: dict[Hashable, Decision],
        aliases: list[tuple[_Carried, Decision]],
    ) -> None:
        """Write what the locations hold after a turn, all at once."""
        done = {one.bits[0] for one, _ in aliases}
        left = {
            bit: digit
            for one in carried
            for bit, digit in zip(one.bits, self._digits(one, after), strict=True)
            if bit not in done and not same(digit, self._u.decisions.bit(bit))
        }
        while left:
            free = next((b for b in left if not any(b in bits_asked(left[o]) for o in left if o != b)), None)
            if free is None:
                # Each is read by another: one of them goes through a further bit.
                bit = next(iter(left))
                copy = self._u.new_bit()
                self._u.emit(AssignBit(copy, Bit(bit)))
                moved = {bit: self._u.decisions.bit(copy)}
                left = {other: self._u.decisions.renamed(value, moved) for other, value in left.items()}
                continue
            self._u.emit(AssignBit(free, self._u.test(left.pop(free))))
