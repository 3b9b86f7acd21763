"""Job: a handle on one submission, in this process or any other that opens the same workspace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any

from antiphon.client.connection import Connection, ReplayView
from antiphon.client.result import Result
from antiphon.domain.batches import BatchItem
from antiphon.domain.calibrations import Calibration
from antiphon.domain.jobs import Job as JobFacts
from antiphon.domain.jobs import JobStatus
from antiphon.domain.policies.best import Choice
from antiphon.domain.policies.estimates import Estimate
from antiphon.domain.policies.explain import Explanation
from antiphon.domain.queues import Priority
from antiphon.domain.results import Outcome, outcome_from_json
from antiphon.domain.work import JobKind
from antiphon.engine.best import CHOICE
from antiphon.engine.results import raise_if_unsuccessful


class Job:
    """One job. Properties read the stored state anew until the job is final."""

    def __init__(self, connection: Connection, job: JobFacts, outcomes: tuple[Outcome, ...] | None = None) -> None:
        self._connection = connection
        self._job = job
        self._outcomes = outcomes

    # --- what it is

    @property
    def id(self) -> str:
        """Its identifier, "job_…"; take it up from another process with ws.job(id)."""
        return self._job.id

    @property
    def name(self) -> str:
        """The user's name for it, or the program's."""
        return self._job.name

    @property
    def kind(self) -> JobKind:
        """Which call made it."""
        return self._job.spec.kind

    @property
    def target(self) -> str:
        """Name of its target."""
        return self._job.spec.target

    @property
    def session_id(self) -> str | None:
        """Its session, if it is in one."""
        return self._job.session_id

    @property
    def created_at(self) -> float:
        """When it was submitted, seconds since the epoch."""
        return self._job.created_at

    @property
    def seed(self) -> int:
        """The seed as given, or as drawn at submit."""
        return self._job.spec.seed

    @property
    def executor(self) -> str:
        """Where it runs: "inline" in the submitting process, "process" in a worker, or "provider" elsewhere."""
        return self._job.executor

    @property
    def priority(self) -> Priority:
        """Its priority in the queue of its target."""
        return self._job.priority

    @property
    def metadata(self) -> dict[str, str]:
        """The user's own labels."""
        return dict(self._job.spec.metadata)

    # --- where it stands

    @property
    def facts(self) -> JobFacts:
        """The stored job as it stands, as plain data."""
        return self._refreshed()

    @property
    def status(self) -> JobStatus:
        """Where it stands now."""
        return self._refreshed().status

    @property
    def in_doubt(self) -> bool:
        """Whether nobody knows if its provider took it; nothing is sent again before that is known."""
        return self._refreshed().in_doubt

    @property
    def quote(self) -> Estimate | None:
        """What was expected of it when it was submitted; None for a job that did not wait."""
        stored = self._job.estimate
        return None if stored is None else Estimate.from_json(stored)

    @property
    def expected(self) -> Estimate:
        """What is still to come of it: how long it waits and runs from now on, and what it costs in all."""
        return self._connection.expected(self.id)

    @property
    def stages(self) -> dict[str, float | None]:
        """Seconds spent compiling, queueing, executing and reconciling; None for what it has not reached."""
        return self._refreshed().stages.to_json()

    @property
    def error(self) -> dict[str, Any] | None:
        """Code, message, cause and next step of a failed or cancelled job, else None."""
        stored = self._refreshed().error
        return dict(stored) if stored else None

    @property
    def events(self) -> list[dict[str, Any]]:
        """Its log, oldest first: what happened, when, who, why."""
        return self._connection.events(self.id)

    @property
    def items(self) -> list[BatchItem]:
        """What became of each program of a batch; empty for other jobs."""
        return self._connection.items(self._job)

    @property
    def record(self) -> dict[str, Any]:
        """Everything that is needed to run it again, as JSON values."""
        return self._connection.record(self._refreshed())

    @property
    def choice(self) -> Choice | None:
        """How its target was chosen, with all candidates; None where it was named. Prints well."""
        told = self._job.provenance.get(CHOICE)
        return None if told is None else Choice.from_json(told)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What its target said of it before it was queued, each a sentence: what waiting for decisions costs, say."""
        return tuple(self._job.provenance.get("plan", {}).get("warnings", ()))

    @property
    def calibration(self) -> Calibration | None:
        """The calibration of its target that was in force while it ran; None for a simulator, or before it ran.

        Its age then is `job.record["calibration"]["age_s"]`.
        """
        told = self.record["calibration"]
        return None if told is None else Calibration.from_json(told["snapshot"])

    # --- what one does with it

    def wait(
        self,
        timeout: float | None = None,
        *,
        progress: bool = False,
        watch: Callable[[JobFacts], None] | None = None,
    ) -> Job:
        """Wait until it is final. Ctrl-C and a timeout leave the job as it is: it goes on.

        Args:
            timeout: Seconds at most; None waits as long as it takes.
            progress: Show stage and elapsed time on a terminal or in a notebook.
            watch: Called with the job's facts at every look.

        Raises:
            WaitTimeoutError: The time ran out.
        """
        if not self._job.status.is_final:
            if progress:
                from antiphon.client.progress import watching

                with watching(self.name, watch) as shown:
                    self._job = self._connection.wait(self.id, timeout, shown)
            else:
                self._job = self._connection.wait(self.id, timeout, watch)
        return self

    def cancel(self) -> Job:
        """Ask for it to be cancelled; what already runs may still end, and the record says so."""
        self._job = self._connection.cancel(self.id)
        return self

    def explain(self) -> Explanation:
        """Why it is where it is: who is before it (as a class, not by name), by which rule, and what would change it.

        It prints well.
        """
        return self._connection.explain(self.id)

    def resolve(self, *, arrived: bool, provider_id: str | None = None) -> Job:
        """Say what became of a job that is in doubt; for operators.

        Args:
            arrived: Whether its provider has it. If not it is sent again, unless it was cancelled.
            provider_id: The provider's name for it, from where it is followed.

        Raises:
            ConflictError: It is not in doubt (code "job-not-in-doubt").
            LimitError: It arrived, and the provider's name for it is missing (code "provider-id-missing").
        """
        self._job = self._connection.resolve(self.id, arrived=arrived, provider_id=provider_id)
        return self

    def result(self, timeout: float | None = None, *, partial: bool = False) -> Result:
        """Wait for the result.

        Args:
            partial: Of a batch, also take what there is when some items failed: their outcomes are None.

        Raises:
            WaitTimeoutError: The time ran out; the job goes on.
            JobFailedError, JobCancelledError: It has no result; says why and what to do.
        """
        self.wait(timeout)
        if partial and self.kind is JobKind.BATCH and self._job.status is not JobStatus.SUCCEEDED:
            outcomes = [None if item.outcome is None else outcome_from_json(item.outcome) for item in self.items]
            return Result(self._job, outcomes)
        if self._outcomes is None:
            raise_if_unsuccessful(self._job)
            self._outcomes = self._connection.outcomes(self._job)
        return Result(self._job, self._outcomes)

    def replay(self, timeout: float | None = None) -> ReplayView:
        """Run it again from its record, as a new job, and say whether the outcome agrees.

        To the bit for the same seed on the same simulator and version; otherwise by the test that
        `antiphon.engine.agreement.compare` states.
        """
        self.wait(timeout)
        return self._connection.replay(self._job, timeout)

    def __await__(self) -> Generator[Any, None, Result]:
        """`await job` is `job.result()` without blocking the event loop."""
        return asyncio.to_thread(self.result).__await__()

    def _refreshed(self) -> JobFacts:
        if not self._job.status.is_final:
            self._job = self._connection.job(self._job.id)
        return self._job

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.name!r} on {self.target}: {self._job.status.value}>"

    def _repr_html_(self) -> str:
        from antiphon.client.html import job_html

        return job_html(self.facts)
