"""Advice: what the same work costs and how long it takes as single jobs, as one batch, and as a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from antiphon.domain.evolve import evolve
from antiphon.domain.policies.bills import Bill, bill, session_line
from antiphon.domain.policies.metering import WorkFacts
from antiphon.domain.policies.prices import PriceList
from antiphon.domain.queues import Access
from antiphon.domain.shown import Shown, span


class Way(StrEnum):
    """How jobs that belong together can be submitted."""

    JOBS = "jobs"  # one after the other, each through the queue
    BATCH = "batch"  # all in one job
    SESSION = "session"  # one after the other, in a session


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A loop of `jobs` alike jobs with `classical_s` seconds of the caller's own work between each two.

    Attributes:
        facts: What one job is charged for, with the seconds it is expected to run.
        wait_s: What a job waits in the queue; `session_wait_s` one of a session that does not hold the target.
        access: What sessions get of the target; `gap_s` is after what pause an exclusive one loses its hold.
    """

    facts: WorkFacts
    jobs: int
    classical_s: float
    wait_s: float
    session_wait_s: float
    access: Access = Access.SHARED
    gap_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Option:
    """One way to submit the work.

    Attributes:
        bill: None where the target has no prices.
        wall_s: Seconds from the first submit to the last result.
        needs: What must be so that it can be taken, or "".
    """

    way: Way
    bill: Bill | None
    wall_s: float
    needs: str = ""

    def to_json(self) -> dict[str, Any]:
        """The option as JSON values."""
        return {
            "way": self.way.value,
            "bill": None if self.bill is None else self.bill.to_json(),
            "wall_s": self.wall_s,
            "needs": self.needs,
        }


@dataclass(frozen=True, slots=True)
class Advice(Shown):
    """The three ways, cheapest first (the fastest first where there are no prices or they cost the same), and why."""

    options: tuple[Option, ...]
    why: str

    @property
    def cheapest(self) -> Way:
        """The way that is advised."""
        return self.options[0].way

    def __str__(self) -> str:
        """The advice, then a line for each way."""
        lines = [self.why]
        for option in self.options:
            cost = "" if option.bill is None else f", {_money(option)}"
            needs = f" ({option.needs})" if option.needs else ""
            lines.append(f"  {_NAMES[option.way]}: {span(option.wall_s)}{cost}{needs}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The advice as JSON values."""
        return {
            "cheapest": self.cheapest.value,
            "why": self.why,
            "options": [option.to_json() for option in self.options],
        }


def advise(prices: PriceList | None, loop: Loop) -> Advice:
    """Bill and wall time of each way, in the order in which to prefer them."""
    run, turns = loop.facts.seconds, loop.jobs - 1
    classical = turns * loop.classical_s
    keeps = loop.access is Access.DEDICATED or (loop.access is Access.EXCLUSIVE and loop.classical_s <= loop.gap_s)
    single = batch = session = None
    if prices is not None:
        single = _times(bill(prices, loop.facts), loop.jobs)
        batch = bill(prices, loop.facts.times(loop.jobs))
        idle = session_line(prices, classical) if keeps else None
        session = single if idle is None else evolve(single, lines=(*single.lines, idle))
    waits = loop.wait_s if keeps else loop.wait_s + turns * loop.session_wait_s
    options = [
        Option(Way.JOBS, single, loop.jobs * (loop.wait_s + run) + classical),
        Option(
            Way.BATCH,
            batch,
            loop.wait_s + loop.jobs * run + classical,
            "all programs must be known before the first result is" if loop.jobs > 1 else "",
        ),
        Option(Way.SESSION, session, waits + loop.jobs * run + classical),
    ]
    options.sort(key=lambda option: (option.bill.total if option.bill else 0.0, option.wall_s))
    return Advice(tuple(options), _why(options, loop, keeps=keeps))


def _times(one: Bill, jobs: int) -> Bill:
    lines = (
        evolve(
            line,
            consumed=line.consumed * jobs,
            billed=line.billed * jobs,
            amount=round(line.amount * jobs, 6),
        )
        for line in one.lines
    )
    return evolve(one, lines=tuple(lines))


def _why(options: Sequence[Option], loop: Loop, *, keeps: bool) -> str:
    best, *others = options
    if best.bill is None:
        words = [f"The target has no prices, so the fastest counts: {_NAMES[best.way]}, {span(best.wall_s)}."]
    else:
        compared = ", ".join(f"{_NAMES[option.way]} {_money(option)}" for option in others)
        words = [f"{_NAMES[best.way].capitalize()} {_cost(best.way)} {_money(best)}; {compared}."]
        words += _reasons({option.way: option for option in options})
        if all(option.bill is not None and option.bill.total == best.bill.total for option in others):
            words.append(f"They cost the same, so the fastest counts: {span(best.wall_s)}.")
    if best.needs:
        second = others[0]
        instead = f"{_NAMES[second.way]} {_money(second)}" if second.bill is not None else _NAMES[second.way]
        words.append(f"But {best.needs}; else take {instead}.")
    if loop.jobs > 1 and loop.access is Access.EXCLUSIVE and not keeps:
        words.append(
            f"A session would lose the target between its jobs: {span(loop.classical_s)} of your own work are more "
            f"than the gap of {span(loop.gap_s)}."
        )
    return " ".join(words)


def _reasons(options: dict[Way, Option]) -> list[str]:
    amounts = {
        way: {line.dimension: line.amount for line in option.bill.lines}
        for way, option in options.items()
        if option.bill is not None
    }
    single, batch, session = (amounts[way] for way in (Way.JOBS, Way.BATCH, Way.SESSION))
    words = []
    if batch.get("task", 0.0) < single.get("task", 0.0):
        words.append("The fee of a task is charged once for a batch.")
    if batch.get("minimum", 0.0) < single.get("minimum", 0.0):
        words.append("A batch has to reach the least charge once, and single jobs each time.")
    idle = session.get("session-hold", 0.0)
    if idle:
        words.append(f"A session also pays {idle:,.2f} for holding the target during your own work.")
    return words


_NAMES = {Way.JOBS: "single jobs", Way.BATCH: "one batch", Way.SESSION: "a session"}


def _cost(way: Way) -> str:
    return "cost" if way is Way.JOBS else "costs"


def _money(option: Option) -> str:
    assert option.bill is not None
    return f"{option.bill.total:,.2f} {option.bill.currency}"
