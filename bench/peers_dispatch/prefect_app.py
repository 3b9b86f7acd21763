"""The Prefect flows and tasks; as a program, a worker of background tasks."""

from __future__ import annotations

from collections.abc import Callable

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.task_worker import serve

from bench.peers_dispatch.circuit import PROGRAM, SHOTS, run

# By default a task with the same arguments is not run again in the same flow.
run_circuit = task(name="run-circuit", persist_result=True, cache_policy=NO_CACHE)(run)


def _one(program: str, shots: int) -> dict[str, int]:
    return run(program, shots)


def _many(jobs: int) -> list[dict[str, int]]:
    found: list[dict[str, int]] = run_circuit.map([PROGRAM] * jobs, [SHOTS] * jobs).result()
    return found


one_flow = flow(name="one-circuit", persist_result=True)(_one)


def many_flow(workers: int) -> Callable[[int], list[dict[str, int]]]:
    """A flow that maps the task over so many threads, Prefect's usual runner."""
    found: Callable[[int], list[dict[str, int]]]
    found = flow(name="many-circuits", task_runner=ThreadPoolTaskRunner(max_workers=workers))(_many)
    return found


if __name__ == "__main__":
    serve(run_circuit, limit=1)
