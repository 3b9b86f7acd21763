"""Batches whose programs are compiled while those before them run: the same results and the same record."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon import JobStatus, Workspace
from antiphon.adapters.targets.emu import compile, compiling  # noqa: A004 - the module's own name
from antiphon.adapters.targets.emu.cache import CompiledCache
from antiphon.composition import build_engine
from antiphon.engine import planning
from antiphon.engine.sweep import sweep
from antiphon.errors import ConflictError, JobFailedError, LimitError

WIDTHS = [2, 3, 4, 5, 2]


def chain(width: int, turn: float = 0.3) -> str:
    """Entangles its qubits; different for each width and turn."""
    gates = "".join(f"cx q[{a}], q[{a + 1}]; ry({turn}) q[{a + 1}];" for a in range(width - 1))
    head = f'OPENQASM 3.0; include "stdgates.inc"; qubit[{width}] q; bit[{width}] c;'
    return f"{head} ry({turn}) q[0]; {gates} c = measure q;"


TOO_WIDE_FOR_NOISE = chain(22)
"""Fits on the device; that it cannot be simulated with noise is found once it is compiled."""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compile, "_cache", CompiledCache())


@pytest.fixture
def only_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """One program is compiled before a batch is queued."""
    monkeypatch.setattr(planning, "BEFORE_QUEUE_S", 0.0)


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for each run of Qiskit's compiler in this process."""
    found: list[int] = []
    original = compiling.transpiled

    def counting(*args: Any, **named: Any) -> Any:
        found.append(1)
        return original(*args, **named)

    monkeypatch.setattr(compiling, "transpiled", counting)
    return found


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(tmp_path / "lab", workers=1) as workspace:
        yield workspace


def told_of(job: Any) -> Any:
    return job.record["provenance"]


@pytest.mark.usefixtures("only_the_first")
@pytest.mark.parametrize("execution", ["process", "inline"])
def test_a_batch_is_the_same_whenever_its_programs_are_compiled(
    ws: Workspace, count: list[int], monkeypatch: pytest.MonkeyPatch, execution: str
) -> None:
    target = ws.target("emu.manila")
    programs = [chain(width, 0.1 * place) for place, width in enumerate(WIDTHS)]
    job = target.submit_batch(programs, shots=200, seed=3, execution=execution)
    job.wait(120)
    assert len(count) == len(programs)
    monkeypatch.setattr(planning, "BEFORE_QUEUE_S", 600.0)
    whole = target.submit_batch(programs, shots=200, seed=3, execution=execution).wait(120)
    assert job.result().counts == whole.result().counts
    assert len(count) == len(programs)

    later, before = told_of(job), told_of(whole)
    assert later["plan"].pop("later")["programs"] == len(programs) - 1
    assert "later" not in before["plan"]
    assert "pending" not in later["plan"]
    assert later["compiled"] == before["compiled"]
    for program in before["plan"]["details"]["programs"]:
        assert program.pop("reused") is True
    for program in later["plan"]["details"]["programs"]:
        assert program.pop("reused") is False
    for name in ("engine", "reason", "details"):
        assert later["plan"][name] == before["plan"][name]
    assert (job.replay().agreement.agrees, job.executor) == (True, execution if execution == "inline" else "process")


