from __future__ import annotations

import pytest

from antiphon.domain.jobs import JobStatus
from antiphon.engine.cancel import cancel
from antiphon.engine.providers.loose import settle_loose
from antiphon.ports.provider import AnswerLostError, ProviderJobState
from provider_jobs import WORKSPACE, Desk
from scripted_provider import ScriptedProvider

LOST = AnswerLostError("The connection broke.")


def cancelled_without_engine(here: Desk) -> str:
    """A job that was cancelled while no engine held it; its line is open."""
    job_id = here.submit()
    here.step(here.take(job_id))
    here.lose(job_id)
    cancel(here.ctx, WORKSPACE, job_id, who="ada")
    assert here.job(job_id).status is JobStatus.CANCELLED
    return job_id


def test_what_the_provider_still_has_is_stopped_and_its_cost_kept(here: Desk, provider: ScriptedProvider) -> None:
    job_id = cancelled_without_engine(here)
    assert settle_loose(here.ctx) == 1
    assert provider.asked_to_stop == ["p1"]
    assert here.states(job_id) == ["accepted"]
    provider.end(state=ProviderJobState.CANCELLED, cost=({"total": 0.3},))
    settle_loose(here.ctx)
    (line,) = here.lines(job_id)
    assert line.state.value == "ended"
    assert [dict(cost) for cost in line.cost] == [{"total": 0.3}]
    assert settle_loose(here.ctx) == 0
    assert here.job(job_id).status is JobStatus.CANCELLED


@pytest.mark.parametrize("arrived", [True, False])
def test_what_is_in_doubt_is_asked_after(here: Desk, provider: ScriptedProvider, arrived: bool) -> None:
    provider.faults = [(LOST,) if arrived else LOST]
    job_id = cancelled_without_engine(here)
    settle_loose(here.ctx)
    assert here.states(job_id) == (["accepted"] if arrived else ["in doubt"])
    here.clock.advance(provider.settle_seconds)
    settle_loose(here.ctx)
    assert here.states(job_id) == (["accepted"] if arrived else ["refused"])
    assert len(provider.sent) == 1


def test_one_that_cannot_be_settled_keeps_no_other_from_it(here: Desk, provider: ScriptedProvider) -> None:
    provider.faults = [(LOST,)]
    in_doubt = cancelled_without_engine(here)
    there = cancelled_without_engine(here)
    provider.knows_keys = False
    provider.end("p2")
    settle_loose(here.ctx)
    assert here.states(in_doubt) == ["in doubt"]
    assert here.states(there) == ["ended"]


def test_jobs_that_run_are_left_alone(here: Desk, provider: ScriptedProvider) -> None:
    here.step(here.take(here.submit()))
    assert settle_loose(here.ctx) == 0
    assert provider.asked_to_stop == []
