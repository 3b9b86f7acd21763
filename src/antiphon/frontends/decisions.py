"""Makes decisions: arithmetic on values that depend on bits, with equal parts shared and equal outcomes merged."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.domain.circuits import AllOf, AnyOf, Bit, Condition, Not, Parity
from antiphon.domain.decisions import Choice, Decision, Word, bits_asked, choices

MAX_CHOICES = 4_096
"""Choices that decide one value; beyond, a program has more cases than are written out."""
MAX_MADE = 250_000
"""Choices made while one program is read."""
MAX_WORK = 1_000_000
"""Choices looked at while one program is read: some seconds."""
MAX_BITS = 200
"""Bits that decide one value."""
MAX_WORD_CASES = 12
"""Bits that may decide a word whose values are followed one by one."""


class TooManyCasesError(Exception):
    """A value has more cases than are followed; the text says which bound."""


def is_of_cases(error: BaseException) -> bool:
    """Whether an error tells of too many cases, itself or in the words of a front end."""
    return isinstance(error, TooManyCasesError) or isinstance(error.__context__, TooManyCasesError)


@dataclass(frozen=True, slots=True)
class Lost:
    """In the place of a value that is not known: what is computed from it is lost too, and `why` says the reason."""

    why: str


class Decisions:
    """Makes decisions that share their equal parts; those of two makers must not be mixed.

    Attributes:
        work: Choices looked at so far.
    """

    def __init__(self) -> None:
        self._made: dict[Hashable, Choice] = {}
        self.work = 0

    def choice(self, bit: int, zero: Decision, one: Decision) -> Decision:
        """`one` when the bit holds 1, else `zero`; both ask later bits only."""
        left, right = key_of(zero), key_of(one)
        if left == right:
            return zero
        key = (bit, left, right)
        made = self._made.get(key)
        if made is None:
            if len(self._made) >= MAX_MADE:
                raise TooManyCasesError(f"its values have more than {MAX_MADE:,} cases together")
            made = self._made[key] = Choice(bit, zero, one)
        return made

    @property
    def num_made(self) -> int:
        """Choices made so far."""
        return len(self._made)

    def _worked(self, steps: int) -> None:
        self.work += steps
        if self.work > MAX_WORK:
            raise TooManyCasesError(f"its values take more than {MAX_WORK:,} steps to follow")

    def bit(self, index: int) -> Decision:
        """True when the bit holds 1."""
        return self.choice(index, zero=False, one=True)

    def of(self, function: Callable[..., Any], *operands: Decision, keep_lost: bool = False) -> Decision:
        """The function of every combination of its operands' values that can occur together.

        Args:
            function: Of plain values.
            operands: Its arguments.
            keep_lost: Call it with lost values too.

        Raises:
            TooManyCasesError: More choices than `MAX_CHOICES`.
        """
        if any(isinstance(operand, Word) for operand in operands):
            operands = tuple(self.values_of(one) if isinstance(one, Word) else one for one in operands)
        if not any(isinstance(operand, Choice) for operand in operands):
            return _of_values(function, operands, keep_lost=keep_lost)
        known: dict[Hashable, Decision] = {}

        def walk(parts: tuple[Decision, ...]) -> Decision:
            asked = [part.bit for part in parts if isinstance(part, Choice)]
            if not asked:
                return _of_values(function, parts, keep_lost=keep_lost)
            key = tuple(key_of(part) for part in parts)
            if key not in known:
                if len(known) >= MAX_CHOICES:
                    raise TooManyCasesError(f"a value has more than {MAX_CHOICES:,} cases")
                bit = min(asked)
                known[key] = self.choice(
                    bit,
                    walk(tuple(p.zero if isinstance(p, Choice) and p.bit == bit else p for p in parts)),
                    walk(tuple(p.one if isinstance(p, Choice) and p.bit == bit else p for p in parts)),
                )
            return known[key]

        if len({choice.bit for choice in choices(*operands)}) > MAX_BITS:
            raise TooManyCasesError(f"a value depends on more than {MAX_BITS} measured bits")
        found = walk(operands)
        self._worked(len(known))
        return found

    def choose(self, condition: Decision, one: Decision, zero: Decision) -> Decision:
        """`one` where the condition holds, else `zero`."""
        if key_of(one) == key_of(zero):
            return one
        if not isinstance(condition, Choice):
            return condition if isinstance(condition, Lost) else one if condition else zero
        if isinstance(one, Word) or isinstance(zero, Word):
            return self._chosen_word(condition, one, zero)
        return self._ite(condition, one, zero)

    def _chosen_word(self, condition: Decision, one: Decision, zero: Decision) -> Decision:
        ranges = [range_of(one), range_of(zero)]
        if ranges[0] is None or ranges[1] is None:
            return next((x for x in (one, zero) if isinstance(x, Lost)), Lost("it is a number of many values, or none"))
        size, signed = common(ranges[0], ranges[1])
        pairs = zip(self.word(one, size, signed).digits, self.word(zero, size, signed).digits, strict=True)
        return Word(tuple(self.choose(condition, a, b) for a, b in pairs), signed)

    def word(self, number: Decision, size: int, signed: bool) -> Word:
        """An integer in so many bits, wrapping round.

        Raises:
            TooManyCasesError: It is no integer in all of its cases.
        """
        if isinstance(number, Word):
            top = number.digits[-1] if number.signed else False
            return Word((*number.digits, *(top for _ in range(size)))[:size], signed)
        known = range_of(number)
        if known is None:
            why = next((leaf.why for leaf in leaves(number) if isinstance(leaf, Lost)), "it is no integer")
            raise TooManyCasesError(why)
        digits = [self.of(lambda n, at=i: bool(int(n) >> at & 1), number) for i in range(min(size, known[0]))]
        top = digits[-1] if known[1] else False
        return Word((*digits, *(top for _ in range(size - len(digits)))), signed)

    def values_of(self, word: Word) -> Decision:
        """A word as a decision between its values.

        Raises:
            TooManyCasesError: It has many.
        """
        if len(bits_asked(word)) > MAX_WORD_CASES:
            bits = len(word.digits)
            raise TooManyCasesError(
                f"a number without a bound, of {bits} bits, would be followed through all its values"
            )
        total: Decision = 0
        for place, digit in enumerate(word.digits):
            weight = -(1 << place) if word.signed and place == len(word.digits) - 1 else 1 << place
            total = self.of(lambda sum_, one, by=weight: sum_ + by * bool(one), total, digit)
        return total

    def _ite(self, condition: Decision, one: Decision, zero: Decision) -> Decision:
        # Not `of`: a lost value on the way that is not taken loses nothing.
        known: dict[Hashable, Decision] = {}

        def walk(holds: Decision, a: Decision, b: Decision) -> Decision:
            if not isinstance(holds, Choice):
                return holds if isinstance(holds, Lost) else a if holds else b
            if key_of(a) == key_of(b):
                return a
            key = (key_of(holds), key_of(a), key_of(b))
            if key not in known:
                if len(known) >= MAX_CHOICES:
                    raise TooManyCasesError(f"a value has more than {MAX_CHOICES:,} cases")
                bit = min(part.bit for part in (holds, a, b) if isinstance(part, Choice))
                parts = [part if isinstance(part, Choice) and part.bit == bit else None for part in (holds, a, b)]
                zeros = [p if c is None else c.zero for p, c in zip((holds, a, b), parts, strict=True)]
                ones = [p if c is None else c.one for p, c in zip((holds, a, b), parts, strict=True)]
                known[key] = self.choice(bit, walk(*zeros), walk(*ones))
            return known[key]

        found = walk(condition, one, zero)
        self._worked(len(known))
        return found

    def both(self, left: Decision, right: Decision) -> Decision:
        """Logical and."""
        return self.of(lambda a, b: bool(a and b), left, right)

    def opposite(self, decision: Decision) -> Decision:
        """Logical not."""
        return self.of(lambda a: not a, decision)

    def given(self, decision: Decision, assumed: Decision) -> Decision:
        """A decision that is the same wherever `assumed` holds, and asks fewer bits where it can."""
        if isinstance(decision, Word):
            return Word(tuple(self.given(digit, assumed) for digit in decision.digits), decision.signed)
        known: dict[Hashable, Decision] = {}

        def walk(part: Decision, holds: Decision) -> Decision:
            if not isinstance(part, Choice) or not isinstance(holds, Choice):
                return part
            key = (key_of(part), key_of(holds))
            if key not in known:
                known[key] = step(part, holds)
            return known[key]

        def step(part: Choice, holds: Choice) -> Decision:
            if holds.bit < part.bit:
                if holds.zero is False or holds.one is False:
                    return walk(part, holds.one if holds.zero is False else holds.zero)
                return walk(part, self.of(lambda a, b: bool(a or b), holds.zero, holds.one))
            zero, one = (holds.zero, holds.one) if holds.bit == part.bit else (holds, holds)
            if zero is False:
                return walk(part.one, one)
            if one is False:
                return walk(part.zero, zero)
            return self.choice(part.bit, walk(part.zero, zero), walk(part.one, one))

        found = walk(decision, assumed)
        self._worked(len(known))
        return found

    def forget(self, decision: Decision, bits: Iterable[int]) -> Decision:
        """Where the condition can hold for some value of these bits."""
        for bit in bits:
            zero = self._with(decision, bit, 0)
            decision = self.of(lambda a, b: bool(a or b), zero, self._with(decision, bit, 1))
        return decision

    def _with(self, decision: Decision, bit: int, value: int) -> Decision:
        known: dict[Hashable, Decision] = {}

        def walk(part: Decision) -> Decision:
            if not isinstance(part, Choice) or part.bit > bit:
                return part
            if part.bit == bit:
                return part.one if value else part.zero
            key = key_of(part)
            if key not in known:
                known[key] = self.choice(part.bit, walk(part.zero), walk(part.one))
            return known[key]

        found = walk(decision)
        self._worked(len(known))
        return found

    def renamed(self, decision: Decision, bits: dict[int, Decision]) -> Decision:
        """The decision with the truth of each of those bits in the bit's place."""
        if isinstance(decision, Word):
            return Word(tuple(self.renamed(digit, bits) for digit in decision.digits), decision.signed)
        known: dict[Hashable, Decision] = {}

        def walk(part: Decision) -> Decision:
            if not isinstance(part, Choice):
                return part
            key = key_of(part)
            if key not in known:
                asked = bits[part.bit] if part.bit in bits else self.bit(part.bit)
                known[key] = self.choose(asked, walk(part.one), walk(part.zero))
            return known[key]

        found = walk(decision)
        self._worked(len(known))
        return found

    def of_condition(self, condition: Condition) -> Decision:
        """The truth of a condition of a circuit."""
        match condition:
            case bool():
                return condition
            case Bit(index):
                return self.bit(index)
            case Not(operand):
                return self.opposite(self.of_condition(operand))
        parts = [self.of_condition(operand) for operand in condition.operands]
        total: Decision = isinstance(condition, AllOf)
        for part in parts:
            total = self.of(_JOINED[type(condition)], total, part)
        return total


