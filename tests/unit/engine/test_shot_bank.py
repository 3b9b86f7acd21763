from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.composition import build_engine
from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.results import Execution, Sampled
from antiphon.domain.work import JobKind
from antiphon.engine.archive import archive
from antiphon.engine.context import EngineContext
from antiphon.engine.job_record import record_of
from antiphon.engine.replay import replay
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.engine.shot_bank import with_earlier_shots
from antiphon.engine.submit import submit
from antiphon.errors import ConflictError, LimitError
from antiphon.frontends.observables import to_observables
from antiphon.frontends.parameters import bind
from antiphon.frontends.recognise import to_program
from antiphon.ports.executor import Report
from calibrated_device import TARGET, CalibratedDevice, calibration
from programs import BELL

NOW = 1_700_000_000.0
TURN = 'OPENQASM 3.0; include "stdgates.inc"; input float t; qubit q; bit c; ry(t) q; c = measure q;'


@pytest.fixture
def device() -> CalibratedDevice:
    return CalibratedDevice([calibration(NOW - 60.0)])


@pytest.fixture
def ctx(tmp_path: Path, clock: ManualClock, device: CalibratedDevice) -> Iterator[EngineContext]:
    running = build_engine(tmp_path, clock=clock, workers=0, dispatch=False, elsewhere=device.plugin())
    yield running.ctx
    running.close()


def run(
    ctx: EngineContext,
    shots: int,
    *,
    source: str = BELL,
    parameters: Any = None,
    kind: JobKind = JobKind.SAMPLE,
    target: str = TARGET,
    workspace: str = "default",
    seed: int | None = None,
    key: str | None = None,
    **options: Any,
) -> Job:
    program = to_program(source)
    request = SubmitRequest(
        workspace=workspace,
        who="ada",
        kind=kind,
        target=target,
        pubs=(PubRequest(program, bind(program, parameters), shots),),
        seed=seed,
        key=key,
        options={"bank": True, **options},
    )
    return submit(ctx, request).job


def counts(ctx: EngineContext, job: Job) -> dict[str, int]:
    assert job.status is JobStatus.SUCCEEDED, job.error
    found: dict[str, int] = record_of(ctx, job)["result"][0]["counts"][0]
    return found


def test_only_the_missing_shots_run_and_the_record_says_whose_they_are(ctx: EngineContext) -> None:
    first = run(ctx, 1000)
    second = run(ctx, 4000)
    assert (first.shots, second.shots) == (1000, 3000)
    assert sum(counts(ctx, second).values()) == 4000
    before = counts(ctx, first)
    assert all(counts(ctx, second)[bits] >= number for bits, number in before.items())
    bank = record_of(ctx, second)["provenance"]["bank"]
    assert bank == {"asked": 4000, "had": 1000, "own": 3000, "from": first.id, "jobs": [first.id, second.id]}
    third = run(ctx, 4500)
    assert record_of(ctx, third)["provenance"]["bank"]["jobs"] == [first.id, second.id, third.id]
    assert sum(counts(ctx, third).values()) == 4500


def test_what_is_there_already_is_not_run_again(ctx: EngineContext) -> None:
    first = run(ctx, 1000)
    fewer = run(ctx, 400)
    assert fewer.is_cached
    assert counts(ctx, fewer) == counts(ctx, first)
    assert fewer.provenance["bank"]["jobs"] == [first.id]
    more = run(ctx, 1500)
    assert more.provenance["bank"]["from"] == first.id


def test_the_same_seed_never_gives_the_same_noise_twice(ctx: EngineContext) -> None:
    first = run(ctx, 1000, seed=7)
    second = run(ctx, 2000, seed=7)
    alone = {bits: number - counts(ctx, first).get(bits, 0) for bits, number in counts(ctx, second).items()}
    assert sum(alone.values()) == 1000
    assert second.spec.seed != first.spec.seed
    assert second.spec.pubs[0].seed != first.spec.pubs[0].seed
    assert alone != counts(ctx, first)


def test_a_new_calibration_is_a_new_account(ctx: EngineContext, device: CalibratedDevice) -> None:
    run(ctx, 1000)
    device.published.append(calibration(NOW - 30.0, error=5e-3))
    fresh = run(ctx, 1500)
    assert fresh.provenance["bank"]["had"] == 0
    assert sum(counts(ctx, fresh).values()) == 1500


def test_calibrations_are_never_mixed(ctx: EngineContext, device: CalibratedDevice) -> None:
    """Submitted under one, run under the next."""
    run(ctx, 1000)
    device.published.append(calibration(NOW + 3600.0, error=5e-3))
    mixed = run(ctx, 1500)
    assert mixed.status is JobStatus.FAILED
    assert mixed.error is not None
    assert mixed.error["code"] == "bank-calibration-changed"
    again = run(ctx, 1500)
    assert again.error is not None  # still the older one in force when it is submitted


