from __future__ import annotations

import pytest

from antiphon.domain.gate_counts import Tasks
from antiphon.domain.policies.advice import Way
from antiphon.domain.policies.estimates import IDLE_S
from antiphon.domain.policies.metering import WorkFacts
from antiphon.domain.work import JobKind
from antiphon.engine.advise import advise
from antiphon.engine.context import EngineContext
from antiphon.engine.prices import set_prices
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.errors import InvalidRequestError, NotFoundError
from antiphon.frontends.recognise import to_program
from programs import BELL
from stored_facts import add_job

FACTS = WorkFacts(tasks=(Tasks(1, 100, 0, 0, 0),), seconds=2.0)


def test_waits_are_those_of_the_queue_and_bills_those_of_the_list(ctx: EngineContext) -> None:
    set_queue_policy(ctx, target="sim.auto", slots=1, by="root")
    set_prices(ctx, target="sim.auto", prices={"currency": "EUR", "per_task": 0.3, "per_shot": 0.01}, by="root")
    for _ in range(5):
        add_job(ctx.store, planned_s=20.0, created_by="bob", created_at=ctx.clock.now() - 1.0)
    found = advise(ctx, workspace="default", target="sim.auto", request=FACTS, jobs=10, classical_s=1.0)
    options = {option.way: option for option in found.options}
    assert found.cheapest is Way.BATCH
    batch, session, jobs = options[Way.BATCH], options[Way.SESSION], options[Way.JOBS]
    assert [option.bill.total for option in (batch, session, jobs) if option.bill] == [10.3, 13.0, 13.0]
    assert jobs.wall_s == pytest.approx(10 * (100.0 + 2.0) + 9.0)
    # Its jobs go before the five, and the other nine start at once: what an idle target takes to do that.
    assert session.wall_s == pytest.approx(100.0 + 20.0 + 9.0 + 9 * IDLE_S[0])


def test_a_request_is_metered_as_its_target_plans_it(ctx: EngineContext) -> None:
    set_prices(ctx, target="sim.auto", prices={"currency": "EUR", "per_two_qubit_gate": 0.01}, by="root")
    request = SubmitRequest(
        workspace="default",
        who="ada",
        kind=JobKind.SAMPLE,
        target="sim.auto",
        pubs=(PubRequest(to_program(BELL), shots=100),),
    )
    found = advise(ctx, workspace="default", target="sim.auto", request=request, jobs=3)
    assert {option.bill.total for option in found.options if option.bill} == {3.0}


def test_what_cannot_be_compared_is_refused(ctx: EngineContext) -> None:
    with pytest.raises(InvalidRequestError):
        advise(ctx, workspace="default", target="sim.auto", request=FACTS, jobs=0)
    with pytest.raises(InvalidRequestError):
        advise(ctx, workspace="default", target="sim.auto", request=FACTS, jobs=1, classical_s=float("nan"))
    with pytest.raises(NotFoundError):
        advise(ctx, workspace="default", target="qpu", request=FACTS, jobs=1)
