"""A job of the workspace in the form that the call which made it returned."""

from __future__ import annotations

from qiskit.providers import BackendV2

from antiphon.client.job import Job
from antiphon.domain.work import JobKind
from antiphon.qiskit.job import AntiphonJob
from antiphon.qiskit.primitive_job import AntiphonPrimitiveJob


def as_submitted(backend: BackendV2, job: Job) -> AntiphonJob | AntiphonPrimitiveJob:
    """A primitive's job or one of `backend.run`, as its record says.

    Args:
        backend: The backend of the job's target.
    """
    if job.kind is JobKind.ESTIMATE or job.metadata.get("primitive") == "sampler":
        return AntiphonPrimitiveJob(backend, job)
    return AntiphonJob(backend, job, memory=True)