def test_a_first_job_that_ran_under_the_next_calibration_is_of_no_account(
    ctx: EngineContext, device: CalibratedDevice
) -> None:
    device.published.append(calibration(NOW + 3600.0, error=5e-3))
    assert run(ctx, 1000).status is JobStatus.SUCCEEDED
    other = run(ctx, 1500)
    assert other.provenance["bank"]["had"] == 0


@pytest.mark.parametrize("change", [
    {"source": BELL.replace("h q", "x q")},
    {"target": "sim.auto"},
    {"workspace": "others"},
])  # fmt: skip
def test_other_work_is_another_account(ctx: EngineContext, change: dict[str, Any]) -> None:
    run(ctx, 100)
    assert run(ctx, 200, **change).provenance["bank"]["had"] == 0


def test_parameters_count_and_sweeps_top_up_every_set(ctx: EngineContext) -> None:
    one = run(ctx, 100, source=TURN, parameters={"t": 0.3})
    assert run(ctx, 200, source=TURN, parameters={"t": 0.4}).provenance["bank"]["had"] == 0
    assert run(ctx, 200, source=TURN, parameters={"t": 0.3}).provenance["bank"]["from"] == one.id
    sets = [{"t": 0.1}, {"t": 2.0}]
    run(ctx, 100, source=TURN, parameters=sets, kind=JobKind.SWEEP)
    swept = run(ctx, 150, source=TURN, parameters=sets, kind=JobKind.SWEEP)
    found = record_of(ctx, swept)["result"][0]
    assert [sum(each.values()) for each in found["counts"]] == [150, 150]
    assert found["shots"] == 150


def test_simulators_have_an_account_too(ctx: EngineContext) -> None:
    run(ctx, 100, target="sim.auto")
    assert sum(counts(ctx, run(ctx, 300, target="sim.auto")).values()) == 300


def test_one_key_is_one_job(ctx: EngineContext) -> None:
    run(ctx, 100)
    second = run(ctx, 300, key="k", seed=3)
    assert run(ctx, 300, key="k", seed=3).id == second.id
    with pytest.raises(ConflictError):
        run(ctx, 400, key="k", seed=3)


def test_jobs_that_do_not_ask_for_it_neither_give_nor_take(ctx: EngineContext) -> None:
    plain = run(ctx, 100, bank=False)
    assert "bank" not in plain.provenance
    assert run(ctx, 200).provenance["bank"]["had"] == 0


def test_what_cannot_be_added_up_is_refused(ctx: EngineContext) -> None:
    program = to_program(BELL)
    observables, shape = to_observables("ZZ", program)
    request = SubmitRequest(
        workspace="default", who="ada", kind=JobKind.ESTIMATE, target=TARGET,
        pubs=(PubRequest(program, shots=10, observables=observables, observables_shape=shape),),
        options={"bank": True},
    )  # fmt: skip
    with pytest.raises(LimitError) as refused:
        submit(ctx, request)
    assert refused.value.code == "bank-not-possible"
    with pytest.raises(LimitError) as exact:
        run(ctx, 10, target="sim.auto", exact_probabilities=True)
    assert exact.value.code == "bank-not-possible"


@pytest.mark.parametrize("said", ["no", "false", "maybe", 0, 1])
def test_what_is_neither_true_nor_false_is_no_leave(ctx: EngineContext, said: object) -> None:
    with pytest.raises(LimitError) as refused:
        run(ctx, 10, bank=said)
    assert refused.value.code == "bank-invalid"


def test_a_result_of_several_jobs_is_not_replayed(ctx: EngineContext) -> None:
    first = run(ctx, 100, seed=1)
    assert replay(ctx, first, who="ada").agreement.agrees
    with pytest.raises(LimitError) as refused:
        replay(ctx, run(ctx, 200), who="ada")
    assert refused.value.code == "replay-of-many"


@pytest.mark.parametrize("how", ["archived", "result lost"])
def test_a_job_whose_contributor_went_while_it_waited_says_so_and_does_not_wait_for_ever(
    ctx: EngineContext, clock: ManualClock, tmp_path: Path, how: str
) -> None:
    first = run(ctx, 1000)
    waiting = run(ctx, 1500)
    bank = {"asked": 1500, "had": 1000, "own": 500, "from": first.id, "jobs": [first.id]}
    waiting = evolve(waiting, provenance={**waiting.provenance, "bank": bank})
    own = Execution((Sampled((), ({"00": 500},), 500),), first.provenance)
    kept = with_earlier_shots(ctx, waiting, Report(own, None, 0.1))
    assert kept.execution is not None
    if how == "archived":
        clock.advance(3 * 86_400.0)
        archive(ctx, older_than_s=86_400.0, folder=tmp_path / "archive")
    else:
        with sqlite3.connect(tmp_path / "antiphon.db") as db:
            db.execute("DELETE FROM results WHERE job_id = ?", (first.id,))
    gone = with_earlier_shots(ctx, waiting, Report(own, None, 0.1))
    assert gone.execution is None
    assert gone.error is not None
    assert gone.error.code == "bank-shots-gone"
