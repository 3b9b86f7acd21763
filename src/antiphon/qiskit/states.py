"""A job's status in the two vocabularies of Qiskit."""

from __future__ import annotations

from qiskit.providers import JobStatus as SdkStatus

from antiphon.domain.jobs import JobStatus

BACKEND_STATUS = {
    JobStatus.WAITING: SdkStatus.QUEUED,
    JobStatus.EXECUTING: SdkStatus.RUNNING,
    JobStatus.CANCELLATION_REQUESTED: SdkStatus.RUNNING,
    JobStatus.SUCCEEDED: SdkStatus.DONE,
    JobStatus.FAILED: SdkStatus.ERROR,
    JobStatus.CANCELLED: SdkStatus.CANCELLED,
}
"""For jobs of `backend.run`: members of Qiskit's enumeration."""

PRIMITIVE_STATUS = {status: str(sdk.name) for status, sdk in BACKEND_STATUS.items()}
"""For jobs of primitives: plain strings, as in IBM's runtime."""
