"""Statements: written once with SQLAlchemy Core, compiled once per database, run on the driver's own cursor.

SQLAlchemy's execution layer costs twice what SQLite itself does (0.14 ms against 0.05 ms for two small transactions),
and a job is ten statements. What is kept of it is what it is good at: one notation for two databases, and their pools.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from sqlalchemy import ClauseElement, Table, bindparam
from sqlalchemy.engine import Dialect

from antiphon.errors import StoreError


class Statement:
    """One statement with positional parameters.

    Args:
        names: The parameters in the order in which callers give them; checked against the compiled text.
        build: Makes the element. It gets the database's own `insert`, whose ON CONFLICT Core does not have.
    """

    def __init__(self, names: Sequence[str], build: Callable[[Callable[[Table], Any]], ClauseElement]) -> None:
        self.names = tuple(names)
        self._build = build
        self._texts: dict[str, str] = {}

    def text(self, dialect: Dialect) -> str:
        """The statement in the database's own SQL."""
        try:
            return self._texts[dialect.name]
        except KeyError:
            # Only the database in use is imported: the other one would cost a tenth of the start-up.
            insert = import_module(f"sqlalchemy.dialects.{dialect.name}").insert
            compiled = self._build(insert).compile(dialect=dialect)
            order = tuple(getattr(compiled, "positiontup", None) or ())
            if order != self.names:
                raise AssertionError(f"compiled with parameters {order}, declared with {self.names}") from None
            return self._texts.setdefault(dialect.name, str(compiled))


def insert_into(table: Table, *, skip_conflict_on: Sequence[Any] = (), where: Any = None) -> Statement:
    """Insert one row, parameters in the table's order; a row that conflicts on these columns may be skipped."""

    def build(insert: Callable[[Table], Any]) -> ClauseElement:
        names = {column.name: bindparam(column.name, type_=column.type) for column in _given(table)}
        statement = insert(table).values(names)
        if skip_conflict_on:
            statement = statement.on_conflict_do_nothing(index_elements=list(skip_conflict_on), index_where=where)
        # Without this PostgreSQL would be asked to return a generated key that nobody reads.
        element: ClauseElement = statement.inline()
        return element

    return Statement([column.name for column in _given(table)], build)


def upsert_into(table: Table, *, where: Callable[[Any], Any] | None = None) -> Statement:
    """Insert one row, parameters in the table's order, or replace all but the key of the one with its primary key.

    Args:
        where: Made of the new row's columns: only a row for which it holds is replaced; the others stay untouched.
    """
    keys = list(table.primary_key.columns)
    names = [column.name for column in table.columns]

    def build(insert: Callable[[Table], Any]) -> ClauseElement:
        statement = insert(table).values({name: given(table, name) for name in names})
        new = statement.excluded
        element: ClauseElement = statement.on_conflict_do_update(
            index_elements=keys,
            set_={name: new[name] for name in names if name not in table.primary_key.columns},
            where=None if where is None else where(new),
        )
        return element

    return Statement(names, build)


def given(table: Table, name: str) -> Any:
    """A parameter called after a column, with its type."""
    return bindparam(name, type_=table.c[name].type)


def _given(table: Table) -> list[Any]:
    return [column for column in table.columns if column.autoincrement is not True]


class Runner:
    """Runs statements in one open transaction, and turns what the driver raises into errors of the store.

    Args:
        cursor: The DB-API cursor of a connection on which a transaction was begun.
        dialect: The database's.
        writable: False refuses changes; true also locks the rows that are read to be changed.
        translate: Makes our error of the driver's.
    """

    __slots__ = ("_cursor", "_dialect", "_errors", "_translate", "writable")

    def __init__(
        self,
        cursor: Any,
        dialect: Dialect,
        *,
        writable: bool,
        translate: Callable[[BaseException], Exception],
    ) -> None:
        self._cursor = cursor
        self._dialect = dialect
        # Text that is no Unicode is refused by the driver before the database sees it.
        self._errors: Any = (dialect.loaded_dbapi.Error, UnicodeError)
        self._translate = translate
        self.writable = writable

    @property
    def dialect_name(self) -> str:
        """What SQLAlchemy calls the database's language."""
        return self._dialect.name

    def rows(self, statement: Statement, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        try:
            self._cursor.execute(statement.text(self._dialect), parameters)
            found: list[Any] = self._cursor.fetchall()
            return found
        except self._errors as error:
            raise self._translate(error) from error

    def row(self, statement: Statement, parameters: Sequence[Any] = ()) -> Any:
        """The first row of a query, or None."""
        try:
            self._cursor.execute(statement.text(self._dialect), parameters)
            return self._cursor.fetchone()
        except self._errors as error:
            raise self._translate(error) from error

    def change(self, statement: Statement, parameters: Sequence[Any]) -> int:
        """Run a change; returns how many rows it touched."""
        self._check_writable()
        try:
            self._cursor.execute(statement.text(self._dialect), parameters)
            touched: int = self._cursor.rowcount
            return touched
        except self._errors as error:
            raise self._translate(error) from error

    def change_many(self, statement: Statement, parameters: Sequence[Sequence[Any]]) -> None:
        """Run a change once for each sequence of parameters."""
        self._check_writable()
        try:
            self._cursor.executemany(statement.text(self._dialect), parameters)
        except self._errors as error:
            raise self._translate(error) from error

    def _check_writable(self) -> None:
        if not self.writable:
            raise StoreError(
                "A read transaction changes nothing.",
                code="store-read-only",
                next_step="Open the transaction with store.write().",
            )
