"""Submit a job of the Azure protocol: the uploaded input becomes a job of the engine, or a failed one that says why."""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping
from dataclasses import replace

from antiphon.domain.identity import Principal
from antiphon.domain.jobs import Job
from antiphon.domain.queues import Priority
from antiphon.domain.sessions import Session
from antiphon.engine.refused import RefusedRequest, submit_refused
from antiphon.engine.requests import Origin, SubmitRequest
from antiphon.engine.submit import submit
from antiphon.engine.validate import MOST_LABELS
from antiphon.errors import AntiphonError, LimitError, MissingExtraError, ProgramError, QuotaExceededError
from antiphon.ports.azure_store import AzureItem
from antiphon.ports.job_store import Transaction
from antiphon.server.api.headers import RESERVED_KEYS
from antiphon.server.azure.addresses import container_and_blob
from antiphon.server.azure.inputs import AzureInput, read_input
from antiphon.server.azure.models import JobIn
from antiphon.server.azure.outputs import LAYOUT
from antiphon.server.azure.plane import AzurePlane
from antiphon.server.azure.refusals import AzureRefusal
from antiphon.server.azure.targets import AzureTarget
from antiphon.server.azure.views import DEFAULT_PRIORITY, strings

KEY = RESERVED_KEYS
"""How the idempotency key of a job or session begins; the client's own id follows."""
DELETED = "Deleted"
"""Kind of the item that stays of deleted jobs: how many had its id, so that the next one is a new job."""
DEFAULT_INPUT = "inputData"


def kind_of_caller(principal: Principal) -> str:
    """The wire's word for what the caller is."""
    return "Key" if principal.via.startswith("key:") else "User"


def find_job(plane: AzurePlane, workspace: str, item_id: str) -> tuple[AzureItem, Job] | None:
    """A job under the client's id; None when there is none."""
    with plane.engine.store.read() as tx:
        item = tx.azure_item(workspace, "Job", item_id)
        job = item and tx.job(item.subject, workspace=workspace)
    return (item, job) if item and job else None


def forget_job(tx: Transaction, item: AzureItem, at: float) -> bool:
    """Remove a job's item, and count that its id was freed; False when it was gone already."""
    if not tx.remove_azure_item(item.workspace, item.kind, item.id):
        return False
    before = tx.azure_item(item.workspace, DELETED, item.id)
    if before is not None:
        tx.save_azure_item(replace(before, details={"times": before.details["times"] + 1}))
        return True
    stays = replace(item, kind=DELETED, subject="", name="", session=None, container=None, created_at=at)
    return tx.add_azure_item(replace(stays, details={"times": 1}))


def submit_job(
    plane: AzurePlane,
    principal: Principal,
    item_id: str,
    body: JobIn,
    trace: str | None = None,
    origin: Origin | None = None,
) -> tuple[AzureItem, Job, bool]:
    """Take a job; the same id again gives the first one.

    A program that cannot be read or run is no refusal: its job fails at once, in its session, and tells why.

    Returns:
        The item, its job, and whether it is new.

    Raises:
        AzureRefusal: 400: the definition names no input of this workspace, or no session, or another target than its
            session's.
        NotFoundError: No such target.
        SessionEndedError: The session takes no more jobs.
        QuotaExceededError: The workspace has used up what it may.
    """
    ctx, workspace = plane.engine, principal.workspace
    known = find_job(plane, workspace, item_id)
    if known is not None:
        return *known, False
    target = plane.targets.find(body.target, body.provider_id or None)
    session, priority = _session(plane, workspace, body, target)
    container, input_blob = _input_place(plane, workspace, body)
    source = _input_bytes(plane, container, input_blob)
    key = _key(plane, workspace, item_id)
    job, found = _submit(plane, principal, item_id, key, body, target, session, priority, source, trace, origin)
    item = AzureItem(
        workspace=workspace,
        kind="Job",
        id=item_id,
        subject=job.id,
        name=body.name or f"job-{item_id}",
        provider=target.provider,
        target=target.id,
        session=body.session_id or None,
        container=container,
        created_at=job.created_at,
        details={
            "input_blob": input_blob,
            "inputDataFormat": body.input_data_format,
            "outputDataFormat": body.output_data_format,
            "inputParams": body.input_params,
            "metadata": strings(body.metadata),
            "priority": priority.value,
            "tags": body.tags,
            "by": kind_of_caller(principal),
            "output_format": "" if found is None else found.output_format,
            LAYOUT: [] if found is None else list(found.layout),
        },
    )
    with ctx.store.write() as tx:
        is_new = tx.add_azure_item(item)
        stored = item if is_new else tx.azure_item(workspace, "Job", item_id)
    return stored or item, job, is_new


def _key(plane: AzurePlane, workspace: str, item_id: str) -> str:
    with plane.engine.store.read() as tx:
        deleted = tx.azure_item(workspace, DELETED, item_id)
    # No id of a client has this sign in it.
    return KEY + item_id + ("" if deleted is None else f"#{deleted.details['times']}")


