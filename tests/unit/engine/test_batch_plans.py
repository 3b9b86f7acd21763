from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from typing import Any

import pytest

from antiphon.domain.batches import BatchItem
from antiphon.domain.circuits import Gate, Measure
from antiphon.domain.jobs import Job, JobSpec, JobStatus
from antiphon.domain.programs import Profile
from antiphon.domain.targets import Limits, TargetInfo
from antiphon.domain.work import Compiled, JobKind, Plan, Pub, Work, joined
from antiphon.engine.batch_plans import AHEAD, PLANNED, Planned, PlansAhead, told_of_plans
from antiphon.engine.context import EngineContext
from antiphon.engine.planning import as_compiling, plan_to_queue
from antiphon.errors import AntiphonError, LimitError, StoreError
from antiphon.ports.on_behalf import caller
from sim_work import circuit_of, program_of, sampling


class Compiler:
    """A target that compiles nothing and plans as it is told; counts."""

    def __init__(self, cost: float = 0.001, memory: int = 1) -> None:
        self.cost, self.memory = cost, memory
        self.planned: list[int] = []
        self.kept: set[int] = set()
        self.error: AntiphonError | None = None
        self.info = TargetInfo("t", "p", "emulator", "1", Profile.BASE, Limits(max_qubits=5))

    def plans_singly(self, work: Work) -> bool:
        return not work.options.get("whole")

    def check(self, work: Work) -> None:
        for pub in work.pubs:
            if (pub.shots or 0) > 100:
                raise LimitError("Too many shots.", code="shots-exceeded")

    def is_compiled(self, work: Work) -> bool:
        return all(pub.seed in self.kept for pub in work.pubs)

    def plan(self, work: Work) -> Plan:
        if self.error is not None:
            raise self.error
        self.planned += [pub.seed for pub in work.pubs]
        return joined([self._plan(pub) for pub in work.pubs])

    def execute(self, work: Work, plan: Plan) -> Any:
        raise NotImplementedError

    def _plan(self, pub: Pub) -> Plan:
        assert pub.program.circuit is not None
        made = Compiled(pub.program.circuit, (0,), pub.seed in self.kept, 0.01)
        details = {"programs": [{"compile_s": 0.01}]}
        return Plan(
            ("e",), (f"r{pub.seed}",), self.cost, self.memory, safe_inline=True, compiled=(made,), details=details
        )


def batch(items: int, **options: Any) -> Work:
    pub = sampling(circuit_of(1, 1, Gate("h", (0,)), Measure(0, 0)), shots=10).pubs[0]
    return Work(JobKind.BATCH, tuple(replace(pub, seed=index) for index in range(items)), options)


def job_of(planned: int, items: int) -> Job:
    plan = {
        "engine": ["e"] * planned,
        "reason": [],
        "details": {"programs": [{}] * planned},
        "pending": items - planned,
    }
    program = program_of(circuit_of(1, 1, Measure(0, 0)))
    assert program.digest
    spec = JobSpec(JobKind.BATCH, "t", (), 1, {}, "auto", 60.0, {})
    return Job(
        id="job_1",
        workspace="w",
        spec=spec,
        name="",
        created_by="me",
        created_at=0.0,
        provenance={"plan": plan, "compiled": ["sha256:0"] * planned},
    )


def ahead(ctx: EngineContext, driver: Compiler, items: int, planned: int = 0) -> PlansAhead:
    return PlansAhead(
        ctx, job_of(planned, items), batch(items), driver, range(planned, items), ctx.executors["process"]
    )


# --- Before it is queued


def test_programs_are_planned_until_the_time_is_spent_and_those_that_are_kept_cost_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("antiphon.engine.planning.BEFORE_QUEUE_S", 1e-12)
    driver = Compiler(cost=2.0)
    driver.kept = {0, 1, 3, 5}
    plan = plan_to_queue(driver, batch(10))
    assert driver.planned == [0, 1, 2, 3]
    assert (plan.pending, len(plan.engine), plan.cost, plan.num_calls) == (6, 4, 20.0, 10)
    assert not plan.safe_inline
    assert plan.to_json()["pending"] == 6
    monkeypatch.setattr("antiphon.engine.planning.BEFORE_QUEUE_S", 60.0)
    whole = plan_to_queue(driver, batch(10))
    assert (whole.pending, whole.safe_inline, whole.cost) == (0, True, 20.0)
    assert "pending" not in whole.to_json()


def test_what_can_be_checked_is_checked_of_all_before_anything_is_planned() -> None:
    driver, work = Compiler(), batch(4)
    work = replace(work, pubs=(*work.pubs[:3], replace(work.pubs[3], shots=1_000)))
    with pytest.raises(LimitError, match="Program 3 of the batch") as found:
        plan_to_queue(driver, work)
    assert (found.value.code, found.value.details["item"], driver.planned) == ("shots-exceeded", 3, [])


