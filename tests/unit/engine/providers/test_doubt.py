from __future__ import annotations

import pytest

from antiphon.domain.jobs import JobStatus
from antiphon.engine.access.audit import read_audit
from antiphon.engine.cancel import cancel
from antiphon.engine.providers.doubt import resolve_in_doubt
from antiphon.engine.providers.followed import Followed
from antiphon.errors import ConflictError, LimitError, NotFoundError
from antiphon.ports.access_store import AuditQuery
from antiphon.ports.provider import AnswerLostError
from provider_jobs import WORKSPACE, Desk
from scripted_provider import ScriptedProvider

LOST = AnswerLostError("The connection broke.")


@pytest.fixture
def doubtful(here: Desk, provider: ScriptedProvider) -> Followed:
    """A job of a provider that can tell neither by key nor by listing; it has arrived there."""
    provider.knows_keys = False
    provider.faults = [(LOST,)]
    followed = here.take(here.submit())
    for _ in range(10):
        here.step(followed)
    return followed


def test_a_provider_that_cannot_tell_leaves_it_in_doubt(
    here: Desk, provider: ScriptedProvider, doubtful: Followed
) -> None:
    assert here.states(doubtful.job.id) == ["in doubt"]
    assert here.job(doubtful.job.id).in_doubt
    assert here.log(doubtful.job.id).count("in doubt") == 1
    assert len(provider.sent) == 1


def test_an_operator_says_that_it_arrived(here: Desk, provider: ScriptedProvider, doubtful: Followed) -> None:
    job_id = doubtful.job.id
    job = resolve_in_doubt(here.ctx, workspace=WORKSPACE, job_id=job_id, arrived=True, provider_id="p1", by="grace")
    assert not job.in_doubt
    provider.end()
    here.see_through(doubtful)
    assert here.job(job_id).status is JobStatus.SUCCEEDED
    assert len(provider.sent) == 1
    (entry,) = read_audit(here.ctx, AuditQuery(workspace=WORKSPACE, action="job.resolve"))
    assert (entry.who, entry.subject, entry.details) == ("grace", job_id, {"arrived": "true", "provider_id": "p1"})


def test_an_operator_says_that_it_never_arrived(here: Desk, provider: ScriptedProvider, doubtful: Followed) -> None:
    job_id = doubtful.job.id
    resolve_in_doubt(here.ctx, workspace=WORKSPACE, job_id=job_id, arrived=False, by="grace")
    here.see_through(doubtful, until=lambda: here.states(job_id)[-1] == "accepted")
    assert here.states(job_id) == ["refused", "accepted"]
    assert len(provider.sent) == 2


def test_cancelled_and_never_arrived_it_is_over(here: Desk, provider: ScriptedProvider, doubtful: Followed) -> None:
    job_id = doubtful.job.id
    cancel(here.ctx, WORKSPACE, job_id, who="ada")
    here.step(doubtful)
    assert here.job(job_id).status is JobStatus.CANCELLATION_REQUESTED
    resolve_in_doubt(here.ctx, workspace=WORKSPACE, job_id=job_id, arrived=False, by="grace")
    here.see_through(doubtful)
    assert here.job(job_id).status is JobStatus.CANCELLED
    assert len(provider.sent) == 1


def test_it_may_be_said_while_no_engine_holds_the_job(
    here: Desk, there: Desk, provider: ScriptedProvider, doubtful: Followed
) -> None:
    job_id = doubtful.job.id
    here.lose(job_id)
    resolve_in_doubt(here.ctx, workspace=WORKSPACE, job_id=job_id, arrived=True, provider_id="p1", by="grace")
    provider.end()
    there.see_through(there.take(job_id))
    assert there.job(job_id).status is JobStatus.SUCCEEDED
    assert "resolved" in there.log(job_id)


def test_what_is_not_in_doubt_cannot_be_resolved(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    here.step(here.take(job_id))
    with pytest.raises(ConflictError) as refusal:
        resolve_in_doubt(here.ctx, workspace=WORKSPACE, job_id=job_id, arrived=False, by="grace")
    assert refusal.value.code == "job-not-in-doubt"


def test_an_operator_of_another_workspace_finds_no_such_job(here: Desk, doubtful: Followed) -> None:
    with pytest.raises(NotFoundError):
        resolve_in_doubt(here.ctx, workspace="other", job_id=doubtful.job.id, arrived=False, by="mallory")


def test_what_arrived_has_a_name(here: Desk, doubtful: Followed) -> None:
    with pytest.raises(LimitError) as refusal:
        resolve_in_doubt(here.ctx, workspace=WORKSPACE, job_id=doubtful.job.id, arrived=True, by="grace")
    assert refusal.value.code == "provider-id-missing"
