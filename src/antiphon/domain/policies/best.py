"""The best target for a job: by expected fidelity, wait or cost, within limits, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.domain.evolve import evolve
from antiphon.domain.policies.beyond import beyond, none_fits
from antiphon.domain.policies.candidates import Candidate, Prefer, Reason, Wish
from antiphon.domain.shown import Shown
from antiphon.errors import LimitError

ALIKE_FIDELITY = 0.01
"""Fidelities that differ by less are alike, and something else decides."""
ALIKE_WAIT_S = 5.0
ALIKE_COST = 0.01


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
            "candidates": [each.to_json() for each in self.candidates],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Choice:
        """The inverse of `to_json`."""
        candidates = tuple(Candidate(**each) for each in data["candidates"])
        return cls(data["target"], data["why"], Prefer(data["prefer"]), candidates)

    def __str__(self) -> str:
        """Why, then a line for each candidate."""
        return "\n".join([self.why, *(f"  {each.target}: {each.in_words()}" for each in self.candidates)])


def choose_best(candidates: Sequence[Candidate], wish: Wish) -> Choice:
    """The target to take.

    Costs in several currencies are never compared, unless the wish says what they are worth: then what costs nothing is
    cheapest, and cost decides no more between the others.

    Raises:
        LimitError: None may be chosen (code "no-target-fits"), or costs must decide between several currencies
            (code "currencies-differ").
    """
    priced = [_in_currency(each, wish) for each in candidates]
    if wish.max_cost is not None:
        apart = evolve(wish, max_cost=None)
        _refuse_several([each for each in priced if not each.refused and not beyond(each, apart)])
    judged = [each if each.refused else _judged(each, wish) for each in priced]
    fitting = [each for each in judged if not each.refused]
    if not fitting:
        raise none_fits(judged, wish)
    several = len(_currencies(fitting)) > 1
    if several and wish.prefer is Prefer.COST:
        free = [each for each in fitting if not each.cost]
        if not free:
            _refuse_several(fitting)
        paid = [each for each in fitting if each.cost]
        ordered = _in_order(free, _dimensions(wish.prefer)) + _in_order(paid, (Prefer.FIDELITY, Prefer.WAIT))
    else:
        ordered = _in_order(fitting, _dimensions(wish.prefer, but_cost=several))
    out = [each for each in judged if each.refused]
    return Choice(ordered[0].target, _why(ordered, out, wish), wish.prefer, (*ordered, *out))


def _judged(candidate: Candidate, wish: Wish) -> Candidate:
    missed = beyond(candidate, wish)
    if not missed:
        return candidate
    return evolve(candidate, refused=" and ".join(each.said for each in missed), reason=missed[0].reason)


def _in_currency(candidate: Candidate, wish: Wish) -> Candidate:
    """The candidate with its cost in the currency of the wish; out if it cannot be told and counts."""
    own = candidate.currency
    if candidate.refused or not candidate.cost or wish.currency is None or own == wish.currency:
        return candidate
    rate = wish.rates.get(str(own))
    if rate is not None:
        return evolve(candidate, cost=candidate.cost * rate, currency=wish.currency)
    if not wish.is_about_cost:
        return candidate
    way_out = f"Say what it is worth: rates={{{own!r}: …}} in {wish.currency}."
    reason = Reason(f"priced in {own}, not {wish.currency}", way_out=way_out)
    return evolve(candidate, refused=f"it is priced in {own}, and no rate to {wish.currency} is given", reason=reason)


def _currencies(candidates: Sequence[Candidate]) -> list[str]:
    return sorted({str(each.currency) for each in candidates if each.cost})


def _refuse_several(candidates: Sequence[Candidate]) -> None:
    found = _currencies(candidates)
    if len(found) < 2:
        return
    first, *others = found
    raise LimitError(
        f"Costs in {' and '.join(found)} cannot be compared.",
        code="currencies-differ",
        cause="; ".join(f"{each.target} costs {each.price}" for each in candidates if each.cost),
        next_step=f"Choose among those of one with currency={first!r}; or among all by what one unit of the others is "
        f"worth in it: rates={{{', '.join(f'{other!r}: …' for other in others)}}}.",
    )


def _dimensions(prefer: Prefer, *, but_cost: bool = False) -> tuple[Prefer, ...]:
    found = (prefer, *(each for each in _SECOND if each is not prefer))
    return tuple(each for each in found if each is not Prefer.COST) if but_cost else found


def _in_order(fitting: Sequence[Candidate], dimensions: Sequence[Prefer]) -> list[Candidate]:
    """The best first: of those alike the best in what decides, the best in the next dimension; then the others."""
    left, ordered = list(fitting), []
    while left:
        alike, _ = _alike(left, dimensions)
        first = min(alike, key=lambda each: (_loss(each, dimensions[0]), each.target))
        left.remove(first)
        ordered.append(first)
    return ordered


def _alike(candidates: Sequence[Candidate], dimensions: Sequence[Prefer]) -> tuple[list[Candidate], list[Prefer]]:
    """The best, which are alike in every dimension, and in which dimensions others were worse."""
    alike, decided = list(candidates), []
    for dimension in dimensions:
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


def _why(ordered: Sequence[Candidate], out: Sequence[Candidate], wish: Wish) -> str:
    first, *others = ordered
    words = [f"{first.target} {_reason(ordered, wish.prefer)}: {first.in_words()}."]
    if first.cost is None and wish.prefer is Prefer.COST and any(each.cost is not None for each in others):
        words.append("It has no prices, which counts as nothing.")
    if others:
        words.append(f"Next would be {others[0].target}: {others[0].in_words()}.")
    currencies = _currencies(ordered)
    if len(currencies) > 1:
        words.append(f"Costs in {' and '.join(currencies)} were not compared.")
    if wish.rates:
        told = ", ".join(f"1 {name} as {rate:g} {wish.currency}" for name, rate in wish.rates.items())
        words.append(f"Costs were taken with {told}.")
    if out:
        num = len(out) + len(ordered)
        words.append(f"{len(out)} of {num} candidates {'is' if len(out) == 1 else 'are'} out.")
    return " ".join(words)


def _reason(ordered: Sequence[Candidate], prefer: Prefer) -> str:
    """By what the first was chosen, in words; never by something in which nothing is known or all are alike."""
    if len(ordered) == 1:
        return "is the only one that fits"
    several = len(_currencies(ordered)) > 1
    _, decided = _alike(ordered, _dimensions(prefer, but_cost=several and prefer is not Prefer.COST))
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


_SECOND = (Prefer.FIDELITY, Prefer.WAIT, Prefer.COST)
_ALIKE = {Prefer.FIDELITY: ALIKE_FIDELITY, Prefer.WAIT: ALIKE_WAIT_S, Prefer.COST: ALIKE_COST}
_NAMES = {Prefer.FIDELITY: "expected fidelity", Prefer.WAIT: "wait", Prefer.COST: "cost"}
