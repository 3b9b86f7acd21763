from __future__ import annotations

from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.domain.evolve import evolve
from antiphon.domain.policies.device_schedule import Backlog, Schedule, Standing, Visit, counted_from
from antiphon.domain.policies.drift import DAY_S
from antiphon.domain.policies.life import HOUR_S, LIVES, Life

MIDNIGHT = 19_676 * DAY_S  # 2023-11-15T00:00Z


def busy(**changes: object) -> Schedule:
    return Schedule("emu.tests", evolve(LIVES["busy"], **changes), 7)


def test_others_come_at_the_stated_rates_and_stay_for_the_stated_times() -> None:
    schedule = busy()
    visits = [
        visit for day in range(20) for visit in schedule.others(MIDNIGHT + day * DAY_S, MIDNIGHT + (day + 1) * DAY_S)
    ]
    assert len(visits) / 20 == pytest.approx(sum(schedule.life.others_per_hour), rel=0.05)
    seconds = sorted(visit.seconds for visit in visits)
    assert seconds[len(seconds) // 2] == pytest.approx(schedule.life.others_job_s, rel=0.1)
    assert [visit.came for visit in visits] == sorted(visit.came for visit in visits)


def test_the_queue_is_longer_in_busy_hours() -> None:
    schedule = busy()
    night = [
        schedule.queue_wait(MIDNIGHT + day * DAY_S + hour * HOUR_S) for day in range(10) for hour in (3.9, 5.0, 6.0)
    ]
    day = [
        schedule.queue_wait(MIDNIGHT + day * DAY_S + hour * HOUR_S) for day in range(10) for hour in (15.0, 16.0, 17.0)
    ]
    assert fmean(day) > 5 * fmean(night)


@pytest.mark.parametrize("name", LIVES)
def test_of_every_profile_the_others_queue_is_empty_once_a_day(name: str) -> None:
    """Work before the midnight before counts as none."""
    schedule = Schedule("emu.tests", evolve(LIVES[name], overhead_s=0.0), 7)
    emptied = 0
    for day in range(7):
        times = [MIDNIGHT + day * DAY_S + hour * HOUR_S for hour in range(24)]
        emptied += any(schedule.queue_wait(at) == 0.0 for at in times)
    assert emptied == 7


@settings(max_examples=60, deadline=None)
@given(
    profile=st.sampled_from(sorted(LIVES)),
    seed=st.integers(0, 5),
    at=st.floats(0.0, 3e5),
    seconds=st.floats(0.1, 3_600.0),
)
def test_nothing_starts_or_runs_while_the_device_stands(profile: str, seed: int, at: float, seconds: float) -> None:
    schedule = Schedule("emu.tests", LIVES[profile], seed)
    came = MIDNIGHT + at
    start = schedule.starts([Visit(came, seconds)])[0]
    assert start is not None
    assert start >= came
    assert not [stop for stop in schedule.stops(start, start + seconds) if stop.ends > start + 1e-6]


def test_our_own_jobs_are_served_in_turn_behind_what_came_before() -> None:
    schedule = busy(outages_per_day=0.0)
    own = [Visit(MIDNIGHT + 15 * HOUR_S + k, 60.0) for k in range(5)]
    starts = [start for start in schedule.starts(own) if start is not None]
    assert len(starts) == 5
    assert all(later >= before + 60.0 for before, later in pairwise(starts))
    assert schedule.starts(own[:3]) == starts[:3]


@settings(max_examples=40, deadline=None)
@given(
    profile=st.sampled_from(sorted(LIVES)),
    gaps=st.lists(st.tuples(st.floats(0.0, 20_000.0), st.floats(1.0, 5_000.0)), min_size=1, max_size=8),
)
def test_going_on_from_the_last_job_is_as_good_as_following_the_queue_from_its_beginning(
    profile: str, gaps: list[tuple[float, float]]
) -> None:
    schedule = Schedule("emu.tests", LIVES[profile], 3)
    at, whole, state = MIDNIGHT, list[Visit](), Backlog(counted_from(MIDNIGHT), counted_from(MIDNIGHT))
    for gap, seconds in gaps:
        at += gap / len(gaps)  # all within a day, so that both begin with the same midnight
        visit = Visit(at, seconds)
        whole.append(visit)
        start = schedule.starts(whole)[-1]
        assert start is not None
        assert schedule.starts([visit], state) == [start]
        state = Backlog(at, start + seconds)


def test_who_comes_first_is_not_run_over_by_who_has_a_start_already() -> None:
    schedule = busy(outages_per_day=0.0, others_per_hour=(0.0,) * 24, calibration_takes_s=0.0)
    later = Visit(MIDNIGHT + 3_600.0, 100.0, start=MIDNIGHT + 3_600.0)
    begin = Backlog(MIDNIGHT, MIDNIGHT)
    assert schedule.starts([later, Visit(MIDNIGHT, 3_600.0)], begin) == [later.start, MIDNIGHT]
    assert schedule.starts([later, Visit(MIDNIGHT, 3_601.0)], begin) == [later.start, later.ends]


def test_a_settled_start_becomes_earlier_where_there_is_room_and_never_later() -> None:
    schedule = busy(outages_per_day=0.0, others_per_hour=(0.0,) * 24, calibration_takes_s=0.0)
    now, begin = MIDNIGHT + 50.0, Backlog(MIDNIGHT, MIDNIGHT + 60.0)
    first = Visit(MIDNIGHT + 1.0, 100.0, start=MIDNIGHT + 400.0, moves_from=now)
    second = Visit(MIDNIGHT + 2.0, 100.0, start=MIDNIGHT + 500.0, moves_from=now)
    fixed = Visit(MIDNIGHT + 3.0, 100.0, start=MIDNIGHT + 600.0)
    assert schedule.starts([first, second, fixed], begin) == [MIDNIGHT + 60.0, MIDNIGHT + 160.0, fixed.start]
    late = Backlog(MIDNIGHT, MIDNIGHT + 1_000.0)
    assert schedule.starts([first, second, fixed], late) == [first.start, second.start, fixed.start]
    assert schedule.starts([first], Backlog(MIDNIGHT, MIDNIGHT)) == [now]


def test_a_job_that_does_not_fit_between_calibrations_is_told_so() -> None:
    schedule = Schedule("emu.tests", evolve(LIVES["quiet"], calibration_every_s=HOUR_S), 1)
    assert schedule.starts([Visit(MIDNIGHT, 16 * 60.0)]) == [None]
    assert schedule.starts([Visit(MIDNIGHT, 14 * 60.0)]) != [None]


def test_calibrations_come_as_often_as_stated_and_nothing_runs_meanwhile() -> None:
    schedule = Schedule("emu.tests", evolve(LIVES["quiet"], calibration_every_s=8 * HOUR_S), 3)
    times = schedule.calibration_times(MIDNIGHT, MIDNIGHT + 10 * DAY_S)
    assert len(times) == 30
    assert schedule.calibration_times(times[3], times[5]) == times[3:5]
    assert schedule.next_calibration(times[3]) == times[4]
    assert schedule.next_calibration(times[3] - 1.0) == times[3]
    during = schedule.status_at(times[3] - 60.0)
    assert (during.standing, during.until) == (Standing.DEGRADED, times[3])
    assert schedule.status_at(times[3]).standing is Standing.AVAILABLE
    assert schedule.status_at(times[3] - 46 * 60.0).standing is Standing.AVAILABLE


def test_an_outage_outdoes_a_calibration_and_says_how_long() -> None:
    schedule = Schedule("emu.tests", LIVES["bad-day"], 3)
    outages = [
        stop for stop in schedule.stops(MIDNIGHT, MIDNIGHT + 100 * DAY_S) if stop.standing is Standing.UNAVAILABLE
    ]
    assert len(outages) == pytest.approx(300, rel=0.2)
    assert fmean(stop.ends - stop.begins for stop in outages) == pytest.approx(0.75 * HOUR_S, rel=0.25)
    one = max(outages, key=lambda stop: stop.ends - stop.begins)
    status = schedule.status_at((one.begins + one.ends) / 2)
    assert status.until is not None
    assert status.until >= one.ends
    alone = schedule.stops(one.begins + 1.0, one.begins + 2.0)
    assert one in alone


def test_mishaps_come_as_often_as_stated_and_are_the_same_for_everybody_who_asks() -> None:
    schedule = Schedule("emu.tests", LIVES["bad-day"], 3)
    refused = [schedule.refuses("job_1-0", MIDNIGHT + second) for second in range(2_000)]
    assert sum(each is not None for each in refused) == pytest.approx(500, rel=0.2)
    failing = [schedule.fails_after(f"job_{number}-0") for number in range(2_000)]
    assert sum(each is not None for each in failing) == pytest.approx(200, rel=0.3)
    again = Schedule("emu.tests", LIVES["bad-day"], 3)
    assert [again.fails_after(f"job_{number}-0") for number in range(2_000)] == failing


def test_two_devices_of_one_seed_live_different_lives() -> None:
    one, other = (Schedule(name, LIVES["busy"], 3) for name in ("emu.heron", "emu.falcon"))
    assert one.first_calibration_s != other.first_calibration_s
    assert next(one.others(MIDNIGHT, MIDNIGHT + DAY_S)) != next(other.others(MIDNIGHT, MIDNIGHT + DAY_S))


def test_what_counts_begins_at_the_midnight_before() -> None:
    assert counted_from(MIDNIGHT + 5.0) == MIDNIGHT - DAY_S
    assert counted_from(MIDNIGHT - 5.0) == MIDNIGHT - 2 * DAY_S


def test_a_life_of_ones_own() -> None:
    life = Life(name="lab", others_per_hour=(3600.0,) * 24, others_job_s=2.0, others_spread=0.0, patience_s=100.0)
    wait = Schedule("emu.tests", life, 1).queue_wait(MIDNIGHT + 5 * HOUR_S)
    assert 90.0 < wait <= 102.0
