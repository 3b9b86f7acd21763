"""How the programs of a batch ran: of an execution that several shared each keeps its own part, and a batch has all.

So what a batch tells does not depend on how it was cut into executions, and its programs do not tell of each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Any

from antiphon.domain.results import Outcome
from antiphon.engine.batch_plans import PLANNED

MOST_WORDS = 10
WORDS = ("engine", "engine_version", "method", "precision", "why", "probabilities")
"""Of several programs all that differ are told, in this form: "a | b"."""
BETWEEN = " | "
PROGRAMS = "pubs"
MITIGATION = "mitigation"


def share_of(provenance: Mapping[str, Any], position: int, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What the program at `position` keeps of an execution with these outcomes: sums are shared out, lists are cut."""
    count = len(outcomes)
    if count == 1:
        return dict(provenance)
    own = {name: value for name, value in provenance.items() if name != PROGRAMS}
    own["engine_s"] = provenance.get("engine_s", 0.0) / count
    if "num_calls" in provenance:
        each, rest = divmod(provenance["num_calls"], count)
        own["num_calls"] = each + (position < rest)
    parts = provenance.get(PROGRAMS, ())
    if len(parts) == count:
        own |= parts[position]
    told = provenance.get(MITIGATION)
    if told is not None and len(told["verdicts"]) == count:
        overhead = (outcomes[position].details or {})[MITIGATION]["overhead"]
        own[MITIGATION] = {
            **told,
            "verdicts": [told["verdicts"][position]],
            "overhead": {name: overhead.get(name, value / count) for name, value in told["overhead"].items()},
        }
    return own


def merged(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The provenance of a batch from that of its programs, in order; what is the same for all is told by the first.

    What each ran on is with it, and not told here again.
    """
    if not parts:
        return {"engine_s": 0.0}
    found = {name: value for name, value in parts[0].items() if name not in (PLANNED, PROGRAMS)}
    for name in WORDS:
        words = [word for part in parts for word in str(part.get(name) or "").split(BETWEEN) if word]
        if words:
            found[name] = _joined(dict.fromkeys(words))
    found["engine_s"] = sum(part.get("engine_s", 0.0) for part in parts)
    if "num_calls" in found:
        found["num_calls"] = sum(part.get("num_calls", 0) for part in parts)
    told = [part[MITIGATION] for part in parts if MITIGATION in part]
    if told:
        found[MITIGATION] = {
            **told[0],
            "verdicts": [verdict for each in told for verdict in each["verdicts"]],
            "overhead": {name: sum(each["overhead"][name] for each in told) for name in told[0]["overhead"]},
        }
    return found


def _joined(words: Collection[str]) -> str:
    more = len(words) - MOST_WORDS
    return BETWEEN.join([*islice(words, MOST_WORDS), *([f"{more} more"] if more > 0 else ())])