def _submit(
    plane: AzurePlane,
    principal: Principal,
    item_id: str,
    key: str,
    body: JobIn,
    target: AzureTarget,
    session: Session | None,
    priority: Priority,
    source: bytes,
    trace: str | None,
    origin: Origin | None,
) -> tuple[Job, AzureInput | None]:
    began = time.perf_counter()
    labels = _labels(item_id, body)
    session_id = None if session is None else session.id
    try:
        found = read_input(
            plane.engine.codec, target, body.input_data_format, source, body.input_params, body.output_data_format
        )
        request = SubmitRequest(
            workspace=principal.workspace,
            who=principal.name,
            kind=found.kind,
            target=target.engine_target,
            pubs=found.pubs,
            name=body.name,
            options=found.options,
            priority=priority,
            metadata=labels,
            session_id=session_id,
            key=key,
            read_seconds=time.perf_counter() - began,
            trace=trace,
            origin=origin,
        )
        return submit(plane.engine, request).job, found
    except (ProgramError, LimitError, MissingExtraError) as error:
        if isinstance(error, QuotaExceededError):
            raise
        return _refused(plane, principal, key, body, target, session_id, source, labels, error, trace, origin), None


def _refused(
    plane: AzurePlane,
    principal: Principal,
    key: str,
    body: JobIn,
    target: AzureTarget,
    session_id: str | None,
    source: bytes,
    labels: Mapping[str, str],
    error: AntiphonError,
    trace: str | None,
    origin: Origin | None,
) -> Job:
    return submit_refused(
        plane.engine,
        RefusedRequest(
            workspace=principal.workspace,
            who=principal.name,
            target=target.engine_target,
            source=source,
            format=body.input_data_format,
            error=error,
            name=body.name,
            session_id=session_id,
            key=key,
            metadata=labels,
            trace=trace,
            origin=origin,
        ),
    )


def _labels(item_id: str, body: JobIn) -> dict[str, str]:
    """The job's own labels, and what it is called on the wire, so that its record tells where it came from."""
    own = {"azure.job": item_id, "azure.target": body.target, "azure.inputDataFormat": body.input_data_format}
    given = list((strings(body.metadata) or {}).items())[: MOST_LABELS - len(own)]
    return {key[:100]: value[:1_000].replace("\0", "") for key, value in given} | own


def _session(plane: AzurePlane, workspace: str, body: JobIn, target: AzureTarget) -> tuple[Session | None, Priority]:
    """The session of a job, and the priority that the job has: its own, else its session's."""
    if not body.session_id:
        return None, Priority(body.priority or DEFAULT_PRIORITY)
    with plane.engine.store.read() as tx:
        item = tx.azure_item(workspace, "Session", body.session_id)
        session = item and tx.session(item.subject, workspace=workspace)
    if not item or not session:
        raise AzureRefusal.invalid_job(f"There is no session {body.session_id} in this workspace.")
    if item.target != target.id:
        raise AzureRefusal.invalid_job(
            f"The session {body.session_id} is on the target {item.target}, and the job on {target.id}.",
            next_step="A session has a single target.",
        )
    return session, Priority(body.priority or item.details.get("priority") or DEFAULT_PRIORITY)


def _input_place(plane: AzurePlane, workspace: str, body: JobIn) -> tuple[str, str]:
    """Container and name of the input blob; only the paths of the URLs count, nothing is fetched from anywhere."""
    container, blob = container_and_blob(body.input_data_uri)
    named, _ = container_and_blob(body.container_uri)
    container = container or named
    if not container or (named and named != container):
        raise AzureRefusal.invalid_job("containerUri and inputDataUri name no container, or two.")
    if not plane.storage.belongs_to(workspace, container):
        raise AzureRefusal.invalid_job(
            f"This workspace has no container {container}.",
            next_step="Input is uploaded to the workspace's own storage; ask for its URL with storage/sasUri.",
        )
    return container, blob or DEFAULT_INPUT


def _input_bytes(plane: AzurePlane, container: str, name: str) -> bytes:
    blob = plane.storage.find(container, name)
    if blob is None:
        raise AzureRefusal.invalid_job(f"The container {container} has no blob {name}.", next_step="Upload it first.")
    data = plane.storage.read(blob)
    return _unpacked(data, plane.storage.max_blob_bytes) if blob.content_encoding.lower() == "gzip" else data


def _unpacked(data: bytes, limit: int) -> bytes:
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        whole = unpacking.decompress(data, limit + 1)
    except zlib.error:
        raise AzureRefusal.invalid_job("The input says it is packed with gzip, and is not.") from None
    if len(whole) > limit or not unpacking.eof:
        raise AzureRefusal.invalid_job(f"The input, unpacked, is cut short or larger than {limit} bytes.")
    return whole
