"""What a caller of the client gives, as one request to the engine."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from antiphon.client.connection import Connection
from antiphon.domain.allocation import ShotAllocation
from antiphon.domain.mitigation import Mitigation
from antiphon.domain.noise import NoiseModel
from antiphon.domain.observables import Observable
from antiphon.domain.queues import Priority
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import JobKind
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.engine.times import in_seconds
from antiphon.engine.validate import is_number
from antiphon.errors import LimitError

LEAST_CEILING = 1_000
"""Shots at most of an estimate with a precision, however wide: each circuit needs a few."""


def made_request(
    connection: Connection,
    target: str,
    session_id: str | None,
    kind: JobKind,
    pubs: tuple[PubRequest, ...],
    began: float,
    name: str,
    seed: int | None,
    options: dict[str, Any],
) -> SubmitRequest:
    """A request of the connection's caller; what of `options` belongs to every target is taken out of them.

    Args:
        began: When reading the program began, by `time.perf_counter`.

    Raises:
        LimitError: The priority or the labels are none.
    """
    key = options.pop("key", None)
    execution = options.pop("execution", "auto")
    max_seconds = options.pop("max_seconds", None)
    metadata = options.pop("metadata", None)
    priority = _priority(options.pop("priority", Priority.STANDARD))
    for option in ("noise", "mitigation", "allocation"):
        value = options.get(option)
        if isinstance(value, NoiseModel | Mitigation | ShotAllocation):
            options[option] = value.to_json()
    options = {name: value.item() if isinstance(value, np.generic) else value for name, value in options.items()}
    options = in_seconds(options)
    return SubmitRequest(
        workspace=connection.workspace,
        who=connection.who,
        kind=kind,
        target=target,
        pubs=pubs,
        name=name or "",
        seed=seed,
        options=options,
        execution=execution,
        max_seconds=max_seconds,
        metadata=_labels(metadata),
        session_id=session_id,
        key=key,
        priority=priority,
        read_seconds=time.perf_counter() - began,
    )


def _priority(value: object) -> Priority:
    for priority in Priority:
        if str(value).lower() == priority.value.lower():
            return priority
    raise LimitError(
        f"priority={value!r} is no priority.",
        code="priority-unknown",
        next_step=f"Choose one of {', '.join(Priority)}.",
    )


def _labels(metadata: Mapping[str, Any] | None) -> dict[str, str]:
    if metadata is not None and not isinstance(metadata, Mapping):
        raise LimitError(
            f"metadata is of the type {type(metadata).__name__}, not a mapping.",
            code="text-invalid",
            next_step='Give a dict of labels: metadata={"paper": "fig 2"}.',
        )
    return {str(key): str(value) for key, value in (metadata or {}).items()}


def shots_of(
    shots: int | None,
    precision: float | None,
    max_shots: int | None,
    observables: Sequence[Observable],
    info: TargetInfo,
    options: dict[str, Any],
) -> int | None:
    """Shots as given, or at most as many as a standard error needs.

    A target that takes the option "allocation" is told the standard error and stops when it is reached; the shots are
    then a ceiling: `max_shots`, or (Σ|coefficient| / precision)², which is enough for any state where nothing is
    mitigated. Any other takes ⌈1/precision²⌉.

    Args:
        options: Those of the job; the allocation is added to them.

    Raises:
        LimitError: Both are given, or the standard error is none.
    """
    if precision is None:
        if max_shots is not None:
            raise LimitError(
                "max_shots was given without a precision.",
                code="shots-invalid",
                next_step="Give precision=0.01, say, or shots instead.",
            )
        return shots
    if shots is not None:
        raise LimitError(
            "Both shots and precision were given.",
            code="shots-invalid",
            next_step="Give one of them: each sets the other.",
        )
    # Below that nobody has as many shots, and the square would leave the range of a float.
    if not (is_number(precision) and precision > 1e-9):
        raise LimitError(
            f"precision={precision!r} is not a number above 1e-9.",
            code="shots-invalid",
            next_step="Give the standard error you want, e.g. 0.01.",
        )
    if "allocation" not in info.options:
        needed = math.ceil(1.0 / float(precision) ** 2)
        return needed if max_shots is None else min(needed, max_shots)
    given = options.get("allocation")
    told = given.to_json() if isinstance(given, ShotAllocation) else given if isinstance(given, Mapping) else {}
    options["allocation"] = {**told, "precision": float(precision)}
    if max_shots is not None:
        return max_shots
    reach = max((_reach(observable) for observable in observables), default=0.0)
    # Mitigated values vary more, by how much shows only then.
    more = 20 if options.get("mitigation") else 1
    enough = math.ceil(more * (reach / float(precision)) ** 2)
    each = 4 * sum(len(observable.terms) for observable in observables)
    return min(info.limits.max_shots, max(LEAST_CEILING, each * more, enough))


def _reach(observable: Observable) -> float:
    return sum(abs(coefficient) for pauli, coefficient in observable.terms if set(pauli) - {"I"})
