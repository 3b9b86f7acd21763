"""The target that is checked, seen through the calls that every user has, with what checks have in common."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from antiphon.client.job import Job
from antiphon.client.kit.verdicts import CheckFailedError, NothingToCheckError
from antiphon.client.result import Result
from antiphon.domain.calibrations import Calibration
from antiphon.domain.jobs import JobStatus
from antiphon.domain.programs import Profile
from antiphon.domain.resources import Resources
from antiphon.domain.targets import TargetInfo
from antiphon.errors import AntiphonError, LimitError, ProgramError, WaitTimeoutError

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
SHOTS = 500
UNKNOWN_FIDELITY = 0.5
"""Of a device that says nothing about a program before it runs."""


class Verifiable(Protocol):
    """The calls of a `Target` that checks make."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def info(self) -> TargetInfo: ...  # noqa: D102
    def submit(self, program: object, shots: int = ..., **options: Any) -> Job: ...  # noqa: D102
    def submit_batch(self, programs: Sequence[object], shots: int = ..., **options: Any) -> Job: ...  # noqa: D102
    def sweep(self, program: object, parameters: Any, shots: int = ..., **options: Any) -> Job: ...  # noqa: D102
    def estimate(self, program: object, observable: object, **options: Any) -> Job: ...  # noqa: D102
    def estimate_resources(self, program: object, shots: int | None = ..., **options: Any) -> Resources: ...  # noqa: D102
    def calibrations(self, since: Any = None, limit: int = ...) -> Sequence[Calibration]: ...  # noqa: D102


class Subject:
    """What a check works with.

    Args:
        take_up: A job by its id, as another process would take it up.
        find: Jobs by name.
        patience_s: The longest that a job of the kit may wait and run.
    """

    def __init__(
        self,
        target: Verifiable,
        take_up: Callable[[str], Job],
        find: Callable[[str], list[Job]],
        patience_s: float,
    ) -> None:
        self.target = target
        self.take_up = take_up
        self.find = find
        self.patience_s = patience_s
        self.shots = min(SHOTS, target.info.limits.max_shots)

    @property
    def info(self) -> TargetInfo:
        """What the target declares."""
        return self.target.info

    @property
    def is_noisy(self) -> bool:
        """Whether single shots may be wrong: only of a simulator every shot must be right."""
        return self.info.kind != "simulator"

    def offers(self, profile: Profile) -> bool:
        """Whether it declares that it runs programs of the profile."""
        return self.info.profile.rank >= profile.rank

    def needs(self, profile: Profile, what: str) -> None:
        """Go on only on a target that declares the profile."""
        if not self.offers(profile):
            raise NothingToCheckError(f"It declares the profile {self.info.profile.value}, which has no {what}.")

    def needs_qubits(self, wanted: int) -> None:
        """Go on only on a target that is wide enough."""
        if self.info.limits.max_qubits < wanted:
            raise NothingToCheckError(f"It has {self.info.limits.max_qubits} qubits; the check takes {wanted}.")

    def new_name(self, what: str) -> str:
        """A name that no other job has."""
        return f"contract kit: {what} {secrets.token_hex(8)}"

    # --- running

    def run(self, program: str, shots: int | None = None, **options: Any) -> Result:
        """The result of one program; a refusal is a failure, as every target that declares enough must take it."""
        call = functools.partial(self.target.submit, program, self.shots if shots is None else shots, **options)
        return self.finished(self.accepted(call))

    def accepted(self, submit: Callable[[], Job]) -> Job:
        """The job of a submit that must be taken."""
        try:
            return submit()
        except (ProgramError, LimitError) as error:
            raise CheckFailedError(
                f"It refuses a program of the profile it declares: {error.message}", code=error.code
            ) from error

    def accepted_if_possible(self, submit: Callable[[], Job]) -> Job:
        """The job of a submit that the target may refuse, which leaves nothing to check."""
        try:
            return submit()
        except (ProgramError, LimitError) as error:
            raise NothingToCheckError(f"It does not take the program: {error.message}", code=error.code) from error

    def finished(self, job: Job) -> Result:
        """The result of a job that must succeed in time."""
        self.ended(job)
        if job.status is not JobStatus.SUCCEEDED:
            raise CheckFailedError(f"The job ended as {job.status.value}.", job=job.id, error=job.error)
        return job.result()

    def ended(self, job: Job) -> Job:
        """The job, which must end in time."""
        try:
            return job.wait(self.patience_s)
        except WaitTimeoutError as error:
            raise CheckFailedError(
                f"The job has no final state after {self.patience_s:g} s.", job=job.id, status=job.status.value
            ) from error

    # --- judging

    def expect(self, program: str, pattern: str) -> dict[str, Any]:
        """Run a program with one right outcome; the evidence.

        Of a simulator every shot has it. On a device it is the most frequent one, in at least half as many shots as
        the device's own assessment says see no error.
        """
        result = self.run(program)
        return self.judge(result.counts, pattern, program)

    def judge(self, counts: Mapping[str, int], pattern: str, program: str) -> dict[str, Any]:
        """The evidence that counts have the one right outcome."""
        total = sum(counts.values())
        top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:4]
        evidence: dict[str, Any] = {"expected": pattern, "most frequent": dict(top)}
        share = counts.get(pattern, 0) / total if total else 0.0
        if not self.is_noisy:
            if share < 1.0:
                raise CheckFailedError(f"Every shot should read {pattern!r}; it reads {top[0][0]!r}.", **evidence)
            return evidence
        least = 0.5 * self.fidelity(program)
        evidence |= {"share": share, "least": least}
        if top[0][0] != pattern or share < least:
            raise CheckFailedError(
                f"{pattern!r} should be the most frequent outcome with a share of {least:.2f} at least; "
                f"{top[0][0]!r} is, and its own share is {share:.2f}.",
                **evidence,
            )
        return evidence

    def fidelity(self, program: str) -> float:
        """The probability that a shot sees no error: 1 on a simulator, the device's own assessment on a device.

        Raises:
            ProgramError, LimitError: The device refuses the program.
        """
        if not self.is_noisy:
            return 1.0
        try:
            found = self.target.estimate_resources(program, self.shots, fault_tolerant=False).on[self.target.name]
        except (ProgramError, LimitError):
            raise
        except AntiphonError:
            return UNKNOWN_FIDELITY
        return UNKNOWN_FIDELITY if found.fidelity is None else found.fidelity
