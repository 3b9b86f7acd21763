"""Reservations and allotments: which part of the targets is whose."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from antiphon.client.wire.queues import reservation_to_json
from antiphon.engine.access.names import LONGEST_NAME
from antiphon.engine.queues.allotments import list_allotments, set_allotment
from antiphon.engine.queues.overview import seen_by
from antiphon.engine.queues.reservations import (
    cancel_reservation,
    list_reservations,
    reservation_not_found,
    reserve,
)
from antiphon.server.access.dependencies import Operator, Reader, ServicesOf, runs_the_service
from antiphon.server.access.origin import origin_of
from antiphon.server.api.documents import answer, encode, is_id
from antiphon.server.api.jobs import Text
from antiphon.server.api.problems import problems
from antiphon.server.api.queue_resources import (
    AllotmentBody,
    AllotmentList,
    AllotmentView,
    ReservationBody,
    ReservationList,
    ReservationView,
)
from antiphon.server.api.workspace import UNCACHED

router = APIRouter(tags=["queues"])


@router.get("/reservations", response_model=ReservationList, responses=problems(404))
async def get_reservations(principal: Reader, services: ServicesOf, target: Text = None) -> Response:
    """Windows that are open or to come, by their start. Of other workspaces' only the target and the times."""
    found = await services.call(list_reservations, services.engine, target)
    everything = runs_the_service(principal)
    shown = [reservation_to_json(seen_by(each, principal.workspace, everything=everything)) for each in found]
    return answer(encode({"reservations": shown}), headers=UNCACHED)


@router.post("/reservations", status_code=201, response_model=ReservationView, responses=problems(400, 404, 409, 413))
async def add_reservation(
    request: Request, body: ReservationBody, principal: Operator, services: ServicesOf
) -> Response:
    """Book a window of a target with slots for a workspace: meanwhile nobody else's jobs start there."""
    booked = await services.call(
        reserve,
        services.engine,
        target=body.target,
        workspace=principal.workspace if body.workspace is None else body.workspace,
        starts_at=_seconds(body.starts_at),
        ends_at=_seconds(body.ends_at),
        note=body.note,
        by=principal,
        where=origin_of(request),
    )
    return answer(encode(reservation_to_json(booked)), 201, UNCACHED)


@router.delete("/reservations/{reservation_id}", response_model=ReservationView, responses=problems(404))
async def remove_reservation(
    request: Request, reservation_id: str, principal: Operator, services: ServicesOf
) -> Response:
    """Give a window back, also while it is open. To cancel it again changes nothing."""
    if not is_id(reservation_id):
        raise reservation_not_found(reservation_id)
    found = await services.call(
        cancel_reservation, services.engine, reservation_id, by=principal, where=origin_of(request)
    )
    return answer(encode(reservation_to_json(found)), headers=UNCACHED)


@router.get("/allotments", response_model=AllotmentList, responses=problems())
async def get_allotments(_: Operator, services: ServicesOf) -> Response:
    """The workspaces that have a weight of their own; the others have 1."""
    found = await services.call(list_allotments, services.engine)
    shown = [{"workspace": name, "weight": weight} for name, weight in found.items()]
    return answer(encode({"allotments": shown}), headers=UNCACHED)


@router.put("/allotments/{workspace}", response_model=AllotmentView, responses=problems(400, 404, 413))
async def put_allotment(
    request: Request,
    workspace: Annotated[str, Path(min_length=1, max_length=LONGEST_NAME)],
    body: AllotmentBody,
    principal: Operator,
    services: ServicesOf,
) -> Response:
    """Give a workspace a weight: who has twice the weight may use twice as much before others go first."""
    await services.call(
        set_allotment,
        services.engine,
        workspace=workspace,
        weight=body.weight,
        by=principal,
        where=origin_of(request),
    )
    return answer(encode({"workspace": workspace, "weight": body.weight}), headers=UNCACHED)


def _seconds(at: dt.datetime) -> float:
    return (at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)).timestamp()
