"""The target "best": which one takes the job is decided when it is submitted, and the record says why."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from antiphon.domain.evolve import evolve
from antiphon.domain.policies.best import Choice, choose_best
from antiphon.domain.policies.candidates import Candidate, Prefer, Reason, Wish
from antiphon.domain.shown import span
from antiphon.engine.access.quotas import refusal_ahead
from antiphon.engine.calibrations import MAX_AGE, check_age
from antiphon.engine.charging import metered
from antiphon.engine.context import EngineContext
from antiphon.engine.estimates import expected_wait, history_of, planned
from antiphon.engine.requests import SubmitRequest
from antiphon.engine.times import MAX_WAIT
from antiphon.engine.validate import find_driver, is_number
from antiphon.errors import AntiphonError, LimitError
from antiphon.ports.device_driver import DeviceDriver
from antiphon.ports.provider import KnowsItsQueue

BEST = "best"
"""The name that stands for whichever target is chosen."""
OPTIONS = ("prefer", "min_fidelity", MAX_WAIT, "max_cost", "candidates", "currency", "rates")
"""Options of a submit to `BEST`, which say what is wanted; all others are for the target."""
SIMULATOR = "sim.auto"
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
        reason = Reason("unavailable", way_out="Try again when one is available: antiphon targets list shows it.")
        return Candidate(name, refused="it is unavailable", reason=reason)
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
        return _refused(name, error)
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
        return _refused(name, over)
    return Candidate(name, fidelity, expected_wait(ctx, name), cost, None if bill is None else bill.currency)


def _refused(target: str, error: AntiphonError) -> Candidate:
    """With what is to be said if others are out for the same."""
    told = error.details
    reason = Reason(error.message.rstrip(".").replace(target, "it"), way_out=error.next_step)
    if {"num_qubits", "max_qubits"} <= told.keys():
        way_out = f"Use fewer qubits, or name what is wide enough: candidates=[{SIMULATOR!r}]."
        reason = Reason(f"too few qubits for {told['num_qubits']:,}", f"{told['max_qubits']:,}", way_out)
    elif "max_shots" in told:
        reason = Reason("too few shots in one job", f"{told['max_shots']:,}", "Ask for fewer shots, in several jobs.")
    elif {"age_s", "max_age_s"} <= told.keys():
        way_out = f"Allow more with {MAX_AGE}."
        reason = Reason(f"calibration older than {span(told['max_age_s'])}", span(told["age_s"]), way_out)
    return Candidate(target, refused=error.message, reason=reason)


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
    bounds = {name: options.get(name) for name in ("min_fidelity", MAX_WAIT, "max_cost")}
    for name, value in bounds.items():
        if value is not None and not (is_number(value) and value >= 0):
            more = ", in seconds or as text such as 10min" if name == MAX_WAIT else ""
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
    limits = (bounds["min_fidelity"], bounds[MAX_WAIT], bounds["max_cost"])
    return Wish(Prefer(prefer), *limits, *_money(options)), list(named)


def _money(options: Mapping[str, Any]) -> tuple[str | None, dict[str, float]]:
    currency, rates = options.get("currency"), options.get("rates")
    if currency is not None and not (isinstance(currency, str) and currency):
        raise _no_wish("currency", currency, "Give the currency of a price list, e.g. USD.")
    if rates is None:
        return currency, {}
    known = isinstance(rates, Mapping) and all(is_number(rate) and rate > 0 for rate in rates.values())
    if not known or currency is None:
        raise _no_wish("rates", rates, "Give currency='USD', and what one unit of others is worth: rates={'EUR': 1.1}.")
    return currency, {str(name): float(rate) for name, rate in rates.items()}


def _no_wish(name: str, value: object, next_step: str) -> LimitError:
    return LimitError(
        f"{name}={repr(value)[:80]} says nothing about a target.", code="wish-invalid", next_step=next_step
    )
