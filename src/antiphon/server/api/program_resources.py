"""What a program takes on a target. With error correction it is estimated by clients, in their own process."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from antiphon.domain.identity import Principal
from antiphon.engine.context import EngineContext
from antiphon.engine.resources import target_resources
from antiphon.engine.validate import find_driver
from antiphon.server.access.dependencies import ServicesOf, Submitter
from antiphon.server.api.documents import answer, encode
from antiphon.server.api.problems import problems
from antiphon.server.api.queue_resources import QuoteBody
from antiphon.server.api.reading import submit_request
from antiphon.server.api.resources import QuoteView, Resource
from antiphon.server.api.targets import EACH_TIME

router = APIRouter(tags=["targets"])


class FiguresView(Resource):
    """The size of a circuit."""

    width: int
    depth: int
    gates: dict[str, int]


class AssessmentView(Resource):
    """What a program meets on a device under one calibration."""

    target: str
    calibration: str = Field(description="Digest of the calibration.")
    layout: list[int] = Field(description="Physical qubit of each qubit of the program, at the start.")
    depth: int
    gates: dict[str, int]
    seconds: float = Field(description="Of one shot.")
    fidelity: float = Field(description="Estimated probability that a shot sees no error.")
    feedforward_s: float
    feedforward_loss: float
    warnings: list[str]


class TargetResourcesView(Resource):
    """What a program takes on a target."""

    target: str
    version: str
    kind: str
    figures: FiguresView | None = Field(description="null for a program that only an engine of its format reads.")
    is_compiled: bool = Field(description="Whether the figures are those after compilation.")
    shots: int | None
    sets: int
    device_s: float | None = Field(
        description="Seconds that the shots and the pauses between them take the device; null on a simulator."
    )
    shot_pause_s: float = Field(description="Seconds between the end of a shot and the start of the next.")
    fidelity: float | None
    assessment: AssessmentView | None
    expected: QuoteView
    warnings: list[str]


@router.post("/targets/{name}/resources", response_model=TargetResourcesView, responses=problems(400, 404, 413))
async def get_resources(name: str, body: QuoteBody, principal: Submitter, services: ServicesOf) -> Response:
    """What a program takes on a target: width, depth, gates, run time, cost. The body is that of a submit."""
    return await services.call(_resources, services.engine, principal, name, body)


def _resources(ctx: EngineContext, principal: Principal, name: str, body: QuoteBody) -> Response:
    find_driver(ctx.drivers, name)
    request = submit_request(ctx, principal, body.model_copy(update={"target": name}), key=None, trace=None)
    return answer(encode(target_resources(ctx, request).to_json()), headers=EACH_TIME)
