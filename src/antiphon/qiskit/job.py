"""AntiphonJob: what `backend.run` returns."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from qiskit.providers import BackendV2, JobV1
from qiskit.providers.exceptions import JobTimeoutError
from qiskit.result import Result

from antiphon.client.job import Job
from antiphon.domain.results import Sampled
from antiphon.engine.job_record import iso
from antiphon.errors import ConflictError, WaitTimeoutError
from antiphon.qiskit.results import CircuitFacts, experiment_result, failed_experiment
from antiphon.qiskit.states import BACKEND_STATUS


class AntiphonJob(JobV1):  # type: ignore[misc]
    """A job of one or more circuits.

    Attributes:
        job: The same job as Antiphon's own client shows it: record, stages, events, replay.
    """

    def __init__(
        self,
        backend: BackendV2,
        job: Job,
        circuits: Sequence[CircuitFacts] | None = None,
        *,
        memory: bool = False,
    ) -> None:
        super().__init__(backend, job.id, **job.metadata)
        self.job = job
        self._circuits = circuits
        self._memory = memory

    def submit(self) -> None:
        """Not for users: `backend.run` has submitted it.

        Raises:
            ConflictError: Always.
        """
        raise ConflictError(f"Job {self.job_id()} is submitted.", next_step="Call backend.run again for a new job.")

    def result(self, timeout: float | None = None, *, partial: bool = False) -> Any:
        """Wait for the result.

        Args:
            timeout: Seconds at most; None waits as long as it takes.
            partial: Of several circuits, also give the results there are when some failed; `success` is then False,
                and asking for the counts of a failed one raises Qiskit's own error with the reason.

        Raises:
            WaitTimeoutError: The time ran out; the job goes on.
            JobFailedError, JobCancelledError: It has no result; says why and what to do.
        """
        found = self.job.result(timeout, partial=partial)
        entries: list[Any] = []
        for index, (outcome, circuit) in enumerate(zip(found.outcomes, self._facts(), strict=True)):
            if not isinstance(outcome, Sampled):
                reason = (self.job.items[index].error or {}).get("message", "it has no result")
                shots = self.job.facts.spec.pubs[index].shots or 0
                entries.append(failed_experiment(reason, shots, circuit, seed=self.job.seed))
                continue
            for number, counts in enumerate(outcome.counts):
                order = (self.job.seed, index, number)
                entries.append(
                    experiment_result(
                        counts, outcome.shots, circuit, memory=self._memory, seed=self.job.seed, order=order
                    )
                )
        success = all(entry.success for entry in entries)
        facts = self.job.facts
        return Result(
            backend_name=facts.spec.target,
            backend_version=facts.provenance.get("target_version"),
            job_id=facts.id,
            success=success,
            results=entries,
            date=iso(facts.ended_at),
            status="COMPLETED" if success else "PARTIAL COMPLETED",
            session_id=facts.session_id,
            stages=facts.stages.to_json(),
        )

    def status(self) -> Any:
        """Where it stands now, as a member of Qiskit's `JobStatus`."""
        return BACKEND_STATUS[self.job.status]

    def cancel(self) -> bool:
        """Ask for it to be cancelled; True when it was, or will be unless it ends first."""
        return BACKEND_STATUS[self.job.cancel().status].name not in {"DONE", "ERROR"}

    def wait_for_final_state(
        self, timeout: float | None = None, wait: float = 5, callback: Callable[..., Any] | None = None
    ) -> None:
        """Wait until it is final, without polling at intervals of `wait`.

        Args:
            callback: Called at every look, with the id, the status and this job.

        Raises:
            JobTimeoutError: The time ran out; the job goes on.
        """
        del wait
        watch = None
        if callback is not None:

            def watch(facts: Any) -> None:
                callback(facts.id, BACKEND_STATUS[facts.status], self)

        try:
            self.job.wait(timeout, watch=watch)
        except WaitTimeoutError as error:
            raise JobTimeoutError(str(error)) from error

    def error_message(self) -> str | None:
        """Why it failed or was cancelled, and what to do; None otherwise."""
        return message_of(self.job)

    @property
    def session_id(self) -> str | None:
        """Its session, if it is in one."""
        return self.job.session_id

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        return tags_of(self.job)

    def _facts(self) -> Sequence[CircuitFacts]:
        if self._circuits is None:
            record = self.job.record
            programs = [record["programs"][pub["program"]] for pub in record["pubs"]]
            self._circuits = [
                CircuitFacts.in_order(
                    program["name"] or f"circuit-{index}",
                    program["num_qubits"],
                    [(name, size) for name, size in program["registers"]],
                )
                for index, program in enumerate(programs)
            ]
        return self._circuits

    def __repr__(self) -> str:
        return f"<AntiphonJob {self.job_id()} on {self.job.target}: {self.job.status.value}>"


def message_of(job: Job) -> str | None:
    """A stored error in one line: message, cause and next step; None for a job without one."""
    error = job.error
    if error is None:
        return None
    return " ".join(part for part in (error.get("message"), error.get("cause"), error.get("next_step")) if part)


def tags_of(job: Job) -> list[str]:
    """The tags that were given with the environment options."""
    return list(json.loads(job.metadata.get("tags", "[]")))
