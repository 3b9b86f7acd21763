"""The part of a transaction that is about what runs bring: batch items, results and artefacts."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.rows import decode, encode_optional, item_changes, item_of
from antiphon.adapters.store.statements import Statement, given, insert_into
from antiphon.adapters.store.tables import artefacts, batch_items, results
from antiphon.domain.batches import BatchItem
from antiphon.ports.job_store import Artefact, ResultExistsError, StoredResult, VersionConflictError

_item = batch_items.c
_CHANGING_ITEM_COLUMNS = ("status", "started_at", "ended_at", "error", "outcome", "provenance")

_ADD_ITEM = insert_into(batch_items)
_ITEMS = Statement(
    ("job_id",),
    lambda _: (
        select(*(_item[name] for name in ("position", *_CHANGING_ITEM_COLUMNS)))
        .where(_item.job_id == given(batch_items, "job_id"))
        .order_by(_item.position)
    ),
)
_SAVE_ITEM = Statement(
    (*_CHANGING_ITEM_COLUMNS, "saved_job", "saved_position", "saved_status"),
    lambda _: (
        update(batch_items)
        .where(
            _item.job_id == bindparam("saved_job", type_=_item.job_id.type),
            _item.position == bindparam("saved_position", type_=_item.position.type),
            _item.status == bindparam("saved_status", type_=_item.status.type),
        )
        .values({name: given(batch_items, name) for name in _CHANGING_ITEM_COLUMNS})
    ),
)
_ADD_RESULT = insert_into(results, skip_conflict_on=(results.c.job_id,))
_RESULT = Statement(("job_id",), lambda _: select(results).where(results.c.job_id == given(results, "job_id")))
_ADD_ARTEFACT = insert_into(artefacts, skip_conflict_on=(artefacts.c.digest,))
_ARTEFACT = Statement(("digest",), lambda _: select(artefacts).where(artefacts.c.digest == given(artefacts, "digest")))


class ResultTransaction(EventTransaction):
    """Items, results and artefacts: see `antiphon.ports.job_store.Transaction` for what each method promises."""

    def add_items(self, job_id: str, count: int) -> None:
        """Insert `count` waiting items."""
        waiting = [BatchItem(index) for index in range(count)]
        self._runner.change_many(_ADD_ITEM, [(job_id, item.index, *item_changes(item)) for item in waiting])

    def items(self, job_id: str) -> list[BatchItem]:
        """Items in order of index; empty for a job that is not a batch."""
        return [item_of(row) for row in self._runner.rows(_ITEMS, (job_id,))]

    def save_item(self, job_id: str, before: BatchItem, after: BatchItem) -> None:
        """Store `after` if the stored status is `before.status`.

        Raises:
            VersionConflictError: It is not.
        """
        saved = self._runner.change(_SAVE_ITEM, (*item_changes(after), job_id, before.index, before.status.value))
        if not saved:
            raise VersionConflictError(
                f"Item {before.index} of job {job_id} was changed by somebody else meanwhile.",
                cause=f"it is no longer {before.status.value}",
                next_step="Read it again and decide again.",
                details={"id": job_id, "index": before.index},
            )

    def add_result(self, result: StoredResult) -> None:
        """Insert the one result of a job.

        Raises:
            ResultExistsError: It already has one.
        """
        if not self._runner.change(_ADD_RESULT, (result.job_id, result.fence, result.body, result.artefact)):
            raise ResultExistsError(
                f"Job {result.job_id} already has its result.",
                cause="a job has at most one; the first stands",
                details={"id": result.job_id},
            )

    def result(self, job_id: str) -> StoredResult | None:
        """The result, or None."""
        row = self._runner.row(_RESULT, (job_id,))
        return None if row is None else StoredResult(*row)

    def add_artefact(self, artefact: Artefact) -> None:
        """Insert it unless its digest is there already."""
        facts = encode_optional(artefact.facts)
        self._runner.change(_ADD_ARTEFACT, (artefact.digest, artefact.kind, artefact.body, artefact.blob, facts))

    def artefact(self, digest: str) -> Artefact | None:
        """The artefact, or None."""
        row = self._runner.row(_ARTEFACT, (digest,))
        if row is None:
            return None
        return Artefact(row[0], row[1], row[2], row[3], None if row[4] is None else decode(row[4]))
