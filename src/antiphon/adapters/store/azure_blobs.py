"""The part of a transaction that is about Azure storage: containers, blobs, and blocks of blobs to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import BigInteger, Integer, Table, bindparam, cast, delete, func, literal_column, select, update

from antiphon.adapters.store.azure_tables import azure_blobs, azure_blocks, azure_containers, azure_items
from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.statements import Statement, given, insert_into, upsert_into
from antiphon.ports.azure_store import AzureBlob

_container, _blob, _block = azure_containers.c, azure_blobs.c, azure_blocks.c

_ADD_CONTAINER = insert_into(azure_containers, skip_conflict_on=(_container.name,))
_CONTAINER = Statement(
    ("name",), lambda _: select(_container.workspace).where(_container.name == given(azure_containers, "name"))
)
_WRITTEN = Statement(
    ("name",), lambda _: select(_container.written).where(_container.name == given(azure_containers, "name"))
)
_WRITTEN_BY = Statement(
    ("workspace",),
    lambda _: select(cast(func.coalesce(func.sum(_container.written), literal_column("0")), BigInteger())).where(
        _container.workspace == given(azure_containers, "workspace")
    ),
)
_COUNT_WRITTEN = Statement(
    ("size", "name"),
    lambda _: (
        update(azure_containers)
        .values(written=_container.written + bindparam("size", type_=_container.written.type))
        .where(_container.name == given(azure_containers, "name"))
    ),
)
_ADD_BLOB = insert_into(azure_blobs, skip_conflict_on=(_blob.container, _blob.name))
_PUT_BLOB = upsert_into(azure_blobs)
_BLOB = Statement(
    ("container", "name"),
    lambda _: select(azure_blobs).where(
        _blob.container == given(azure_blobs, "container"), _blob.name == given(azure_blobs, "name")
    ),
)
_BLOBS = Statement(
    ("container",),
    lambda _: select(azure_blobs).where(_blob.container == given(azure_blobs, "container")).order_by(_blob.name),
)
_PUT_BLOCK = upsert_into(azure_blocks)
_OF_BLOB = (_block.container == given(azure_blocks, "container"), _block.name == given(azure_blocks, "name"))
_BLOCKS = Statement(
    ("container", "name"),
    lambda _: select(_block.block_id, _block.digest, _block.size).where(*_OF_BLOB).order_by(_block.block_id),
)
_CLEAR_BLOCKS = Statement(("container", "name"), lambda _: delete(azure_blocks).where(*_OF_BLOB))
_EMPTY = Statement(
    ("created_at", "limit"),
    lambda _: (
        select(_container.name)
        .where(
            _container.created_at < given(azure_containers, "created_at"),
            ~select(azure_items.c.id).where(azure_items.c.container == _container.name).exists(),
        )
        .order_by(_container.created_at)
        .limit(bindparam("limit", type_=Integer()))
        .offset(literal_column("0"))
    ),
)
_REMOVE_CONTAINER = Statement(
    ("name",), lambda _: delete(azure_containers).where(_container.name == given(azure_containers, "name"))
)


def _empty(table: Table) -> Statement:
    # In one statement: what is put between a look and a removal would be forgotten with its bytes still stored.
    return Statement(
        ("container",),
        lambda _: delete(table).where(table.c.container == given(table, "container")).returning(table.c.digest),
    )


_EMPTY_BLOBS, _EMPTY_BLOCKS = _empty(azure_blobs), _empty(azure_blocks)


class AzureBlobTransaction(EventTransaction):
    """Containers and blobs: see `antiphon.ports.azure_store` for what each method promises."""

    def add_container(self, name: str, workspace: str, at: float) -> bool:
        """Insert; False when the name is taken."""
        return bool(self._runner.change(_ADD_CONTAINER, (name, workspace, at, 0)))

    def container_workspace(self, name: str) -> str | None:
        """Whose container it is; None when there is none."""
        row = self._runner.row(_CONTAINER, (name,))
        return None if row is None else row[0]

    def container_written(self, name: str) -> int | None:
        """How many bytes were ever stored in it; None when there is none."""
        row = self._runner.row(_WRITTEN, (name,))
        return None if row is None else row[0]

    def workspace_written(self, workspace: str) -> int:
        """How many bytes were ever stored in the containers that a workspace has."""
        return int(self._runner.row(_WRITTEN_BY, (workspace,))[0])

    def count_written(self, name: str, size: int) -> bool:
        """Add to what was stored in it, which locks it; False when there is none."""
        return bool(self._runner.change(_COUNT_WRITTEN, (size, name)))

    def put_azure_blob(self, blob: AzureBlob, *, overwrite: bool) -> bool:
        """Insert or replace; False when it exists and `overwrite` is False."""
        row = (
            blob.container,
            blob.name,
            blob.digest,
            blob.size,
            blob.content_type,
            blob.content_encoding,
            blob.etag,
            blob.created_at,
            blob.modified_at,
        )
        return bool(self._runner.change(_PUT_BLOB if overwrite else _ADD_BLOB, row))

    def azure_blob(self, container: str, name: str) -> AzureBlob | None:
        """The blob, or None."""
        row = self._runner.row(_BLOB, (container, name))
        return None if row is None else _blob_of(row)

    def azure_blobs(self, container: str) -> list[AzureBlob]:
        """All of a container, by name."""
        return [_blob_of(row) for row in self._runner.rows(_BLOBS, (container,))]

    def put_azure_block(self, container: str, name: str, block_id: str, digest: str, size: int) -> None:
        """Stage one block of a blob to be; the same id replaces it."""
        self._runner.change(_PUT_BLOCK, (container, name, block_id, digest, size))

    def azure_blocks(self, container: str, name: str) -> Mapping[str, tuple[str, int]]:
        """Staged blocks: id → (digest, size)."""
        return {row[0]: (row[1], row[2]) for row in self._runner.rows(_BLOCKS, (container, name))}

    def clear_azure_blocks(self, container: str, name: str) -> None:
        """Forget staged blocks once the blob is put together."""
        self._runner.change(_CLEAR_BLOCKS, (container, name))

    def empty_containers(self, before: float, limit: int) -> Sequence[str]:
        """Containers made before a time that no item names, oldest first: uploads whose job never came."""
        return [row[0] for row in self._runner.rows(_EMPTY, (before, limit))]

    def remove_container(self, name: str) -> Sequence[str]:
        """Forget a container with its blobs and blocks; returns the digests it held, each once."""
        self._runner.change(_REMOVE_CONTAINER, (name,))
        held = [*self._runner.rows(_EMPTY_BLOBS, (name,)), *self._runner.rows(_EMPTY_BLOCKS, (name,))]
        return list(dict.fromkeys(row[0] for row in held))


def _blob_of(row: tuple[str, str, str, int, str, str, str, float, float]) -> AzureBlob:
    return AzureBlob(
        container=row[0],
        name=row[1],
        digest=row[2],
        size=row[3],
        content_type=row[4],
        content_encoding=row[5],
        etag=row[6],
        created_at=row[7],
        modified_at=row[8],
    )
