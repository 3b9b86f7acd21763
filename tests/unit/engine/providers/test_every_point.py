"""The engine dies at each point of a job's way, once and twice; whoever takes over must come to the same sums.

A point is before and after each commit, and before and after each call to the provider: in between nothing outside this
process changes.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.jobs import JobStatus
from antiphon.engine.cancel import cancel
from antiphon.engine.providers.loose import settle_loose
from antiphon.ports.job_store import JobStore, Transaction
from antiphon.ports.provider import AnswerLostError, Provider, ProviderJobState, TransientProviderError
from provider_jobs import WORKSPACE, Desk, desk
from scripted_provider import TARGET, ScriptedProvider


class Died(BaseException):
    """The process ended here."""


class Fate:
    """Ends the process at the points it was told, counted from its last birth; while armed."""

    def __init__(self) -> None:
        self.deaths: list[int] = []
        self.passed = 0
        self.armed = False

    def point(self) -> None:
        if not self.armed:
            return
        self.passed += 1
        if self.deaths and self.passed == self.deaths[0]:
            self.deaths.pop(0)
            self.passed = 0
            raise Died


class MortalStore:
    """A store whose process may die around each commit."""

    def __init__(self, store: JobStore, fate: Fate) -> None:
        self._store, self._fate = store, fate

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        with self._store.write() as tx:
            yield tx
            self._fate.point()
        self._fate.point()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class MortalProvider:
    """A provider whose caller may die around each call."""

    def __init__(self, provider: ScriptedProvider, fate: Fate) -> None:
        self._provider, self._fate = provider, fate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._provider, name)
        if name not in {"send", "find", "look", "cancel"}:
            return found

        def call(*args: Any) -> Any:
            self._fate.point()
            answer = found(*args)
            self._fate.point()
            return answer

        return call


@dataclass
class Way:
    """What happens to a job beside its engine's deaths."""

    faults: Callable[[], list[Exception | tuple[Exception] | None]] = list
    cancelled: bool = False
    end: ProviderJobState = ProviderJobState.SUCCEEDED


LOST = AnswerLostError("The connection broke.")
WAYS = {
    "smooth": Way(),
    "answer lost and taken": Way(lambda: [(LOST,)]),
    "answer lost and not taken": Way(lambda: [LOST]),
    "busy": Way(lambda: [TransientProviderError("Try later.")]),
    "failed there": Way(end=ProviderJobState.FAILED),
    "cancelled there": Way(cancelled=True, end=ProviderJobState.CANCELLED),
    "cancelled too late": Way(cancelled=True),
}


@dataclass
class World:
    provider: ScriptedProvider
    desks: list[Desk]
    fate: Fate

    def live(self, way: Way, deaths: list[int]) -> int:
        """Let a job go its way, die at these points, and check the sums; how many points were passed at last."""
        first = self.desks[0]
        job_id = first.submit()
        self.provider.faults = way.faults()
        self.fate.deaths, self.fate.passed = list(deaths), 0
        turn = 0
        while not first.job(job_id).status.is_final:
            here = self.desks[turn % 2]
            followed = here.take(job_id)
            try:
                self.fate.armed = True
                here.see_through(followed, until=partial(self._tell, here, way, job_id))
            except Died:
                self.fate.armed = False
                here.ctx.held.clear()
                if not first.job(job_id).status.is_final:
                    here.lose(job_id)
            turn += 1
        points, self.fate.armed = self.fate.passed, False
        for _ in range(20):
            self._end(way, job_id)
            if not settle_loose(first.ctx):
                break
            first.clock.advance(20.0)
        self._check(way, job_id)
        return points

    def _tell(self, here: Desk, way: Way, job_id: str) -> bool:
        """Before each step: the user, and the provider's own time."""
        if way.cancelled and here.states(job_id)[-1:] == ["accepted"]:
            self.fate.armed = False
            cancel(here.ctx, WORKSPACE, job_id, who="ada")
            self.fate.armed = True
        if "accepted" in here.states(job_id):
            self._end(way, job_id)
        return False

    def _end(self, way: Way, job_id: str) -> None:
        for job in list(self.provider.jobs.values()):
            if job.key == f"{job_id}-0" and not job.state.is_final:
                self.provider.end(job.id, way.end, cost=({"total": 1.0},))

    def _check(self, way: Way, job_id: str) -> None:
        here = self.desks[0]
        job, lines = here.job(job_id), here.lines(job_id)
        executions = [each for each in self.provider.jobs.values() if each.key == f"{job_id}-0"]
        assert len(executions) == 1
        assert [line.state.value for line in lines].count("ended") == 1
        assert all(line.state.is_final for line in lines)
        assert sum(cost["total"] for line in lines for cost in line.cost) == 1.0
        with here.ctx.store.read() as tx:
            assert (tx.result(job_id) is not None) == (job.status is JobStatus.SUCCEEDED)
            ends = [event for event in tx.events(job_id) if event.status in {"Succeeded", "Failed", "Cancelled"}]
        assert len(ends) == 1
        if way.cancelled:
            # Its engine may have died while it was being cancelled: then the job is over, whatever the provider says.
            assert job.status in {JobStatus.CANCELLED, JobStatus.SUCCEEDED}
        else:
            assert job.status.value.lower() == way.end.value


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    provider, clock, fate = ScriptedProvider(), ManualClock(), Fate()
    with desk(tmp_path, provider, clock) as one, desk(tmp_path, provider, clock) as other:
        mortal: Provider = MortalProvider(provider, fate)
        for each in (one, other):
            each.ctx.store = MortalStore(each.ctx.store, fate)
            each.ctx.providers = {TARGET: mortal}
        yield World(provider, [one, other], fate)


@pytest.mark.parametrize("way", list(WAYS))
def test_dying_at_any_point_changes_no_sum(world: World, way: str) -> None:
    points = world.live(WAYS[way], [])
    assert points >= 8
    for death in range(1, points + 1):
        world.live(WAYS[way], [death])


@pytest.mark.parametrize("way", ["smooth", "answer lost and not taken", "cancelled there"])
def test_dying_at_two_points_changes_no_sum(world: World, way: str) -> None:
    points = range(1, world.live(WAYS[way], []) + 1)
    pairs = list(itertools.product(points, points))
    for deaths in random.Random(4).sample(pairs, 30):
        world.live(WAYS[way], list(deaths))