def test_only_batches_that_may_be_are_planned_program_by_program() -> None:
    driver = Compiler()
    assert as_compiling(driver, batch(2)) is driver
    assert as_compiling(driver, batch(2, whole=True)) is None
    assert as_compiling(driver, replace(batch(2), kind=JobKind.ESTIMATE)) is None


# --- While it runs


def test_a_program_that_needs_more_memory_than_its_worker_has_is_refused_alone(ctx: EngineContext) -> None:
    found = ahead(ctx, Compiler(memory=2**60), 2).next()
    assert found is not None
    assert found.error is not None
    assert found.error.code == "memory-exceeded"


def test_what_a_compiler_did_not_expect_is_the_programs_and_a_store_that_is_away_is_nobodys(ctx: EngineContext) -> None:
    driver = Compiler()
    plans = ahead(ctx, driver, 2)
    driver.error = StoreError("Away.", code="store-busy")
    with pytest.raises(StoreError):
        plans.next()
    driver.error = None
    first = plans.next()
    assert first is not None
    assert (first.index, first.error) == (0, None)
    driver._plan = None  # type: ignore[assignment, method-assign]
    second = plans.next()
    assert second is not None
    assert second.error is not None
    assert plans.next() is None


@pytest.mark.parametrize(("cost", "expected"), [(10.0, AHEAD), (1 / 64, 7), (0.0, 100)])
def test_no_more_is_planned_ahead_than_is_of_use(ctx: EngineContext, cost: float, expected: int) -> None:
    driver = Compiler(cost)
    plans = ahead(ctx, driver, 150)
    told: list[Planned | AntiphonError | None] = []
    there = threading.Semaphore(0)

    def tell(found: Planned | AntiphonError | None) -> None:
        told.append(found)
        there.release()

    plans.start(tell)
    for _ in range(expected):
        assert there.acquire(timeout=20)
    assert not there.acquire(timeout=0.05)
    plans.took([0])
    assert there.acquire(timeout=20)
    plans.took(range(150))
    for _ in range(150 - expected - 1):
        plans.took(range(150))
        assert there.acquire(timeout=20)
    plans.took(range(150))
    assert there.acquire(timeout=20)
    assert told[-1] is None
    assert driver.planned == list(range(150))


def test_who_stops_while_a_program_is_compiled_gives_it_up(ctx: EngineContext) -> None:
    inside, stopped = threading.Event(), threading.Event()

    class Waits(Compiler):
        def plan(self, work: Work) -> Plan:
            gives_up = caller().gives_up
            assert gives_up is not None
            gives_up.add_done_callback(lambda _: stopped.set())
            inside.set()
            assert stopped.wait(20)
            return super().plan(work)

    told: list[object] = []
    plans = ahead(ctx, Waits(), 3)
    plans.start(told.append)
    assert inside.wait(20)
    plans.stop()
    plans.stop()
    assert stopped.wait(20)
    plans.leave()
    assert told == []


LEAVES = """
import threading, time
from types import SimpleNamespace
from antiphon.domain.work import JobKind, Work
from antiphon.engine.batch_plans import PlansAhead
from antiphon.errors import LimitError
inside = threading.Event()
def plan(work):
    inside.set()
    time.sleep(0.2)
    print("compiled", work.pubs[0], flush=True)
    raise LimitError("Too deep.")
job = SimpleNamespace(workspace="w", provenance={})
ctx = SimpleNamespace(closing=threading.Event())
PlansAhead(ctx, job, Work(JobKind.BATCH, ("a", "b")), SimpleNamespace(plan=plan), range(2), None).start(lambda _: None)
inside.wait()
"""


def test_a_process_that_ends_waits_for_what_is_being_compiled() -> None:
    # Inside Qiskit's compiler, which is Rust, a thread that Python ends takes the process with it.
    left = subprocess.run([sys.executable, "-c", LEAVES], capture_output=True, text=True, check=True)
    assert left.stdout.split() == ["compiled", "a"]


# --- What the record says


def test_at_the_end_it_is_as_if_all_had_been_planned_before() -> None:
    later = {
        "engine": "f",
        "reason": "r",
        "program": {"x": 1},
        "warnings": ["w"],
        "compiled": "sha256:2",
        "seconds": 2.0,
    }
    items = [
        BatchItem(0, JobStatus.SUCCEEDED, provenance={"engine": "e"}),
        BatchItem(1, JobStatus.SUCCEEDED, provenance={PLANNED: later}),
        BatchItem(2, JobStatus.FAILED),
        BatchItem(3, JobStatus.CANCELLED),
    ]
    told = told_of_plans(job_of(1, 4), items)
    assert told["compiled"] == ["sha256:0", "sha256:2", None, None]
    assert told["plan"]["engine"] == ["e", "f", None, None]
    assert told["plan"]["details"]["programs"] == [{}, {"x": 1}, None, None]
    assert (told["plan"]["later"], told["plan"]["pending"]) == ({"programs": 1, "seconds": 2.0}, 1)
    assert told["plan"]["warnings"] == ["w"]
    assert told_of_plans(replace(job_of(1, 4), provenance={"plan": {"engine": ["e"]}}), items) == {}
