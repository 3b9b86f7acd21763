"""What a program takes on a target: asked of the target, priced and timed as a submit would be. Nothing is stored."""

from __future__ import annotations

from antiphon.domain.circuit_figures import CircuitFigures, figures_of
from antiphon.domain.resources import TargetResources
from antiphon.domain.work import JobKind
from antiphon.engine.context import EngineContext
from antiphon.engine.estimates import estimate_of_plan, planned
from antiphon.engine.requests import SubmitRequest
from antiphon.engine.validate import find_driver
from antiphon.errors import InvalidRequestError
from antiphon.ports.device_driver import DeviceDriver


def target_resources(ctx: EngineContext, request: SubmitRequest) -> TargetResources:
    """What the one program of a request takes on its target.

    Raises:
        NotFoundError: No such target.
        ProgramError, LimitError: The job would be refused.
        InvalidRequestError: It is a batch.
    """
    driver = find_driver(ctx.drivers, request.target)
    if request.kind is JobKind.BATCH or len(request.pubs) != 1:
        raise InvalidRequestError(
            "Resources are estimated of one program at a time.", next_step="Ask for each program of the batch."
        )
    work, plan = planned(ctx, request)
    expected = estimate_of_plan(ctx, request, work, plan)
    [pub] = request.pubs
    info = driver.info
    figures = None if pub.program.circuit is None else figures_of(pub.program.circuit)
    assessment = None
    if isinstance(driver, DeviceDriver):
        assessment = driver.assess(pub.program, driver.calibration(ctx.clock.now()))
        figures = CircuitFigures(len(assessment.layout), assessment.depth, dict(assessment.gates))
    return TargetResources(
        target=info.name,
        version=info.version,
        kind=info.kind,
        figures=figures,
        is_compiled=assessment is not None,
        shots=pub.shots,
        sets=pub.parameters.num_sets,
        assessment=assessment,
        expected=expected,
        warnings=tuple(dict.fromkeys((*plan.warnings, *(() if assessment is None else assessment.warnings)))),
        shot_pause_s=0.0 if info.device is None else info.device.shot_pause_s,
    )
