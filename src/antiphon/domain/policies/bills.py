"""Bills: what a work costs by a price list.

A bill has the shape of Azure Quantum's cost events: of each dimension what was consumed, what of it is billed, at what
unit price. Amounts are rounded to a millionth of the currency's unit, line by line; a total is the sum of its lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from antiphon.domain.gate_counts import Counting, Tasks
from antiphon.domain.policies.metering import WorkFacts
from antiphon.domain.policies.prices import PriceList, TaskUnit, WhenFailed


@dataclass(frozen=True, slots=True)
class BillLine:
    """One dimension of a bill. `dimension` is its id, `name` its name for people, `unit` what is counted.

    `consumed` is what was used and `billed` what of it is charged, at `price` each: `amount`.
    """

    dimension: str
    name: str
    unit: str
    consumed: float
    billed: float
    price: float
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a work costs. `notes` say what is not exact about it."""

    lines: tuple[BillLine, ...]
    currency: str
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """The sum of the lines."""
        return round(math.fsum(line.amount for line in self.lines), 6)

    def cost_lines(self, version: int) -> tuple[dict[str, Any], ...]:
        """The lines as a job keeps them, with the version of the price list that they are by."""
        return tuple(
            {
                "dimension": line.dimension,
                "name": line.name,
                "unit": line.unit,
                "consumed": line.consumed,
                "quantity": line.billed,
                "price": line.price,
                "amount": line.amount,
                "currency": self.currency,
                "price_list": version,
            }
            for line in self.lines
        )

    def to_json(self) -> dict[str, Any]:
        """The bill as JSON values."""
        return {
            "currency": self.currency,
            "total": self.total,
            "lines": [{name: getattr(line, name) for name in BillLine.__slots__} for line in self.lines],
            "notes": list(self.notes),
        }


def bill(prices: PriceList, facts: WorkFacts, *, most: bool = False) -> Bill:
    """What a work costs.

    Args:
        most: True for an upper bound before it ran: gates that cannot be counted are then as many as the target takes.
    """
    factor = prices.priorities.get(facts.priority, 1.0)
    parts = [_counted(prices, part, facts.most_gates, most=most) for part in facts.tasks]
    each_program = prices.task_unit is TaskUnit.PROGRAM
    executed = {
        "per_task": float(facts.num_tasks) if each_program else 1.0,
        "per_shot": float(facts.shots),
        "per_one_qubit_gate": float(sum(part.tasks * part.one_qubit for part in parts)),
        "per_two_qubit_gate": float(sum(part.tasks * part.two_qubit for part in parts)),
        "per_measurement": float(sum(part.tasks * part.measured for part in parts)),
        "per_second": facts.seconds,
    }
    lines = [
        _line(*_DIMENSIONS[name], amount, getattr(prices, name) * factor)
        for name, amount in executed.items()
        if getattr(prices, name)
    ]
    least = prices.minimum * factor
    if each_program:
        missing = math.fsum(
            part.tasks * max(0.0, least - _of_one(prices, part, facts) * factor) for part in parts if least
        )
    else:
        missing = least - math.fsum(line.amount for line in lines)
    if round(missing, 6) > 0:
        lines.append(BillLine("minimum", "Up to the least charge", "", 0.0, 1.0, round(missing, 6), round(missing, 6)))
    return Bill(lines=tuple(lines), currency=prices.currency, notes=_notes(prices, facts, most=most))


def bill_of_ended(prices: PriceList, facts: WorkFacts, *, succeeded: bool) -> Bill:
    """What a job costs that ran; `facts` have the seconds that were measured."""
    if succeeded or prices.when_failed is WhenFailed.ALL:
        return bill(prices, facts)
    if prices.when_failed is WhenFailed.NOTHING or not prices.per_second or not facts.seconds or facts.on_device:
        # How far the machine would have come when its emulation failed, nobody knows.
        return Bill(lines=(), currency=prices.currency)
    price = prices.per_second * prices.priorities.get(facts.priority, 1.0)
    return Bill(lines=(_line(*_DIMENSIONS["per_second"], facts.seconds, price),), currency=prices.currency)


def session_line(prices: PriceList, seconds: float) -> BillLine | None:
    """What it costs that a session held the target for so long without running there; None where that is free."""
    if not prices.session_per_second or seconds <= 0:
        return None
    return _line("session-hold", "Target held between jobs", "second", seconds, prices.session_per_second)


_DIMENSIONS = {
    "per_task": ("task", "Tasks", "task"),
    "per_shot": ("shot", "Shots", "shot"),
    "per_one_qubit_gate": ("gate-1q", "One-qubit gates executed", "gate-shot"),
    "per_two_qubit_gate": ("gate-2q", "Two-qubit gates executed", "gate-shot"),
    "per_measurement": ("measurement", "Qubits measured", "measurement"),
    "per_second": ("second", "Time in the target", "second"),
}


def _line(dimension: str, name: str, unit: str, consumed: float, price: float) -> BillLine:
    return BillLine(dimension, name, unit, consumed, consumed, price, round(consumed * price, 6))


def _counted(prices: PriceList, part: Tasks, most_gates: int, *, most: bool) -> Tasks:
    if part.counting is not Counting.UNKNOWN:
        return part
    gates = prices.uncounted_gates
    if gates is None:
        if not most:
            return part
        gates = most_gates
    two = max(part.two_qubit, gates * part.shots)
    measured = max(part.measured, most_gates * part.shots) if most else part.measured
    return Tasks(part.tasks, part.shots, part.one_qubit, two, measured, part.counting)


def _of_one(prices: PriceList, part: Tasks, facts: WorkFacts) -> float:
    # A job's seconds belong to its tasks by their shots: nobody measured them apart.
    share = part.shots / facts.shots if facts.shots else 1.0 / facts.num_tasks
    return (
        prices.per_task
        + prices.per_shot * part.shots
        + prices.per_one_qubit_gate * part.one_qubit
        + prices.per_two_qubit_gate * part.two_qubit
        + prices.per_measurement * part.measured
        + prices.per_second * facts.seconds * share
    )


def _notes(prices: PriceList, facts: WorkFacts, *, most: bool) -> tuple[str, ...]:
    if not prices.charges_gates or facts.counting is Counting.EXACT:
        return ()
    if facts.counting is Counting.BOUND:
        return ("upper bound: of each branch the side with more gates counts",)
    if prices.uncounted_gates is not None:
        return (f"gates that cannot be counted count as {prices.uncounted_gates:,} two-qubit gates in each shot",)
    if most:
        return (f"upper bound: gates that cannot be counted are taken as the target's most, {facts.most_gates:,}",)
    return ("gates that cannot be counted are not billed",)
