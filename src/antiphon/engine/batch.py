"""Run a batch: its items in order, each with its own state, so that one bad item costs only itself."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from antiphon.domain.batches import BatchItem, ItemEvent, ItemTrigger, advance_item, verdict
from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.results import Execution, outcome_from_json
from antiphon.domain.work import Plan, Work, joined
from antiphon.engine.batch_ends import failed, lease_lost, partial_failure, stopped_while_planning, succeeded
from antiphon.engine.batch_plans import CHUNK_ITEMS, CHUNK_SECONDS, PLANNED, Planned, PlansAhead, told_of_plans
from antiphon.engine.batch_provenance import merged
from antiphon.engine.calibrations import kept_with, too_old
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.faults import unexpected
from antiphon.engine.giving_way import Turn
from antiphon.engine.planning import as_compiling
from antiphon.engine.record import STOPPED
from antiphon.engine.tasks import task_id
from antiphon.engine.validate import find_driver
from antiphon.errors import AntiphonError, ExecutionError, StoreError
from antiphon.ports.executor import Executor, Report, Task
from antiphon.ports.job_store import Artefact, VersionConflictError

SHARED_BLAME = frozenset({"worker-crashed", "worker-memory"})
"""Ends of a worker that what it had read ahead may have caused, and not what it ran."""


@dataclass(eq=False, slots=True)
class _Chunk:
    """Items that go to the executor together.

    `alone`: nothing is handed over while it runs, so that what happens is its own doing. `started`: its items are
    stored as executing. `shared`: the next chunk was handed over while it ran.
    """

    indices: list[int]
    plan: Plan
    alone: bool = False
    started: bool = False
    shared: bool = False

    def one(self, index: int) -> _Chunk:
        """A chunk of one of its items, to be run alone."""
        return _Chunk([index], self.plan.part([self.indices.index(index)]), alone=True)


class BatchRun:
    """One attempt at a batch. Items that already succeeded in an earlier attempt are not run again.

    Items go to the executor in chunks of about CHUNK_SECONDS of estimated work. While one chunk runs, the next is
    encoded and handed over, so that the next program starts the moment the one before it ends; what a chunk brought
    and the start of the next are stored in one transaction. A chunk in which anything fails is run again item by item,
    after what was handed over already, so that the fault is pinned to its item. Between chunks it looks whether the
    lease still holds, whether cancelling was asked for, and whether the batch has to give way to others (see `Turn`).

    Programs that are not planned yet are planned in order in a thread of their own, while those before them run; where
    the calling thread runs them, just before each chunk. One that cannot be planned fails its item alone.

    Args:
        plan: Of all programs, or of the first; None: none of them is planned, and the target plans each when it is
            needed (see `planning.as_compiling`).
    """

    def __init__(
        self,
        ctx: EngineContext,
        job: Job,
        work: Work,
        plan: Plan | None,
        executor: Executor,
        conclude: Callable[[Report], None],
    ) -> None:
        self._ctx, self._job, self._work = ctx, job, work
        self._executor, self._conclude = executor, conclude
        with ctx.store.read() as tx:
            self._items = {item.index: item for item in tx.items(job.id)}
        self._each_s = (job.planned_s if plan is None else plan.cost) / max(1, len(work.pubs))
        open_items = [index for index, item in self._items.items() if not item.status.is_final]
        num_planned = 0 if plan is None else len(plan.engine)
        self._ready = deque() if plan is None else self._cut([i for i in open_items if i < num_planned], plan)
        self._plans = self._plans_of([index for index in open_items if index >= num_planned])
        self._planned: dict[int, Planned] = {}  # all that `_plans` has planned
        self._next: deque[int] = deque()  # of that, what can run and is in no chunk yet
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
            self._ctx.stoppers[task_id(self._job)] = self._stop
            if self._plans is not None and not self._is_inline:
                self._plans.start(self._take_planned)
            self._go_on()

    def _stop(self) -> None:
        """End it at once if nothing of it runs; what runs is stopped where it does.

        Whoever stops another batch may hold the lock of one that is stopping this: it is asked again soon, and does not
        wait here.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            if not self._ended and not self._going_on and not self._flight:
                self._stopped = self._stopped or stopped_while_planning()
                self._go_on()
        finally:
            self._lock.release()

    @property
    def _is_inline(self) -> bool:
        return self._executor.name == "inline"

    def _plans_of(self, indices: list[int]) -> PlansAhead | None:
        if not indices:
            return None
        driver = as_compiling(find_driver(self._ctx.drivers, self._job.spec.target), self._work)
        assert driver is not None
        return PlansAhead(self._ctx, self._job, self._work, driver, indices, self._executor)

    def _cut(self, indices: list[int], plan: Plan) -> deque[_Chunk]:
        each = self._each_s
        size = CHUNK_ITEMS if each <= 0 else max(1, min(CHUNK_ITEMS, int(CHUNK_SECONDS / each)))
        parts = [indices[start : start + size] for start in range(0, len(indices), size)]
        return deque(_Chunk(part, plan.part(part)) for part in parts)

    def _take_planned(self, found: Planned | AntiphonError | None) -> None:
        # In the thread that plans, where nobody would see an exception, either.
        with self._lock:
            if self._ended:
                return
            try:
                self._add_planned(found)
                self._go_on()
            except Exception as error:  # noqa: BLE001 - it fails this job alone
                self._end(Report(None, unexpected(error), self._seconds))
                self._executor.cancel(task_id(self._job))

    def _add_planned(self, found: Planned | AntiphonError | None) -> None:
        """Take over what was planned: None says that all is, an error that no more can be planned now."""
        if not isinstance(found, Planned):
            self._plans = None
            if found is not None:
                self._stopped = self._stopped or lease_lost()
            return
        self._planned[found.index] = found
        if found.error is None:
            self._next.append(found.index)
            return
        now = self._ctx.clock.now()
        begun = ItemEvent(trigger=ItemTrigger.STARTED, at=now)
        self._save([(found.index, begun), (found.index, failed(found.error, now, {}))])

    def _plan_here(self) -> None:
        """Plan a chunk, where the calling thread runs it."""
        began = time.perf_counter()
        while self._plans is not None and self._stopped is None:
            if self._next and (self._is_full(self._next) or time.perf_counter() - began > CHUNK_SECONDS):
                return
            try:
                self._add_planned(self._plans.next())
            except StoreError as error:
                self._add_planned(error)

    def _is_full(self, indices: Collection[int]) -> bool:
        return len(indices) >= CHUNK_ITEMS or sum(self._plan_of(index).cost for index in indices) >= CHUNK_SECONDS

    def _plan_of(self, index: int) -> Plan:
        plan = self._planned[index].plan
        assert plan is not None
        return plan

    def _next_chunk(self) -> _Chunk | None:
        """The chunk to be handed over next, left where it is; of what is planned when needed, all that is there."""
        if self._ready:
            return self._ready[0]
        if self._is_inline:
            self._plan_here()
        indices: list[int] = []
        while self._next and not (indices and self._is_full(indices)):
            indices.append(self._next.popleft())
        if not indices:
            return None
        if self._plans is not None:
            self._plans.took(indices)
        self._ready.append(_Chunk(indices, joined([self._plan_of(index) for index in indices])))
        for index in indices:
            self._planned[index] = evolve(self._planned[index], plan=None)  # compiled circuits are large
        return self._ready[0]

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
        is_planned = self._plans is None or self._stopped is not None
        if not self._flight and not self._ended and is_planned:
            self._finish()

    def _hand_over(self) -> bool:
        """Hand over the next chunk, if there is one and it is time; True if it did."""
        if self._stopped is not None or self._ended or len(self._flight) > 1:
            return False
        chunk = self._next_chunk()
        if chunk is None or self._stopped is not None:
            return False
        if self._flight:
            runs = self._flight[0]
            if chunk.alone or runs.alone or not self._executor.takes_ahead:
                return False
            if self._turn is not None and not self._turn.may_hand_ahead(self._expected_seconds(runs)):
                return False
            runs.shared = True
        elif self._num_ran and self._turn is not None and self._turn.give_way(self._seconds):
            # It waits in the queue again; that the lease is gone is all that is left to say.
            self._end(Report(None, lease_lost(), self._seconds))
            return False
        elif not self._mark_started(chunk):
            return False
        self._ready.popleft()
        self._flight.append(chunk)
        self._executor.start(self._task(chunk, follows=len(self._flight) > 1), partial(self._report, chunk))
        return True

    def _expected_seconds(self, chunk: _Chunk) -> float:
        each = self._seconds / self._num_ran if self._num_ran else self._each_s
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
        plan = chunk.plan.without_texts()
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
                return [(index, failed(old, now, self._told(index))) for index in indices]
            return [
                (index, succeeded(position, now, execution, self._told(index)))
                for position, index in enumerate(indices)
            ]
        error = report.error or ExecutionError("The executor reported neither a result nor an error.")
        if error.code in STOPPED:
            self._stopped = error
        elif len(indices) > 1:
            self._ready.extendleft(chunk.one(index) for index in reversed(indices))
        elif chunk.shared and error.code in SHARED_BLAME:
            self._ready.appendleft(_Chunk(indices, chunk.plan, alone=True))
        elif error.code == "task-not-started":
            self._ready.appendleft(_Chunk(indices, chunk.plan))
        else:
            return [(indices[0], failed(error, now, self._told(indices[0])))]
        return [(index, ItemEvent(trigger=ItemTrigger.LEASE_LOST, at=now)) for index in indices]

    def _told(self, index: int) -> dict[str, Any]:
        """What the item's provenance says of planning it, if that was when it was needed."""
        return {PLANNED: self._planned[index].told} if index in self._planned and self._planned[index].told else {}

    def _save(self, changes: Sequence[tuple[int, ItemEvent]]) -> None:
        try:
            self._items |= self._saved(changes)
        except (VersionConflictError, StoreError):
            # The store cannot be written: what is stored counts, and the rest of the batch runs again.
            self._stopped = lease_lost()

    @decided_again
    def _saved(self, changes: Sequence[tuple[int, ItemEvent]]) -> dict[int, BatchItem]:
        saved: dict[int, BatchItem] = {}
        with self._ctx.store.write() as tx:
            job = tx.job(self._job.id)
            if job is None or job.owner != self._ctx.engine_id or job.fence != self._job.fence:
                self._stopped = lease_lost()
                return {}
            for index, event in changes:
                before = saved.get(index, self._items[index])
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
                if saved[index].status.is_final:
                    for value in self._planned[index].kept if index in self._planned else ():
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
            execution = Execution(outcomes, merged([item.provenance or {} for item in items]))
            self._end(Report(execution, None, self._seconds))
            return
        self._end(Report(None, partial_failure(items), self._seconds))

    def _end(self, report: Report) -> None:
        self._ended = True
        self._ctx.stoppers.pop(task_id(self._job), None)
        if self._plans is not None:
            self._plans.stop()
        items = [self._items[index] for index in sorted(self._items)]
        self._conclude(replace(report, provenance=told_of_plans(self._job, items)))
