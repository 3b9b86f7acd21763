"""Containers and blobs: what the clients upload for a job, and what they fetch of it.

The rows are in the store; the bytes of each container are a part of the blob store of their own, so that a container
can be dropped whole.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence

from antiphon.engine.context import EngineContext
from antiphon.ports.azure_store import AzureBlob
from antiphon.ports.job_store import Transaction
from antiphon.server.azure.refusals import StorageRefusal
from antiphon.server.azure.room import WorkspaceRoom

MOST_BLOBS = 1_000
"""Blobs of one container."""
BLOBS_OF_FULL_SIZE = 8
"""A container holds at most so many times the largest blob."""
WRITTEN_OF_FULL_SIZE = 3 * BLOBS_OF_FULL_SIZE
"""The same for all that was ever put there, since what was replaced stays on the disk until the container goes."""
RESULT = "rawOutputData"
"""How the result blob of a job that succeeded is called, or begins."""
RESULT_TO_BE = "outputData"
"""The same as long as there is none."""
_CONTAINER = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){2,62}")
LONGEST_BLOB_NAME = 1_024


def is_reserved(blob: str) -> bool:
    """Whether the service alone writes it: a job's result is what its target gave, not what somebody put there."""
    return blob.startswith((RESULT, RESULT_TO_BE))


