"""Run a batch: its items in order, each with its own state, so that one bad item costs only itself."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from antiphon.domain.batches import BatchItem, ItemEvent, ItemTrigger, advance_item, verdict
from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.results import Execution, Outcome, outcome_from_json, outcome_to_json
from antiphon.domain.work import Plan, Work
from antiphon.engine.calibrations import kept_with, too_old
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.faults import unexpected
from antiphon.engine.giving_way import Turn
from antiphon.engine.record import STOPPED
from antiphon.engine.tasks import task_id
from antiphon.errors import AntiphonError, ExecutionError, StoreError
from antiphon.ports.executor import Executor, Report, Task
from antiphon.ports.job_store import Artefact, VersionConflictError

CHUNK_SECONDS = 0.05
CHUNK_ITEMS = 100
SHARED_BLAME = frozenset({"worker-crashed", "worker-memory"})
"""Ends of a worker that what it had read ahead may have caused, and not what it ran."""


@dataclass(eq=False, slots=True)
class _Chunk:
    """Items that go to the executor together.

    `alone`: nothing is handed over while it runs, so that what happens is its own doing. `started`: its items are
    stored as executing. `shared`: the next chunk was handed over while it ran.
    """

    indices: list[int]
    alone: bool = False
    started: bool = False
    shared: bool = False


class BatchRun:
    """One attempt at a batch. Items that already succeeded in an earlier attempt are not run again.

    Items go to the executor in chunks of about CHUNK_SECONDS of estimated work. While one chunk runs, the next is
    encoded and handed over, so that the next program starts the moment the one before it ends; what a chunk brought
    and the start of the next are stored in one transaction. A chunk in which anything fails is run again item by item,
    after what was handed over already, so that the fault is pinned to its item. Between chunks it looks whether the
    lease still holds, whether cancelling was asked for, and whether the batch has to give way to others (see `Turn`).
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
        self._ready = self._cut([index for index, item in self._items.items() if not item.status.is_final])
        self._flight: deque[_Chunk] = deque()  # handed over: the one that runs, and the one that follows it
        # Who runs it in the submitting thread takes nobody's place.
        self._turn = Turn(ctx, job) if executor.name != "inline" else None
        self._snapshot: list[Artefact] = []
        self._seconds = 0.0
        self._num_ran = 0
        self._stopped: AntiphonError | None = None
        self._ended = False
        self._going_on = False
        # Reports come from a thread of the executor, the first while `start` still hands over.
        self._lock = threading.RLock()

    def start(self) -> None:
        """Hand over the first chunks; each chunk's end hands over another."""
        with self._lock:
            self._go_on()

    def _cut(self, indices: list[int]) -> deque[_Chunk]:
        each = self._plan.cost / max(1, len(self._work.pubs))
        size = CHUNK_ITEMS if each <= 0 else max(1, min(CHUNK_ITEMS, int(CHUNK_SECONDS / each)))
        return deque(_Chunk(indices[start : start + size]) for start in range(0, len(indices), size))

    def _go_on(self) -> None:
        # A loop, not recursion: an inline executor reports before its start() returns.
        if self._going_on:
            return
        self._going_on = True
        try:
            while self._hand_over():
                pass
        finally:
            self._going_on = False
        if not self._flight and not self._ended:
            self._finish()

    def _hand_over(self) -> bool:
        """Hand over the next chunk, if there is one and it is time; True if it did."""
        if self._stopped is not None or not self._ready or self._ended:
            return False
        chunk = self._ready[0]
        if self._flight:
            runs = self._flight[0]
            if len(self._flight) > 1 or chunk.alone or runs.alone or not self._executor.takes_ahead:
                return False
            if self._turn is not None and not self._turn.may_hand_ahead(self._expected_seconds(runs)):
                return False
            runs.shared = True
        elif self._num_ran and self._turn is not None and self._turn.give_way(self._seconds):
            # It waits in the queue again; that the lease is gone is all that is left to say.
            self._end(Report(None, _lease_lost(), self._seconds))
            return False
        elif not self._mark_started(chunk):
            return False
        self._ready.popleft()
        self._flight.append(chunk)
        self._executor.start(self._task(chunk, follows=len(self._flight) > 1), partial(self._report, chunk))
        return True

    def _expected_seconds(self, chunk: _Chunk) -> float:
        each = self._seconds / self._num_ran if self._num_ran else self._plan.cost / len(self._work.pubs)
        return each * len(chunk.indices)

    def _mark_started(self, chunk: _Chunk) -> bool:
        now = self._ctx.clock.now()
        self._save([(index, ItemEvent(trigger=ItemTrigger.STARTED, at=now)) for index in chunk.indices])
        chunk.started = self._stopped is None
        return chunk.started

    def _report(self, chunk: _Chunk, report: Report) -> None:
        # In a thread of the executor, where nobody would see an exception, and the job would be held for ever.
        with self._lock:
            if self._ended:
                return
            try:
                self._flight.remove(chunk)
                self._take(chunk, report)
                if self._stopped is not None and self._flight:
                    self._executor.cancel(task_id(self._job))
                # One that never began is told of before the one it was to follow, whose end says how to go on.
                if chunk.started or not self._flight:
                    self._go_on()
            except Exception as error:  # noqa: BLE001 - it fails this job alone
                self._end(Report(None, unexpected(error), self._seconds))
                self._executor.cancel(task_id(self._job))

    def _task(self, chunk: _Chunk, *, follows: bool) -> Task:
        indices = chunk.indices
        work = Work(self._work.kind, tuple(self._work.pubs[index] for index in indices), self._work.options)
        plan = replace(
            self._plan,
            engine=tuple(self._plan.engine[index] for index in indices),
            reason=tuple(self._plan.reason[index] for index in indices),
            cost=self._plan.cost * len(indices) / len(self._work.pubs),
            num_calls=len(indices),
            compiled=tuple(self._plan.compiled[index] for index in indices) if self._plan.compiled else (),
        )
        return Task(task_id(self._job), self._job.spec.target, work, plan, self._job.spec.max_seconds, follows)

    def _take(self, chunk: _Chunk, report: Report) -> None:
        """Store what a chunk brought, and that the one behind it has begun."""
        self._seconds += report.seconds
        self._num_ran += len(chunk.indices) if chunk.started else 0
        now = self._ctx.clock.now()
        changes = self._brought(chunk, report, now) if chunk.started else self._put_back(chunk, report)
        follower = self._flight[0] if self._flight else None
        if follower is not None and not follower.started and self._stopped is None:
            begun = ItemEvent(trigger=ItemTrigger.STARTED, at=now)
            changes += [(index, begun) for index in follower.indices]
            self._save(changes)
            follower.started = self._stopped is None
        elif changes:
            self._save(changes)

    def _put_back(self, chunk: _Chunk, report: Report) -> list[tuple[int, ItemEvent]]:
        """Of a chunk that was handed over and never began."""
        if report.error is not None and report.error.code in STOPPED:
            self._stopped = self._stopped or report.error
        self._ready.appendleft(chunk)
        return []

    def _brought(self, chunk: _Chunk, report: Report, now: float) -> list[tuple[int, ItemEvent]]:
        indices = chunk.indices
        if report.execution is not None:
            told, self._snapshot = kept_with(self._ctx, report.execution, report.seconds)
            execution = replace(report.execution, provenance={**report.execution.provenance, **told})
            old = too_old(self._job.spec.options, execution.provenance, self._job.spec.target)
            if old is not None:
                failed = ItemEvent(trigger=ItemTrigger.FAILED, at=now, error=old.to_dict())
                return [(index, failed) for index in indices]
            events = [_succeeded(outcome, now, execution) for outcome in execution.outcomes]
            return list(zip(indices, events, strict=True))
        error = report.error or ExecutionError("The executor reported neither a result nor an error.")
        if error.code in STOPPED:
            self._stopped = error
        elif len(indices) > 1:
            self._ready.extendleft(_Chunk([index], alone=True) for index in reversed(indices))
        elif chunk.shared and error.code in SHARED_BLAME:
            self._ready.appendleft(_Chunk(indices, alone=True))
        elif error.code == "task-not-started":
            self._ready.appendleft(_Chunk(indices))
        else:
            return [(indices[0], ItemEvent(trigger=ItemTrigger.FAILED, at=now, error=error.to_dict()))]
        return [(index, ItemEvent(trigger=ItemTrigger.LEASE_LOST, at=now)) for index in indices]

    def _save(self, changes: Sequence[tuple[int, ItemEvent]]) -> None:
        try:
            self._items |= self._saved(changes)
        except (VersionConflictError, StoreError):
            # The store cannot be written: what is stored counts, and the rest of the batch runs again.
            self._stopped = _lease_lost()

    @decided_again
    def _saved(self, changes: Sequence[tuple[int, ItemEvent]]) -> dict[int, BatchItem]:
        saved: dict[int, BatchItem] = {}
        with self._ctx.store.write() as tx:
            job = tx.job(self._job.id)
            if job is None or job.owner != self._ctx.engine_id or job.fence != self._job.fence:
                self._stopped = _lease_lost()
                return {}
            for index, event in changes:
                before = self._items[index]
                if event.trigger is ItemTrigger.STARTED:
                    if job.status is JobStatus.CANCELLATION_REQUESTED:
                        self._stopped = ExecutionError(
                            "The batch was cancelled between two items.", code="task-cancelled"
                        )
                        break  # what starts comes last
                    if before.status is JobStatus.EXECUTING:
                        continue  # an engine that died under it had started it
                saved[index] = advance_item(before, event)
                if event.trigger is ItemTrigger.SUCCEEDED:
                    for value in self._snapshot:
                        tx.add_artefact(value)
                tx.save_item(self._job.id, before, saved[index])
        return saved

    def _finish(self) -> None:
        if self._stopped is not None:
            self._end(Report(None, self._stopped, self._seconds))
            return
        items = [self._items[index] for index in sorted(self._items)]
        if verdict(items) is JobStatus.SUCCEEDED:
            outcomes = tuple(outcome_from_json(item.outcome or {}) for item in items)
            execution = Execution(outcomes, _merged([item.provenance or {} for item in items]))
            self._end(Report(execution, None, self._seconds))
            return
        self._end(Report(None, _partial(items), self._seconds))

    def _end(self, report: Report) -> None:
        self._ended = True
        self._conclude(report)


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
