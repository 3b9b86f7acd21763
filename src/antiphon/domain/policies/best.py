"""The best target for a job: by expected fidelity, wait or cost, within limits, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from antiphon.domain.evolve import evolve
from antiphon.domain.shown import Shown, span
from antiphon.errors import LimitError

ALIKE_FIDELITY = 0.01
"""Fidelities that differ by less are alike, and something else decides."""
ALIKE_WAIT_S = 5.0
ALIKE_COST = 0.01


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
    """

    prefer: Prefer = Prefer.FIDELITY
    min_fidelity: float | None = None
    max_wait_s: float | None = None
    max_cost: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One target and what the job would meet there.

    Attributes:
        fidelity: Expected part of shots without an error, the mean over the job's programs; None: not known.
        wait_s: Expected seconds until it starts.
        cost: What it is expected to cost; None where the target has no prices, which counts as nothing.
        refused: Why it is out; "" for one that may be chosen.
    """

    target: str
    fidelity: float | None = None
    wait_s: float = 0.0
    cost: float | None = None
    currency: str | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Choice(Shown):
    """The target that was chosen, why, and all candidates in the order of preference, those that are out last."""

    target: str
    why: str
    prefer: Prefer
    candidates: tuple[Candidate, ...]

    def to_json(self) -> dict[str, Any]:
        """The choice as JSON values, as the record keeps it."""
        return {
            "target": self.target,
            "why": self.why,
            "prefer": self.prefer.value,
            "candidates": [asdict(candidate) for candidate in self.candidates],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Choice:
        """The inverse of `to_json`."""
        candidates = tuple(Candidate(**each) for each in data["candidates"])
        return cls(data["target"], data["why"], Prefer(data["prefer"]), candidates)

    def __str__(self) -> str:
        """Why, then a line for each candidate."""
        return "\n".join([self.why, *(f"  {each.target}: {_line(each)}" for each in self.candidates)])


def choose_best(candidates: Sequence[Candidate], wish: Wish) -> Choice:
    """The target to take.

    Raises:
        LimitError: None may be chosen (code "no-target-fits"), or costs are to decide and are in several currencies
            (code "currencies-differ").
    """
    judged = [each if each.refused else evolve(each, refused=_beyond(each, wish)) for each in candidates]
    fitting = [each for each in judged if not each.refused]
    if not fitting:
        raise LimitError(
            "No target fits the job." if candidates else "There is no target to choose from.",
            code="no-target-fits",
            cause="; ".join(f"{each.target}: {each.refused}" for each in judged),
            next_step="Change the limits, or the program, or name a target.",
            details={"candidates": [asdict(each) for each in judged]},
        )
    currencies = {each.currency for each in fitting if each.cost}
    if len(currencies) > 1 and (wish.prefer is Prefer.COST or wish.max_cost is not None):
        raise LimitError(
            f"Costs in {' and '.join(sorted(map(str, currencies)))} cannot be compared.",
            code="currencies-differ",
            next_step="Let fidelity or wait decide, or give candidates with prices in one currency.",
        )
    ordered = _in_order(fitting, wish.prefer)
    out = [each for each in judged if each.refused]
    return Choice(ordered[0].target, _why(ordered, out, wish), wish.prefer, (*ordered, *out))


def _in_order(fitting: Sequence[Candidate], prefer: Prefer) -> list[Candidate]:
    """The best first: of those alike the best in what decides, the best in the next dimension; then the others."""
    left, ordered = list(fitting), []
    while left:
        alike, _ = _alike(left, prefer)
        first = min(alike, key=lambda each: (_loss(each, prefer), each.target))
        left.remove(first)
        ordered.append(first)
    return ordered


def _alike(candidates: Sequence[Candidate], prefer: Prefer) -> tuple[list[Candidate], list[Prefer]]:
    """The best, which are alike in every dimension, and in which dimensions others were worse."""
    alike, decided = list(candidates), []
    for dimension in (prefer, *(each for each in _SECOND if each is not prefer)):
        best = min(_loss(each, dimension) for each in alike)
        still = [each for each in alike if _loss(each, dimension) <= best + _ALIKE[dimension]]
        if len(still) < len(alike):
            decided.append(dimension)
        alike = still
    return alike, decided


def _loss(candidate: Candidate, dimension: Prefer) -> float:
    match dimension:
        case Prefer.FIDELITY:
            return 2.0 if candidate.fidelity is None else 1.0 - candidate.fidelity
        case Prefer.WAIT:
            return candidate.wait_s
        case Prefer.COST:
            return candidate.cost or 0.0


def _beyond(candidate: Candidate, wish: Wish) -> str:
    if wish.min_fidelity is not None and (candidate.fidelity is None or candidate.fidelity < wish.min_fidelity):
        known = "not known" if candidate.fidelity is None else f"{candidate.fidelity:.3f}"
        return f"its expected fidelity is {known}, below {wish.min_fidelity:g}"
    if wish.max_wait_s is not None and candidate.wait_s > wish.max_wait_s:
        return f"it waits {span(candidate.wait_s)}, longer than {span(wish.max_wait_s)}"
    if wish.max_cost is not None and (candidate.cost or 0.0) > wish.max_cost:
        return f"it costs {candidate.cost:,.2f} {candidate.currency}, more than {wish.max_cost:g}"
    return ""


def _why(ordered: Sequence[Candidate], out: Sequence[Candidate], wish: Wish) -> str:
    first, *others = ordered
    words = [f"{first.target} {_reason(ordered, wish.prefer)}: {_line(first)}."]
    if first.cost is None and wish.prefer is Prefer.COST and any(each.cost is not None for each in others):
        words.append("It has no prices, which counts as nothing.")
    if others:
        words.append(f"Next would be {others[0].target}: {_line(others[0])}.")
    if out:
        num = len(out) + len(ordered)
        words.append(f"{len(out)} of {num} candidates {'is' if len(out) == 1 else 'are'} out.")
    return " ".join(words)


def _reason(ordered: Sequence[Candidate], prefer: Prefer) -> str:
    """By what the first was chosen, in words; never by something in which nothing is known or all are alike."""
    if len(ordered) == 1:
        return "is the only one that fits"
    _, decided = _alike(ordered, prefer)
    names = [_NAMES[each] for each in decided]
    if prefer in decided:
        by = " and, among those alike in it, for its ".join(names[:2])
        return f"was chosen for its {by}"
    if prefer is Prefer.COST and all(each.cost is None for each in ordered):
        but = "none has prices"
    elif prefer is Prefer.FIDELITY and all(each.fidelity is None for each in ordered):
        but = "no fidelity is known"
    else:
        but = f"all are alike in {_NAMES[prefer]}"
    if names:
        return f"was chosen for its {names[0]}, since {but}"
    return f"is the first of {len(ordered)} that differ in nothing that counts"


def _line(candidate: Candidate) -> str:
    if candidate.refused:
        return f"out, {candidate.refused}"
    fidelity = "fidelity not known" if candidate.fidelity is None else f"fidelity {candidate.fidelity:.3f}"
    cost = "" if candidate.cost is None else f", {candidate.cost:,.2f} {candidate.currency}"
    return f"{fidelity}, wait {span(candidate.wait_s)}{cost}"


_SECOND = (Prefer.FIDELITY, Prefer.WAIT, Prefer.COST)
_ALIKE = {Prefer.FIDELITY: ALIKE_FIDELITY, Prefer.WAIT: ALIKE_WAIT_S, Prefer.COST: ALIKE_COST}
_NAMES = {Prefer.FIDELITY: "expected fidelity", Prefer.WAIT: "wait", Prefer.COST: "cost"}
