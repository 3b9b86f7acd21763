"""The shot bank: of work that ran before on the same calibration, only the shots that are missing run.

A job that allows it adds its shots to those of the newest job of the same work, target version, options and
calibration in its workspace, and its result is all of them together. Each job's own shots have a seed of their own,
hashed from what was there before, so that no noise counts twice; each builds on one earlier job, so that of two that
top up at the same time the bank keeps one. Calibrations are never mixed.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job, JobSpec
from antiphon.domain.results import Outcome, Sampled
from antiphon.domain.work import JobKind, Plan, Work
from antiphon.engine.calibrations import CALIBRATION
from antiphon.engine.context import EngineContext
from antiphon.engine.requests import SubmitRequest
from antiphon.engine.results import GONE, outcomes_of
from antiphon.engine.seeds import pub_seed
from antiphon.errors import ExecutionError, LimitError, StoreError
from antiphon.ports.device_driver import DeviceDriver
from antiphon.ports.executor import Report
from antiphon.ports.target_driver import TargetDriver

BANK = "bank"
"""The option that allows it, and the name under which provenance says which jobs contributed."""
KINDS = (JobKind.SAMPLE, JobKind.SWEEP)
NOT_WITH = ("mitigation", "exact_probabilities")


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What the bank has for a request.

    Attributes:
        digest: Content hash of all that shots of one account have in common.
        earlier: The job whose result they are, or None.
        had: How many shots of each parameter set that has.
        asked: How many are wanted.
    """

    digest: str
    earlier: Job | None
    had: int
    asked: int

    @property
    def is_enough(self) -> bool:
        """Whether nothing has to run."""
        return self.had >= self.asked

    def rest(self, work: Work, spec: JobSpec) -> tuple[Work, JobSpec]:
        """The work and its spec with the missing shots alone, under a seed that no contributor had."""
        if self.earlier is None:
            return work, spec
        before = ",".join(contributors(self.earlier))
        seed = int.from_bytes(hashlib.sha256(f"{spec.seed}/{before}/{self.had}".encode()).digest()[:8], "big") >> 1
        shots = self.asked - self.had
        pubs = tuple(evolve(pub, shots=shots, seed=pub_seed(seed, index)) for index, pub in enumerate(work.pubs))
        kept = tuple(evolve(pub, shots=shots, seed=pub_seed(seed, index)) for index, pub in enumerate(spec.pubs))
        return evolve(work, pubs=pubs), evolve(spec, pubs=kept, seed=seed)

    def provenance(self) -> dict[str, Any]:
        """What a job that tops up keeps of it."""
        jobs = [] if self.earlier is None else contributors(self.earlier)
        own = max(0, self.asked - self.had)
        from_job = None if self.earlier is None else self.earlier.id
        return {BANK: {"asked": self.asked, "had": self.had, "own": own, "from": from_job, "jobs": jobs}}


def contributors(job: Job) -> list[str]:
    """The jobs whose shots a banked job's result holds, oldest first."""
    return list(job.provenance[BANK]["jobs"])


