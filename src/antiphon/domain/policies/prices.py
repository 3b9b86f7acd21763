"""Prices: what a target charges, as data; `bills` has what a work costs by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar

from antiphon.domain.queues import Priority
from antiphon.errors import LimitError

LARGEST_PRICE = 1e9

_Word = TypeVar("_Word", bound=StrEnum)


class TaskUnit(StrEnum):
    """What the fee of a task and the least charge of one are for."""

    JOB = "job"  # once for each job, so once for a whole batch or sweep
    PROGRAM = "program"  # for each program with each parameter set


class WhenFailed(StrEnum):
    """What a job costs that ran and did not succeed. One that never ran costs nothing."""

    SECONDS = "seconds"  # the seconds that it used
    NOTHING = "nothing"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """What a target charges, in `currency`; what is not given is free.

    Attributes:
        currency: Three capital letters, ISO 4217.
        name: Where the prices are from, for people.
        per_task: For each task; `task_unit` says what one is.
        per_shot: For each shot of each parameter set.
        per_one_qubit_gate, per_two_qubit_gate: For each execution of a gate (see `metering`).
        per_measurement: For each measurement of a qubit.
        per_second: For each second in the target.
        minimum: The least that a task costs.
        task_unit: What one task is.
        priorities: By what all prices of jobs are multiplied for a priority; 1 where it is not given.
        session_per_second: For each second that a session holds the target with no job of its own running there.
        when_failed: What a job costs that ran and did not succeed.
        uncounted_gates: As how many two-qubit gates in each shot a program counts whose gates cannot be counted. None:
            it is billed for what can be, and its estimate assumes as many as the target takes.
    """

    currency: str
    name: str = ""
    per_task: float = 0.0
    per_shot: float = 0.0
    per_one_qubit_gate: float = 0.0
    per_two_qubit_gate: float = 0.0
    per_measurement: float = 0.0
    per_second: float = 0.0
    minimum: float = 0.0
    task_unit: TaskUnit = TaskUnit.JOB
    priorities: Mapping[Priority, float] = field(default_factory=dict)
    session_per_second: float = 0.0
    when_failed: WhenFailed = WhenFailed.SECONDS
    uncounted_gates: int | None = None

    @property
    def charges_gates(self) -> bool:
        """Whether a bill depends on how many gates there are."""
        return self.per_one_qubit_gate > 0 or self.per_two_qubit_gate > 0 or self.per_measurement > 0

    def to_json(self) -> dict[str, Any]:
        """The list as JSON values; every field, so that a stored one says all that counted."""
        data: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        data["task_unit"] = self.task_unit.value
        data["when_failed"] = self.when_failed.value
        data["priorities"] = {priority.value: factor for priority, factor in self.priorities.items()}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PriceList:
        """The list that `data` holds.

        Raises:
            LimitError: A field that is not known, missing, or out of range (code "price-list-invalid"); its details
                name the field.
        """
        known = {each.name for each in fields(cls)}
        for name in data:
            if name not in known:
                raise _invalid(str(name), f"it is no field of a price list: {', '.join(sorted(known))}")
        given = {name: value for name, value in data.items() if value is not None}
        currency = given.get("currency")
        if not (
            isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isalpha()
            and currency.isupper()
        ):  # fmt: skip
            raise _invalid("currency", "give the three capital letters of ISO 4217, such as EUR")
        name = given.get("name", "")
        if not isinstance(name, str) or len(name) > 1_000 or "\0" in name or not _is_unicode(name):
            raise _invalid("name", "give a text of up to 1,000 characters, without NUL and half surrogate pairs")
        prices = {each: _price(each, given.get(each, 0.0)) for each in _PRICES}
        return cls(
            currency=currency,
            name=name,
            task_unit=_word(TaskUnit, "task_unit", given.get("task_unit", TaskUnit.JOB)),
            when_failed=_word(WhenFailed, "when_failed", given.get("when_failed", WhenFailed.SECONDS)),
            priorities=_factors(given.get("priorities", {})),
            uncounted_gates=_gates(given.get("uncounted_gates")),
            **prices,
        )


_PRICES = (
    "per_task",
    "per_shot",
    "per_one_qubit_gate",
    "per_two_qubit_gate",
    "per_measurement",
    "per_second",
    "minimum",
    "session_per_second",
)


def _invalid(name: str, why: str) -> LimitError:
    return LimitError(
        f"The price list cannot be used: {name[:80]!r} is wrong.",
        code="price-list-invalid",
        cause=why,
        next_step="Correct the field; the guide on prices and budgets has whole examples.",
        details={"field": name[:80]},
    )


def _price(name: str, value: object) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (number and 0 <= value <= LARGEST_PRICE):  # type: ignore[operator]
        raise _invalid(name, f"give a number from 0 to {LARGEST_PRICE:g}")
    return float(value)  # type: ignore[arg-type]


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _word(kind: type[_Word], name: str, value: object) -> _Word:
    try:
        return kind(str(value))
    except ValueError:
        raise _invalid(name, f"give one of {', '.join(kind)}") from None


def _factors(value: object) -> dict[Priority, float]:
    if not isinstance(value, Mapping):
        raise _invalid("priorities", 'give an object such as {"High": 2}')
    return {_word(Priority, "priorities", name): _price("priorities", factor) for name, factor in value.items()}


def _gates(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_PRICE:
        raise _invalid("uncounted_gates", f"give a whole number from 0 to {LARGEST_PRICE:g}")
    return value
