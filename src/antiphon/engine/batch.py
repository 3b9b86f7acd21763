"""Run a batch: its items in order, each with its own state, so that one bad item costs only itself."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from antiphon.domain.batches import BatchItem, ItemEvent, ItemTrigger, advance_item, verdict
from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.results import Execution, Outcome, outcome_from_json, outcome_to_json
from antiphon.domain.work import Plan, Work
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.faults import unexpected
from antiphon.engine.record import STOPPED
from antiphon.engine.tasks import task_id
from antiphon.errors import AntiphonError, ExecutionError, StoreError
from antiphon.ports.executor import Executor, Report, Task
from antiphon.ports.job_store import VersionConflictError

CHUNK_SECONDS = 0.05
CHUNK_ITEMS = 100


class BatchRun:
    """One attempt at a batch. Items that already succeeded in an earlier attempt are not run again.

    Items go to the executor in chunks of about CHUNK_SECONDS of estimated work, one chunk after the other without a
    pause; a chunk in which anything fails is run again item by item, so that the fault is pinned to its item. Between
    chunks it looks whether the lease still holds and whether cancelling was asked for.
    """

    def __init__(
        self,
        ctx: EngineContext,
        job: Job,
        work: Work,
        plan: Plan,
        executor: Executor,
        conclude: Callable[[Report], None],
    ) -> None:
        self._ctx, self._job, self._work, self._plan = ctx, job, work, plan
        self._executor, self._conclude = executor, conclude
        with ctx.store.read() as tx:
            self._items = {item.index: item for item in tx.items(job.id)}
        self._chunks = self._cut([index for index, item in self._items.items() if not item.status.is_final])
        self._seconds = 0.0
        self._stopped: AntiphonError | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Run the first chunk; each chunk's end starts the next."""
        self._next()

    def _cut(self, indices: list[int]) -> deque[list[int]]:
        each = self._plan.cost / max(1, len(self._work.pubs))
        size = CHUNK_ITEMS if each <= 0 else max(1, min(CHUNK_ITEMS, int(CHUNK_SECONDS / each)))
        return deque(indices[start : start + size] for start in range(0, len(indices), size))

    def _next(self) -> None:
        # A loop, not recursion: an inline executor reports before start() returns.
        while self._chunks:
            chunk = self._chunks.popleft()
            self._save(chunk, [ItemEvent(trigger=ItemTrigger.STARTED, at=self._ctx.clock.now())] * len(chunk))
            if self._has_stopped():
                break
            reports: list[Report] = []
            returned = threading.Event()

            def report_in(
                report: Report, chunk: list[int] = chunk, box: list[Report] = reports, event: threading.Event = returned
            ) -> None:
                with self._lock:
                    synchronous = not event.is_set()
                    if synchronous:
                        box.append(report)
                if not synchronous:
                    self._go_on(chunk, report)

            self._executor.start(self._task(chunk), report_in)
            with self._lock:
                returned.set()
                pending = not reports
            if pending:
                return
            self._take(chunk, reports[0])
            if self._has_stopped():
                break
        self._finish()

    def _has_stopped(self) -> bool:
        return self._stopped is not None

    def _go_on(self, chunk: list[int], report: Report) -> None:
        # In a thread of the executor, where nobody would see an exception, and the job would be held for ever.
        try:
            self._take(chunk, report)
            if self._has_stopped():
                self._chunks.clear()
            self._next()
        except Exception as error:  # noqa: BLE001 - it fails this job alone
            self._conclude(Report(None, unexpected(error), self._seconds))

    def _task(self, chunk: list[int]) -> Task:
        work = Work(self._work.kind, tuple(self._work.pubs[index] for index in chunk), self._work.options)
        plan = replace(
            self._plan,
            engine=tuple(self._plan.engine[index] for index in chunk),
            reason=tuple(self._plan.reason[index] for index in chunk),
            cost=self._plan.cost * len(chunk) / len(self._work.pubs),
            num_calls=len(chunk),
        )
        return Task(task_id(self._job), self._job.spec.target, work, plan, self._job.spec.max_seconds)

    def _take(self, chunk: list[int], report: Report) -> None:
        """Store what a chunk brought."""
        self._seconds += report.seconds
        now = self._ctx.clock.now()
        if report.execution is not None:
            self._save(chunk, [_succeeded(outcome, now, report.execution) for outcome in report.execution.outcomes])
            return
        error = report.error or ExecutionError("The executor reported neither a result nor an error.")
        if error.code in STOPPED:
            self._save(chunk, [ItemEvent(trigger=ItemTrigger.LEASE_LOST, at=now)] * len(chunk))
            self._stopped = error
        elif len(chunk) > 1:
            self._save(chunk, [ItemEvent(trigger=ItemTrigger.LEASE_LOST, at=now)] * len(chunk))
            self._chunks.extendleft([index] for index in reversed(chunk))
        else:
            self._save(chunk, [ItemEvent(trigger=ItemTrigger.FAILED, at=now, error=error.to_dict())])

    def _save(self, indices: list[int], events: list[ItemEvent]) -> None:
        try:
            self._items |= self._saved(indices, events)
        except (VersionConflictError, StoreError):
            # The store cannot be written: what is stored counts, and the rest of the batch runs again.
            self._stopped = _lease_lost()

    @decided_again
    def _saved(self, indices: list[int], events: list[ItemEvent]) -> dict[int, BatchItem]:
        saved: dict[int, BatchItem] = {}
        with self._ctx.store.write() as tx:
            job = tx.job(self._job.id)
            if job is None or job.owner != self._ctx.engine_id or job.fence != self._job.fence:
                self._stopped = _lease_lost()
                return {}
            for index, event in zip(indices, events, strict=True):
                before = self._items[index]
                if event.trigger is ItemTrigger.STARTED:
                    if job.status is JobStatus.CANCELLATION_REQUESTED:
                        self._stopped = ExecutionError(
                            "The batch was cancelled between two items.", code="task-cancelled"
                        )
                        return {}
                    if before.status is JobStatus.EXECUTING:
                        continue  # an engine that died under it had started it
                saved[index] = advance_item(before, event)
                tx.save_item(self._job.id, before, saved[index])
        return saved

    def _finish(self) -> None:
        if self._stopped is not None:
            self._conclude(Report(None, self._stopped, self._seconds))
            return
        items = [self._items[index] for index in sorted(self._items)]
        if verdict(items) is JobStatus.SUCCEEDED:
            outcomes = tuple(outcome_from_json(item.outcome or {}) for item in items)
            execution = Execution(outcomes, _merged([item.provenance or {} for item in items]))
            self._conclude(Report(execution, None, self._seconds))
            return
        self._conclude(Report(None, _partial(items), self._seconds))


def _lease_lost() -> ExecutionError:
    return ExecutionError("The lease on the batch was lost.", code="task-cancelled")


def _succeeded(outcome: Outcome, at: float, execution: Execution) -> ItemEvent:
    share = execution.provenance.get("engine_s", 0.0) / len(execution.outcomes)
    return ItemEvent(
        trigger=ItemTrigger.SUCCEEDED,
        at=at,
        outcome=outcome_to_json(outcome),
        provenance={**execution.provenance, "engine_s": share},
    )


def _merged(parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = dict(parts[0]) if parts else {}
    merged["engine_s"] = sum(part.get("engine_s", 0.0) for part in parts)
    return merged


def _partial(items: list[BatchItem]) -> ExecutionError:
    failed = [item for item in items if item.status is JobStatus.FAILED]
    good = sum(item.status is JobStatus.SUCCEEDED for item in items)
    first = failed[0].error or {}
    return ExecutionError(
        f"{len(failed)} of the {len(items)} programs of the batch failed; {good} succeeded.",
        code="batch-partial",
        cause=f"item {failed[0].index}: {first.get('message', '')}",
        next_step="job.result(partial=True) gives the results of the others; job.items says what became of each.",
        details={"failed": [item.index for item in failed]},
    )
