from __future__ import annotations

import json

import pytest

from antiphon.domain.queues import Access
from antiphon.simulation.measure import measure
from antiphon.simulation.queue_run import SessionLimits
from antiphon.simulation.targets import Closure, SimTarget, in_order
from simulated import asked, run, session


def test_waits_are_told_by_class() -> None:
    jobs = [asked(0, 10, "a/x"), asked(1, 10, "b/y"), asked(2, 10, "a/x", high=True), *session(3, 10, 0, 1)]
    report = measure(run(jobs).played, [SimTarget()])
    assert {name: (waits.count, waits.longest) for name, waits in report.waits.items()} == {
        "session": (1, 7),
        "high": (1, 18),
        "standard": (2, 29),
    }
    assert report.longest_wait_s == 29
    assert json.loads(json.dumps(report.to_json()))["waits"]["high"]["median"] == 18


def test_use_counts_what_was_open_until_the_last_arrival() -> None:
    sim = SimTarget(closures=(Closure(50, 100),))
    report = measure(run([asked(0, 25), asked(200, 10)], sim=sim).played, [sim])
    assert report.utilisation == pytest.approx(25 / 150)


def test_what_was_kept_for_a_session_is_told() -> None:
    jobs = [*session(0, 10, 30, 2), asked(1, 50, "b/bob")]
    report = measure(run(jobs, access=Access.EXCLUSIVE).played, [SimTarget()])
    assert report.kept_idle == pytest.approx(30 / 100)
    assert (report.holds, report.holds_lost) == (1, 0)
    assert report.turnaround.median == 50
    assert report.stretch.median == pytest.approx(1.0)


def test_a_session_that_was_cut_off_has_no_turnaround() -> None:
    report = measure(run(session(0, 10, 30, 3), limits=SessionLimits(total_s=45)).played, [SimTarget()])
    assert (report.cut, report.turnaround.count) == (1, 0)


def test_closures_that_overlap_are_cut() -> None:
    kept = in_order([Closure(5, 9, is_outage=False), Closure(0, 6), Closure(1, 2)])
    assert kept == (Closure(0, 6), Closure(6, 9, is_outage=False))
