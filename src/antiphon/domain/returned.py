"""What a program returns, where that is not simply the bits of its circuit.

A program may measure into bits that it only looks at, keep counters in them, or return numbers: then its circuit has
bits that are not in its result. Drivers run the circuit as it stands and pass the counts through `as_returned`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from antiphon.domain.circuits import Register
from antiphon.domain.decisions import Choice, Decision, decided
from antiphon.domain.results import Sampled

HIDDEN = "_hidden"
"""Name of the register that holds bits which are no part of the result; it is declared last."""


@dataclass(frozen=True, slots=True)
class ReturnedValue:
    """One value: `kind` is result, bool, int or double."""

    kind: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class ReturnedGroup:
    """An "array" or a "tuple"."""

    kind: str
    parts: tuple[Returned, ...]


Returned: TypeAlias = "ReturnedValue | ReturnedGroup"


@dataclass(frozen=True, slots=True)
class Returns:
    """How the bits of a circuit become the outcome of its program.

    Attributes:
        registers: For bits: registers of the result.
        bits: For bits: the decision of each of them, in the order of the registers' offsets.
        value: For values: what is returned, shown as Q# shows it; then there are no registers.
    """

    registers: tuple[Register, ...] = ()
    bits: tuple[Decision, ...] = ()
    value: Returned | None = None

    @property
    def outcomes(self) -> str:
        """The word of `Sampled.outcomes`."""
        return "bits" if self.value is None else "values"

    def text(self, word: str) -> str:
        """The outcome for one result string of the circuit."""
        bits = word.replace(" ", "")

        def bit_of(index: int) -> int:
            return bits[-1 - index] == "1"

        if self.value is not None:
            return display(_value(self.value, bit_of))
        told = "".join("1" if decided(decision, bit_of) else "0" for decision in self.bits)
        parts = [told[register.offset : register.offset + register.size][::-1] for register in self.registers]
        return " ".join(reversed(parts))

    def counts(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Counts of outcomes from counts of the circuit's result strings."""
        total: Counter[str] = Counter()
        for word, shots in counts.items():
            total[self.text(word)] += shots
        return dict(sorted(total.items()))

    def probabilities(self, exact: Mapping[str, float]) -> dict[str, float]:
        """The same for exact probabilities."""
        total: dict[str, float] = {}
        for word, chance in exact.items():
            text = self.text(word)
            total[text] = total.get(text, 0.0) + chance
        return dict(sorted(total.items()))


def as_returned(returns: Returns | None, sampled: Sampled) -> Sampled:
    """What a program returned, from what its circuit was found in; `sampled` itself when they are the same."""
    if returns is None:
        return sampled
    exact = sampled.probabilities
    return replace(
        sampled,
        counts=tuple(returns.counts(counts) for counts in sampled.counts),
        outcomes=returns.outcomes,
        probabilities=None if exact is None else tuple(returns.probabilities(each) for each in exact),
    )


class _Result(str):
    __slots__ = ()


def _value(returned: Returned, bit_of: Any) -> Any:
    if isinstance(returned, ReturnedGroup):
        parts = [_value(part, bit_of) for part in returned.parts]
        return parts if returned.kind == "array" else tuple(parts)
    value = decided(returned.decision, bit_of)
    assert not isinstance(value, Choice)
    if returned.kind == "result":
        return _Result("One" if value else "Zero")
    return float(value) if returned.kind == "double" else value  # type: ignore[arg-type]


def display(value: Any) -> str:
    """A value as Q# shows it: `(true, One, [1, 2])`."""
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return "[" + ", ".join(display(item) for item in value) + "]"
        case tuple():
            return "(" + ", ".join(display(item) for item in value) + ")"
        case float():
            return repr(value)
        case _:
            return str(value)
