"""Several of a vendor's jobs that are one of Antiphon's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from vendor_process.serving import AmbiguousError, RefusedError, TransientError, VendorError, VendorJob

Part = TypeVar("Part")

SEPARATOR = "+"
"""Between the ids of jobs that are one."""

_ENDED = frozenset({"succeeded", "failed", "cancelled"})


def together(job_id: str, key: str | None, jobs: Sequence[VendorJob]) -> VendorJob:
    """One job of several: it has ended when all have, and waits while all wait."""
    states = [job.state for job in jobs]
    if all(state in _ENDED for state in states):
        state = next((bad for bad in ("failed", "cancelled") if bad in states), "succeeded")
    else:
        state = "queued" if all(each == "queued" for each in states) else "running"
    seconds = [job.seconds for job in jobs if job.seconds is not None]
    return VendorJob(
        id=job_id,
        key=key,
        state=state,
        error="; ".join(dict.fromkeys(job.error for job in jobs if job.error)),
        cost=[line for job in jobs for line in job.cost],
        seconds=sum(seconds) if seconds else None,
    )


def by_shots(programs: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """Places of programs with the same shots, for vendors whose jobs have one number of them; in order of the first."""
    found: dict[int, list[int]] = {}
    for place, program in enumerate(programs):
        found.setdefault(program["shots"], []).append(place)
    return list(found.values())


def send_each(
    parts: Sequence[Part], take: Callable[[Part], VendorJob], drop: Callable[[str], None], *, repeatable: bool
) -> list[VendorJob]:
    """Hand over each part; when one is refused, those before it are cancelled, so that nothing was taken.

    Args:
        take: Hands over one.
        drop: Cancels one by its id.
        repeatable: Whether the same key may be sent again after a part was not taken: the parts that were are not run
            twice then.

    Raises:
        AmbiguousError: Something was taken that could not be cancelled, or may have been.
        RefusedError, TransientError: As `take` says.
    """
    taken: list[VendorJob] = []
    for part in parts:
        try:
            taken.append(take(part))
        except TransientError:
            if repeatable or _dropped(taken, drop):
                raise
            raise AmbiguousError(f"{len(taken)} of {len(parts)} parts were taken") from None
        except RefusedError as error:
            if _dropped(taken, drop):
                raise
            raise AmbiguousError(f"{len(taken)} of {len(parts)} parts were taken, then: {error}") from None
    return taken


def _dropped(taken: Sequence[VendorJob], drop: Callable[[str], None]) -> bool:
    try:
        for job in taken:
            drop(job.id)
    except VendorError:
        return False
    return True
