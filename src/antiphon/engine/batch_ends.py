"""How items of a batch end, and with them the batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.domain.batches import BatchItem, ItemEvent, ItemTrigger
from antiphon.domain.jobs import JobStatus
from antiphon.domain.results import Execution, outcome_to_json
from antiphon.engine.batch_provenance import share_of
from antiphon.errors import AntiphonError, ExecutionError


def failed(error: AntiphonError, at: float, told: Mapping[str, Any]) -> ItemEvent:
    """An item failed; `told` is what its provenance says of how it was planned."""
    return ItemEvent(trigger=ItemTrigger.FAILED, at=at, error=error.to_dict(), provenance=told or None)


def succeeded(position: int, at: float, execution: Execution, told: Mapping[str, Any]) -> ItemEvent:
    """An item succeeded, at `position` of an execution that it may have shared with others; `told` as in `failed`."""
    return ItemEvent(
        trigger=ItemTrigger.SUCCEEDED,
        at=at,
        outcome=outcome_to_json(execution.outcomes[position]),
        provenance={**share_of(execution.provenance, position, execution.outcomes), **told},
    )


def partial_failure(items: list[BatchItem]) -> ExecutionError:
    """Code "batch-partial": some items failed; says which, and why the first."""
    bad = [item for item in items if item.status is JobStatus.FAILED]
    good = sum(item.status is JobStatus.SUCCEEDED for item in items)
    first = bad[0].error or {}
    return ExecutionError(
        f"{len(bad)} of the {len(items)} programs of the batch failed; {good} succeeded.",
        code="batch-partial",
        cause=f"item {bad[0].index}: {first.get('message', '')}",
        next_step="job.result(partial=True) gives the results of the others; job.items says what became of each.",
        details={"failed": [item.index for item in bad]},
    )


def lease_lost() -> ExecutionError:
    """Code "task-cancelled": somebody else has the batch, or is to have it."""
    return ExecutionError("The lease on the batch was lost.", code="task-cancelled")


def stopped_while_planning() -> ExecutionError:
    """Code "task-cancelled": it is to be cancelled, or somebody else has it, and nothing of it runs."""
    return ExecutionError("The batch was stopped while its next program was compiled.", code="task-cancelled")
