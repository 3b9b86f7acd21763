"""The programs of a batch that are planned when they are needed: each is compiled while those before it run."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from antiphon.domain.batches import BatchItem
from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.work import PROGRAMS, Plan, Work
from antiphon.engine.artefacts import compiled_artefacts
from antiphon.engine.context import EngineContext
from antiphon.engine.faults import unexpected
from antiphon.engine.planning import only
from antiphon.engine.validate import check_memory
from antiphon.errors import AntiphonError, StoreError
from antiphon.ports.compiling_driver import CompilingDriver
from antiphon.ports.executor import Executor
from antiphon.ports.job_store import Artefact
from antiphon.ports.on_behalf import on_behalf_of

CHUNK_SECONDS = 0.05
CHUNK_ITEMS = 100
AHEAD = 2
"""So many programs are planned ahead whatever they cost; more only while they are short."""
PLANNED = "planned"
"""Under this name the provenance of an item says what was decided for it after its batch was queued."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A program with its plan, or why there is none.

    Attributes:
        told: What its item keeps of the plan, if there was none before the batch was queued.
        kept: The artefacts that `told` names.
    """

    index: int
    plan: Plan | None
    error: AntiphonError | None = None
    told: Mapping[str, Any] = field(default_factory=dict)
    kept: Sequence[Artefact] = ()


class PlansAhead:
    """Plans programs of a batch, one after the other.

    Args:
        indices: Of the programs, those that are not planned yet.
        executor: Where they are to run; a program that needs more memory than that has is refused.
    """

    def __init__(
        self,
        ctx: EngineContext,
        job: Job,
        work: Work,
        driver: CompilingDriver,
        indices: Iterable[int],
        executor: Executor,
    ) -> None:
        self._ctx, self._job, self._work, self._driver = ctx, job, work, driver
        self._executor = executor
        self._left = deque(indices)
        self._told_before = len(job.provenance.get("plan", {}).get("engine", work.pubs))
        self._room = threading.Condition()
        self._waiting: dict[int, float] = {}
        """Planned and not taken yet: what each is expected to run, in seconds."""
        self._stopped = False
        self._gives_up: Future[None] = Future()
        self._thread: threading.Thread | None = None

    def start(self, tell: Callable[[Planned | AntiphonError | None], None]) -> None:
        """Plan in a thread of its own, as far ahead as there is room.

        Args:
            tell: Given each program, then None; or why nothing more is planned, which is no program's fault.
        """
        self._thread = threading.Thread(target=self._run, args=(tell,), name="antiphon-plans", daemon=True)
        _at_work.add(self)
        self._thread.start()

    def took(self, indices: Iterable[int]) -> None:
        """Programs that were told of were handed over."""
        with self._room:
            for index in indices:
                self._waiting.pop(index, None)
            self._room.notify()

    def stop(self) -> None:
        """Plan nothing more; what is being compiled is stopped where that is possible, and not told of any more."""
        with self._room:
            is_first = not self._stopped
            self._stopped = True
            self._room.notify()
        if is_first:
            self._gives_up.set_result(None)

    def leave(self) -> None:
        """Plan nothing more, and wait until what is being compiled is."""
        self.stop()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def next(self) -> Planned | None:
        """Plan the next program, here and now; None after the last.

        Raises:
            StoreError: Nothing can be planned now, for no fault of the program.
        """
        if not self._left:
            return None
        index = self._left[0]
        try:
            found = self._plan(index)
        except StoreError:
            raise
        except AntiphonError as error:
            found = Planned(index, None, error)
        except Exception as error:  # noqa: BLE001 - it is this program that a compiler did not expect
            found = Planned(index, None, unexpected(error))
        self._left.popleft()
        return found

    def _plan(self, index: int) -> Planned:
        plan = self._driver.plan(only(self._work, index))
        check_memory(plan, self._executor)
        if index < self._told_before:
            return Planned(index, plan)
        digests, kept = compiled_artefacts(self._ctx, plan)
        return Planned(index, plan, told=_told(plan, digests), kept=kept)

    def _run(self, tell: Callable[[Planned | AntiphonError | None], None]) -> None:
        found: Planned | AntiphonError | None = None
        while (gives_up := self._has_room()) is not None:
            try:
                with on_behalf_of(self._job.workspace, patient=True, gives_up=gives_up):
                    found = self.next()
            except AntiphonError as error:
                found = error
            if self._is_over():
                return
            if isinstance(found, Planned) and found.plan is not None:
                with self._room:
                    self._waiting[found.index] = found.plan.cost
            tell(found)
            if not isinstance(found, Planned):
                return

    def _has_room(self) -> Future[None] | None:
        """Wait for room; None if there is nothing to plan any more, else what is done when it is stopped."""
        with self._room:
            while not self._is_over() and self._is_far_ahead():
                self._room.wait()
            if self._is_over():
                return None
            # One for each program: who is called by it is kept no longer than that.
            self._gives_up = Future()
            return self._gives_up

    def _is_far_ahead(self) -> bool:
        waiting = self._waiting
        return len(waiting) >= AHEAD and (len(waiting) >= CHUNK_ITEMS or sum(waiting.values()) >= AHEAD * CHUNK_SECONDS)

    def _is_over(self) -> bool:
        return self._stopped or self._ctx.closing.is_set()


_at_work: weakref.WeakSet[PlansAhead] = weakref.WeakSet()


@atexit.register
def _leave_all() -> None:
    # A thread that is inside a compiler while the interpreter goes takes the process with it: it aborts.
    for plans in list(_at_work):
        plans.leave()


def told_of_plans(job: Job, items: Sequence[BatchItem]) -> dict[str, Any]:
    """What the provenance of a batch says, at its end, of programs planned after it was queued; empty without any.

    It is then as if they had been planned before, with None for programs that were never compiled; but "later" says of
    the plan how many were compiled only then, and how many seconds that took.
    """
    plan: Mapping[str, Any] = job.provenance.get("plan", {})
    if not plan.get("pending"):
        return {}
    later = [item for item in items if item.index >= len(plan["engine"])]
    told: list[dict[str, Any] | None] = [(item.provenance or {}).get(PLANNED) for item in later]
    known = [each for each in told if each is not None]
    left = sum(each is None and item.status is not JobStatus.FAILED for each, item in zip(told, later, strict=True))
    warnings = dict.fromkeys([*plan.get("warnings", ()), *(said for each in known for said in each["warnings"])])
    details = plan.get("details", {})

    def column(name: str) -> list[Any]:
        return [None if each is None else each[name] for each in told]

    found = {name: value for name, value in plan.items() if name not in ("pending", "warnings")} | {
        "engine": [*plan["engine"], *column("engine")],
        "reason": [*plan["reason"], *column("reason")],
        "later": {"programs": len(known), "seconds": sum(each["seconds"] for each in known)},
        **({"pending": left} if left else {}),
        **({"warnings": list(warnings)} if warnings else {}),
        **({"details": {**details, PROGRAMS: [*details[PROGRAMS], *column("program")]}} if PROGRAMS in details else {}),
    }
    return {"plan": found, "compiled": [*job.provenance.get("compiled", ()), *column("compiled")]}


def _told(plan: Plan, digests: Sequence[str]) -> dict[str, Any]:
    [program] = plan.details.get(PROGRAMS, [None])
    return {
        "engine": plan.engine[0],
        "reason": plan.reason[0],
        "program": program,
        "warnings": list(plan.warnings),
        "compiled": digests[0] if digests else None,
        "seconds": sum(made.seconds for made in plan.compiled if not made.reused),
    }
