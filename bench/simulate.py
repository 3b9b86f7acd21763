"""What `antiphon simulate` takes on one core: a million jobs of 10,000 users on 200 targets with outages."""

from __future__ import annotations

import time

from antiphon.domain.queues import QueuePolicy
from antiphon.simulation.arrivals import Mixture, synthesise
from antiphon.simulation.contenders import CONTENDERS
from antiphon.simulation.measure import measure
from antiphon.simulation.run import play
from bench.measure import Row, Spread
from bench.registry import Settings, case

MILLION = Mixture(jobs=1_000_000, users=10_000, targets=200)
QUICK = Mixture(jobs=20_000, users=200, targets=4)
AIM = 300.0 / 1e6
"""Seconds a job: a million in five minutes."""


@case("simulate")
def simulate(settings: Settings) -> list[Row]:
    """Processor time of arrivals, run and figures, a job; one process, one thread."""
    mixture = QUICK if settings.quick else MILLION
    rows = []
    for name in ("antiphon", "fifo", "priority"):
        times, late = [], 0
        for seed in range(1 if not settings.quick else settings.rounds):
            begun = time.process_time()
            workload, targets = synthesise(mixture, seed)
            report = measure(play(workload, targets, CONTENDERS[name], QueuePolicy(target="")), targets)
            times.append((time.process_time() - begun) / mixture.jobs)
            late += report.past_bound
        note = f"{mixture.jobs:,} jobs of {mixture.users:,} users on {mixture.targets} targets; {late:,} past the bound"
        rows.append(Row(f"simulate, {name}", "job", Spread.of(times), aim=AIM, notes=(note,)))
    return rows
