"""What the Azure protocol keeps beside our own jobs and sessions: their wire details, and the blobs of its storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureItem:
    """A job or session under the id that the client chose.

    Attributes:
        kind: "Job" or "Session" (the wire's `itemType`), or "Deleted" for what lists never show.
        subject: Id of our own job or session; its status is the truth.
        session: For a job in a session, the session's wire id.
        container: The storage container that holds its input and output; None for a session.
        details: Everything else the wire must give back: uris, formats, inputParams, metadata, priority, tags.
    """

    workspace: str
    kind: str
    id: str
    subject: str
    name: str
    provider: str
    target: str
    session: str | None
    container: str | None
    created_at: float
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AzureQuery:
    """Which items of a workspace. Several values of one field are alternatives; different fields must all hold."""

    workspace: str
    kinds: tuple[str, ...] = ("Job", "Session")
    session: str | None = None
    outside_sessions: bool = False
    """Leave out jobs that belong to a session (`topLevelItems`)."""
    name_prefix: str | None = None
    providers: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    """Our own status words; they are the wire's."""
    created_from: float | None = None
    created_before: float | None = None
    order_by: str = "created_at"
    """One of name, kind, provider, target, status, created_at; ties go by created_at, then id."""
    descending: bool = False
    skip: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureBlob:
    """A blob of a container: its bytes are in the blob store under `digest`."""

    container: str
    name: str
    digest: str
    size: int
    content_type: str
    content_encoding: str
    etag: str
    created_at: float
    modified_at: float


class AzureTransaction(Protocol):
    """The part of a transaction that is about the Azure protocol."""

    def add_azure_item(self, item: AzureItem) -> bool:
        """Insert; False when (workspace, kind, id) is there already."""
        ...

    def save_azure_item(self, item: AzureItem) -> None:
        """Store its new `name`, `subject` and `details`."""
        ...

    def azure_item(self, workspace: str, kind: str, item_id: str) -> AzureItem | None:
        """By the client's id; None when there is none."""
        ...

    def azure_item_of(self, subject: str) -> AzureItem | None:
        """By the id of our own job or session."""
        ...

    def remove_azure_item(self, workspace: str, kind: str, item_id: str) -> bool:
        """Forget it (our own job stays in the record); False when there was none."""
        ...

    def find_azure_items(self, query: AzureQuery) -> list[AzureItem]:
        """Those that match, in the query's order."""
        ...

    def add_container(self, name: str, workspace: str, at: float) -> bool:
        """Insert; False when the name is taken."""
        ...

    def container_workspace(self, name: str) -> str | None:
        """Whose container it is; None when there is none."""
        ...

    def container_written(self, name: str) -> int | None:
        """How many bytes were ever stored in it, replaced ones too; None when there is none."""
        ...

    def workspace_written(self, workspace: str) -> int:
        """How many bytes were ever stored in the containers that a workspace has; every one of them is looked at."""
        ...

    def count_written(self, name: str, size: int) -> bool:
        """Add to what was stored in it, which locks it until the transaction ends; False when there is none."""
        ...

    def put_azure_blob(self, blob: AzureBlob, *, overwrite: bool) -> bool:
        """Insert or replace; False when it exists and `overwrite` is False."""
        ...

    def azure_blob(self, container: str, name: str) -> AzureBlob | None:
        """The blob, or None."""
        ...

    def azure_blobs(self, container: str) -> list[AzureBlob]:
        """All of a container, by name."""
        ...

    def put_azure_block(self, container: str, name: str, block_id: str, digest: str, size: int) -> None:
        """Stage one block of a blob to be; the same id replaces it."""
        ...

    def azure_blocks(self, container: str, name: str) -> Mapping[str, tuple[str, int]]:
        """Staged blocks: id → (digest, size)."""
        ...

    def clear_azure_blocks(self, container: str, name: str) -> None:
        """Forget staged blocks once the blob is put together."""
        ...

    def empty_containers(self, before: float, limit: int) -> Sequence[str]:
        """Containers made before a time that no item's details name: uploads whose job never came."""
        ...

    def remove_container(self, name: str) -> Sequence[str]:
        """Forget a container with its blobs and blocks; returns the digests it held."""
        ...
