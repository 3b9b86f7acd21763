"""What a loop on measurements carries from turn to turn, and the classical bits in which it stands."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from antiphon.domain.decisions import Decision, Word
from antiphon.frontends.decisions import TooManyCasesError, common, key_of, leaves, range_of, sequence_of
from antiphon.frontends.unfolding import Unfolding

MAX_CARRIED = 64
"""Values of one variable of a loop on measurements that are followed one by one."""
MAX_CARRIED_TOGETHER = 256
"""Values that all variables of such a loop may take together, where they have to be followed together."""
FEW = 8
"""Values that are followed one by one even where others are not."""
_NOT_REACHED = ("not reached",)

Held: TypeAlias = Mapping[Hashable, Decision]
"""What locations hold."""


@dataclass
class Values:
    """Locations that change in a loop: the values they take together, and the bits that say which they have."""

    places: tuple[Hashable, ...]
    values: list[tuple[Decision, ...]] = field(default_factory=list)
    bits: list[int] = field(default_factory=list)
    _numbers: dict[Hashable, int] = field(default_factory=dict)

    @property
    def is_number(self) -> bool:
        """Whether it is one location that holds integers, of more values than a few."""
        if len(self.places) > 1 or len(self.values) <= FEW:
            return False
        return all(isinstance(value, int) and not isinstance(value, bool) for (value,) in self.values)

    def take_up(self, values: Iterable[tuple[Decision, ...]]) -> bool:
        """Add the values that are not known; whether there were any.

        Raises:
            TooManyCasesError: More than are followed.
        """
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

    def begin(self, unfolding: Unfolding, start: Held) -> None:
        """Take up what the locations hold before the loop."""
        self.take_up(leaves(self._state(unfolding, start)))

    def encode(self, unfolding: Unfolding) -> None:
        """Give the locations bits of their own, and make their values what those say."""
        self.bits = [unfolding.new_bit() for _ in range((len(self.values) - 1).bit_length())]
        state = sequence_of(self.values, self.bits, unfolding.decisions)
        for position, place in enumerate(self.places):
            unfolding.values[place] = unfolding.decisions.of(lambda found, at=position: found[at], state)

    def grow(self, unfolding: Unfolding, after: Held, holds: Decision) -> bool:
        """Take up what the locations hold after a turn that another follows; whether any of it is new."""
        reached = unfolding.decisions.choose(holds, self._state(unfolding, after), _NOT_REACHED)
        return self.take_up([value for value in leaves(reached) if value is not _NOT_REACHED])

    def digits(self, unfolding: Unfolding, values: Held) -> list[Decision]:
        """What its bits must be when the locations hold that."""
        number = unfolding.decisions.of(self.number, self._state(unfolding, values))
        return [
            unfolding.decisions.of(lambda found, at=position: bool(found >> at & 1), number)
            for position in range(len(self.bits))
        ]

    def _state(self, unfolding: Unfolding, values: Held) -> Decision:
        return unfolding.decisions.of(lambda *found: found, *(values[place] for place in self.places), keep_lost=True)


@dataclass
class Digits:
    """A location that changes in a loop and holds an integer of many values: its bits are the integer's own."""

    places: tuple[Hashable]
    size: int = 1
    signed: bool = False
    bits: list[int] = field(default_factory=list)

    @property
    def is_number(self) -> bool:
        """Whether it is one location that holds integers."""
        return True

    def encode(self, unfolding: Unfolding) -> None:
        """Give the location bits of its own, and make its value what those say."""
        # The highest digit gets the lowest bit: a comparison asks it first, and has few ways then.
        self.bits = [unfolding.new_bit() for _ in range(self.size)][::-1]
        digits = tuple(unfolding.decisions.bit(bit) for bit in self.bits)
        unfolding.values[self.places[0]] = Word(digits, self.signed)

    def grow(self, unfolding: Unfolding, after: Held, holds: Decision) -> bool:
        """Make room for what the location holds; whether there was less.

        Raises:
            TooManyCasesError: It is no integer.
        """
        del unfolding, holds
        value = after[self.places[0]]
        found = range_of(value)
        if found is None or any(isinstance(leaf, bool) for leaf in leaves(value)):
            raise TooManyCasesError("what a loop carries takes too many values, and is no integer")
        kind = common((self.size, self.signed), found)
        grew = kind != (self.size, self.signed)
        self.size, self.signed = kind
        return grew

    def digits(self, unfolding: Unfolding, values: Held) -> list[Decision]:
        """What its bits must be when the location holds that."""
        return list(unfolding.decisions.word(values[self.places[0]], self.size, self.signed).digits)


Carried: TypeAlias = "Values | Digits"
