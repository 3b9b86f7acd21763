"""AntiphonPrimitiveJob: what `SamplerV2.run` and `EstimatorV2.run` return."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from qiskit.primitives import BasePrimitiveJob, PrimitiveResult
from qiskit.providers import BackendV2

from antiphon.client.job import Job
from antiphon.domain.results import Estimated, Sampled
from antiphon.domain.work import JobKind
from antiphon.engine.job_record import iso
from antiphon.qiskit.job import message_of, tags_of
from antiphon.qiskit.results import PubFacts, estimator_pub_result, sampler_pub_result
from antiphon.qiskit.states import PRIMITIVE_STATUS


class AntiphonPrimitiveJob(BasePrimitiveJob):  # type: ignore[misc]
    """One job of many pubs. Its status is a plain string, as in IBM's runtime.

    Attributes:
        job: The same job as Antiphon's own client shows it: record, stages, events, replay.
    """

    def __init__(self, backend: BackendV2, job: Job, pubs: Sequence[PubFacts] | None = None) -> None:
        super().__init__(job.id)
        self.job = job
        self._backend = backend
        self._pubs = pubs
        self._result: Any = None

    @property
    def primitive_id(self) -> str:
        """Which primitive made it: "sampler" or "estimator"."""
        return "estimator" if self.job.kind is JobKind.ESTIMATE else "sampler"

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the result: a `PrimitiveResult` with one entry for each pub.

        Raises:
            WaitTimeoutError: The time ran out; the job goes on.
            JobFailedError, JobCancelledError: It has no result; says why and what to do.
        """
        if self._result is None:
            outcomes = self.job.result(timeout).outcomes
            found = []
            for index, (outcome, pub) in enumerate(zip(outcomes, self._facts(), strict=True)):
                if isinstance(outcome, Sampled):
                    found.append(sampler_pub_result(outcome, pub, (self.job.seed, index)))
                elif isinstance(outcome, Estimated):
                    found.append(estimator_pub_result(outcome, pub))
            metadata = {
                "version": 2,
                "job_id": self.job.id,
                "session_id": self.job.session_id,
                "target": self.job.target,
                "stages": self.job.stages,
            }
            self._result = PrimitiveResult(found, metadata=metadata)
        return self._result

    def status(self) -> str:
        """One of QUEUED, RUNNING, DONE, ERROR and CANCELLED."""
        return PRIMITIVE_STATUS[self.job.status]

    def done(self) -> bool:
        """True when it has a result."""
        return self.status() == "DONE"

    def running(self) -> bool:
        """True while it executes."""
        return self.status() == "RUNNING"

    def cancelled(self) -> bool:
        """True when it was cancelled."""
        return self.status() == "CANCELLED"

    def errored(self) -> bool:
        """True when it failed; `error_message` says why."""
        return self.status() == "ERROR"

    def in_final_state(self) -> bool:
        """True when nothing changes it any more."""
        return self.job.status.is_final

    def wait_for_final_state(self, timeout: float | None = None) -> None:
        """Wait until it is final.

        Raises:
            WaitTimeoutError: The time ran out; the job goes on.
        """
        self.job.wait(timeout)

    def cancel(self) -> None:
        """Ask for it to be cancelled; what already runs may still end."""
        self.job.cancel()

    def error_message(self) -> str | None:
        """Why it failed or was cancelled, and what to do; None otherwise."""
        return message_of(self.job)

    def metrics(self) -> dict[str, Any]:
        """Times as ISO 8601 in UTC, seconds of execution, and seconds spent in each stage."""
        facts = self.job.facts
        return {
            "timestamps": {
                "created": iso(facts.created_at),
                "running": iso(facts.started_at),
                "finished": iso(facts.ended_at),
            },
            "usage": {"quantum_seconds": self.usage(), "status": facts.status.value},
            "stages": facts.stages.to_json(),
        }

    def usage(self) -> float:
        """Seconds of execution; 0 until it is final."""
        return self.job.stages["execute"] or 0.0

    def backend(self) -> BackendV2:
        """The `AntiphonBackend` it was submitted to."""
        return self._backend

    @property
    def session_id(self) -> str | None:
        """Its session, if it is in one."""
        return self.job.session_id

    @property
    def tags(self) -> list[str]:
        """The tags given as `options.environment.job_tags`."""
        return tags_of(self.job)

    @property
    def creation_date(self) -> dt.datetime:
        """When it was submitted, in UTC."""
        return dt.datetime.fromtimestamp(self.job.created_at, dt.UTC)

    def _facts(self) -> Sequence[PubFacts]:
        if self._pubs is None:
            record = self.job.record
            self._pubs = [
                PubFacts(tuple((name, size) for name, size in record["programs"][pub["program"]]["registers"]))
                for pub in record["pubs"]
            ]
        return self._pubs

    def __repr__(self) -> str:
        return f"<AntiphonPrimitiveJob {self.job_id()} ({self.primitive_id}) on {self.job.target}: {self.status()}>"
