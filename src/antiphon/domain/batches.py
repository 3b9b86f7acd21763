"""Batches: many programs in one job, each item with its own life, so that partial results survive a bad item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import FINAL_STATUSES, JobStatus
from antiphon.domain.transitions import TransitionTable


class ItemTrigger(StrEnum):
    """What can happen to one item of a batch."""

    STARTED = "started"
    LEASE_LOST = "lease lost"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


ITEM_TRANSITIONS: TransitionTable[JobStatus, ItemTrigger] = TransitionTable(
    "batch item",
    JobStatus.WAITING,
    {
        (JobStatus.WAITING, ItemTrigger.STARTED): JobStatus.EXECUTING,
        (JobStatus.WAITING, ItemTrigger.CANCELLED): JobStatus.CANCELLED,
        (JobStatus.EXECUTING, ItemTrigger.LEASE_LOST): JobStatus.WAITING,
        (JobStatus.EXECUTING, ItemTrigger.SUCCEEDED): JobStatus.SUCCEEDED,
        (JobStatus.EXECUTING, ItemTrigger.FAILED): JobStatus.FAILED,
        (JobStatus.EXECUTING, ItemTrigger.CANCELLED): JobStatus.CANCELLED,
    },
    FINAL_STATUSES,
)


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One program of a batch. `outcome` is the JSON of its outcome once it succeeded; it is never lost again."""

    index: int
    status: JobStatus = JobStatus.WAITING
    error: Mapping[str, Any] | None = None
    outcome: Mapping[str, Any] | None = None
    provenance: Mapping[str, Any] | None = None
    started_at: float | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemEvent:
    """Something that happened to one item."""

    trigger: ItemTrigger
    at: float
    error: Mapping[str, Any] | None = None
    outcome: Mapping[str, Any] | None = None
    provenance: Mapping[str, Any] | None = None


def advance_item(item: BatchItem, event: ItemEvent) -> BatchItem:
    """The item after `event`; pure.

    Raises:
        TransitionRefusedError: The table does not list the event in the item's status.
    """
    status = ITEM_TRANSITIONS.next(item.status, event.trigger)
    if event.trigger is ItemTrigger.STARTED:
        return evolve(item, status=status, started_at=event.at)
    if event.trigger is ItemTrigger.LEASE_LOST:
        return evolve(item, status=status, started_at=None)
    return evolve(
        item,
        status=status,
        ended_at=event.at,
        error=event.error,
        outcome=event.outcome,
        provenance=event.provenance,
    )


def verdict(items: Iterable[BatchItem]) -> JobStatus:
    """How the job of a batch ends once its items have: Failed if any item failed, Cancelled if any was, else Succeeded.

    A Failed batch still hands out the outcomes of the items that succeeded.
    """
    statuses = {item.status for item in items}
    if JobStatus.FAILED in statuses:
        return JobStatus.FAILED
    if JobStatus.CANCELLED in statuses:
        return JobStatus.CANCELLED
    return JobStatus.SUCCEEDED
