"""AntiphonJob: a job of Cirq circuits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cirq

from antiphon.cirq.results import PubFacts, results_of
from antiphon.client.job import Job
from antiphon.domain.jobs import JobStatus
from antiphon.domain.results import Sampled
from antiphon.errors import AntiphonError

CIRQ_JSON = "cirq-json"


class AntiphonJob:
    """A job of one circuit or several, each with its sweep.

    Attributes:
        job: The same job as Antiphon's own client shows it: record, stages, events, replay.
    """

    def __init__(self, job: Job, pubs: Sequence[PubFacts] | None = None) -> None:
        self.job = job
        self._pubs = pubs

    def job_id(self) -> str:
        """Its identifier; take it up from another process with `service.get_job(id)`."""
        return self.job.id

    def id(self) -> str:
        """Its identifier, as other services name the method."""
        return self.job.id

    def name(self) -> str:
        """The user's name for it."""
        return self.job.name

    def target(self) -> str:
        """Name of its target."""
        return self.job.target

    def repetitions(self) -> int:
        """Repetitions of its first circuit."""
        return self.job.facts.spec.pubs[0].shots or 0

    def labels(self) -> dict[str, str]:
        """The user's own labels."""
        return {key: value for key, value in self.job.metadata.items() if key != "sdk"}

    def execution_status(self) -> JobStatus:
        """Where it stands now."""
        return self.job.status

    def status(self) -> JobStatus:
        """Where it stands now, as other services name the method."""
        return self.job.status

    def failure(self) -> tuple[str, str] | None:
        """Code and reason of a job that failed or was cancelled; None otherwise."""
        error = self.job.error
        if error is None:
            return None
        reason = " ".join(part for part in (error.get("message"), error.get("cause"), error.get("next_step")) if part)
        return str(error.get("code", "")), reason

    def cancel(self) -> None:
        """Ask for it to be cancelled; what already runs may still end."""
        self.job.cancel()

    def results(self, timeout_seconds: float | None = None) -> list[cirq.ResultDict]:
        """Wait for the results: one for each parameter set, circuit after circuit.

        Raises:
            WaitTimeoutError: The time ran out; the job goes on.
            JobFailedError, JobCancelledError: It has no result; says why and what to do.
        """
        return [result for results in self.batched_results(timeout_seconds) for result in results]

    def batched_results(self, timeout_seconds: float | None = None) -> list[list[cirq.ResultDict]]:
        """As `results`, but a list for each circuit.

        Raises:
            As `results`.
        """
        outcomes = self.job.result(timeout_seconds).outcomes
        found = []
        for index, (outcome, pub) in enumerate(zip(outcomes, self._facts(), strict=True)):
            if not isinstance(outcome, Sampled):
                raise AntiphonError(
                    f"Job {self.job.id} estimated expectation values; it has no samples.",
                    code="result-kind",
                    next_step="Use job.job.result().values.",
                )
            found.append(results_of(outcome, pub, (self.job.seed, index)))
        return found

    def _facts(self) -> Sequence[PubFacts]:
        if self._pubs is None:
            record = self.job.record
            self._pubs = [_facts_of(pub, record["programs"][pub["program"]]) for pub in record["pubs"]]
        return self._pubs

    def __repr__(self) -> str:
        return f"<AntiphonJob {self.job.id} {self.job.name!r} on {self.job.target}: {self.job.status.value}>"


def _facts_of(pub: dict[str, Any], program: dict[str, Any]) -> PubFacts:
    """From the record: the circuit's keys, and the values that each parameter set held."""
    keys: frozenset[str] = frozenset()
    if program["format"] == CIRQ_JSON:
        keys = frozenset(cirq.measurement_key_names(cirq.read_json(json_text=program["source"])))
    names, values = pub["parameter_names"], pub["parameters"]
    count = 1
    for length in pub["parameters_shape"]:
        count *= length
    width = len(names)
    resolvers = [
        cirq.ParamResolver(dict(zip(names, values[index * width : (index + 1) * width], strict=True)))
        for index in range(count)
    ]
    return PubFacts.of([(name, size) for name, size in program["registers"]], keys, resolvers)
