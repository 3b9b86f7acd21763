"""The target "best": which one takes the job is decided when it is submitted, and the record says why."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from antiphon.domain.evolve import evolve
from antiphon.domain.policies.best import Candidate, Choice, Prefer, Wish, choose_best
from antiphon.engine.access.quotas import refusal_ahead
from antiphon.engine.calibrations import check_age
from antiphon.engine.charging import metered
from antiphon.engine.context import EngineContext
from antiphon.engine.estimates import expected_wait, history_of, planned
from antiphon.engine.requests import SubmitRequest
from antiphon.engine.validate import find_driver, is_number
from antiphon.errors import AntiphonError, LimitError
from antiphon.ports.device_driver import DeviceDriver
from antiphon.ports.provider import KnowsItsQueue

BEST = "best"
"""The name that stands for whichever target is chosen."""
OPTIONS = ("prefer", "min_fidelity", "max_wait", "max_cost", "candidates")
"""Options of a submit to `BEST`, which say what is wanted; all others are for the target."""
CHOICE = "choice"
"""Under this name a job's provenance says how its target was chosen."""


def choose_target(ctx: EngineContext, request: SubmitRequest) -> tuple[SubmitRequest, Choice | None]:
    """The request for the target that was chosen, if it left that open. Nothing is stored.

    Candidates are the devices that take the job and that its workspace may use; simulators only where they are named.

    Raises:
        NotFoundError: A candidate that was named is no target.
        LimitError: A wish is none (code "wish-invalid"), the job is in a session (code "best-in-session"), or nothing
            fits (code "no-target-fits").
    """
    if request.target != BEST:
        return request, None
    if request.session_id is not None:
        raise LimitError(
            "A session is on one target, so none can be chosen in it.",
            code="best-in-session",
            next_step="Submit to the target of the session.",
        )
    wish, named = _wish(request.options)
    options = {name: value for name, value in request.options.items() if name not in OPTIONS}
    plain = evolve(request, options=options)
    first = _first_of_key(ctx, plain)
    if first is not None:
        return first, None
    names = named or [name for name, driver in ctx.drivers.items() if isinstance(driver, DeviceDriver)]
    choice = choose_best([_candidate(ctx, evolve(plain, target=name)) for name in names], wish)
    return evolve(plain, target=choice.target), choice


def _candidate(ctx: EngineContext, request: SubmitRequest) -> Candidate:
    driver, name = find_driver(ctx.drivers, request.target), request.target
    if driver.info.status == "Unavailable" and not isinstance(ctx.providers.get(name), KnowsItsQueue):
        return Candidate(name, refused="it is unavailable")
    try:
        check_age(request.options, driver, ctx.clock.now())
        work, plan = planned(ctx, request)
        fidelity = None
        if isinstance(driver, DeviceDriver):
            calibration = driver.calibration(ctx.clock.now())
            programs = {pub.program.digest: pub.program for pub in request.pubs}
            expected = {digest: driver.assess(each, calibration).fidelity for digest, each in programs.items()}
            fidelity = fmean(expected[pub.program.digest] for pub in request.pubs)
        elif driver.info.kind == "simulator" and not request.options.get("noise"):
            fidelity = 1.0
    except AntiphonError as error:
        return Candidate(name, refused=error.message)
    to_charge = metered(ctx, work, plan, driver.info, request.priority)
    run_s = history_of(ctx, name, request.priority).run.of(plan.cost).p50
    bill = None if to_charge is None else to_charge.bound(run_s)
    cost = None if bill is None else bill.total
    shots = sum((pub.shots or 0) * pub.parameters.num_sets for pub in request.pubs)
    with ctx.store.read() as tx:
        over = refusal_ahead(
            tx, request.workspace, name, ctx.clock.now(), shots=shots, seconds=plan.cost, cost=cost or 0.0
        )
    if over is not None:
        return Candidate(name, refused=over.message)
    return Candidate(name, fidelity, expected_wait(ctx, name), cost, None if bill is None else bill.currency)


def _first_of_key(ctx: EngineContext, request: SubmitRequest) -> SubmitRequest | None:
    """The same request for the target that was chosen when its key came first: nothing is chosen twice."""
    if request.key is None:
        return None
    with ctx.store.read() as tx:
        first = tx.job_by_key(request.workspace, request.key)
    return None if first is None else evolve(request, target=first.spec.target)


def _wish(options: Mapping[str, Any]) -> tuple[Wish, list[str]]:
    prefer = options.get("prefer", Prefer.FIDELITY.value)
    if prefer not in tuple(Prefer):
        raise _no_wish("prefer", prefer, f"Choose one of {', '.join(Prefer)}.")
    bounds = {name: options.get(name) for name in ("min_fidelity", "max_wait", "max_cost")}
    for name, value in bounds.items():
        if value is not None and not (is_number(value) and value >= 0):
            more = ", in seconds or as text such as 10min" if name == "max_wait" else ""
            raise _no_wish(name, value, f"Give a number from 0{more}.")
    named = options.get("candidates")
    if named is None:
        named = []
    elif not named:
        raise _no_wish("candidates", named, "Name at least one target, or leave it out to ask every device.")
    if isinstance(named, str):
        named = [each.strip() for each in named.split(",")]
    if not (isinstance(named, list | tuple) and all(isinstance(each, str) and each != BEST for each in named)):
        raise _no_wish("candidates", named, "Give a list of names of targets.")
    return Wish(Prefer(prefer), bounds["min_fidelity"], bounds["max_wait"], bounds["max_cost"]), list(named)


def _no_wish(name: str, value: object, next_step: str) -> LimitError:
    return LimitError(
        f"{name}={repr(value)[:80]} says nothing about a target.", code="wish-invalid", next_step=next_step
    )
