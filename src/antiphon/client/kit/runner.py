"""Runs the checks of the kit, one after the other; what one does never stops the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version

from antiphon.client.job import Job
from antiphon.client.kit import checks
from antiphon.client.kit.check import Check, Outcome
from antiphon.client.kit.report import CheckResult, KitReport
from antiphon.client.kit.subject import Subject, Verifiable
from antiphon.client.kit.verdicts import CheckFailedError, NothingToCheckError
from antiphon.domain.badges import Badge
from antiphon.errors import AntiphonError, LimitError

CHECKS: tuple[Check, ...] = checks.ALL
PATIENCE_S = 120.0


def run_kit(
    target: Verifiable,
    *,
    take_up: Callable[[str], Job],
    find: Callable[[str], list[Job]],
    give_badge: Callable[[Badge], Badge] | None = None,
    only: Sequence[str] | None = None,
    patience_s: float = PATIENCE_S,
    watch: Callable[[CheckResult], None] | None = None,
) -> KitReport:
    """Put a target through the checks.

    Args:
        take_up: A job by its id, as another process would take it up.
        find: Jobs by name.
        give_badge: Stores the badge of a whole run.
        only: Names of checks; the others are left out, and there is no badge.
        patience_s: The longest that a job of the kit may wait and run.
        watch: Told of each check when it has ended.

    Raises:
        LimitError: There is no check of one of the names (code "check-unknown").
    """
    chosen = CHECKS if only is None else tuple(_named(name) for name in only)
    subject = Subject(target, take_up, find, patience_s)
    results = []
    for check in chosen:
        results.append(_run(check, subject))
        if watch is not None:
            watch(results[-1])
    info = target.info
    report = KitReport(info.name, info.version, version("antiphon"), tuple(results))
    if only is not None:
        return replace(report, not_stored="Only some of the checks were run.")
    if give_badge is None:
        return replace(report, not_stored="Nobody asked for a badge.")
    try:
        return replace(report, badge=give_badge(_badge(report)))
    except AntiphonError as error:
        return replace(report, not_stored=error.message)


def _named(name: str) -> Check:
    for check in CHECKS:
        if check.name == name:
            return check
    raise LimitError(
        f"There is no check {name!r}.",
        code="check-unknown",
        next_step=f"Choose of {', '.join(check.name for check in CHECKS)}.",
    )


def _run(check: Check, subject: Subject) -> CheckResult:
    began = time.monotonic()
    outcome, reason, evidence = Outcome.PASSED, "", {}
    try:
        evidence = check.run(subject)
    except NothingToCheckError as nothing:
        outcome, reason, evidence = Outcome.NOT_APPLICABLE, nothing.reason, nothing.evidence
    except CheckFailedError as failed:
        outcome, reason, evidence = Outcome.FAILED, failed.reason, failed.evidence
    except Exception as error:  # noqa: BLE001 - whatever a target makes of a call is what the kit is there to report
        outcome, reason = Outcome.FAILED, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return CheckResult(check.name, check.promise, check.peers, outcome, reason, evidence, time.monotonic() - began)


def _badge(report: KitReport) -> Badge:
    return Badge(
        target=report.target,
        version=report.version,
        antiphon=report.antiphon,
        at=0.0,
        by="",
        passed=report.count(Outcome.PASSED),
        not_applicable=report.count(Outcome.NOT_APPLICABLE),
        failed=tuple(each.name for each in report.failed),
    )
