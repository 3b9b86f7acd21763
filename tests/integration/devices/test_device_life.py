"""A device's life on a virtual clock: what a day on it does to jobs, and what it never does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.client.wire.facts import job_from_json, job_to_json
from antiphon.domain.calibrations import Calibration
from antiphon.domain.jobs import JobStatus
from antiphon.domain.policies.device_schedule import Standing
from antiphon.domain.policies.drift import Drift
from antiphon.engine.cancel import cancel
from antiphon.engine.estimates import estimate_before, estimate_now, expected_wait
from antiphon.engine.explain import explain
from antiphon.errors import LimitError, UnsupportedProgramError
from antiphon.ports.job_store import JobQuery
from antiphon.ports.provider import ProviderJobState, RefusedByProviderError
from living_devices import MIDNIGHT, TARGET, LivingDesk, living, living_desk

HOUR = 3600.0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LivingDesk]:
    with living_desk(tmp_path, living("quiet", failures=0.0, refusals=0.0)) as found:
        yield found


def test_a_day_in_which_every_job_ends_once_and_nothing_runs_while_the_device_stands(tmp_path: Path) -> None:
    clock = ManualClock(MIDNIGHT)
    waits: dict[int, list[float]] = {}
    with living_desk(tmp_path, living("busy", failures=0.0), clock) as desk:
        for hour in range(24):
            for _ in range(4):
                clock.advance(max(0.0, MIDNIGHT + hour * HOUR - clock.now()))
                job_id = desk.submit()
                came = clock.now()
                record = desk.run(job_id)
                assert record["status"] == "Succeeded"
                starts, ends = desk.place(job_id)
                if not desk.driver.schedule.stops(came, starts):
                    waits.setdefault(int(came % 86_400 // HOUR), []).append(starts - came)
                assert desk.driver.schedule.stops(starts, ends) == []
                in_force = desk.driver.calibration(starts)
                assert record["calibration"]["digest"] == in_force.digest
                assert Calibration.from_json(record["calibration"]["snapshot"]) == in_force
                assert record["calibration"]["age_s"] == pytest.approx(starts - in_force.taken_at)
                assert sum(record["result"][0]["counts"][0].values()) == 200
                assert [line["state"] for line in record["submissions"]].count("ended") == 1
    night = [wait for hour in range(3, 7) for wait in waits.get(hour, [])]
    day = [wait for hour in range(13, 18) for wait in waits.get(hour, [])]
    assert fmean(day) > 3 * fmean(night)


def test_drift_changes_results_and_the_truth_is_not_what_is_published(tmp_path: Path) -> None:
    drift = Drift(readout=1.5, kept_readout=1.0, correlation_s=2 * HOUR)
    with living_desk(tmp_path, living("quiet", drift=drift, others_per_hour=(0.0,) * 24)) as desk:
        records = []
        for _ in range(3):
            records.append(desk.run(desk.submit(seed=11, shots=2000)))
            desk.clock.advance(9 * HOUR)
        lives = [record["provenance"]["life"] for record in records]
        assert len({life["true_calibration"] for life in lives}) == 3
        assert all(
            life["true_calibration"] != record["calibration"]["digest"]
            for life, record in zip(lives, records, strict=True)
        )
        assert len({str(record["result"]) for record in records}) == 3


def test_the_same_job_at_the_same_time_has_the_same_result_to_the_bit(tmp_path: Path) -> None:
    results = []
    for name in ("one", "other"):
        with living_desk(tmp_path / name, living("busy", failures=0.0)) as desk:
            results.append(desk.run(desk.submit(seed=11, key="mine"))["result"])
    assert results[0] == results[1]


def test_a_job_outlives_an_outage_and_ends_once(tmp_path: Path) -> None:
    clock = ManualClock(MIDNIGHT)
    with living_desk(tmp_path, living("bad-day", failures=0.0, refusals=0.0), clock) as desk:
        outages = [
            stop
            for stop in desk.driver.schedule.stops(MIDNIGHT, MIDNIGHT + 10 * 86_400.0)
            if stop.standing is Standing.UNAVAILABLE and stop.ends - stop.begins > 1800.0
        ]
        outage = outages[0]
        clock.advance(outage.begins + 60.0 - clock.now())
        assert desk.driver.info.status == "Unavailable"
        record = desk.run(desk.submit())
        assert desk.place(record["id"])[0] >= outage.ends
        assert record["status"] == "Succeeded"
        assert [line["state"] for line in record["submissions"]] == ["ended"]


def test_transient_refusals_are_tried_again(tmp_path: Path) -> None:
    with living_desk(tmp_path, living("quiet", refusals=0.3)) as desk:
        for _ in range(60):
            lines = desk.run(desk.submit())["submissions"]
            states = [line["state"] for line in lines]
            assert states == ["refused"] * (len(states) - 1) + ["ended"]
            if len(states) > 1:
                break
        assert lines[0]["error"]["code"] == "provider-busy"
        assert 2.0 <= lines[0]["error"]["details"]["retry_after_s"] <= 30.0


def test_a_failure_midway_says_how_far_it_came(tmp_path: Path) -> None:
    with living_desk(tmp_path, living("quiet", failures=1.0)) as desk:
        record = desk.run(desk.submit())
        assert record["status"] == "Failed"
        assert record["error"]["code"] == "device-failed"
        assert 0.1 <= record["error"]["details"]["part"] <= 0.9
        assert record["result"] is None


def test_of_a_batch_that_failed_midway_the_programs_that_were_done_count(tmp_path: Path) -> None:
    with living_desk(tmp_path, living("quiet", failures=1.0)) as desk:
        job_id = desk.submit(programs=10)
        record = desk.run(job_id)
        assert (record["status"], record["error"]["code"]) == ("Failed", "device-failed")
        done = record["error"]["details"]["programs_done"]
        assert 1 <= done <= 9
        assert [item["status"] for item in record["items"]] == ["Succeeded"] * done + ["Cancelled"] * (10 - done)
        with desk.ctx.store.read() as tx:
            outcomes = [item.outcome for item in tx.items(job_id) if item.status is JobStatus.SUCCEEDED]
        assert all(outcome is not None and sum(outcome["counts"][0].values()) == 200 for outcome in outcomes)


def test_a_job_that_demands_a_fresh_calibration_waits_for_the_next(desk: LivingDesk) -> None:
    due = desk.driver.next_calibration(desk.clock.now())
    desk.clock.advance(due + 19 * HOUR - desk.clock.now())
    due += 24 * HOUR
    record = desk.run(desk.submit(options={"max_calibration_age": 600.0}))
    assert record["status"] == "Succeeded"
    assert record["calibration"]["taken_at"] == due
    assert record["calibration"]["age_s"] <= 600.0
    at_once = desk.run(desk.submit(options={"max_calibration_age": 2 * HOUR}))
    assert at_once["calibration"]["taken_at"] == due


def test_what_no_calibration_can_meet_is_refused_for_good(tmp_path: Path) -> None:
    """The queue after each calibration is longer than the calibration may be old."""
    with living_desk(tmp_path, living("quiet", others_per_hour=(600.0,) * 24, others_job_s=10.0)) as desk:
        record = desk.run(desk.submit(options={"max_calibration_age": 0.5}))
        assert (record["status"], record["error"]["code"]) == ("Failed", "job-too-long")
        assert "max_calibration_age" in record["error"]["next_step"]


def test_a_snapshot_cannot_be_chosen_on_a_device_that_lives(desk: LivingDesk) -> None:
    with pytest.raises(UnsupportedProgramError) as refused:
        desk.submit(options={"calibration": "2021-01-01"})
    assert refused.value.code == "option-invalid"


def test_calibrations_are_published_on_time_and_differ(desk: LivingDesk) -> None:
    now = desk.clock.now()
    found = desk.driver.calibrations(now - 3 * 86_400.0, now)
    assert len(found) == 4
    assert [each.taken_at for each in found] == sorted((each.taken_at for each in found), reverse=True)
    assert found[0] == desk.driver.calibration(now)
    assert len({each.digest for each in found}) == 4


def test_a_cancelled_job_makes_room_for_the_next(desk: LivingDesk) -> None:
    first, second = desk.submit(shots=20_000), desk.submit()
    followed = [desk.take(first), desk.take(second)]
    for each in followed:
        desk.step(each)
    before = desk.place(second)[0]
    desk.device.cancel(desk.device.find(f"{first}-0", 0.0).id)  # type: ignore[union-attr]
    assert desk.place(second)[0] < before
    desk.see_through(followed[1])
    assert desk.record(second)["status"] == "Succeeded"


def test_the_id_of_a_job_stands_for_no_other_when_the_device_has_forgotten_all(desk: LivingDesk) -> None:
    first = desk.submit(shots=20_000)
    desk.step(desk.take(first))
    found = desk.device.find(f"{first}-0", 0.0)
    assert found is not None
    with desk.device._places.writing() as db:
        db.execute("DELETE FROM places")
        db.execute("DELETE FROM sqlite_sequence")
    second = desk.submit()
    desk.step(desk.take(second))
    other = desk.device.find(f"{second}-0", 0.0)
    assert other is not None
    desk.device.cancel(found.id)
    assert desk.device.look(other.id).state is not ProviderJobState.CANCELLED
    for name in (found.id, f"{TARGET}-1", "emu.falcon-1", "-1", "", "1" * 5000):
        with pytest.raises(RefusedByProviderError):
            desk.device.look(name)


def test_two_engines_see_one_queue_and_a_job_of_one_that_died_ends_once_with_the_other(tmp_path: Path) -> None:
    clock = ManualClock(MIDNIGHT + 15 * HOUR)
    device = living("busy", failures=0.0, refusals=0.0)
    with living_desk(tmp_path, device, clock) as here, living_desk(tmp_path, device, clock) as there:
        job_id = here.submit()
        followed = here.take(job_id)
        here.step(followed)
        placed = here.place(job_id)
        assert there.place(job_id) == placed
        here.lose(job_id)
        record = there.run(job_id)
        assert record["status"] == "Succeeded"
        assert there.place(job_id) == placed
        assert [line["state"] for line in record["submissions"]] == ["ended"]
        assert here.step(followed) is None
        assert here.record(job_id)["result"] == record["result"]


def test_the_folder_remembers_until_the_device_is_to_stand_still(tmp_path: Path) -> None:
    from antiphon import Workspace, emu
    from antiphon.domain.policies.life import StillDevice

    with Workspace(tmp_path, workers=0, targets=[emu.manila("busy", seed=3, failures=0.5)]) as workspace:
        version = workspace.target(TARGET).info.version
        assert version.endswith("+busy.3")
    with Workspace(tmp_path, workers=0) as workspace:
        assert workspace.target(TARGET).info.version == version
    still = emu.manila(life=None)
    assert still == StillDevice(TARGET)
    for targets in ([still], []):
        with Workspace(tmp_path, workers=0, targets=targets) as workspace:
            assert "+" not in workspace.target(TARGET).info.version


def test_what_cannot_live_is_refused_and_not_remembered(tmp_path: Path) -> None:
    from antiphon import Workspace, emu
    from antiphon.errors import NotFoundError

    for target in ("sim.auto", "emu.none"):
        with pytest.raises(NotFoundError) as refused:
            Workspace(tmp_path, workers=0, targets=[emu.device(target)])
        assert refused.value.code == "life-not-possible"
    with pytest.raises(NotFoundError) as unknown:
        emu.heron("wild")
    assert unknown.value.code == "life-unknown"
    with pytest.raises(LimitError) as none:
        emu.heron("busy", failure=1.0)
    assert none.value.code == "life-invalid"
    Workspace(tmp_path, workers=0).close()


def test_a_job_waits_until_the_device_starts_it_and_says_for_how_long(tmp_path: Path) -> None:
    with living_desk(tmp_path, living("busy", others_per_hour=(200.0,) * 24, refusals=0.0, failures=0.0)) as desk:
        ctx, now = desk.ctx, desk.clock.now()
        quoted = estimate_before(ctx, desk.request())
        wait_s = desk.device.expected_wait()
        assert wait_s > 600.0
        assert quoted.wait.p50 == pytest.approx(wait_s, rel=0.01)
        assert quoted.wait.p95 < wait_s + 2.0
        assert quoted.run.p50 == pytest.approx(quoted.planned_s, rel=0.01)
        job_id = desk.submit()
        followed = desk.take(job_id)
        desk.step(followed)
        starts, ends = desk.place(job_id)
        assert quoted.planned_s == pytest.approx(ends - starts)

        def told() -> tuple[str, str, list[str], list[str]]:
            view = job_from_json(job_to_json(desk.job(job_id)))
            lists = []
            for status in (JobStatus.WAITING, JobStatus.EXECUTING):
                with ctx.store.read() as tx:
                    lists.append([job.id for job in tx.find_jobs(JobQuery("default", status=status))])
            return view.status.value, desk.record(job_id)["status"], *lists

        assert told() == ("Waiting", "Waiting", [job_id], [])
        found = explain(ctx, workspace="default", job_id=job_id)
        assert (found.status, found.position) == ("Waiting", None)
        assert found.starts_in_s == pytest.approx(starts - desk.clock.now())
        assert "it waits in the queue of emu.manila itself, and starts in" in str(found)
        assert estimate_now(ctx, "default", job_id).wait.p95 == pytest.approx(starts - desk.clock.now())
        desk.lose(job_id)
        assert told() == ("Waiting", "Waiting", [job_id], [])
        assert "no engine asks about it now" in str(explain(ctx, workspace="default", job_id=job_id))
        followed = desk.take(job_id)
        desk.clock.advance(starts + 0.5 - desk.clock.now())
        desk.step(followed)
        assert told() == ("Executing", "Executing", [], [job_id])
        assert "it was started" in explain(ctx, workspace="default", job_id=job_id).rule
        assert estimate_now(ctx, "default", job_id).wait.p95 == 0.0
        desk.see_through(followed, most=2_000)
        job = desk.job(job_id)
        assert job.started_at == starts
        assert (job.stages.queue, job.stages.execute) == pytest.approx((starts - now, ends - starts))
        events = [(event["event"], event["status"]) for event in desk.record(job_id)["events"]]
        assert events[1:] == [
            ("claimed", "Waiting"), ("lease lost", "Waiting"), ("claimed", "Waiting"),
            ("started at provider", "Executing"), ("succeeded", "Succeeded"),
        ]  # fmt: skip


def test_a_job_that_is_cancelled_in_the_queue_of_the_device_was_never_started(desk: LivingDesk) -> None:
    first = desk.take(desk.submit(shots=20_000))
    desk.step(first)
    followed = desk.take(job_id := desk.submit())
    desk.step(followed)
    cancel(desk.ctx, "default", job_id, who="ada")
    desk.see_through(followed, most=200)
    job = desk.job(job_id)
    assert (job.status, job.started_at, job.stages.execute) == (JobStatus.CANCELLED, None, 0.0)
    assert job.stages.queue is not None


def test_why_a_device_takes_nothing_and_until_when(desk: LivingDesk) -> None:
    schedule = desk.driver.schedule
    window = next(stop for stop in schedule.stops(desk.clock.now(), desk.clock.now() + 86_400.0))
    desk.clock.advance(window.begins + 60.0 - desk.clock.now())
    until = dt.datetime.fromtimestamp(window.ends, dt.UTC)
    info = desk.driver.info
    assert (info.status, info.status_reason) == ("Degraded", f"it is being calibrated until {until:%Y-%m-%d %H:%M}Z")
    desk.clock.advance(window.ends - desk.clock.now())
    assert (desk.driver.info.status, desk.driver.info.status_reason) == ("Available", "")


def test_the_wait_that_is_expected_has_the_queue_of_the_device_in_it(tmp_path: Path) -> None:
    with living_desk(tmp_path, living("quiet", others_per_hour=(0.0,) * 24)) as desk:
        before = expected_wait(desk.ctx, TARGET)
        desk.step(desk.take(desk.submit(shots=20_000)))
        desk.clock.advance(2.0)
        assert expected_wait(desk.ctx, TARGET) > before + 3.0
        schedule = desk.driver.schedule
        window = next(stop for stop in schedule.stops(desk.clock.now(), desk.clock.now() + 86_400.0))
        desk.clock.advance(window.begins + 60.0 - desk.clock.now())
        assert desk.driver.info.status == "Degraded"
        assert expected_wait(desk.ctx, TARGET) >= window.ends - desk.clock.now()
