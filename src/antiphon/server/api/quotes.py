"""What to expect of a job before and after its submit, and how a loop is submitted for least."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from antiphon.client.wire.explanations import explanation_to_json
from antiphon.domain.identity import Principal
from antiphon.engine.advise import advise
from antiphon.engine.context import EngineContext
from antiphon.engine.estimates import estimate_before, estimate_now
from antiphon.engine.explain import explain
from antiphon.engine.providers.doubt import resolve_in_doubt
from antiphon.engine.requests import SubmitRequest
from antiphon.engine.validate import find_driver
from antiphon.server.access.dependencies import JobManager, Reader, ServicesOf, Submitter, only_for_operators
from antiphon.server.access.origin import origin_of
from antiphon.server.api.documents import answer, encode, job_document
from antiphon.server.api.job_result import EACH_TIME
from antiphon.server.api.problems import problems
from antiphon.server.api.queue_resources import AdviceBody, AdviceView, ExplanationView, QuoteBody, ResolveBody
from antiphon.server.api.reading import submit_request
from antiphon.server.api.resources import JobView, QuoteView
from antiphon.server.api.sessions import find_session
from antiphon.server.api.waiting import find_job

router = APIRouter(tags=["jobs"])


@router.post("/targets/{name}/quotes", response_model=QuoteView, responses=problems(400, 404, 413))
async def quote(name: str, body: QuoteBody, principal: Submitter, services: ServicesOf) -> Response:
    """What to expect of a job if it were submitted now: wait, run time and cost. Nothing is stored."""
    return await services.call(_quote, services.engine, principal, name, body)


def _quote(ctx: EngineContext, principal: Principal, name: str, body: QuoteBody) -> Response:
    found = estimate_before(ctx, _request(ctx, principal, name, body))
    return answer(encode(found.to_json()), headers=EACH_TIME)


@router.post("/targets/{name}/advice", response_model=AdviceView, responses=problems(400, 404, 413))
async def get_advice(name: str, body: AdviceBody, principal: Submitter, services: ServicesOf) -> Response:
    """Whether a loop of such jobs is cheaper as single jobs, as one batch or as a session, and why."""
    return await services.call(_advice, services.engine, principal, name, body)


def _advice(ctx: EngineContext, principal: Principal, name: str, body: AdviceBody) -> Response:
    found = advise(
        ctx,
        workspace=principal.workspace,
        target=name,
        request=_request(ctx, principal, name, body),
        jobs=body.jobs,
        classical_s=body.classical_s,
    )
    return answer(encode(found.to_json()), headers=EACH_TIME)


def _request(ctx: EngineContext, principal: Principal, name: str, body: QuoteBody) -> SubmitRequest:
    find_driver(ctx.drivers, name)
    if body.session_id is not None:
        find_session(ctx, principal, body.session_id)
    return submit_request(ctx, principal, body.model_copy(update={"target": name}), key=None, trace=None)


@router.get("/jobs/{job_id}/expected", response_model=QuoteView, responses=problems(404))
async def get_expected(job_id: str, principal: Reader, services: ServicesOf) -> Response:
    """What is still to come of a job: how long it waits and runs from now on, and what it costs in all."""
    return await services.call(_expected, services.engine, principal, job_id)


def _expected(ctx: EngineContext, principal: Principal, job_id: str) -> Response:
    job = find_job(ctx, principal, job_id)
    found = estimate_now(ctx, principal.workspace, job.id)
    return answer(encode(found.to_json()), headers=EACH_TIME)


@router.get("/jobs/{job_id}/explanation", response_model=ExplanationView, responses=problems(404))
async def get_explanation(job_id: str, principal: Reader, services: ServicesOf) -> Response:
    """Why a job is where it is: who is before it as a class, by which rule, and what would change it."""
    return await services.call(_explanation, services.engine, principal, job_id)


def _explanation(ctx: EngineContext, principal: Principal, job_id: str) -> Response:
    job = find_job(ctx, principal, job_id)
    found = explain(ctx, workspace=principal.workspace, job_id=job.id)
    return answer(encode(explanation_to_json(found)), headers=EACH_TIME)


@router.post("/jobs/{job_id}/resolve", response_model=JobView, responses=problems(400, 404, 409, 413))
async def resolve(
    request: Request, job_id: str, body: ResolveBody, principal: JobManager, services: ServicesOf
) -> Response:
    """Say what became of a job that is in doubt. One that never arrived is sent again, unless it was cancelled.

    That a provider has it under some name is for operators of the service to say: they alone see whose that is.
    """
    return await services.call(_resolve, services.engine, request, principal, job_id, body)


def _resolve(ctx: EngineContext, request: Request, principal: Principal, job_id: str, body: ResolveBody) -> Response:
    job = find_job(ctx, principal, job_id)
    if body.arrived:
        only_for_operators(principal)
    resolved = resolve_in_doubt(
        ctx,
        workspace=principal.workspace,
        job_id=job.id,
        arrived=body.arrived,
        provider_id=body.provider_id,
        by=principal,
        where=origin_of(request),
    )
    return answer(encode(job_document(resolved)), headers=EACH_TIME)
