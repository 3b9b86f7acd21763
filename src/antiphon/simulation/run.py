"""Run a workload through one policy: every target's queue for itself, since queues share nothing."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from antiphon.domain.evolve import evolve
from antiphon.domain.queues import QueuePolicy
from antiphon.simulation.contenders import Contender
from antiphon.simulation.played import Played
from antiphon.simulation.queue_run import QueueRun, SessionLimits
from antiphon.simulation.targets import SimTarget
from antiphon.simulation.workload import Workload


def play(
    workload: Workload,
    targets: Sequence[SimTarget],
    contender: Contender,
    policy: QueuePolicy,
    *,
    name: str | None = None,
    seed: int = 0,
    limits: SessionLimits | None = None,
    allotments: Mapping[str, float] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Played:
    """What came of every job.

    The same arguments give the same answer.

    Args:
        targets: One for each of the workload's, in its order.
        policy: The parameters; its target and slots are not looked at.
        name: What to call it; None is the contender's name.
        allotments: The weights of workspaces that have one; others have 1.
        progress: Told now and then how many jobs more are done.
    """
    began = time.process_time()
    played = Played(workload, name or contender.name)
    order = np.argsort(workload.target, kind="stable").astype(np.int32)
    edges = np.searchsorted(workload.target[order], np.arange(len(targets) + 1))
    gc.disable()  # millions of small objects and no circles among them: looking for some takes half the time
    try:
        for number, sim in enumerate(targets):
            members = order[edges[number] : edges[number + 1]]
            if len(members):
                QueueRun(
                    played,
                    number,
                    members,
                    sim,
                    evolve(policy, target=workload.targets[number], slots=sim.slots),
                    contender.picker(random.Random(f"{seed} {number}")),  # noqa: S311 - a simulation's chance
                    can_hold=contender.holds,
                    limits=limits or SessionLimits(),
                    allotments=dict(allotments or {}),
                    progress=progress,
                ).run()
    finally:
        gc.enable()
    played.cpu_s = time.process_time() - began
    return played
