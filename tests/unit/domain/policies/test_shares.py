from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.domain.policies.shares import Use, standing

DAY = 86_400.0
USES = st.builds(Use, st.floats(0.001, 1e6), st.floats(0, 1e6))


def test_use_fades_by_the_window() -> None:
    use = Use().charged(100, 0, 10 * DAY)
    assert use.faded(10 * DAY, 10 * DAY) == pytest.approx(100 / math.e)
    assert use.charged(50, 10 * DAY, 10 * DAY).used == pytest.approx(100 / math.e + 50)


def test_what_was_charged_too_much_is_given_back_and_never_more_than_all() -> None:
    use = Use().charged(100, 5, DAY)
    assert use.charged(-40, 5, DAY) == Use(60, 5)
    assert use.charged(-400, 5, DAY) == Use(0, 5)


def test_a_clock_that_was_set_back_changes_nothing_of_what_counts() -> None:
    """And what it noted while it was ahead does not count until it is there again."""
    assert Use(10, 1_000).charged(1, 400, DAY) == Use(11, 400)
    assert Use(10, 1_000).known_at(400) == Use(10, 400)
    assert Use(10, 1_000).known_at(1_400) == Use(10, 1_000)


def test_even_use_counts_as_much_as_in_a_plain_window() -> None:
    use, window = Use(), 28 * DAY
    for hour in range(24 * 28 * 12):
        use = use.charged(60, hour * 3_600.0, window)
    assert use.used == pytest.approx(24 * 28 * 60, rel=0.01)


@given(USES, USES, st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0, 1e6))
def test_standings_compare_as_faded_fractions_do_at_any_time(
    one: Use, other: Use, mine: float, theirs: float, later: float
) -> None:
    window, now = 1e6, max(one.at, other.at) + later
    a, b = one.faded(now, window) / mine, other.faded(now, window) / theirs
    if not math.isclose(a, b, rel_tol=1e-6):
        assert (standing(one, mine, window) < standing(other, theirs, window)) == (a < b)


def test_who_used_nothing_is_first_and_who_has_no_allotment_last() -> None:
    assert standing(Use(), 1, DAY) < standing(Use(1e-9, 0), 1e9, DAY)
    assert standing(Use(1e9, 0), 1e-9, DAY) < standing(Use(), 0, DAY)
