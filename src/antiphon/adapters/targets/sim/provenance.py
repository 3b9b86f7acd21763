"""What the record says of how programs ran on simulator engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from antiphon.adapters.targets.sim.engines import running
from antiphon.adapters.targets.sim.task import Ran

_SAME = ("engine", "engine_version", "method", "precision", "why", "probabilities")


def part_told(engine: str, reason: str, ran: Ran, seconds: float) -> dict[str, Any]:
    """One program: the engine, its version, how it ran, why it was chosen, and for how long."""
    return {
        "engine": engine,
        "engine_version": running.version_of(engine),
        "method": ran.method,
        "precision": ran.precision,
        "why": reason,
        "engine_s": seconds,
        "num_calls": ran.num_calls,
    }


def told_of(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All programs of a work: a single one as it is; of several what they share, the sums, and each in short."""
    if len(parts) == 1:
        return parts[0]
    told: dict[str, Any] = {
        name: " | ".join(dict.fromkeys(str(part[name]) for part in parts)) for name in _SAME if name in parts[0]
    }
    return {
        **told,
        "engine_s": sum(part["engine_s"] for part in parts),
        "num_calls": sum(part["num_calls"] for part in parts),
        "pubs": [{name: part[name] for name in ("engine", "engine_version", "method", "engine_s")} for part in parts],
    }
