from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.composition import build_engine
from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job
from antiphon.domain.quotas import Dimension, Period
from antiphon.domain.work import JobKind
from antiphon.engine import best as best_module
from antiphon.engine.access.quotas import refusal_ahead
from antiphon.engine.context import EngineContext
from antiphon.engine.job_record import record_of
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.engine.submit import submit
from antiphon.errors import ConflictError, LimitError, NotFoundError
from antiphon.frontends.recognise import to_program
from antiphon.ports.provider import TargetPlugin
from calibrated_device import CalibratedDevice, calibration
from programs import BELL

WIDE = BELL.replace("[2]", "[300]")
NOW = 1_700_000_000.0


@pytest.fixture
def ctx(tmp_path: Path, clock: ManualClock) -> Iterator[EngineContext]:
    devices = [
        CalibratedDevice([calibration(NOW - 60.0, target=name)], name=name, fidelity=fidelity)
        for name, fidelity in (("tests.good", 0.95), ("tests.poor", 0.5))
    ]
    plugin = TargetPlugin({each.info.name: each for each in devices}, {})
    running = build_engine(tmp_path, clock=clock, workers=0, dispatch=False, elsewhere=plugin)
    yield running.ctx
    running.close()


def best(ctx: EngineContext, key: str | None = None, shots: int = 10, program: str = BELL, **options: Any) -> Job:
    request = SubmitRequest(
        workspace="default",
        who="ada",
        kind=JobKind.SAMPLE,
        target="best",
        pubs=(PubRequest(to_program(program), shots=shots),),
        options={"candidates": ["tests.good", "tests.poor"], **options},
        key=key,
    )
    return submit(ctx, request).job


def test_the_device_of_the_highest_expected_fidelity_is_taken_and_the_record_says_why(ctx: EngineContext) -> None:
    job = best(ctx)
    assert job.spec.target == "tests.good"
    assert job.spec.options == {}
    choice = record_of(ctx, job)["provenance"]["choice"]
    assert [each["target"] for each in choice["candidates"]] == ["tests.good", "tests.poor"]
    assert choice["why"].startswith("tests.good was chosen for its expected fidelity")
    assert job.status.value == "Succeeded"


def test_simulators_are_taken_only_where_they_are_named(ctx: EngineContext) -> None:
    job = best(ctx, candidates="tests.good, sim.auto")
    assert job.spec.target == "sim.auto"
    chosen = best(ctx, candidates=None)
    assert chosen.spec.target.startswith(("tests.", "emu."))
    listed = {each["target"] for each in chosen.provenance["choice"]["candidates"]}
    assert {"tests.good", "tests.poor"} <= listed
    assert not [name for name in listed if name.startswith("sim.")]


def test_who_may_not_use_a_target_never_gets_it(ctx: EngineContext) -> None:
    from antiphon.engine.access.limits import set_quota

    set_quota(
        ctx,
        workspace="default",
        dimension=Dimension.SHOTS,
        limit=5,
        period=Period.DAY,
        target="tests.good",
        by="ada",
    )
    job = best(ctx)
    assert job.spec.target == "tests.poor"
    assert "may have 5 shots" in job.provenance["choice"]["candidates"][1]["refused"]
    with ctx.store.read() as tx:
        assert refusal_ahead(tx, "default", "tests.good", NOW, shots=5, seconds=0.0, cost=0.0) is None
        assert refusal_ahead(tx, "others", "tests.good", NOW, shots=6, seconds=0.0, cost=0.0) is None


def test_one_key_is_one_job_whatever_would_be_chosen_now(ctx: EngineContext) -> None:
    first = best(ctx, key="k")
    good = ctx.drivers["tests.good"]
    assert isinstance(good, CalibratedDevice)
    good.fidelity = 0.1
    assert best(ctx, key="k").id == first.id
    assert best(ctx, key="other").spec.target == "tests.poor"
    with pytest.raises(ConflictError):
        best(ctx, key="k", shots=11)


@pytest.mark.parametrize("options", [
    {"prefer": "luck"}, {"min_fidelity": "much"}, {"max_wait": -1}, {"max_cost": True}, {"candidates": ["best"]},
    {"rates": {"EUR": 1.0}}, {"rates": {"EUR": 0}, "currency": "USD"}, {"currency": 1},
    {"candidates": 7}, {"candidates": []}, {"candidates": ""}, {"max_wait": "soon"},
])  # fmt: skip
def test_a_wish_that_is_none_is_refused(ctx: EngineContext, options: dict[str, Any]) -> None:
    with pytest.raises(LimitError) as refused:
        best(ctx, **options)
    assert refused.value.code == "wish-invalid"


def test_a_number_that_is_no_wish_is_quoted_as_a_number(ctx: EngineContext) -> None:
    with pytest.raises(LimitError, match=r"^max_wait=-1 says"):
        best(ctx, max_wait=-1)
    with pytest.raises(LimitError, match=r"^max_wait='soon' says"):
        best(ctx, max_wait="soon")


def test_what_no_target_meets_is_refused(ctx: EngineContext) -> None:
    with pytest.raises(LimitError) as refused:
        best(ctx, min_fidelity=0.99)
    assert refused.value.code == "no-target-fits"
    with pytest.raises(LimitError) as shots:
        best(ctx, shots=10**12)
    assert shots.value.code == "no-target-fits"
    assert shots.value.next_step == "Ask for fewer shots, in several jobs."
    with pytest.raises(LimitError) as wide:
        best(ctx, program=WIDE, candidates=["emu.manila", "emu.falcon"])
    assert wide.value.cause == "too few qubits for 300 (emu.manila 5, emu.falcon 27)"
    assert "fewer qubits" in wide.value.next_step
    with pytest.raises(NotFoundError):
        best(ctx, candidates=["tests.none"])


def test_a_session_chooses_nothing(ctx: EngineContext) -> None:
    request = SubmitRequest(
        workspace="default", who="ada", kind=JobKind.SAMPLE, target="best",
        pubs=(PubRequest(to_program(BELL), shots=1),), session_id="ses_1",
    )  # fmt: skip
    with pytest.raises(LimitError) as refused:
        submit(ctx, request)
    assert refused.value.code == "best-in-session"
    assert evolve(request, session_id=None).target == "best"


def test_of_two_that_come_with_one_key_at_the_same_time_the_second_gets_the_first_though_it_chose_otherwise(
    ctx: EngineContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = best(ctx, key="k")
    # It looked for the key before the first was stored, and chose when the first target was out of reach.
    monkeypatch.setattr(best_module, "_first_of_key", lambda *_: None)
    good = ctx.drivers["tests.good"]
    monkeypatch.setattr(good, "fidelity", 0.01)
    assert best(ctx).spec.target == "tests.poor"
    assert best(ctx, key="k").id == first.id


def test_one_key_with_another_wish_is_another_request(ctx: EngineContext) -> None:
    best(ctx, key="k")
    with pytest.raises(ConflictError):
        best(ctx, key="k", prefer="cost")
