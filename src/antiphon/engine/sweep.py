"""Sweep: values in the store that no job names any more.

All names are read first, a page at a time; then, with nobody adding any, what was named meanwhile is taken off. A
process need not store again what it stored within the last hour: jobs of the last day, which are never archived, name
all of that.
"""

from __future__ import annotations

from collections.abc import Iterator

from antiphon.engine.context import EngineContext

PAGE = 1_000
BATCH = 200
LOOK_BACK = 1_000
"""Lines of the logs that PostgreSQL may show after younger ones."""
UNTOUCHED_S = 3_600.0


def sweep(ctx: EngineContext) -> tuple[int, int]:
    """Delete the artefacts that nothing names, and their blobs; returns how many of each went."""
    with ctx.store.read() as tx:
        since = max(0, tx.last_seq() - LOOK_BACK)
    named = _named(ctx)
    unnamed = [digest for digest, _ in _stored(ctx) if digest not in named]
    artefacts = blobs = 0
    for start in range(0, len(unnamed), BATCH):
        with ctx.store.write() as tx:
            tx.lock_artefacts()
            meanwhile = tx.artefacts_named_since(since)
            batch = [digest for digest in unnamed[start : start + BATCH] if digest not in meanwhile]
            loose = tx.forget_artefacts(batch)
        artefacts += len(batch)
        blobs += sum(ctx.blobs.delete(digest, untouched_for=UNTOUCHED_S) for digest in loose)
    return artefacts, blobs


def _named(ctx: EngineContext) -> set[str]:
    named: set[str] = set()
    after: str | None = ""
    while after is not None:
        with ctx.store.read() as tx:
            found, after = tx.artefacts_named(after, PAGE)
        named |= found
    for digest, compiled in _stored(ctx):
        if compiled is not None and digest in named:
            named.add(compiled)
    return named


def _stored(ctx: EngineContext) -> Iterator[tuple[str, str | None]]:
    after = ""
    while True:
        with ctx.store.read() as tx:
            page = tx.stored_artefacts(after, PAGE)
        if not page:
            return
        yield from page
        after = page[-1][0]