def _of_values(function: Callable[..., Any], values: tuple[Decision, ...], *, keep_lost: bool) -> Decision:
    lost = None if keep_lost else next((value for value in values if isinstance(value, Lost)), None)
    return function(*values) if lost is None else lost


_JOINED: dict[type, Callable[[Any, Any], bool]] = {
    AllOf: lambda a, b: bool(a and b),
    AnyOf: lambda a, b: bool(a or b),
    Parity: lambda a, b: bool(a) != bool(b),
}


def same(left: Decision, right: Decision) -> bool:
    """Whether two decisions of one maker are equal, in type too."""
    return key_of(left) == key_of(right)


def key_of(decision: Decision) -> Hashable:
    """Equal for decisions of one maker that are the same, in type too."""
    # True == 1 == 1.0 and 0.0 == -0.0 in Python, but they are different values of a program.
    if isinstance(decision, Choice):
        return id(decision)
    if isinstance(decision, Word):
        return "word", decision.signed, tuple(map(key_of, decision.digits))
    if isinstance(decision, float):
        return "float", decision.hex()
    if isinstance(decision, tuple):
        return tuple(("part", key_of(part)) for part in decision)
    return type(decision), decision


def leaves(decision: Decision) -> list[Any]:
    """The values that it can have, each once; a word alone for one."""
    if not isinstance(decision, Choice):
        return [decision]
    found: dict[Hashable, Any] = {}
    for choice in choices(decision):
        for part in (choice.zero, choice.one):
            if not isinstance(part, Choice):
                found.setdefault(key_of(part), part)
    return list(found.values())


