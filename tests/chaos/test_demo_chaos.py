from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from command_line import finish, start

from antiphon import JobStatus, Workspace

KILLS = 20
PACE = 0.15


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_killed_twenty_times_the_demo_loses_and_doubles_nothing(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"moments drawn from seed {seed}")
    moments = random.Random(seed)
    killed = 0
    while killed < KILLS:
        process = start(tmp_path, "demo", "--resume", "--json", "--pace", PACE)
        # From before the first import to the middle of the loop.
        time.sleep(moments.uniform(0.0, 4.0))
        if process.poll() is None:
            process.kill()
            killed += 1
        ran = finish(process)
        if ran.code == 0:
            break
    else:
        ran = finish(start(tmp_path, "demo", "--resume", "--json"))
    assert ran.code == 0, ran.err
    print(f"killed {killed} times")
    result = ran.data
    with Workspace(tmp_path, dispatch=False) as workspace:
        jobs = workspace.jobs(limit=10_000)
        succeeded = [job for job in jobs if job.status is JobStatus.SUCCEEDED]
        submitted = len(jobs)
        finished = len(succeeded)
        results = [job.result().values for job in succeeded]
        recorded = sum([event["event"] for event in job.events].count("succeeded") for job in jobs)
        keys = {job.facts.key for job in jobs}
    assert submitted == finished == len(results) == recorded == len(keys) == result["evaluations"]
    assert sorted(results) == sorted(result["energies"])
    assert abs(result["energy"] - result["exact_energy"]) <= 1.6e-3
    assert killed == KILLS
