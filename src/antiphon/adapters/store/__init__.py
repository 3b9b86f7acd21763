"""The job store on SQLite and PostgreSQL, through one set of tables."""

from antiphon.adapters.store.opening import open_store

__all__ = ["open_store"]
