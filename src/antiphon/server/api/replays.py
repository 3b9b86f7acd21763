"""Replays: a recorded job runs again as a new job, and the two results are compared."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from antiphon.domain.identity import Principal
from antiphon.engine.cancel import job_not_found
from antiphon.engine.context import EngineContext, Finished
from antiphon.engine.replay import REPLAY_OF, judge_replay, start_replay
from antiphon.engine.requests import Origin
from antiphon.server.access.dependencies import Reader, ServicesOf, Submitter
from antiphon.server.access.origin import sender_of
from antiphon.server.api.documents import answer, encode, job_document
from antiphon.server.api.headers import trace_of
from antiphon.server.api.job_result import FOREVER, ended
from antiphon.server.api.jobs import ACCEPTED, accepted
from antiphon.server.api.problems import problems
from antiphon.server.api.resources import JobView, ReplayView
from antiphon.server.api.waiting import find_job

router = APIRouter(tags=["jobs"])


@router.post(
    "/jobs/{job_id}/replay", status_code=202, response_model=JobView, responses={**problems(404, 409), **ACCEPTED}
)
async def replay_job(request: Request, job_id: str, principal: Submitter, services: ServicesOf) -> Response:
    """Run a finished job again, with its recorded seed, as a new job.

    The new job is followed like any other; its `links.comparison` has the verdict once it has ended.
    """
    return await services.call(
        _start, services.engine, principal, job_id, trace_of(request), sender_of(request, principal)
    )


def _start(ctx: EngineContext, principal: Principal, job_id: str, trace: str | None, origin: Origin) -> Response:
    original = ended(find_job(ctx, principal, job_id))
    finished: Finished = start_replay(ctx, original, who=principal.name, trace=trace, origin=origin)
    return accepted(finished)


@router.get("/jobs/{job_id}/replays/{replay_id}", response_model=ReplayView, responses=problems(404, 409))
async def get_replay(job_id: str, replay_id: str, principal: Reader, services: ServicesOf) -> Response:
    """Whether a replay agrees with its original: to the bit where nothing changed, else by a stated test.

    409 while the replay has not ended, and for good when it ended without a result.
    """
    return await services.call(_judge, services.engine, principal, job_id, replay_id)


def _judge(ctx: EngineContext, principal: Principal, job_id: str, replay_id: str) -> Response:
    original, job = find_job(ctx, principal, job_id), find_job(ctx, principal, replay_id)
    if job.spec.metadata.get(REPLAY_OF) != original.id:
        raise job_not_found(replay_id)
    done = judge_replay(ctx, ended(original), ended(job))
    verdict = done.agreement
    return answer(
        encode(
            {
                "job": job_document(done.job),
                "original": job_document(done.original),
                "agreement": {
                    "agrees": verdict.agrees,
                    "test": verdict.test,
                    "detail": verdict.detail,
                    "figures": verdict.figures,
                },
                "changed": list(done.changed),
            }
        ),
        headers=FOREVER,
    )
