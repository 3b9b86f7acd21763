"""Loops that end on a measurement: what they carry from turn to turn is written into bits of its own.

The body is read again and again, each time with all values that a location was seen to hold when a turn ended, until
none is new. The bits then say which of these values it is. An integer of too many values is carried by its own digits;
any other value of too many is lost, which matters only where something looks at it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Container, Hashable
from dataclasses import replace

from antiphon.domain.circuits import AssignBit, Bit, Operation, While
from antiphon.domain.decisions import Choice, Decision, bits_asked
from antiphon.frontends.conditions import bits_read_by, bits_written_by
from antiphon.frontends.decisions import Lost, TooManyCasesError, is_of_cases, same
from antiphon.frontends.unfolding import MAX_TESTS, Unfolding, refuse_lost
from antiphon.frontends.unfolding_carried import Carried, Digits, Held, Values
from antiphon.frontends.written_decisions import condition_of, num_paths

MAX_PASSES = 64
"""How often the body of such a loop is read until all values that it carries are known."""
MAX_FIRST_WORK = 40_000
"""Choices looked at before numbers of many values are taken by their digits."""


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
        TooManyCasesError: It looks at a value that was lost, or tests what has too many cases.
    """
    start = unfolding.mark()
    unfolding.depth += 1
    unfolding.loops += 1

    def refused(loop: _Loop, *, together: bool = False) -> Exception | None:
        unfolding.back_to(start)
        try:
            loop.run(test, body, live, together=together)
        except Exception as error:  # front ends tell of too many cases in errors of their own
            if not is_of_cases(error):
                raise
            return error
        return None

    first = _Loop(unfolding, only_truths=only_truths, max_work=MAX_FIRST_WORK)
    try:
        error = refused(first)
        if error is not None and not only_truths:
            error = _read_otherwise(unfolding, first, refused)
    except BaseException:
        unfolding.back_to(start)
        raise
    finally:
        unfolding.depth -= 1
        unfolding.loops -= 1
    if error is not None:
        unfolding.back_to(start)
        raise error


def _read_otherwise(unfolding: Unfolding, first: _Loop, refused: Callable[..., Exception | None]) -> Exception | None:
    """Read a loop that carries too much for the first way; what refuses it."""
    told: Exception | None = None
    if first.unbounded:
        told = refused(_Loop(unfolding, unbounded=first.unbounded))
        if told is None:
            return None
    if first.was_cut and refused(_Loop(unfolding)) is None:
        return None
    # One by one locations may seem to take values that they never take together.
    last = refused(_Loop(unfolding), together=True)
    return None if last is None else told or last


