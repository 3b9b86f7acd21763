from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.composition import build_engine
from antiphon.domain.spans import Ago
from antiphon.engine.context import EngineContext
from antiphon.engine.devices import calibrations_of, drift_of
from antiphon.errors import LimitError, NotFoundError
from antiphon.frontends.recognise import to_program
from calibrated_device import TARGET, CalibratedDevice, ScheduledCalibrations, calibration
from programs import BELL

NOW = 1_700_000_000.0
PUBLISHED = [calibration(NOW - days * 86_400.0, error=1e-3 * days) for days in (400.0, 10.0, 3.0, 1.0)]


@pytest.fixture(params=[CalibratedDevice, ScheduledCalibrations])
def ctx(tmp_path: Path, clock: ManualClock, request: pytest.FixtureRequest) -> Iterator[EngineContext]:
    device = request.param(PUBLISHED)
    running = build_engine(tmp_path, clock=clock, workers=0, dispatch=False, elsewhere=device.plugin())
    yield running.ctx
    running.close()


def test_calibrations_are_listed_newest_first_with_the_one_in_force_when_the_list_begins(ctx: EngineContext) -> None:
    assert list(calibrations_of(ctx, TARGET, NOW - 4 * 86_400.0)) == [PUBLISHED[3], PUBLISHED[2], PUBLISHED[1]]


def test_how_long_ago_is_counted_by_the_clock_of_the_engine(ctx: EngineContext) -> None:
    days = 86_400.0
    assert list(calibrations_of(ctx, TARGET, Ago(4 * days))) == list(calibrations_of(ctx, TARGET, NOW - 4 * days))
    assert drift_of(ctx, TARGET, None, Ago(9 * days)) == drift_of(ctx, TARGET, None, NOW - 9 * days)


def test_without_a_time_those_of_a_week_or_all_dated_ones(ctx: EngineContext) -> None:
    found = list(calibrations_of(ctx, TARGET))
    if isinstance(ctx.drivers[TARGET], ScheduledCalibrations):
        assert found == [PUBLISHED[3], PUBLISHED[2], PUBLISHED[1]]
        with pytest.raises(LimitError) as refused:
            calibrations_of(ctx, TARGET, 0.0)
        assert refused.value.code == "calibration-too-far"
    else:
        assert found == PUBLISHED[::-1]


def test_no_more_calibrations_are_computed_than_are_asked_for(
    ctx: EngineContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = ctx.drivers[TARGET]
    if not isinstance(device, ScheduledCalibrations):
        assert list(calibrations_of(ctx, TARGET, most=2)) == PUBLISHED[:1:-1]
        return

    def all_of_them(since: float, until: float) -> None:
        pytest.fail(f"computes all from {since} to {until}")

    monkeypatch.setattr(device, "calibrations", all_of_them)
    assert list(calibrations_of(ctx, TARGET, NOW - 365 * 86_400.0, 2)) == PUBLISHED[:1:-1]


def test_drift_is_from_the_calibration_before_unless_a_time_is_given(ctx: EngineContext) -> None:
    found = drift_of(ctx, TARGET)
    assert (found.since, found.until) == (PUBLISHED[2].digest, PUBLISHED[3].digest)
    assert (found.fidelity_now, found.matters, found.verdict) == (None, None, "")
    far = drift_of(ctx, TARGET, since=NOW - 20 * 86_400.0)
    assert far.since == PUBLISHED[0].digest
    changed = {change.figure: change for change in far.changes}
    assert changed["2-qubit gate error"].then == pytest.approx(4.0)


def test_of_a_program_it_says_whether_it_matters(ctx: EngineContext) -> None:
    found = drift_of(ctx, TARGET, to_program(BELL), NOW - 9 * 86_400.0)
    assert found.fidelity_then == pytest.approx(0.9 * (1 - 0.1))
    assert found.fidelity_now == pytest.approx(0.9 * (1 - 0.01))
    assert found.matters
    assert "rose" in found.verdict
    same = drift_of(ctx, TARGET, to_program(BELL), NOW)
    assert not same.matters
    assert "the same" in same.verdict


def test_simulators_have_no_calibrations(ctx: EngineContext) -> None:
    with pytest.raises(LimitError) as refused:
        calibrations_of(ctx, "sim.auto")
    assert refused.value.code == "calibration-unknown"
    with pytest.raises(NotFoundError):
        drift_of(ctx, "sim.none")
