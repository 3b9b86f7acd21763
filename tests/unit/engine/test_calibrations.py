from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.composition import build_engine
from antiphon.domain.calibrations import Calibration
from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.work import JobKind
from antiphon.engine.context import EngineContext
from antiphon.engine.job_record import record_of
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.engine.results import items_of
from antiphon.engine.submit import submit
from antiphon.engine.sweep import sweep
from antiphon.errors import LimitError
from antiphon.frontends.recognise import to_program
from calibrated_device import TARGET, CalibratedDevice, ScheduledCalibrations, calibration
from programs import BELL

NOW = 1_700_000_000.0


@pytest.fixture
def device() -> ScheduledCalibrations:
    return ScheduledCalibrations([calibration(NOW - 7200.0), calibration(NOW - 3600.0, error=2e-3)])


@pytest.fixture
def ctx(tmp_path: Path, clock: ManualClock, device: CalibratedDevice) -> Iterator[EngineContext]:
    running = build_engine(tmp_path, clock=clock, workers=0, dispatch=False, elsewhere=device.plugin())
    yield running.ctx
    running.close()


def run(ctx: EngineContext, programs: int = 1, target: str = TARGET, **options: Any) -> Job:
    request = SubmitRequest(
        workspace="default",
        who="ada",
        kind=JobKind.SAMPLE if programs == 1 else JobKind.BATCH,
        target=target,
        pubs=(PubRequest(to_program(BELL), shots=10),) * programs,
        options=options,
    )
    return submit(ctx, request).job


@pytest.mark.parametrize("programs", [1, 3])
def test_a_result_keeps_the_calibration_in_force_and_its_age(
    ctx: EngineContext, device: CalibratedDevice, programs: int
) -> None:
    job = run(ctx, programs)
    assert job.status is JobStatus.SUCCEEDED
    told = record_of(ctx, job)["calibration"]
    assert Calibration.from_json(told["snapshot"]) == device.published[-1]
    assert (told["digest"], told["taken_at"]) == (device.published[-1].digest, NOW - 3600.0)
    assert told["age_s"] == pytest.approx(3600.0, abs=1.0)


def test_what_a_sweep_leaves_of_calibrations_is_what_jobs_name(ctx: EngineContext, device: CalibratedDevice) -> None:
    job = run(ctx)
    sweep(ctx)
    assert record_of(ctx, job)["calibration"]["snapshot"] == device.published[-1].to_json()


def test_simulators_have_none(ctx: EngineContext) -> None:
    assert record_of(ctx, run(ctx, target="sim.auto"))["calibration"] is None


def test_a_demand_that_the_newest_meets_changes_nothing(ctx: EngineContext) -> None:
    job = run(ctx, max_calibration_age=3700)
    assert job.status is JobStatus.SUCCEEDED
    assert job.spec.options == {"max_calibration_age": 3700}


@pytest.mark.parametrize(
    ("age", "code"), [(0, "age-invalid"), ("1h", "age-invalid"), (True, "age-invalid"), (60, "too-old")]
)
def test_a_demand_that_cannot_be_met_is_refused_before_anything_is_stored(
    ctx: EngineContext, device: ScheduledCalibrations, age: object, code: str
) -> None:
    device.next_at = NOW + 2 * 86_400.0
    with pytest.raises(LimitError) as refused:
        run(ctx, max_calibration_age=age)
    assert refused.value.code == f"calibration-{code}"
    if code == "too-old":
        assert refused.value.details == {"age_s": 3600.0, "max_age_s": 60.0, "next_at": NOW + 2 * 86_400.0}
        assert "the next is due in 2 d" in refused.value.cause


def test_one_that_has_no_calibrations_cannot_promise_their_age(ctx: EngineContext) -> None:
    with pytest.raises(LimitError) as refused:
        run(ctx, target="sim.auto", max_calibration_age=60)
    assert refused.value.code == "calibration-unknown"


def test_a_result_under_too_old_a_calibration_does_not_count(ctx: EngineContext, device: ScheduledCalibrations) -> None:
    """One is due, so the job is taken; this target does not wait for it."""
    device.next_at = NOW + 600.0
    job = run(ctx, max_calibration_age=60)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error["code"] == "calibration-too-old"
    assert job.error["details"]["age_s"] == pytest.approx(3600.0, abs=1.0)
    assert record_of(ctx, job)["result"] is None


def test_no_program_of_a_batch_counts_that_ran_under_too_old_a_calibration(
    ctx: EngineContext, device: ScheduledCalibrations
) -> None:
    device.next_at = NOW + 600.0
    job = run(ctx, 3, max_calibration_age=60)
    assert job.status is JobStatus.FAILED
    items = items_of(ctx, job)
    assert {item.status for item in items} == {JobStatus.FAILED}
    assert {(item.error or {})["code"] for item in items} == {"calibration-too-old"}
