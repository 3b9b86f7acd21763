"""The part of a transaction that is about which engines run."""

from __future__ import annotations

from sqlalchemy import delete, select

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.statements import Statement, given, upsert_into
from antiphon.adapters.store.tables import engines
from antiphon.ports.job_store import EngineLease

_SAVE = upsert_into(engines)
_ALL = Statement((), lambda _: select(engines).order_by(engines.c.id))
_REMOVE = Statement(("id",), lambda _: delete(engines).where(engines.c.id == given(engines, "id")))


class EngineTransaction(EventTransaction):
    """Leases of engine processes."""

    def save_engine(self, engine: EngineLease) -> None:
        """Insert or replace an engine's lease (registration and heartbeat)."""
        row = (
            engine.id,
            engine.host,
            engine.pid,
            engine.process_started_at,
            engine.started_at,
            engine.heartbeat_at,
        )
        self._runner.change(_SAVE, row)

    def engines(self) -> list[EngineLease]:
        """All registered engines."""
        return [EngineLease(*row) for row in self._runner.rows(_ALL)]

    def remove_engine(self, engine_id: str) -> None:
        """Forget an engine that shut down or died."""
        self._runner.change(_REMOVE, (engine_id,))
