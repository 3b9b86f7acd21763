"""What a database driver raises, as errors of the store that say what to do."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from antiphon.errors import AntiphonError, StoreError
from antiphon.ports.job_store import VersionConflictError

# code → (what happened to the store, what to do)
_SENTENCES = {
    "store-full": (
        "is on a disk that is full",
        "Free space or raise the quota, then try again; nothing was half stored.",
    ),
    "store-corrupt": (
        "is damaged or is not a database",
        "Restore the file from a backup, or move it away to begin with an empty store.",
    ),
    "store-permission": (
        "may not be read or written by this process",
        "Give its user the right to read and write the file and its folder, or choose another with ANTIPHON_HOME.",
    ),
    "store-busy": (
        "stayed locked by somebody else for too long",
        "Try again; if it stays so, look for a process that holds a transaction open.",
    ),
    "store-unreachable": (
        "does not answer",
        "Check that the database server runs and that the address and the password are right.",
    ),
    "store-unusable": (
        "refused an operation",
        "The cause is the database's own message; please report it if it is unclear.",
    ),
}

# Primary result codes of SQLite (sqlite.org/rescode.html).
_SQLITE_CODES = {
    3: "store-permission",  # PERM
    5: "store-busy",
    6: "store-busy",  # LOCKED
    8: "store-permission",  # READONLY
    11: "store-corrupt",
    13: "store-full",
    14: "store-permission",  # CANTOPEN
    26: "store-corrupt",  # NOTADB
}

# SQLSTATE, whole or its class (postgresql.org, appendix A).
_SQLSTATES = {
    "53100": "store-full",
    "42501": "store-permission",
    "28": "store-permission",
    "3D000": "store-unreachable",
    "08": "store-unreachable",
    "57P": "store-unreachable",
    "53300": "store-busy",  # too many connections
    "55P03": "store-busy",
    "57014": "store-busy",
    "XX001": "store-corrupt",
    "XX002": "store-corrupt",
}
_OVERTAKEN = frozenset({"40001", "40P01", "23505"})
"""Serialisation failure, deadlock, and a unique key that another transaction took between our look and our insert."""


def store_error(code: str, where: str, cause: str) -> StoreError:
    """The error of that code about the store at `where`."""
    happened, next_step = _SENTENCES[code]
    return StoreError(
        f"The store {where} {happened}.", code=code, cause=cause, next_step=next_step, details={"store": where}
    )


def translate(error: BaseException, where: str) -> AntiphonError:
    """The driver's error as one of ours; `where` names the store without any password."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    cause = str(error).strip() or type(error).__name__
    if isinstance(error, PoolTimeoutError):
        return store_error("store-busy", where, cause)
    if isinstance(error, sqlite3.Error):
        # The low byte is the primary code; drivers raise some errors of their own without any.
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return store_error(_SQLITE_CODES.get(primary, "store-unusable"), where, cause)
    if isinstance(error, OSError):
        return store_error("store-permission", where, cause)
    state: str | None = getattr(error, "sqlstate", None)
    if state in _OVERTAKEN:
        return VersionConflictError(
            "Another transaction changed the same rows first.",
            cause=cause,
            next_step="Read again and decide again.",
        )
    if state is None:
        # psycopg gives no state when it never reached the server or lost it.
        unreachable = type(error).__name__ == "OperationalError"
        return store_error("store-unreachable" if unreachable else "store-unusable", where, cause)
    found = next((_SQLSTATES[part] for part in (state, state[:3], state[:2]) if part in _SQLSTATES), "store-unusable")
    return store_error(found, where, cause)
