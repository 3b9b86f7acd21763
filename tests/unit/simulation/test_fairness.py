from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.simulation.fairness import jain, max_min, measure_fairness
from simulated import asked, run

amounts = st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 10)), min_size=1, max_size=8)


def test_the_index_is_one_for_equals_and_one_nth_for_one_of_n() -> None:
    assert jain([0.3, 0.3, 0.3]) == pytest.approx(1.0)
    assert jain([1.0, 0.0, 0.0, 0.0]) == pytest.approx(0.25)
    assert jain([]) == 1.0


def test_what_one_does_not_want_goes_to_the_others() -> None:
    assert max_min([1, 10, 10], [1, 1, 1], 9) == pytest.approx([1, 4, 4])
    assert max_min([10, 10], [3, 1], 8) == pytest.approx([6, 2])
    assert max_min([1, 2], [1, 1], 9) == pytest.approx([1, 2])
    assert max_min([5, 5], [1, 0], 4) == pytest.approx([4, 0])


@given(amounts, st.floats(0, 500))
def test_max_min_gives_all_there_is_and_nobody_could_have_more_without_a_poorer_one_losing(
    parties: list[tuple[float, float]], amount: float
) -> None:
    wanted, weights = [want for want, _ in parties], [weight for _, weight in parties]
    given_ = max_min(wanted, weights, amount)
    assert sum(given_) == pytest.approx(min(amount, sum(wanted)), abs=1e-6)
    level = max((part / weight for part, weight in zip(given_, weights, strict=True)), default=0.0)
    for want, part, weight in zip(wanted, given_, weights, strict=True):
        assert part <= want + 1e-9
        # Who is not satisfied has as much, for its weight, as whoever has most.
        assert part >= want - 1e-6 or part / weight == pytest.approx(level, abs=1e-6)


def test_who_floods_the_queue_gets_all_of_a_fifo_and_half_of_ours() -> None:
    jobs = [asked(at * 0.001, 10, "flood/f") for at in range(200)]
    jobs += [asked(1 + at * 40, 10, "calm/c") for at in range(25)]
    jobs.sort(key=lambda job: job.submitted_at)
    ours, fifo = (measure_fairness(run(jobs, policy=name).played, {}) for name in ("antiphon", "fifo"))
    assert ours.workspaces == pytest.approx(1.0, abs=0.05)
    assert fifo.workspaces == pytest.approx(0.5, abs=0.05)
    assert ours.users is None  # each workspace has one


def test_where_nobody_has_to_share_there_is_no_index() -> None:
    jobs = [asked(100 * at, 10, f"w{at % 3}/u") for at in range(30)]
    fairness = measure_fairness(run(jobs).played, {})
    assert fairness.workspaces is None
    assert fairness.contended_s == 0.0
