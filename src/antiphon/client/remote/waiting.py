"""Waiting for a job by long polls: the server answers when it has got further, or the poll's time is up."""

from __future__ import annotations

import time
from collections.abc import Callable

from antiphon.client.remote.answers import NO_MORE_POLLS
from antiphon.client.remote.http import PATIENCE_S, HttpSession
from antiphon.client.wire.facts import job_from_json
from antiphon.domain.jobs import Job
from antiphon.errors import RateLimitedError, WaitTimeoutError

POLL_S = 20.0
"""How long one request waits at the server. Proxies in between give up after 30 or 60 s."""
WATCHED_POLL_S = 0.5
"""The same while somebody watches the seconds go by."""

EARLY_S = 0.25
"""An answer that says nothing new and comes sooner is followed by a pause of this length."""


def wait_for(http: HttpSession, path: str, timeout: float | None, watch: Callable[[Job], None] | None) -> Job:
    """The job at `path` once it is final. Neither a timeout nor Ctrl-C changes the job.

    Args:
        watch: Called with the job at every look, for progress.

    Raises:
        WaitTimeoutError: `timeout` seconds passed.
        ConnectionFailedError: The server went away and did not come back in time.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    poll = 0.0 if watch is not None or timeout == 0 else _bounded(deadline)
    version: int | None = None
    while True:
        began = time.monotonic()
        patience = PATIENCE_S if deadline is None else max(0.0, min(PATIENCE_S, deadline - time.monotonic()))
        # With a known version the server also answers when the job changes without being final.
        asked = {"wait": poll or None, "known_version": version if watch is not None and poll > 0 else None}
        try:
            job = http.get(path, job_from_json, asked, wait=poll, patience=patience)
        except RateLimitedError as error:
            if error.code != NO_MORE_POLLS:
                raise
            job = http.get(path, job_from_json, patience=patience)
        if watch is not None:
            watch(job)
        if job.status.is_final:
            return job
        if deadline is not None and time.monotonic() >= deadline:
            raise _too_late(job, timeout or 0.0)
        if job.version == version and time.monotonic() - began < min(poll, EARLY_S):
            # A server that is being stopped, or has too many, holds no polls: it must not be asked without a pause.
            time.sleep(_bounded(deadline, EARLY_S))
        version = job.version
        poll = _bounded(deadline, WATCHED_POLL_S if watch is not None else POLL_S)


def _bounded(deadline: float | None, longest: float = POLL_S) -> float:
    return longest if deadline is None else min(longest, max(0.0, deadline - time.monotonic()))


def _too_late(job: Job, timeout: float) -> WaitTimeoutError:
    held = "a worker of the server runs it" if job.attempts and job.started_at else "it waits in the server's queue"
    return WaitTimeoutError(
        f"Job {job.id} is still {job.status.value} after {timeout:g} s.",
        cause=held,
        next_step=f"It goes on: wait again, or look later with ws.job('{job.id}').",
        details={"job": job.id, "status": job.status.value},
    )
