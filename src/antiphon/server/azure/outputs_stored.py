"""The result of a job as a blob of its container: written when it is first asked for, then kept."""

from __future__ import annotations

from antiphon.domain.jobs import Job, JobStatus
from antiphon.engine.context import EngineContext
from antiphon.engine.results import items_of, outcomes_of
from antiphon.ports.azure_store import AzureBlob, AzureItem
from antiphon.server.azure.outputs import write_output
from antiphon.server.azure.refusals import StorageRefusal
from antiphon.server.azure.storage import BlobStorage

RESULT = "rawOutputData"
"""Name of the result blob of a job that succeeded."""
RESULT_TO_BE = "outputData"
"""What it is called as long as there is none."""
CONTAINER_OF_JOB = "job-"
"""How the clients begin the name of a job's container; its id follows."""


def output_name(job: Job) -> str:
    """Name of the result blob as the job stands."""
    return RESULT if job.status is JobStatus.SUCCEEDED else RESULT_TO_BE


def store_output(ctx: EngineContext, storage: BlobStorage, item: AzureItem, job: Job) -> AzureBlob | None:
    """Write the result blob of a job that succeeded, unless it is there; None for any other job."""
    if job.status is not JobStatus.SUCCEEDED or item.container is None:
        return None
    found = storage.find(item.container, RESULT)
    if found is not None:
        return found
    body, content_type = write_output(
        str(item.details["output_format"]), job, outcomes_of(ctx, job), item.details, items_of(ctx, job)
    )
    try:
        return storage.put(item.container, RESULT, body, content_type=content_type, overwrite=False)
    except StorageRefusal as refusal:
        # Two asked at once: the other one's is the same.
        if refusal.code != "BlobAlreadyExists":
            raise
        return storage.find(item.container, RESULT)


def stored_output(ctx: EngineContext, storage: BlobStorage, container: str, name: str) -> AzureBlob | None:
    """The result blob of the job whose container this is, written if need be; None when it has none."""
    if name != RESULT or not container.startswith(CONTAINER_OF_JOB):
        return None
    with ctx.store.read() as tx:
        workspace = tx.container_workspace(container)
        item = workspace and tx.azure_item(workspace, "Job", container.removeprefix(CONTAINER_OF_JOB))
        if not item or item.container != container:
            return None
        job = tx.job(item.subject)
    return None if job is None else store_output(ctx, storage, item, job)
