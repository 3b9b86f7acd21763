"""Fill a store with finished jobs in bulk, through the store's own port, so that it looks as after months of use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ulid import ULID

from antiphon.adapters.store import open_store
from antiphon.composition import DATABASE
from antiphon.domain.jobs import Job, JobEvent, JobTrigger
from antiphon.ports.job_store import StoredResult

JOBS_A_TRANSACTION = 2_000


def fill_store(home: Path, pattern: str, count: int) -> None:
    """Add `count` jobs like the finished job `pattern`, each with its own id, its log and its result.

    Args:
        home: Folder of the workspace; other processes and threads may go on using it.
        pattern: Id of a job that succeeded there.
        count: How many to add; their times of creation go back one second each.
    """
    if count <= 0:
        return
    store = open_store(home / DATABASE)
    try:
        with store.read() as tx:
            job, result = tx.job(pattern), tx.result(pattern)
            log = tx.events(pattern)
        if job is None or result is None:
            message = f"{pattern} is not a finished job of this store"
            raise ValueError(message)
        # The first line of a job's log is its submission, which has no trigger; the store takes any and keeps the name.
        triggers = {trigger.value: trigger for trigger in JobTrigger}
        events = [
            (
                line.version,
                line.event,
                line.status,
                JobEvent(trigger=triggers.get(line.event, JobTrigger.CLAIMED), at=line.at, who=line.who, why=line.why),
            )
            for line in log
        ]
        for start in range(0, count, JOBS_A_TRANSACTION):
            with store.write() as tx:
                for number in range(start, min(start + JOBS_A_TRANSACTION, count)):
                    copy = _aged(job, seconds=count - number)
                    tx.add_job(copy, events)
                    tx.add_result(StoredResult(copy.id, result.fence, result.body, result.artefact))
    finally:
        store.close()


def _aged(job: Job, seconds: int) -> Job:
    created = job.created_at - seconds
    return replace(job, id=f"job_{ULID.from_timestamp(created)}", created_at=created, key=None, session_id=None)
