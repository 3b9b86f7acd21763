from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.domain.queues import Access, QueuePolicy, Rank
from antiphon.simulation.arrivals import Mixture, synthesise
from antiphon.simulation.contenders import CONTENDERS
from antiphon.simulation.measure import measure
from antiphon.simulation.run import play
from antiphon.simulation.targets import SimTarget
from antiphon.simulation.workload import NONE, Workload

SMALL = Mixture(jobs=3_000, users=60, targets=3, load=1.1)


def poisson_queue(jobs: int, users: int, load: float, seed: int) -> Workload:
    """Poisson arrivals at one target and exponential run times of mean 1 that nobody knows before."""
    chance = np.random.default_rng(seed)
    ones = np.ones(jobs)
    return Workload(
        submitted_at=np.cumsum(chance.exponential(1 / load, size=jobs)),
        follows=np.full(jobs, NONE, dtype=np.int32),
        think_s=np.zeros(jobs),
        target=np.zeros(jobs, dtype=np.int32),
        user=chance.integers(users, size=jobs).astype(np.int32),
        session=np.full(jobs, NONE, dtype=np.int32),
        rank=np.full(jobs, Rank.STANDARD, dtype=np.int8),
        planned_s=ones,
        run_s=chance.exponential(1.0, size=jobs),
        batch=np.zeros(jobs, dtype=np.bool_),
        targets=("qpu",),
        workspaces=("w0", "w1"),
        users=tuple(f"u{number}" for number in range(users)),
        user_workspace=(np.arange(users) % 2).astype(np.int32),
        session_closes=np.zeros(0, dtype=np.bool_),
    )


@pytest.mark.parametrize("name", CONTENDERS)
def test_one_server_makes_poisson_arrivals_wait_as_long_as_theory_says(name: str) -> None:
    """M/M/1: a rule that does not know run times changes who waits, and not how long they wait on average."""
    load, jobs = 0.5, 20_000
    played = play(poisson_queue(jobs, 12, load, seed=7), [SimTarget()], CONTENDERS[name], QueuePolicy(target=""))
    expected = load / (1 - load)
    # Of a mean over one run, whose waits hang together (Daley 1968).
    deviation = math.sqrt(load * (2 + 5 * load - 4 * load**2 + load**3) / (1 - load) ** 4 / jobs)
    assert played.wait_s.mean() == pytest.approx(expected, abs=3 * deviation)


@pytest.mark.parametrize("name", CONTENDERS)
def test_every_job_runs_once_for_its_time_and_no_slot_runs_two(name: str) -> None:
    workload, sims = synthesise(SMALL, seed=3)
    played = play(workload, sims, CONTENDERS[name], QueuePolicy(target="", access=Access.EXCLUSIVE))
    jobs, since, until = played.runs()
    ended = ~np.isnan(played.ended_at)
    assert int((~ended).sum()) == sum(queue.cut for queue in played.queues)
    ran = np.bincount(jobs, weights=until - since, minlength=len(workload))
    lost = sum(queue.interrupted for queue in played.queues)
    assert int((ran[ended] > workload.run_s[ended] * (1 + 1e-9) + 1e-6).sum()) <= lost
    assert np.all(ran[ended] >= workload.run_s[ended] * (1 - 1e-9) - 1e-6)
    assert np.all(played.wait_s[ended] >= 0.0)
    for target, sim in enumerate(sims):
        of = np.flatnonzero(workload.target[jobs] == target)
        order = of[np.argsort(since[of], kind="stable")]
        assert np.all(since[order][1:] >= until[order][:-1] - 1e-9)
        for closure in sim.closures:
            assert not np.any((since[of] > closure.starts_at) & (since[of] < closure.ends_at))


@given(
    seed=st.integers(0, 10**6),
    aged_every=st.integers(1, 6),
    patience_s=st.sampled_from([0.0, 60.0, 1_800.0]),
    access=st.sampled_from(Access),
    load=st.sampled_from([0.7, 1.3, 3.0]),
)
@settings(max_examples=15, deadline=None)
def test_the_bound_on_waiting_holds_over_whole_runs(
    seed: int, aged_every: int, patience_s: float, access: Access, load: float
) -> None:
    workload, sims = synthesise(Mixture(jobs=600, users=20, targets=2, load=load, batches=0.1), seed)
    policy = QueuePolicy(target="", access=access, aged_every=aged_every, patience_s=patience_s)
    report = measure(play(workload, sims, CONTENDERS["antiphon"], policy), sims)
    assert report.past_bound == 0
    assert report.past_patience > 0 or patience_s > 0


@pytest.mark.parametrize("name", CONTENDERS)
def test_the_same_seed_gives_the_same_run_and_another_seed_another(name: str) -> None:
    def starts(seed: int) -> list[float]:
        workload, sims = synthesise(Mixture(jobs=500, users=20, targets=2), seed)
        return [float(at) for at in play(workload, sims, CONTENDERS[name], QueuePolicy(target=""), seed=seed).ended_at]

    once = starts(1)
    assert np.array_equal(once, starts(1), equal_nan=True)
    assert once != starts(2)


def test_progress_is_told_until_all_jobs_are_done() -> None:
    workload, sims = synthesise(SMALL, seed=0)
    told: list[int] = []
    play(workload, sims, CONTENDERS["fifo"], QueuePolicy(target=""), progress=told.append)
    assert sum(told) == len(workload)


def test_arrivals_are_as_many_and_as_much_as_asked() -> None:
    mixture = Mixture(jobs=20_000, users=300, targets=6, load=0.8, slots=2)
    workload, sims = synthesise(mixture, seed=5)
    begin, end = workload.span
    capacity = sum(sim.slots * sim.open_seconds(begin, end) for sim in sims)
    assert len(workload) == 20_000
    assert workload.run_s.sum() / capacity == pytest.approx(0.8, rel=0.05)
    assert (workload.session != NONE).mean() == pytest.approx(0.3, abs=0.05)
    chained = workload.follows != NONE
    before = workload.follows[chained]
    assert np.all(before < np.flatnonzero(chained))
    for column in (workload.session, workload.user, workload.target):
        assert np.array_equal(column[before], column[chained])
    hour = (workload.submitted_at[~chained] / 3_600) % 24
    assert np.sum((hour > 13) & (hour < 17)) > 1.8 * np.sum((hour > 1) & (hour < 5))
    most = np.sort(np.bincount(workload.user, minlength=300))[::-1]
    assert most[:30].sum() > 0.4 * len(workload)