def test_only_some_are_compiled_before_it_is_queued_and_all_are_checked(
    tmp_path: Path, count: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace(tmp_path / "looking", dispatch=False) as ws:
        target = ws.target("emu.falcon")
        programs = [chain(width, 0.1 * place) for place, width in enumerate(WIDTHS)]
        monkeypatch.setattr(planning, "BEFORE_QUEUE_S", 0.0)
        job = target.submit_batch(programs, shots=200, execution="process")
        plan = told_of(job)["plan"]
        assert (len(count), len(plan["engine"]), plan["pending"]) == (1, 1, 4)
        assert len(told_of(job)["compiled"]) == len(plan["details"]["programs"]) == 1
        # What was compiled before costs nothing: here the first and the one after it.
        target.submit(programs[1], shots=1, execution="process")
        again = told_of(target.submit_batch(programs, shots=200, execution="process"))["plan"]
        assert (len(count), again["pending"]) == (2, 3)
        with pytest.raises(LimitError, match="Program 3 of the batch") as refused:
            target.submit_batch([*programs[:3], chain(28)], shots=200)
        assert (refused.value.code, refused.value.details["item"]) == ("too-wide", 3)
        assert len(count) == 2


@pytest.mark.usefixtures("only_the_first")
@pytest.mark.parametrize("execution", ["process", "inline"])
def test_a_program_that_cannot_be_compiled_fails_alone(ws: Workspace, execution: str) -> None:
    target = ws.target("emu.falcon")
    with pytest.raises(LimitError) as alone:
        target.submit(chain(22, 0.9), shots=10)
    programs = [chain(2), TOO_WIDE_FOR_NOISE, chain(3), chain(22, 0.4), chain(4)]
    job = target.submit_batch(programs, shots=50, seed=1, execution=execution).wait(120)
    assert [item.status for item in job.items] == [
        JobStatus.FAILED if place in (1, 3) else JobStatus.SUCCEEDED for place in range(5)
    ]
    error = job.items[1].error
    assert error is not None
    assert (error["code"], error["message"]) == (alone.value.code, alone.value.message)
    assert [len(next(iter(each))) for each in job.result(partial=True).counts if each is not None] == [2, 3, 4]
    told = told_of(job)
    assert [each is None for each in told["compiled"]] == [False, True, False, True, False]
    assert [each is None for each in told["plan"]["engine"]] == [False, True, False, True, False]
    assert "pending" not in told["plan"]
    with pytest.raises(JobFailedError, match="2 of the 5"):
        job.result()


@pytest.mark.usefixtures("only_the_first")
def test_what_was_accepted_under_a_key_is_accepted_again_when_more_is_known(ws: Workspace) -> None:
    target = ws.target("emu.falcon")

    def submit(programs: list[str]) -> Any:
        return target.submit_batch(programs, shots=50, key="once", execution="process")

    job = submit([chain(2), TOO_WIDE_FOR_NOISE, chain(3)])
    assert job.wait(60).status is JobStatus.FAILED
    assert submit([chain(2), TOO_WIDE_FOR_NOISE, chain(3)]).id == job.id
    with pytest.raises(LimitError, match="Program 1 of the batch"):
        submit([chain(2), TOO_WIDE_FOR_NOISE, chain(4)])
    with pytest.raises(ConflictError, match="was used for another request"):
        submit([chain(2), chain(3)])


@pytest.mark.usefixtures("only_the_first")
def test_all_that_are_left_may_fail(ws: Workspace) -> None:
    job = ws.target("emu.falcon").submit_batch([chain(2), TOO_WIDE_FOR_NOISE], shots=50, execution="process")
    assert [item.status.value for item in job.wait(60).items] == ["Succeeded", "Failed"]


@pytest.mark.usefixtures("only_the_first")
def test_cancelling_while_programs_are_compiled(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    original, entered = compiling.transpiled, []

    def slowly(*args: Any, **named: Any) -> Any:
        entered.append(1)
        time.sleep(0.3)
        return original(*args, **named)

    monkeypatch.setattr(compiling, "transpiled", slowly)
    job = ws.target("emu.manila").submit_batch([chain(w, 0.7) for w in WIDTHS], shots=5, execution="process")
    while len(entered) < 3:
        time.sleep(0.01)
    assert job.cancel().wait(60).status is JobStatus.CANCELLED
    assert len(entered) < len(WIDTHS)
    assert {item.status for item in job.items} <= {JobStatus.SUCCEEDED, JobStatus.CANCELLED}


@pytest.mark.usefixtures("only_the_first")
def test_what_was_compiled_for_a_batch_that_runs_is_not_swept_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, go_on = compiling.transpiled, threading.Event()

    def stuck_at_the_last(circuit: Any, *args: Any, **named: Any) -> Any:
        if circuit.num_qubits == 4:
            go_on.wait(60)
        return original(circuit, *args, **named)

    monkeypatch.setattr(compiling, "transpiled", stuck_at_the_last)
    engine = build_engine(tmp_path / "lab", dispatch=False)
    try:
        with Workspace(tmp_path / "lab", workers=1) as ws:
            programs = [chain(2, 0.6), chain(3, 0.6), chain(4, 0.6)]
            job = ws.target("emu.manila").submit_batch(programs, shots=5, execution="process")
            eventually(lambda: job.items[1].status is JobStatus.SUCCEEDED)
            assert sweep(engine.ctx) == (0, 0)
            go_on.set()
            compiled = told_of(job.wait(60))["compiled"]
            assert all("OPENQASM" in each["circuit"] for each in compiled)
    finally:
        go_on.set()
        engine.close()


@pytest.mark.usefixtures("only_the_first")
def test_a_cancelled_batch_does_not_wait_for_what_is_being_compiled(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, entered, go_on = compiling.transpiled, threading.Event(), threading.Event()

    def stuck_at_the_second(circuit: Any, *args: Any, **named: Any) -> Any:
        if circuit.num_qubits == 3:
            entered.set()
            go_on.wait(60)
        return original(circuit, *args, **named)

    monkeypatch.setattr(compiling, "transpiled", stuck_at_the_second)
    target = ws.target("emu.manila")
    try:
        job = target.submit_batch([chain(2, 0.8), chain(3, 0.8)], shots=5, execution="process")
        assert entered.wait(60)
        eventually(lambda: job.items[0].status is JobStatus.SUCCEEDED)
        assert job.cancel().wait(20).status is JobStatus.CANCELLED
        # Its one worker is free for others at once.
        assert target.submit(chain(2, 0.8), shots=5, execution="process").wait(20).status is JobStatus.SUCCEEDED
    finally:
        go_on.set()
    assert [item.status for item in job.items] == [JobStatus.SUCCEEDED, JobStatus.CANCELLED]


SCRIPT = """
import sys, time
from antiphon import Workspace
from antiphon.adapters.targets.emu import compiling
from antiphon.composition import build_engine
from antiphon.engine import planning
from antiphon.engine.sweep import sweep
from test_batches_compiled_ahead import chain
planning.BEFORE_QUEUE_S = 0.0
original, made = compiling.transpiled, []
def stuck_at_the_fourth(*args, **named):
    made.append(1)
    if len(made) == 4:
        print("stuck", flush=True)
        time.sleep(600)
    return original(*args, **named)
compiling.transpiled = stuck_at_the_fourth
with Workspace(sys.argv[1], workers=1) as ws:
    job = ws.target("emu.manila").submit_batch(
        [chain(2 + place % 4, 0.1 * place) for place in range(6)], shots=100, seed=5, execution="process"
    )
    print(job.id, flush=True)
    job.wait(600)
"""


def test_a_killed_engine_goes_on_where_it_was(tmp_path: Path, count: list[int]) -> None:
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n{SCRIPT}"
    victim = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None
    try:
        job_id = victim.stdout.readline().strip()
        assert victim.stdout.readline().strip() == "stuck"
        with Workspace(tmp_path, dispatch=False) as looking:
            eventually(lambda: looking.job(job_id).items[2].status is JobStatus.SUCCEEDED)
    finally:
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        victim.stdout.close()
    with Workspace(tmp_path, workers=1) as ws:
        job = ws.job(job_id).wait(60)
        assert [item.status for item in job.items] == [JobStatus.SUCCEEDED] * 6
        # The three that had run are neither compiled nor run again.
        assert len(count) == 3
        assert told_of(job)["plan"]["later"]["programs"] == 5
        assert len({each["digest"] for each in told_of(job)["compiled"]}) == 6
        assert job.replay().agreement.agrees


def eventually(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not check():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
