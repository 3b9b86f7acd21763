"""What is asked about a job that was sent: the same words for every vendor, answered by its jobs."""

from __future__ import annotations

from typing import ClassVar, Protocol

from vendor_process.serving import Json, VendorJob, versions


class Jobs(Protocol):
    """The jobs of a vendor, on its service or in this process."""

    def find(self, key: str, since: float) -> VendorJob | None: ...

    def look(self, job_id: str) -> VendorJob: ...

    def fetch(self, job_id: str) -> Json: ...

    def cancel(self, job_id: str) -> None: ...


class OverJobs:
    """The part of `serving.Vendor` that a vendor's `jobs` answer; outcomes come with the versions of its packages."""

    packages: ClassVar[tuple[str, ...]]

    def __init__(self, jobs: Jobs) -> None:
        self._sent = jobs

    def find(self, key: str, since: float) -> VendorJob | None:
        return self._sent.find(key, since)

    def look(self, job_id: str) -> VendorJob:
        return self._sent.look(job_id)

    def fetch(self, job_id: str) -> Json:
        return {**self._sent.fetch(job_id), "provenance": {"sdk": versions(*self.packages)}}

    def cancel(self, job_id: str) -> None:
        self._sent.cancel(job_id)