def range_of(number: Decision) -> tuple[int, bool] | None:
    """How many bits hold an integer in all of its cases, and whether one is a sign; None for what is no integer."""
    if isinstance(number, Word):
        return len(number.digits), number.signed
    found = leaves(number)
    if not all(isinstance(leaf, int) for leaf in found):
        return None
    signed = any(leaf < 0 for leaf in found)
    return max(1, *((leaf if leaf >= 0 else ~leaf).bit_length() + signed for leaf in found)), signed


def common(left: tuple[int, bool], right: tuple[int, bool]) -> tuple[int, bool]:
    """The smallest range that holds both."""
    signed = left[1] or right[1]
    return max(size + (signed and not own) for size, own in (left, right)), signed


def sequence_of(values: Sequence[Any], bits: Sequence[int], decisions: Decisions) -> Decision:
    """The value whose number stands in the bits, least significant first; the last value for numbers beyond."""
    # A choice asks its lowest bit first, so the number is built from the bits in rising order of their index.
    order = sorted(range(len(bits)), key=lambda place: bits[place])

    def ordered(depth: int, number: int) -> Decision:
        if depth == len(order):
            return values[min(number, len(values) - 1)]  # type: ignore[no-any-return]
        place = order[depth]
        return decisions.choice(bits[place], ordered(depth + 1, number), ordered(depth + 1, number | 1 << place))

    return ordered(0, 0)
