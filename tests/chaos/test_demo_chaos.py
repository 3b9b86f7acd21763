from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from antiphon import JobStatus, Workspace
from command_line import finish, start

KILLS = 20
PACE = 0.01
"""An evaluation takes a few milliseconds: of the kills in the loop, every third hits one."""


def num_jobs(workspace: Workspace) -> int:
    return len(workspace.jobs(limit=10_000))


def wait_for_a_new_job(workspace: Workspace, process: subprocess.Popen[str]) -> None:
    before = num_jobs(workspace)
    while process.poll() is None and num_jobs(workspace) == before:
        time.sleep(0.005)


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_killed_twenty_times_the_demo_loses_and_doubles_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("ANTIPHON_CHAOS_SEED", random.SystemRandom().randrange(2**32)))
    print(f"moments drawn from ANTIPHON_CHAOS_SEED={seed}")
    moments = random.Random(seed)
    results: dict[str, dict[str, Any]] = {}
    killed, killed_in_loop, resume = 0, 0, True
    with Workspace(tmp_path, dispatch=False) as workspace:
        while killed < KILLS or resume:
            before = num_jobs(workspace)
            process = start(tmp_path, "demo", "--json", *(["--resume"] if resume else []), "--pace", PACE)
            if killed < KILLS:
                if killed % 2:
                    wait_for_a_new_job(workspace, process)
                    time.sleep(moments.uniform(0.0, 0.03))
                else:
                    # From before the first import to the loop.
                    time.sleep(moments.uniform(0.0, 2.0))
                if process.poll() is None:
                    process.kill()
                    killed += 1
                    killed_in_loop += num_jobs(workspace) > before
            ran = finish(process)
            resume = ran.code != 0
            if ran.code == 0:
                results[ran.data["run_id"]] = ran.data
            else:
                assert ran.code == -9, ran.err
    print(f"killed {killed} times, {killed_in_loop} of them in the loop; {len(results)} run(s) finished")

    with Workspace(tmp_path, dispatch=False) as workspace:
        jobs = workspace.jobs(limit=10_000)
        submitted = len(jobs)
        finished = [job for job in jobs if job.status is JobStatus.SUCCEEDED]
        energies = [job.result().values for job in finished]
        recorded = sum([event["event"] for event in job.events].count("succeeded") for job in jobs)
        keys = {job.facts.key for job in jobs}
    evaluations = sum(result["evaluations"] for result in results.values())
    assert submitted == len(finished) == len(energies) == recorded == len(keys) == evaluations
    assert sorted(energies) == sorted(energy for result in results.values() for energy in result["energies"])
    assert all(abs(result["energy"] - result["exact_energy"]) <= 1.6e-3 for result in results.values())
    assert killed_in_loop >= 5