class BlobStorage:
    """The storage of all workspaces. Every method blocks and may be called from any thread.

    Args:
        max_blob_bytes: Largest blob.
        max_workspace_bytes: What all containers of one workspace hold together; None for no limit.
    """

    def __init__(self, ctx: EngineContext, max_blob_bytes: int, *, max_workspace_bytes: int | None = None) -> None:
        self._ctx = ctx
        self.max_blob_bytes = max_blob_bytes
        self._room = WorkspaceRoom(ctx, max_workspace_bytes) if max_workspace_bytes is not None else None

    def ensure_container(self, workspace: str, name: str) -> None:
        """Make the container of a workspace unless it is there.

        Raises:
            StorageRefusal: 400 for what is no name; 403 when the name is another workspace's.
        """
        if _CONTAINER.fullmatch(name) is None:
            raise StorageRefusal(
                400,
                "InvalidResourceName",
                "A container is named by 3 to 63 letters, digits and single hyphens.",
            )
        with self._ctx.store.read() as tx:
            owner = tx.container_workspace(name)
        if owner is None:
            with self._ctx.store.write() as tx:
                tx.add_container(name, workspace, self._ctx.clock.now())
                owner = tx.container_workspace(name)
        if owner != workspace:
            raise StorageRefusal(403, "AuthorizationFailed", f"The container {name} is not of this workspace.")

    def belongs_to(self, workspace: str, container: str) -> bool:
        """Whether the container is there and of this workspace."""
        with self._ctx.store.read() as tx:
            return tx.container_workspace(container) == workspace

    def has_container(self, container: str) -> bool:
        """Whether it is there at all."""
        with self._ctx.store.read() as tx:
            return tx.container_workspace(container) is not None

    def put(
        self, container: str, name: str, data: bytes, *, content_type: str, content_encoding: str = "", overwrite: bool
    ) -> AzureBlob:
        """Store a blob. Those that the service alone writes fit always: a container that is full has results, too.

        Raises:
            StorageRefusal: 404 without the container, 409 when it is there and `overwrite` is False, 413 and 409 when
                the blob or the container would be too large.
        """
        if not 0 < len(name) <= LONGEST_BLOB_NAME or not name.isprintable():
            raise StorageRefusal(400, "InvalidResourceName", "A blob's name has 1 to 1024 printable characters.")
        if not is_reserved(name):
            self._check_size(len(data))
            self._check_room(container, len(data))
        # The bytes first: a row never names what is not there.
        digest = self._ctx.blobs.part(container).put(data)
        now = self._ctx.clock.now()
        etag = hashlib.sha256(f"{digest}{now}".encode()).hexdigest()[:15].upper()
        blob = AzureBlob(
            container=container,
            name=name,
            digest=digest,
            size=len(data),
            content_type=content_type,
            content_encoding=content_encoding,
            etag=f'"0x{etag}"',
            created_at=now,
            modified_at=now,
        )
        with self._ctx.store.write() as tx:
            if not tx.count_written(container, len(data)):
                raise _no_container(container)
            refusal = self._put_row(tx, blob, overwrite=overwrite)
        # Only now: what was refused lies on the disk, and stays counted.
        if refusal is not None:
            raise refusal
        return blob

    def _put_row(self, tx: Transaction, blob: AzureBlob, *, overwrite: bool) -> StorageRefusal | None:
        others = [each for each in tx.azure_blobs(blob.container) if each.name != blob.name]
        held = sum(each.size for each in others) + blob.size
        too_much = len(others) >= MOST_BLOBS or held > BLOBS_OF_FULL_SIZE * self.max_blob_bytes
        if too_much and not is_reserved(blob.name):
            return _full(blob.container)
        if not tx.put_azure_blob(blob, overwrite=overwrite):
            return StorageRefusal(409, "BlobAlreadyExists", f"The blob {blob.name} exists already.")
        tx.clear_azure_blocks(blob.container, blob.name)
        return None

    def stage_block(self, container: str, name: str, block_id: str, data: bytes) -> None:
        """Keep one block of a blob to be.

        Raises:
            StorageRefusal: As `put`.
        """
        self._check_size(len(data))
        self._check_room(container, len(data))
        digest = self._ctx.blobs.part(container).put(data)
        with self._ctx.store.write() as tx:
            if not tx.count_written(container, len(data)):
                raise _no_container(container)
        with self._ctx.store.write() as tx:
            staged = {key: size for key, (_, size) in tx.azure_blocks(container, name).items() if key != block_id}
            self._check_size(sum(staged.values()) + len(data))
            tx.put_azure_block(container, name, block_id, digest, len(data))

    def commit_blocks(
        self,
        container: str,
        name: str,
        block_ids: Sequence[str],
        *,
        content_type: str,
        content_encoding: str,
        overwrite: bool,
    ) -> AzureBlob:
        """Put staged blocks together, in this order.

        Raises:
            StorageRefusal: 400 for a block that was not staged; else as `put`.
        """
        with self._ctx.store.read() as tx:
            staged = tx.azure_blocks(container, name)
        missing = next((each for each in block_ids if each not in staged), None)
        if missing is not None:
            raise StorageRefusal(400, "InvalidBlockList", f"The block {missing!r} was not uploaded.")
        self._check_size(sum(staged[each][1] for each in block_ids))
        part = self._ctx.blobs.part(container)
        whole = io.BytesIO()
        for each in block_ids:
            whole.write(part.get(staged[each][0]))
        # `getvalue` hands out the buffer itself: the bytes are in memory once.
        return self.put(
            container,
            name,
            whole.getvalue(),
            content_type=content_type,
            content_encoding=content_encoding,
            overwrite=overwrite,
        )

    def find(self, container: str, name: str) -> AzureBlob | None:
        """The blob, or None."""
        with self._ctx.store.read() as tx:
            return tx.azure_blob(container, name)

    def read(self, blob: AzureBlob, start: int = 0, stop: int | None = None) -> bytes:
        """The bytes of a blob, or those from `start` up to `stop`."""
        part = self._ctx.blobs.part(blob.container)
        if start == 0 and stop is None:
            return part.get(blob.digest)
        return part.get_range(blob.digest, start, blob.size if stop is None else stop)

    def blobs(self, container: str) -> list[AzureBlob]:
        """All of a container, by name.

        Raises:
            StorageRefusal: 404 without the container.
        """
        self._check_container(container)
        with self._ctx.store.read() as tx:
            return tx.azure_blobs(container)

    def remove_container(self, container: str) -> None:
        """Forget a container and delete its bytes; nothing happens when there is none."""
        with self._ctx.store.write() as tx:
            self._remove(tx, container)

    def _remove(self, tx: Transaction, container: str) -> None:
        tx.remove_container(container)
        # Before the commit: who makes it anew waits for that, and no blob put there then loses its bytes.
        self._ctx.blobs.drop_part(container)

    def collect(self, before: float, limit: int = 100) -> int:
        """Remove containers made before a time that no job names: uploads whose job was refused or never came.

        Returns:
            How many.
        """
        with self._ctx.store.read() as tx:
            abandoned = tx.empty_containers(before, limit)
        for container in abandoned:
            with self._ctx.store.write() as tx:
                # Its job may have come since.
                if container in tx.empty_containers(before, limit):
                    self._remove(tx, container)
        return len(abandoned)

    def _check_container(self, container: str) -> None:
        if not self.has_container(container):
            raise _no_container(container)

    def _check_room(self, container: str, size: int) -> None:
        with self._ctx.store.read() as tx:
            workspace, written = tx.container_workspace(container), tx.container_written(container)
        if workspace is None or written is None:
            raise _no_container(container)
        if self._room is not None:
            self._room.take(workspace, size)
        if written + size > WRITTEN_OF_FULL_SIZE * self.max_blob_bytes:
            raise _full(container)

    def _check_size(self, size: int) -> None:
        if size > self.max_blob_bytes:
            raise StorageRefusal(
                413, "RequestBodyTooLarge", f"{size} bytes are more than a blob may have here ({self.max_blob_bytes})."
            )


def _no_container(container: str) -> StorageRefusal:
    return StorageRefusal(404, "ContainerNotFound", f"There is no container {container}.")


def _full(container: str) -> StorageRefusal:
    return StorageRefusal(409, "AccountLimitExceeded", f"The container {container} is full.")