class _Loop:
    """Reads one loop.

    Attributes:
        unbounded: Locations that were found to take too many values. Given at the start, they are carried by their
            digits, and so are others that turn out to be so.
        was_cut: It took too much work.
    """

    def __init__(
        self,
        unfolding: Unfolding,
        *,
        only_truths: bool = False,
        unbounded: Collection[Hashable] = (),
        max_work: float = math.inf,
    ) -> None:
        self._u = unfolding
        self._only_truths = only_truths
        self._in_digits = bool(unbounded)
        self._lost: dict[Hashable, Lost] = {}
        self._max_work = unfolding.decisions.work + max_work
        self.unbounded = set(unbounded)
        self.was_cut = False

    def run(
        self,
        test: Callable[[], Decision],
        body: Callable[[], None],
        live: Container[Hashable] | None,
        *,
        together: bool,
    ) -> None:
        """Read the loop until what it carries is known, and write it down."""
        carried: list[Carried] = []
        try:
            self._run(test, body, live, carried, together=together)
        except Exception:
            self.unbounded.update(place for one in carried if one.is_number for place in one.places)
            raise

    def _run(
        self,
        test: Callable[[], Decision],
        body: Callable[[], None],
        live: Container[Hashable] | None,
        carried: list[Carried],
        *,
        together: bool,
    ) -> None:
        mark = self._u.mark()
        for _ in range(MAX_PASSES * (1 + self._in_digits)):
            if self._u.decisions.work > self._max_work:
                self.was_cut = True
                raise TooManyCasesError("what a loop carries takes too many values")
            self._u.back_to(mark)
            for one in carried:
                one.encode(self._u)
            self._u.values |= self._lost
            header = dict(self._u.values)
            first_bit = self._u.num_bits
            going = self._u.known(self._tested(test))
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
            new = [place for place in watched if place not in taken_up | self._lost.keys()]
            if new:
                carried[:] = self._with(carried, new, mark.values, together=together)
                continue
            grown = [self._grown(one, mark.values, after, holds) for one in carried]
            carried[:] = [one for one, _ in grown if one is not None]
            if not any(grew for _, grew in grown):
                break
        else:
            raise TooManyCasesError(f"what a loop carries takes more than {MAX_PASSES} values, one after the other")
        if going is True:
            raise EndlessError("a loop that nothing ends")
        for place in changed:
            if place not in taken_up | self._lost.keys():
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

    def _tested(self, test: Callable[[], Decision]) -> Decision:
        self._u.is_pure = True  # the test is made again in every turn
        try:
            return test()
        finally:
            self._u.is_pure = False

    @staticmethod
    def _short(going: Decision) -> Decision:
        # The test is made again in every turn, so nothing may be computed ahead of it.
        if num_paths(going) > 16 * MAX_TESTS:
            raise TooManyCasesError("the condition of a loop has too many cases")
        return going

    def _with(self, carried: list[Carried], new: list[Hashable], start: Held, *, together: bool) -> list[Carried]:
        """The locations carried, and new ones with what they hold before the loop."""
        if together:
            groups = [tuple(place for one in carried for place in one.places) + tuple(new)]
            carried = []
        else:
            groups = [(place,) for place in new]
        more = [one for group in groups if (one := self._begun(group, start)) is not None]
        if self._only_truths and not all(
            isinstance(value, bool | Lost)
            for one in more
            for known in (one.values if isinstance(one, Values) else ())
            for value in known
        ):
            raise TooManyCasesError("a loop carries a number")
        return [*carried, *more]

    def _begun(self, places: tuple[Hashable, ...], start: Held) -> Carried | None:
        """Locations with what they hold before the loop; None where that is lost."""
        if self._in_digits and self.unbounded.issuperset(places):
            return self._in_other_words(places, start)
        one = Values(places)
        try:
            one.begin(self._u, start)
        except TooManyCasesError:
            return self._in_other_words(places, start)
        return one

    def _grown(self, one: Carried, start: Held, after: Held, holds: Decision) -> tuple[Carried | None, bool]:
        """The locations with what they hold after a turn, and whether that is new; None where it is lost."""
        try:
            return one, one.grow(self._u, after, holds)
        except TooManyCasesError:
            return self._in_other_words(one.places, start, after), True

    def _in_other_words(self, places: tuple[Hashable, ...], *held: Held) -> Carried | None:
        """A location of too many values by its digits, or None, and it is lost from now on.

        Raises:
            TooManyCasesError: Every value has to be followed one by one.
        """
        self.unbounded.update(places)
        if not self._in_digits:
            raise TooManyCasesError("what a loop carries takes too many values")
        (place,) = places
        digits = Digits((place,))
        try:
            for values in held:
                digits.grow(self._u, values, True)
        except TooManyCasesError as error:
            self._lost[place] = Lost(str(error))
            return None
        return digits

    def _aliases(
        self,
        carried: list[Carried],
        operations: tuple[Operation, ...],
        start: dict[Hashable, Decision],
        after: dict[Hashable, Decision],
        first_bit: int,
    ) -> list[tuple[Values, Decision]]:
        """Locations whose own bit is not needed, since the body writes another that says the same; and that truth."""
        read = bits_read_by(operations)
        aliases: list[tuple[Values, Decision]] = []
        taken: dict[int, Decision] = {}
        for one in carried:
            end = after[one.places[0]]
            if (
                isinstance(one, Digits)
                or len(one.bits) != 1
                or len(one.places) > 1
                or not isinstance(end, Choice)
                or end.bit < first_bit
            ):
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

    def _begin(
        self,
        carried: list[Carried],
        start: dict[Hashable, Decision],
        aliases: list[tuple[Values, Decision]],
    ) -> None:
        """Write what the locations hold before the first turn."""
        instead = {one.places: truth for one, truth in aliases}
        written: set[int] = set()
        for one in carried:
            for bit, digit in zip(one.bits, one.digits(self._u, start), strict=True):
                truth = instead.get(one.places)
                if isinstance(truth, Choice):
                    bit, digit = truth.bit, digit if truth.one is True else self._u.decisions.opposite(digit)
                # A bit that nothing has written is 0, but not in a later turn of a loop around this one.
                if bit not in written and (digit is not False or self._u.loops > 1):
                    written.add(bit)
                    self._u.emit(AssignBit(bit, self._u.test(digit)))

    def _write(
        self,
        carried: list[Carried],
        after: dict[Hashable, Decision],
        aliases: list[tuple[Values, Decision]],
    ) -> None:
        """Write what the locations hold after a turn, all at once."""
        done = {one.bits[0] for one, _ in aliases}
        left = {
            bit: digit
            for one in carried
            for bit, digit in zip(one.bits, one.digits(self._u, after), strict=True)
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
