"""Arithmetic on integers of many values: bit by bit, as assignments of classical bits of the circuit.

A number that a loop on measurements counts up has no bound in the text. It is kept as a `Word`, whose digits are bits,
and what is computed from it becomes bits too: every engine and device that assigns bits runs it. Values are exact
integers; a language's own width is taken by `Decisions.word`, which wraps round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from antiphon.domain.circuits import AssignBit
from antiphon.domain.decisions import Choice, Decision, Word, bits_asked
from antiphon.frontends.decisions import Lost, TooManyCasesError, common, range_of
from antiphon.frontends.unfolding import Unfolding

LARGEST = 64
"""Bits of the largest result; what does not fit wraps round."""
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def is_word(*operands: Decision) -> bool:
    """Whether any of the operands is kept in bits."""
    return any(isinstance(operand, Word) for operand in operands)


class Words:
    """Computes with words, and with numbers beside them.

    Every method raises `TooManyCasesError` for what is not computed bit by bit: real numbers, and division, remainder
    and shifts by anything but a number that is known.
    """

    def __init__(self, unfolding: Unfolding) -> None:
        self._unfolding = unfolding
        self.decisions = unfolding.decisions

    def computed(self, op: str, left: Decision, right: Decision) -> Decision:
        """`left op right`, for the operators of C on integers and the comparisons."""
        for operand in (left, right):
            if isinstance(operand, Lost):
                return operand
        if op in COMPARISONS:
            return self.compared(op, left, right)
        match op:
            case "+" | "-":
                return self._sum(left, right, minus=op == "-")
            case "*":
                return self._product(left, right)
            case "&" | "|" | "^":
                return self._bitwise(_BITWISE[op], left, right)
            case "<<" | ">>":
                return self._shifted(_size_and_sign(left), left, right if op == "<<" else _negative(right))
            case "/" | "%":
                return self._divided(left, right)[op == "%"]
        raise TooManyCasesError(f"the operator {op} on a number of many values")

    def negated(self, number: Decision) -> Decision:
        """Minus the number."""
        return self._sum(0, number, minus=True)

    def inverted(self, number: Decision) -> Decision:
        """The number with every bit turned: minus the number, minus one."""
        size, signed = _size_and_sign(number)
        word = self.decisions.word(number, min(LARGEST, size + (not signed)), signed=True)
        return Word(tuple(map(self.decisions.opposite, word.digits)), signed=True)

    def is_not_zero(self, number: Decision) -> Decision:
        """Whether the number is another than 0."""
        return self.compared("!=", number, 0)

    def compared(self, op: str, left: Decision, right: Decision) -> Decision:
        """A comparison of integers, as a truth value."""
        if op in {">", "<="}:
            less = self.compared("<", right, left)
            return less if op == ">" else self.decisions.opposite(less)
        size, signed = common(_size_and_sign(left), _size_and_sign(right))
        a, b = (self._short(self.decisions.word(number, size, signed).digits) for number in (left, right))
        if signed:
            # With the sign turned round, numbers stand in the order of their unsigned digits.
            a, b = ((*digits[:-1], self.decisions.opposite(digits[-1])) for digits in (a, b))
        is_known = all(isinstance(digit, bool) for digit in a) or all(isinstance(digit, bool) for digit in b)
        result: Decision = op in {"==", "!="}
        for x, y in zip(a, b, strict=True):
            differ = self.decisions.of(lambda one, other: one != other, x, y)
            # A digit that differs overrules all below it.
            result = self.decisions.choose(differ, y if op in {"<", ">="} else False, result)
            if not is_known:
                result = self._bit(result)
        found = self.decisions.opposite(result) if op in {"!=", ">="} else result
        return found if self._unfolding.is_pure else self._bit(found)

    # --- Arithmetic ---------------------------------------------------------------------------------------------------

    def _sum(self, left: Decision, right: Decision, *, minus: bool = False) -> Word:
        size, signed = common(_size_and_sign(left), _size_and_sign(right))
        size, signed = min(LARGEST, size + 1), signed or minus
        a, b = (self.decisions.word(number, size, signed).digits for number in (left, right))
        return Word(tuple(self._added(a, b, minus=minus)[0]), signed)

    def _added(
        self, left: Sequence[Decision], right: Sequence[Decision], *, minus: bool = False
    ) -> tuple[list[Decision], Decision]:
        """The digits of the sum (of the difference), and what is carried out of them (whether nothing was borrowed)."""
        of = self.decisions.of
        carry: Decision = minus
        # The highest digit gets the lowest bit: a comparison then asks the highest digit first, and has few ways.
        places = [self._unfolding.new_bit() for _ in left][::-1]
        digits: list[Decision] = []
        for x, y, place in zip(left, right, places, strict=True):
            if minus:
                y = self.decisions.opposite(y)
            half = of(lambda a, b: a != b, x, y)
            after = self._bit(self.decisions.choose(half, carry, x))
            digits.append(self._bit(of(lambda a, c: a != c, half, carry), place))
            carry = after
        return digits, carry

    def _product(self, left: Decision, right: Decision) -> Word:
        if isinstance(left, int):
            left, right = right, left
        if isinstance(right, int) and right < 0:
            return self._sum(0, self._product(left, -right), minus=True)
        (m, signed), (n, other) = _size_and_sign(left), _size_and_sign(right)
        size = min(LARGEST, m + n)
        a, b = (self.decisions.word(number, size, signed or other).digits for number in (left, right))
        total: Sequence[Decision] = (False,) * size
        for place, factor in enumerate(b):
            if factor is not False:
                part = [False] * place + [self.decisions.both(digit, factor) for digit in a[: size - place]]
                total = part if place == 0 else self._added(total, part)[0]
        return Word(tuple(total), signed or other)

    def _bitwise(self, function: Callable[[bool, bool], bool], left: Decision, right: Decision) -> Word:
        size, signed = common(_size_and_sign(left), _size_and_sign(right))
        a, b = (self._short(self.decisions.word(number, size, signed).digits) for number in (left, right))
        return Word(tuple(self.decisions.of(function, x, y) for x, y in zip(a, b, strict=True)), signed)

    def _shifted(self, kind: tuple[int, bool], number: Decision, places: Decision) -> Word:
        if not isinstance(places, int) or not -LARGEST < places < LARGEST:
            raise TooManyCasesError("a shift by a number that is not known")
        size, signed = kind
        if places >= 0:
            digits = self.decisions.word(number, size, signed).digits
            return Word((*(False for _ in range(places)), *digits)[:LARGEST], signed)
        digits = self.decisions.word(number, size - places, signed).digits
        return Word(digits[-places:], signed)

    def _divided(self, left: Decision, right: Decision) -> tuple[Word, Word]:
        """Quotient, truncated towards zero, and remainder, which has the sign of `left`."""
        if not isinstance(right, int) or right == 0:
            raise TooManyCasesError("a division by a number that is not known, or 0")
        size, signed = _size_and_sign(left)
        is_negative = self.decisions.word(left, size, signed).digits[-1] if signed else False
        digits = self.decisions.word(self._with_sign(left, is_negative), size, signed=False).digits
        by = self.decisions.word(abs(right), abs(right).bit_length() + 1, signed=False).digits
        rest: list[Decision] = [False] * (len(by) - 1)
        quotient: list[Decision] = []
        for digit in reversed(digits):
            tried = [digit, *rest]
            less, fits = self._added(tried, by, minus=True)
            rest = [self._bit(self.decisions.choose(fits, a, b)) for a, b in zip(less, tried, strict=True)][:-1]
            quotient.append(fits)
        found = Word((*reversed(quotient), False), signed=True), Word((*rest, False), signed=True)
        opposite = self.decisions.opposite(is_negative) if right < 0 else is_negative
        return self._with_sign(found[0], opposite), self._with_sign(found[1], is_negative)

    def _with_sign(self, number: Decision, is_negative: Decision) -> Word:
        if is_negative is False:
            return self.decisions.word(number, *_size_and_sign(number))
        found = self.decisions.choose(is_negative, self.negated(number), number)
        assert isinstance(found, Word)
        return found

    def _short(self, digits: Sequence[Decision]) -> tuple[Decision, ...]:
        """Digits that ask one bit each, where anything may be computed."""
        if self._unfolding.is_pure:
            return tuple(digits)
        return tuple(digit if len(bits_asked(digit)) <= 1 else self._bit(digit) for digit in digits)

    def _bit(self, truth: Decision, place: int | None = None) -> Decision:
        """The truth in a bit of its own, unless it is known or stands in one."""
        if not isinstance(truth, Choice) or (truth.zero is False and truth.one is True):
            return truth
        if self._unfolding.is_pure:
            raise TooManyCasesError("what a condition of a loop computes has more cases than are followed")
        test = self._unfolding.test(truth)
        bit = self._unfolding.new_bit() if place is None else place
        self._unfolding.emit(AssignBit(bit, test))
        return self.decisions.bit(bit)


_BITWISE: dict[str, Callable[[bool, bool], bool]] = {
    "&": lambda a, b: bool(a and b),
    "|": lambda a, b: bool(a or b),
    "^": lambda a, b: bool(a) != bool(b),
}


def _size_and_sign(number: Decision) -> tuple[int, bool]:
    found = range_of(number)
    if found is None:
        raise TooManyCasesError("a number of many values beside one that is no integer")
    return found


def _negative(number: Decision) -> Decision:
    return -number if isinstance(number, int) else number
