"""The result of a job as a blob of its container: written when it is first asked for, then kept."""

from __future__ import annotations

from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.work import JobKind
from antiphon.engine.context import EngineContext
from antiphon.engine.results import items_of, outcomes_of
from antiphon.ports.azure_store import AzureBlob, AzureItem
from antiphon.server.azure.outputs import write_output
from antiphon.server.azure.refusals import StorageRefusal
from antiphon.server.azure.storage import RESULT, RESULT_TO_BE, BlobStorage, is_reserved

CONTAINER_OF_JOB = "job-"
"""How the clients begin the name of a job's container; its id follows."""


def has_own_container(item: AzureItem) -> bool:
    """Whether the container is the job's alone, as it is unless its user chose another name."""
    return item.container == CONTAINER_OF_JOB + item.id


def output_name(item: AzureItem, job: Job) -> str:
    """Name of the result blob as the job stands; in a container that jobs share, the job's id is part of it."""
    name = RESULT if job.status is JobStatus.SUCCEEDED else RESULT_TO_BE
    return name if has_own_container(item) else f"{name}-{item.id}"


def store_output(ctx: EngineContext, storage: BlobStorage, item: AzureItem, job: Job) -> AzureBlob | None:
    """Write the result blob of a job, unless it is there; None for a job without any result.

    A batch that failed has one if any of its programs ran.
    """
    succeeded = job.status is JobStatus.SUCCEEDED
    if item.container is None or not (succeeded or (job.status is JobStatus.FAILED and job.spec.kind is JobKind.BATCH)):
        return None
    name = output_name(item, job)
    found = storage.find(item.container, name)
    if found is not None:
        return found
    items = items_of(ctx, job)
    if not succeeded and all(each.outcome is None for each in items):
        return None
    outcomes = outcomes_of(ctx, job) if succeeded else ()
    body, content_type = write_output(str(item.details["output_format"]), job, outcomes, item.details, items)
    try:
        return storage.put(item.container, name, body, content_type=content_type, overwrite=False)
    except StorageRefusal as refusal:
        # Two asked at once: the other one's is the same.
        if refusal.code != "BlobAlreadyExists":
            raise
        return storage.find(item.container, name)


def stored_output(ctx: EngineContext, storage: BlobStorage, container: str, name: str) -> AzureBlob | None:
    """The result blob of that name, written if need be; None when no job of this container has it."""
    if not is_reserved(name):
        return None
    _, _, chosen = name.partition("-")
    item_id = chosen or container.removeprefix(CONTAINER_OF_JOB)
    with ctx.store.read() as tx:
        workspace = tx.container_workspace(container)
        item = None if workspace is None else tx.azure_item(workspace, "Job", item_id)
        job = None if item is None or item.container != container else tx.job(item.subject)
    if item is None or job is None or output_name(item, job) != name:
        return None
    return store_output(ctx, storage, item, job)
