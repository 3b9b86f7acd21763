"""The part of a transaction that finds artefacts which nothing names any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, literal_column, select, text
from sqlalchemy.types import Integer

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.rows import decode
from antiphon.adapters.store.statements import Statement, given
from antiphon.adapters.store.tables import artefacts, batch_items, events, jobs, results

_c = artefacts.c
_LIMIT: Any = bindparam("limit", type_=Integer())
# Left to itself SQLAlchemy adds this for SQLite as a parameter.
_NO_OFFSET: Any = literal_column("0")

_NAMING = select(jobs.c.id, jobs.c.spec, jobs.c.provenance, results.c.artefact).select_from(
    jobs.outerjoin(results, results.c.job_id == jobs.c.id)
)
_PAGE = Statement(
    ("id", "limit"),
    lambda _: _NAMING.where(jobs.c.id > given(jobs, "id")).order_by(jobs.c.id).limit(_LIMIT).offset(_NO_OFFSET),
)
_SINCE = Statement(
    ("seq",),
    lambda _: _NAMING.where(jobs.c.id.in_(select(events.c.subject).where(events.c.seq > given(events, "seq")))),
)
# Until a batch ends, only its programs name what was compiled for each, and the calibration that each ran under.
_NAMING_ITEMS = (
    select(batch_items.c.provenance)
    .join(jobs, jobs.c.id == batch_items.c.job_id)
    .where(jobs.c.ended_at.is_(None), batch_items.c.provenance.is_not(None))
)
_ITEMS_OF_PAGE = Statement(
    ("after", "last"),
    lambda _: _NAMING_ITEMS.where(
        jobs.c.id > bindparam("after", type_=jobs.c.id.type), jobs.c.id <= bindparam("last", type_=jobs.c.id.type)
    ),
)
_ITEMS_OF_OWNED = Statement((), lambda _: _NAMING_ITEMS.where(jobs.c.owner.is_not(None)))
_ITEMS_SINCE = Statement(
    ("seq",),
    lambda _: _NAMING_ITEMS.where(jobs.c.id.in_(select(events.c.subject).where(events.c.seq > given(events, "seq")))),
)
_STORED = Statement(
    ("digest", "limit"),
    lambda _: (
        select(_c.digest, _c.facts)
        .where(_c.digest > given(artefacts, "digest"))
        .order_by(_c.digest)
        .limit(_LIMIT)
        .offset(_NO_OFFSET)
    ),
)
_LOCK = Statement((), lambda _: text("LOCK TABLE artefacts IN SHARE ROW EXCLUSIVE MODE"))
_BLOB = Statement(("digest",), lambda _: select(_c.blob).where(_c.digest == given(artefacts, "digest")))
_REMOVE = Statement(("digest",), lambda _: delete(artefacts).where(_c.digest == given(artefacts, "digest")))
_BLOBS = Statement((), lambda _: select(_c.blob).where(_c.blob.is_not(None)).distinct())


class ArtefactTransaction(EventTransaction):
    """Artefacts that go: see `antiphon.ports.archive_store` for what each method promises."""

    def artefacts_named(self, after: str, limit: int) -> tuple[set[str], str | None]:
        """The digests that a page of jobs names, by id, and the page's last id; None: there is no job after `after`."""
        rows = self._runner.rows(_PAGE, (after, limit))
        if not rows:
            return set(), None
        last = rows[-1][0]
        return _named(rows) | _named_by_items(self._runner.rows(_ITEMS_OF_PAGE, (after, last))), last

    def artefacts_named_since(self, seq: int) -> set[str]:
        """The digests named by jobs whose log has a line with a larger `seq`, and by batches that run."""
        items = (*self._runner.rows(_ITEMS_OF_OWNED), *self._runner.rows(_ITEMS_SINCE, (seq,)))
        return _named(self._runner.rows(_SINCE, (seq,))) | _named_by_items(items)

    def stored_artefacts(self, after: str, limit: int) -> list[tuple[str, str | None]]:
        """(digest, digest of what it was compiled to) of a page of artefacts, by digest."""
        rows = self._runner.rows(_STORED, (after, limit))
        return [(digest, None if facts is None else decode(facts).get("compiled")) for digest, facts in rows]

    def lock_artefacts(self) -> None:
        """Nobody adds an artefact until the end of this transaction."""
        if self._runner.dialect_name == "postgresql":
            self._runner.change(_LOCK, ())

    def forget_artefacts(self, digests: Sequence[str]) -> list[str]:
        """Delete artefacts; returns the digests of their blobs that no artefact names any more."""
        blobs = {row[0] for digest in digests for row in self._runner.rows(_BLOB, (digest,)) if row[0] is not None}
        self._runner.change_many(_REMOVE, [(digest,) for digest in digests])
        if not blobs:
            return []
        return sorted(blobs - {row[0] for row in self._runner.rows(_BLOBS)})


_NAMES_ARTEFACTS = ("environment", "compiled", "calibration")
"""Of a job's provenance: what is kept by content hash."""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _named(rows: Iterable[Any]) -> set[str]:
    found: set[str] = set()
    for _, spec, provenance, result in rows:
        for pub in decode(spec)["pubs"]:
            found.update((pub["program"], pub["parameters"], *(pub["observables"] or ())))
        if provenance is not None:
            kept = decode(provenance)
            for name in _NAMES_ARTEFACTS:
                found.update(_texts(kept.get(name)))
        found.add(result or "")
    return _digests(found)


def _named_by_items(rows: Iterable[Any]) -> set[str]:
    return _digests(text for (provenance,) in rows for text in _texts(decode(provenance)))


def _digests(texts: Iterable[str]) -> set[str]:
    return {text for text in texts if text.startswith("sha256:")}
