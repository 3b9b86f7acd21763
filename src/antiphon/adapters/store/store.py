"""The store: hands out transactions, each on a connection of its own."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from antiphon.adapters.store.access import AccessTransaction
from antiphon.adapters.store.archive import ArchiveTransaction
from antiphon.adapters.store.artefacts import ArtefactTransaction
from antiphon.adapters.store.audit import AuditTransaction
from antiphon.adapters.store.azure_blobs import AzureBlobTransaction
from antiphon.adapters.store.azure_items import AzureItemTransaction
from antiphon.adapters.store.badges import BadgeTransaction
from antiphon.adapters.store.databases import LOCK_WAIT_S, Database
from antiphon.adapters.store.engines import EngineTransaction
from antiphon.adapters.store.failures import store_error, translate
from antiphon.adapters.store.jobs import JobTransaction
from antiphon.adapters.store.ledger import LedgerTransaction
from antiphon.adapters.store.listings import ListingTransaction
from antiphon.adapters.store.prices import PriceTransaction
from antiphon.adapters.store.queues import PolicyTransaction
from antiphon.adapters.store.quotas import QuotaTransaction
from antiphon.adapters.store.reservations import ReservationTransaction
from antiphon.adapters.store.results import ResultTransaction
from antiphon.adapters.store.sessions import SessionTransaction
from antiphon.adapters.store.shares import ShareTransaction
from antiphon.adapters.store.statements import Runner
from antiphon.adapters.store.usage import UsageTransaction
from antiphon.adapters.store.waiting import WaitingTransaction
from antiphon.adapters.store.webhooks import WebhookTransaction
from antiphon.errors import AntiphonError, StoreError


class SqlTransaction(
    JobTransaction,
    ListingTransaction,
    SessionTransaction,
    ResultTransaction,
    EngineTransaction,
    AccessTransaction,
    QuotaTransaction,
    AuditTransaction,
    UsageTransaction,
    WebhookTransaction,
    AzureItemTransaction,
    AzureBlobTransaction,
    PolicyTransaction,
    WaitingTransaction,
    ShareTransaction,
    ReservationTransaction,
    PriceTransaction,
    LedgerTransaction,
    ArchiveTransaction,
    BadgeTransaction,
    ArtefactTransaction,
):
    """One open transaction; a `Transaction` of the port."""


class SqlJobStore:
    """A `JobStore` on a database whose schema is the newest; made by `open_store`.

    Any number of stores, in any number of processes, may be open on one database. A transaction belongs to the thread
    that opened it. Do not open a write transaction inside another one: it waits for itself and ends as "store-busy".
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._errors: Any = database.engine.dialect.loaded_dbapi.Error
        self._closed = False

    @property
    def url(self) -> str:
        """Where it is, without any password."""
        return self._database.url

    def write(self) -> AbstractContextManager[SqlTransaction]:
        """A write transaction, committed when the block ends, rolled back when it raises.

        Raises:
            StoreError: The disk is full, the file corrupt or not writable, or the database stayed locked too long.
        """
        return _Scope(self, writable=True)

    def read(self) -> AbstractContextManager[SqlTransaction]:
        """A read transaction: a consistent view, no write lock."""
        return _Scope(self, writable=False)

    def close(self) -> None:
        """Give back every connection; using the store afterwards raises StoreError "store-closed"."""
        self._closed = True
        self._database.engine.dispose()


class _Scope(AbstractContextManager[SqlTransaction]):
    __slots__ = ("_connection", "_store", "_writable")

    def __init__(self, store: SqlJobStore, *, writable: bool) -> None:
        self._store = store
        self._writable = writable

    def __enter__(self) -> SqlTransaction:
        store = self._store
        database = store._database
        if store._closed:
            raise StoreError(
                f"The store {store.url} is closed.", code="store-closed", next_step="Open a new workspace."
            )
        if self._writable and database.writers is not None and not database.writers.acquire(timeout=LOCK_WAIT_S):
            raise store_error("store-busy", store.url, "another thread of this process is still writing")
        try:
            self._connection = database.engine.raw_connection()
            try:
                cursor: Any = self._connection.cursor()
                cursor.execute(database.begin_write if self._writable else database.begin_read)
            except BaseException:
                self._give_back(broken=True)
                raise
        except BaseException as error:
            self._release()
            if isinstance(error, (store._errors, SQLAlchemyError)):
                raise self._translate(error) from error
            raise
        runner = Runner(cursor, database.engine.dialect, writable=self._writable, translate=self._translate)
        return SqlTransaction(runner)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._connection.commit()
            else:
                self._connection.rollback()
        except self._store._errors as failure:
            with suppress(self._store._errors):
                self._connection.rollback()
            self._give_back(broken=True)
            # An error of the block says more than the rollback that failed after it.
            if kind is None:
                raise self._translate(failure) from failure
        except BaseException:
            self._give_back(broken=True)
            raise
        else:
            self._give_back(broken=kind is not None and self._is_broken())
        finally:
            self._release()

    def _is_broken(self) -> bool:
        return bool(getattr(self._connection.dbapi_connection, "broken", False))

    def _give_back(self, *, broken: bool) -> None:
        if broken:
            self._connection.invalidate()
        self._connection.close()

    def _release(self) -> None:
        writers = self._store._database.writers
        if self._writable and writers is not None:
            writers.release()

    def _translate(self, error: BaseException) -> AntiphonError:
        translated = translate(error, self._store.url)
        if translated.code == "store-unreachable":
            # The server restarted or went away: every pooled connection is as dead as this one.
            self._store._database.engine.dispose()
        return translated
