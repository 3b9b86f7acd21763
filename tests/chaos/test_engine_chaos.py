"""Processes that submit and run jobs are killed at random moments; afterwards the sums must hold."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from antiphon import JobStatus, Workspace
from programs import BELL

ROUNDS = 20
JOBS = 60

CHILD = f"""
import sys, threading
from antiphon import Workspace
BELL = {BELL!r}
home, start, jobs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ws = Workspace(home, workers=2)
target = ws.target("sim.auto")
session = target.open_session(key="chaos", idle_limit=86_400)
print("open", flush=True)
for index in range(start, jobs):
    how = ("inline", "process", "batch")[index % 3]
    if how == "batch":
        job = target.submit_batch([BELL] * 5, shots=50, seed=index, key=f"job-{{index}}", execution="process")
    else:
        job = target.submit(BELL, shots=50, seed=index, key=f"job-{{index}}", execution=how)
    print(job.id, flush=True)
for job in ws.jobs(limit=100_000):
    job.wait(120)
print("done", flush=True)
"""


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_killing_every_process_at_random_loses_and_doubles_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("ANTIPHON_CHAOS_SEED", random.SystemRandom().randrange(2**32)))
    rng = random.Random(seed)
    print(f"seed {seed}")
    returned: set[str] = set()
    kills = 0
    for _ in range(ROUNDS):
        # Two processes at once on one folder, each with workers of its own; each is killed at a moment of its own.
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", CHILD, str(tmp_path), "0", str(JOBS)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.6))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
        for process in processes:
            assert process.stdout is not None
            with process:
                returned.update(line.strip() for line in process.stdout if line.startswith("job_"))
    last = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), "0", str(JOBS)], stdout=subprocess.PIPE, text=True, check=True
    )
    assert last.stdout.endswith("done\n")
    with Workspace(tmp_path, workers=1) as ws:
        jobs = ws.jobs(limit=100_000)
        sums = {
            "kills": kills,
            "submitted": JOBS,
            "jobs": len(jobs),
            "keys": len({job.facts.key for job in jobs}),
            "ended": sum(job.status.is_final for job in jobs),
            "succeeded": sum(job.status is JobStatus.SUCCEEDED for job in jobs),
            "results": sum(job.result() is not None for job in jobs),
            "ends in the logs": sum(
                event["status"] in {"Succeeded", "Failed", "Cancelled"} for job in jobs for event in job.events
            ),
            "attempts": sum(job.facts.attempts for job in jobs),
            "session jobs": ws.session(jobs[0].session_id or "").facts.jobs,
            "session pending": ws.session(jobs[0].session_id or "").facts.pending,
        }
        print(json.dumps(sums))
        assert kills >= ROUNDS
        assert {job.id for job in jobs} >= returned
        assert sums["jobs"] == sums["keys"] == sums["ended"] == sums["succeeded"] == JOBS
        assert sums["results"] == sums["ends in the logs"] == sums["session jobs"] == JOBS
        assert sums["session pending"] == 0
        for job in jobs:
            names = Counter(event["event"] for event in job.events)
            assert names["claimed"] == names["lease lost"] + 1
    undisturbed = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "undisturbed"), "0", str(JOBS)],
        stdout=subprocess.DEVNULL,
        check=False,
    )
    assert undisturbed.returncode == 0
    assert counts_by_key(tmp_path) == counts_by_key(tmp_path / "undisturbed")


def counts_by_key(home: Path) -> dict[str | None, object]:
    """What each job counted: the same seed gives the same counts, on whichever attempt it was that ended."""
    with Workspace(home, workers=1, dispatch=False) as ws:
        return {job.facts.key: job.result().counts for job in ws.jobs(limit=100_000)}
