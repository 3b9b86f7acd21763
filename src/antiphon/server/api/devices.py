"""Devices over time: their calibrations, and what changed between two of them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from antiphon.client.wire.devices import calibration_to_json, drift_to_json
from antiphon.engine.context import EngineContext
from antiphon.engine.devices import calibrations_of, drift_of
from antiphon.server.access.dependencies import Reader, ServicesOf
from antiphon.server.api.documents import answer, encode
from antiphon.server.api.problems import problems
from antiphon.server.api.programs import read_program
from antiphon.server.api.resources import Resource
from antiphon.server.api.submissions import AnyProgram, Body
from antiphon.server.api.targets import EACH_TIME
from antiphon.server.api.times import Since, when_of

router = APIRouter(tags=["targets"])

LARGEST_PAGE = 100
"""Each snapshot of a large device has some 50 kB."""


class CalibrationView(Resource):
    """What was measured of a device at one time. Seconds and probabilities; null is no relaxation at all."""

    digest: str = Field(description="sha256:… over all figures; results name it.")
    target: str
    published_at: str
    taken_at: float = Field(description="The same in seconds since the epoch.")
    qubits: list[tuple[float | None, float | None, float, float]] = Field(
        description="Of each qubit T1, T2, and the probabilities of reading 1 as it is 0, and 0 as it is 1."
    )
    gates: dict[str, dict[str, tuple[float, float]]] = Field(
        description="By name, then by qubits joined with commas: average infidelity, and duration."
    )
    measure_s: float
    reset_s: float
    feedforward_s: float
    source: str
    notes: list[str]
    resets_by_measuring: bool = Field(
        default=False, description="Whether a misread measurement leaves a qubit in 1 that was reset. Left out for no."
    )
    crosstalk: float = Field(
        default=0.0, description="Average infidelity that measuring a qubit costs each other in use. Left out for 0."
    )


class CalibrationList(Resource):
    """Calibrations of a device, newest first."""

    calibrations: list[CalibrationView]


class ChangeView(Resource):
    """One kind of figure over the whole device: medians, and where it got worse most."""

    figure: str
    unit: str
    then: float
    now: float
    worst: str = Field(description="Empty where it got worse nowhere.")
    worst_then: float
    worst_now: float


class DriftView(Resource):
    """What changed between two calibrations, and whether a program would notice."""

    target: str
    since: str = Field(description="Digest of the older snapshot.")
    since_at: str
    until: str = Field(description="Digest of the newer snapshot.")
    until_at: str
    changes: list[ChangeView]
    fidelity_then: float | None = Field(description="Expected fidelity of the program; null without one.")
    fidelity_now: float | None
    matters: bool | None = Field(description="Whether 1,000 shots show the difference; null without a program.")
    verdict: str


class DriftBody(Body):
    """What to compare."""

    program: AnyProgram | None = Field(default=None, description="Compare its expected fidelity too.")
    since: Since | None = Field(
        default=None,
        description="ISO 8601, or how long before now: 2d, 90min. Default: the calibration before the newest.",
    )


@router.get("/targets/{name}/calibrations", response_model=CalibrationList, responses=problems(400, 404))
async def list_calibrations(
    name: str,
    _: Reader,
    services: ServicesOf,
    since: Annotated[
        Since | None,
        Query(description="ISO 8601, no zone means UTC; or how long before now: 2d, 90min. Default: the last week."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 10,
) -> Response:
    """The calibrations of a device, newest first, and the one in force at `since`."""
    return await services.call(_calibrations, services.engine, name, since, limit)


def _calibrations(ctx: EngineContext, name: str, since: dt.datetime | str | None, limit: int) -> Response:
    found = calibrations_of(ctx, name, when_of(since), limit)
    return answer(encode({"calibrations": [calibration_to_json(each) for each in found]}), headers=EACH_TIME)


@router.post("/targets/{name}/drift", response_model=DriftView, responses=problems(400, 404, 413))
async def get_drift(name: str, body: DriftBody, _: Reader, services: ServicesOf) -> Response:
    """What changed on a device between two calibrations, and whether a program would notice. Nothing is stored."""
    return await services.call(_drift, services.engine, name, body)


def _drift(ctx: EngineContext, name: str, body: DriftBody) -> Response:
    program = None if body.program is None else read_program(ctx, body.program)
    found: dict[str, Any] = drift_to_json(drift_of(ctx, name, program, when_of(body.since)))
    return answer(encode(found), headers=EACH_TIME)