def look_into_bank(
    ctx: EngineContext, request: SubmitRequest, spec: JobSpec, plan: Plan, driver: TargetDriver
) -> Withdrawal | None:
    """What there is for a request that allows it; None for one that does not.

    Raises:
        LimitError: Such a job has no shots that can be added up (code "bank-not-possible"), or the option is neither
            true nor false (code "bank-invalid").
    """
    allowed = request.options.get(BANK)
    if allowed is not None and not isinstance(allowed, bool):
        # "no" and "false" are true to Python.
        raise LimitError(
            f"{BANK}={allowed!r} is neither true nor false.",
            code="bank-invalid",
            next_step=f"Give {BANK}=True to add to shots that ran before, or leave it out.",
        )
    if not allowed:
        return None
    clashing = [name for name in NOT_WITH if request.options.get(name)]
    if request.kind not in KINDS or clashing:
        raise LimitError(
            f"Shots cannot be topped up {'with ' + clashing[0] if clashing else f'for a job of kind {request.kind}'}.",
            code="bank-not-possible",
            next_step=f"Leave {BANK} out, or submit or sweep plain shots.",
        )
    calibration = _in_force(ctx, plan, driver)
    same = {
        "target": [spec.target, driver.info.version, calibration],
        "options": dict(spec.options),
        "pubs": [[pub.program, pub.parameters_shape, pub.parameters] for pub in spec.pubs],
    }
    digest = "bank:" + hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()
    asked = int(spec.pubs[0].shots or 0)
    with ctx.store.read() as tx:
        earlier = tx.succeeded_work(request.workspace, digest)
    if earlier is None or _told(earlier) != calibration:
        # One that was submitted under it and ran under the next is of no account.
        return Withdrawal(digest, None, 0, asked)
    bank = earlier.provenance[BANK]
    return Withdrawal(digest, earlier, bank["had"] + bank["own"], asked)


def with_earlier_shots(ctx: EngineContext, job: Job, report: Report) -> Report:
    """The report of a job that tops up, with the shots it builds on.

    It is an error where those are gone, or had another calibration.

    Raises:
        StoreError: What it builds on cannot be read now.
    """
    execution, bank = report.execution, job.provenance.get(BANK)
    if execution is None or bank is None or bank["jobs"][-1:] == [job.id]:
        return report
    told = {**bank, "jobs": [*bank["jobs"], job.id]}
    if bank["from"] is None:
        return replace(report, execution=replace(execution, provenance={**execution.provenance, BANK: told}))
    with ctx.store.read() as tx:
        earlier = tx.job(bank["from"])
    if earlier is None:
        return replace(report, execution=None, error=_gone(bank))
    if _told(earlier) != execution.provenance.get(CALIBRATION, {}).get("digest"):
        return replace(report, execution=None, error=_other_calibration(bank))
    try:
        there = outcomes_of(ctx, earlier)
    except StoreError as error:
        if error.code not in GONE:
            raise
        return replace(report, execution=None, error=_gone(bank))
    together = tuple(_added(before, own) for before, own in zip(there, execution.outcomes, strict=True))
    provenance = {**execution.provenance, BANK: told}
    return replace(report, execution=replace(execution, outcomes=together, provenance=provenance))


def _added(before: Outcome, own: Outcome) -> Outcome:
    if not (isinstance(before, Sampled) and isinstance(own, Sampled)):
        raise ExecutionError("Only counts can be topped up.", code="bank-not-possible")
    counts = tuple(dict(Counter(a) + Counter(b)) for a, b in zip(before.counts, own.counts, strict=True))
    return Sampled(own.shape, counts, before.shots + own.shots, own.outcomes)


def _in_force(ctx: EngineContext, plan: Plan, driver: TargetDriver) -> str | None:
    """Digest of the calibration that the job is to run under; None where there are none."""
    chosen = plan.details.get("living", {}).get("published") or plan.details.get(CALIBRATION, {}).get("digest")
    if chosen is None and isinstance(driver, DeviceDriver):
        chosen = driver.calibration(ctx.clock.now()).digest
    return None if chosen is None else str(chosen)


def _told(job: Job) -> str | None:
    told = job.provenance.get(CALIBRATION)
    return None if told is None else str(told["digest"])


def _gone(bank: dict[str, Any]) -> ExecutionError:
    return ExecutionError(
        "The shots that were there are there no more.",
        code="bank-shots-gone",
        cause=f"job {bank['from']} was archived, or its result was lost, while this one waited",
        next_step="Submit it again: all shots run then.",
    )


def _other_calibration(bank: dict[str, Any]) -> ExecutionError:
    return ExecutionError(
        "The device was calibrated between the shots that were there and those that ran now.",
        code="bank-calibration-changed",
        cause=f"{bank['had']:,} shots are of another calibration than the {bank['own']:,} new ones",
        next_step="Submit it again: the bank begins anew under the new calibration.",
    )
