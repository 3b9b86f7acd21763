"""When a target can serve its queue: slots, outages, calibration windows, reservations."""

from __future__ import annotations

from dataclasses import dataclass

from antiphon.domain.queues import Reservation


@dataclass(frozen=True, slots=True)
class Closure:
    """A time in which nothing is started. In an outage what runs is lost, and waits again at its old place."""

    starts_at: float
    ends_at: float
    is_outage: bool = True


@dataclass(frozen=True, slots=True)
class SimTarget:
    """A target of a simulation; `closures` and `reservations` in the order of their starts, none within another."""

    slots: int = 1
    closures: tuple[Closure, ...] = ()
    reservations: tuple[Reservation, ...] = ()

    def open_seconds(self, start: float, end: float) -> float:
        """How long it was open between two times."""
        shut = sum(max(0.0, min(end, each.ends_at) - max(start, each.starts_at)) for each in self.closures)
        return max(0.0, end - start - shut)


def in_order(closures: list[Closure]) -> tuple[Closure, ...]:
    """Closures by their start, what overlaps cut off: a calibration within an outage adds nothing."""
    kept: list[Closure] = []
    for each in sorted(closures, key=lambda closure: (closure.starts_at, not closure.is_outage)):
        start = max(each.starts_at, kept[-1].ends_at) if kept else each.starts_at
        if each.ends_at > start:
            kept.append(Closure(start, each.ends_at, each.is_outage))
    return tuple(kept)
