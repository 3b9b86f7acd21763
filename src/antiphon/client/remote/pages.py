"""Lists of jobs and sessions, fetched page by page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, TypeVar

from antiphon.client.remote.http import HttpSession
from antiphon.client.wire.facts import job_from_json, session_from_json
from antiphon.client.wire.times import to_iso
from antiphon.domain.jobs import Job
from antiphon.domain.sessions import Session
from antiphon.ports.job_store import JobQuery, SessionQuery

T = TypeVar("T")

LARGEST_PAGE = 500
"""Of one request; a longer list takes several."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_id(text: object) -> bool:
    """Whether it can be an id, or the beginning of one, at all."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def find_jobs(http: HttpSession, query: JobQuery) -> list[Job]:
    """Jobs that match, in the query's order."""
    if query.id_prefix is not None and not is_id(query.id_prefix):
        return []
    params = {
        "status": query.status,
        "target": query.target,
        "session_id": query.session_id,
        "name": query.name,
        "id_prefix": query.id_prefix,
        "created_after": to_iso(query.created_after),
        "created_before": to_iso(query.created_before),
        "order": "asc" if query.oldest_first else "desc",
        # The time of creation travels in microseconds; the server knows it to the bit.
        "before": None if query.before is None else query.before[1],
    }
    return _items(http, "/v1/jobs", lambda page: [job_from_json(each) for each in page["jobs"]], params, query.limit)


def find_sessions(http: HttpSession, query: SessionQuery) -> list[Session]:
    """Sessions that match, newest first."""
    if query.id_prefix is not None and not is_id(query.id_prefix):
        return []
    params = {"status": query.status, "target": query.target, "id_prefix": query.id_prefix}
    return _items(
        http, "/v1/sessions", lambda page: [session_from_json(each) for each in page["sessions"]], params, query.limit
    )


def _items(
    http: HttpSession, path: str, read: Callable[[Any], list[T]], params: Mapping[str, Any], limit: int
) -> list[T]:
    pages = _pages(http, path, read, {**params, "limit": max(1, min(limit, LARGEST_PAGE))})
    return list(islice(chain.from_iterable(pages), max(0, limit)))


def _pages(
    http: HttpSession, path: str, read: Callable[[Any], list[T]], params: Mapping[str, Any]
) -> Iterator[list[T]]:
    def read_both(page: Any) -> tuple[list[T], str | None]:
        return read(page), page["next"]

    items, more = http.get(path, read_both, params)
    yield items
    while more is not None:
        items, more = http.get(more, read_both)
        yield items
