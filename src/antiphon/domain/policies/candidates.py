"""Targets that may take a job, what is wanted of them, and which of them do not do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from antiphon.domain.shown import span


class Prefer(StrEnum):
    """What decides first; the other two decide between what is alike in it."""

    FIDELITY = "fidelity"
    WAIT = "wait"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a target.

    Attributes:
        min_fidelity: The least expected fidelity.
        max_wait_s, max_cost: The most that is borne.
        currency: In which costs count; None where all that counts is in one.
        rates: What one unit of other currencies is worth in it.
    """

    prefer: Prefer = Prefer.FIDELITY
    min_fidelity: float | None = None
    max_wait_s: float | None = None
    max_cost: float | None = None
    currency: str | None = None
    rates: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_about_cost(self) -> bool:
        """Whether costs decide who is chosen, or who is out."""
        return self.prefer is Prefer.COST or self.max_cost is not None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a target is out, so that those which are out for the same can be told together.

    Attributes:
        what: What they share, such as "too few qubits for 30".
        figure: What this one has, such as "27".
        way_out: What would help; "" where less must be wished.
    """

    what: str
    figure: str = ""
    way_out: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One target and what the job would meet there.

    Attributes:
        fidelity: Expected part of shots without an error, the mean over the job's programs; None: not known.
        wait_s: Expected seconds until it starts.
        cost: What it is expected to cost; None where the target has no prices, which counts as nothing.
        refused: Why it is out; "" for one that may be chosen.
        reason: The same, to be told together with others; not kept.
    """

    target: str
    fidelity: float | None = None
    wait_s: float = 0.0
    cost: float | None = None
    currency: str | None = None
    refused: str = ""
    reason: Reason | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        """As JSON values; `Candidate(**…)` is the inverse."""
        return {name: value for name, value in asdict(self).items() if name != "reason"}

    def in_words(self) -> str:
        """What is known of it, or why it is out."""
        if self.refused:
            return f"out, {self.refused}"
        fidelity = "fidelity not known" if self.fidelity is None else f"fidelity {self.fidelity:.3f}"
        return f"{fidelity}, wait {span(self.wait_s)}{'' if self.cost is None else f', {self.price}'}"

    @property
    def price(self) -> str:
        """Its cost in words; "" where it has no prices."""
        return "" if self.cost is None else f"{self.cost:,.2f} {self.currency}"
