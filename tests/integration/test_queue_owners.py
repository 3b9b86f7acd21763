"""Several engines, each in a process of its own, on the queue of one target: on one SQLite file, on one PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from antiphon.composition import RunningEngine, build_engine
from antiphon.domain.queues import Priority
from antiphon.domain.work import JobKind
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.engine.submit import submit
from antiphon.frontends.recognise import to_program
from antiphon.ports.job_store import JobQuery

TARGET = "sim.auto"
SLOTS = 2
# Some hundredths of a second in a worker: long enough for two to run at a time if anything lets them.
WORK = (
    "OPENQASM 3.0;\ninclude 'stdgates.inc';\nqubit[17] q;\nbit[17] c;\n".replace("'", '"')
    + ("".join(f"h q[{n}];\n" for n in range(17)) + "".join(f"cx q[{n}], q[{n + 1}];\n" for n in range(16)) * 6)
    + "c = measure q;\n"
)
ENGINE = """
import sys
from antiphon.composition import build_engine
engine = build_engine(sys.argv[1], workers=3, database=sys.argv[2] or None)
print(engine.ctx.engine_id, flush=True)
sys.stdin.read()
engine.close()
"""


@dataclass
class Lab:
    """A store, an engine that only looks and submits, and engines in processes of their own."""

    home: Path
    database: str | None
    here: RunningEngine
    stack: ExitStack
    engines: dict[str, subprocess.Popen[str]]

    def start_engine(self) -> str:
        command = [sys.executable, "-c", ENGINE, str(self.home), self.database or ""]
        process = self.stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        self.stack.callback(process.kill)
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert name.startswith("eng"), name
        self.engines[name] = process
        return name

    def submit(self, count: int) -> None:
        program = to_program(WORK)
        for number in range(count):
            submit(
                self.here.ctx,
                SubmitRequest(
                    workspace="default",
                    who=f"user-{number % 5}",
                    kind=JobKind.SAMPLE,
                    target=TARGET,
                    pubs=(PubRequest(program, shots=100),),
                    priority=Priority.HIGH if number % 7 == 0 else Priority.STANDARD,
                ),
            )

    def owner(self) -> str | None:
        with self.here.ctx.store.read() as tx:
            return tx.queue_state(TARGET).owner

    def ended(self) -> int:
        with self.here.ctx.store.read() as tx:
            return sum(count for status, count in tx.count_jobs("default").items() if status.is_final)

    def wait_for_owner(self, not_in: set[str]) -> str:
        deadline = time.monotonic() + 60
        while True:
            owner = self.owner()
            if owner is not None and owner not in not_in:
                return owner
            assert time.monotonic() < deadline, "nobody runs the queue"
            time.sleep(0.005)

    def wait_for_ends(self, count: int) -> None:
        deadline = time.monotonic() + 120
        while self.ended() < count:
            assert time.monotonic() < deadline, f"{self.ended()} of {count} jobs ended"
            time.sleep(0.02)

    def runs(self) -> list[tuple[float, float, str, str]]:
        """(start, end, engine, how it ended) of every time a job was taken, from the log."""
        found = []
        with self.here.ctx.store.read() as tx:
            for job in tx.find_jobs(JobQuery("default", limit=10_000)):
                started: tuple[float, str] | None = None
                for event in tx.events(job.id):
                    if event.event == "claimed":
                        assert started is None
                        started = (event.at, event.who)
                    elif started is not None:
                        found.append((started[0], event.at, started[1], event.event))
                        started = None
        return found


@pytest.fixture(params=["sqlite", "postgres"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    database = request.getfixturevalue("postgres_server").database() if request.param == "postgres" else None
    here = build_engine(tmp_path, workers=0, dispatch=False, database=database)
    set_queue_policy(here.ctx, target=TARGET, slots=SLOTS, by="op")
    with ExitStack() as stack:
        yield Lab(tmp_path, database, here, stack, {})
    here.close()


def test_two_engines_never_run_more_than_the_slots_and_a_killed_one_is_replaced(lab: Lab) -> None:
    count = 36
    killed: set[str] = set()
    for _ in range(2):
        lab.start_engine()
    lab.submit(count)
    for part in (count // 4, count // 2):
        lab.wait_for_ends(part)
        owner = lab.wait_for_owner(killed)
        lab.engines[owner].kill()
        killed.add(owner)
        lab.start_engine()
        assert lab.wait_for_owner(killed) in lab.engines.keys() - killed
    lab.wait_for_ends(count)

    runs = lab.runs()
    assert most_at_once(runs) == SLOTS
    ends = Counter(how for *_, how in runs)
    assert ends["succeeded"] == count
    assert set(ends) <= {"succeeded", "lease lost"}
    assert {engine for _, _, engine, how in runs if how == "lease lost"} <= killed
    assert len({engine for _, _, engine, _ in runs}) >= 3
    for engine in killed:
        # Whatever was decided about the queue after its death was decided by others.
        lost = [end for _, end, by, how in runs if by == engine and how == "lease lost"]
        assert all(start <= end for start, _, by, _ in runs if by == engine for end in lost)


def test_an_engine_that_shuts_down_leaves_its_queue_to_another_at_once(lab: Lab) -> None:
    engines = {lab.start_engine(), lab.start_engine()}
    lab.submit(16)
    first = lab.wait_for_owner(set())
    (second,) = engines - {first}
    lab.wait_for_ends(2)
    process = lab.engines[first]
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) == 0
    assert lab.owner() in (None, second)
    lab.submit(4)  # on a crowded machine the first may have ended all of the others by then
    lab.wait_for_ends(20)
    assert most_at_once(lab.runs()) <= SLOTS
    assert {engine for _, _, engine, _ in lab.runs()} == engines


def most_at_once(runs: list[tuple[float, float, str, str]]) -> int:
    # At one moment an end comes before a start: the slot was free when it was taken.
    changes = sorted([(start, 1) for start, *_ in runs] + [(end, -1) for _, end, *_ in runs])
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
