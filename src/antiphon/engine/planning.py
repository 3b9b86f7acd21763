"""Plan: what a target makes of a work before it is queued, and of the rest of a batch while it runs.

A target that compiles may take seconds for each program. Of a batch for it, programs are compiled before it is queued
until `BEFORE_QUEUE_S` are spent; each further one is while those before it run (see `engine.batch`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from antiphon.domain.evolve import evolve
from antiphon.domain.work import JobKind, Plan, Work, joined
from antiphon.errors import AntiphonError
from antiphon.ports.compiling_driver import CompilingDriver
from antiphon.ports.target_driver import TargetDriver

BEFORE_QUEUE_S = 1.0
"""Seconds of compiling before a batch is queued; programs that were compiled before cost nothing of it."""


def plan_work(driver: TargetDriver, work: Work) -> Plan:
    """The driver's plan; of a batch, a refusal names the program that caused it.

    Raises:
        AntiphonError: As the driver raised it.
    """
    try:
        return driver.plan(work)
    except AntiphonError as error:
        if len(work.pubs) == 1:
            raise
        raise _name_the_item(work, driver.plan, error) from None


def plan_to_queue(driver: TargetDriver, work: Work) -> Plan:
    """The plan with which a job is queued, here or estimated to be; of a batch it may be that of its first programs.

    All that can be checked without compiling was then checked of the others, too.

    Raises:
        AntiphonError: As the driver raised it; of a batch it names the program.
    """
    singly = as_compiling(driver, work)
    if singly is None or len(work.pubs) == 1:
        return plan_work(driver, work)
    try:
        singly.check(work)
    except AntiphonError as error:
        raise _name_the_item(work, singly.check, error) from None
    plans: list[Plan] = []
    spent = 0.0
    for index in range(len(work.pubs)):
        alone = only(work, index)
        if plans and spent >= BEFORE_QUEUE_S and not singly.is_compiled(alone):
            break
        began = time.perf_counter()
        try:
            plan = singly.plan(alone)
        except AntiphonError as error:
            raise _named(error, index, work) from None
        if not all(made.reused for made in plan.compiled):
            spent += time.perf_counter() - began
        plans.append(plan)
    return joined(plans, pending=len(work.pubs) - len(plans))


def as_compiling(driver: TargetDriver, work: Work) -> CompilingDriver | None:
    """The driver, if each program of the work may be planned when it is needed."""
    if work.kind is not JobKind.BATCH or not isinstance(driver, CompilingDriver):
        return None
    return driver if driver.plans_singly(work) else None


def only(work: Work, index: int) -> Work:
    """The work with one of its pubs alone."""
    return evolve(work, pubs=(work.pubs[index],))


def _name_the_item(work: Work, refuses: Callable[[Work], object], error: AntiphonError) -> AntiphonError:
    for index in range(len(work.pubs)):
        try:
            refuses(only(work, index))
        except AntiphonError as alone:
            return _named(alone, index, work)
    return error


def _named(error: AntiphonError, index: int, work: Work) -> AntiphonError:
    error.message = f"Program {index} of the batch ({len(work.pubs)} programs): {error.message}"
    error.details = {**error.details, "item": index}
    return error
