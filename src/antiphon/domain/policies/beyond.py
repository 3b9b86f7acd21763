"""Which wishes a candidate does not meet, and what is said if none is left."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.domain.policies.candidates import Candidate, Reason, Wish
from antiphon.domain.shown import span
from antiphon.errors import LimitError


@dataclass(frozen=True, slots=True)
class Beyond:
    """A wish that a candidate does not meet.

    Attributes:
        said: That, of the candidate alone.
        reason: The same, to be told together with others.
        enough: The option that it would meet.
    """

    said: str
    reason: Reason
    enough: str


def beyond(candidate: Candidate, wish: Wish) -> list[Beyond]:
    """What the candidate does not meet; its cost must be in the currency of the wish."""
    found = []
    fidelity = candidate.fidelity
    if wish.min_fidelity is not None and (fidelity is None or fidelity < wish.min_fidelity):
        known = "not known" if fidelity is None else f"{fidelity:.3f}"
        # Rounded down, so that it is met.
        enough = "no min_fidelity" if fidelity is None else f"min_fidelity={math.floor(fidelity * 1e3) / 1e3:g}"
        said = f"its expected fidelity is {known}, below {wish.min_fidelity:g}"
        found.append(Beyond(said, Reason(f"expected fidelity below {wish.min_fidelity:g}", known), enough))
    if wish.max_wait_s is not None and candidate.wait_s > wish.max_wait_s:
        waits, most = span(candidate.wait_s), span(wish.max_wait_s)
        reason = Reason(f"wait longer than {most}", waits)
        found.append(Beyond(f"it waits {waits}, longer than {most}", reason, f"max_wait={math.ceil(candidate.wait_s)}"))
    cost = candidate.cost or 0.0
    if wish.max_cost is not None and cost > wish.max_cost:
        said = f"it costs {candidate.price}, more than {wish.max_cost:g}"
        reason = Reason(f"cost above {wish.max_cost:g}", candidate.price)
        found.append(Beyond(said, reason, f"max_cost={math.ceil(cost * 100) / 100:g}"))
    return found


def none_fits(judged: Sequence[Candidate], wish: Wish) -> LimitError:
    """The error for candidates of which each is out: why, those alike together, and what would help.

    Args:
        judged: With their reasons.
    """
    together: defaultdict[str, list[str]] = defaultdict(list)
    for each in judged:
        reason = each.reason or Reason(each.refused.rstrip("."))
        together[reason.what].append(f"{each.target} {reason.figure}".rstrip())
    return LimitError(
        "No target fits the job." if judged else "There is no target to choose from.",
        code="no-target-fits",
        cause="; ".join(f"{what} ({', '.join(whom)})" for what, whom in together.items()),
        next_step=_next_step(judged, wish),
        details={"candidates": [each.to_json() for each in judged]},
    )


def _next_step(judged: Sequence[Candidate], wish: Wish) -> str:
    # Those that take the job as it is, and only miss wishes, are nearer than those that do not.
    missed = [(each, beyond(each, wish)) for each in judged if each.reason is not None and not each.reason.way_out]
    if missed:
        nearest, wishes = min(missed, key=lambda pair: (len(pair[1]), -(pair[0].fidelity or 0.0)))
        if wishes:
            return f"Ask for less: {nearest.target} takes it with {' and '.join(each.enough for each in wishes)}."
    ways = list(dict.fromkeys(each.reason.way_out for each in judged if each.reason is not None))
    return " Or: ".join(way for way in ways[:2] if way) or "Name targets that it fits: candidates=[…]."
