"""Jobs that run in this process, for the modes without a service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from vendor_process.serving import LONGEST_MESSAGE, Json, RefusedError, Request, VendorJob


class LocalJobs:
    """Jobs in threads of this process; they are gone when it ends.

    Args:
        run: What a job does, given the request, its programs as the vendor takes them and what they run on; its answer
            is that of `fetch`.
    """

    def __init__(self, run: Callable[[Request, Sequence[Any], Any], Json], threads: int = 1) -> None:
        self._run = run
        self._pool = ThreadPoolExecutor(threads)
        self._jobs: dict[str, _LocalJob] = {}
        self._lock = threading.Lock()

    def send(self, request: Request, programs: Sequence[Any], on: Any) -> VendorJob:
        """Run it under its key; a repeated key is the first job."""
        with self._lock:
            if request.key not in self._jobs:
                self._jobs[request.key] = _LocalJob(self._pool, lambda: self._run(request, programs, on))
        return self.look(request.key)

    def find(self, key: str, since: float) -> VendorJob | None:
        del since
        return self.look(key) if key in self._jobs else None

    def look(self, job_id: str) -> VendorJob:
        job = self._job(job_id)
        state, error = job.state()
        return VendorJob(id=job_id, key=job_id, state=state, error=error, seconds=job.seconds)

    def fetch(self, job_id: str) -> Json:
        return self._job(job_id).result()

    def cancel(self, job_id: str) -> None:
        self._job(job_id).cancel()

    def _job(self, job_id: str) -> _LocalJob:
        found = self._jobs.get(job_id)
        if found is None:
            raise RefusedError("this process has no such job: local jobs live no longer than the process they run in")
        return found


class _LocalJob:
    def __init__(self, pool: ThreadPoolExecutor, work: Callable[[], Json]) -> None:
        self._started: float | None = None
        self.seconds: float | None = None
        self._dropped = False
        self._future = pool.submit(self._run, work)

    def _run(self, work: Callable[[], Json]) -> Json:
        self._started = time.monotonic()
        try:
            return work()
        finally:
            self.seconds = time.monotonic() - self._started

    def state(self) -> tuple[str, str]:
        """Where it stands, and why it failed."""
        if self._dropped or self._future.cancelled():
            return "cancelled", ""
        if not self._future.done():
            return ("queued" if self._started is None else "running"), ""
        error = self._future.exception()
        if error is None:
            return "succeeded", ""
        return "failed", f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE]

    def result(self) -> Json:
        if self.state()[0] != "succeeded":
            raise RefusedError("the job has no outcomes")
        return self._future.result()

    def cancel(self) -> None:
        """A job that runs cannot be stopped in its thread; what comes of it is dropped."""
        if not self._future.cancel() and not self._future.done():
            self._dropped = True
