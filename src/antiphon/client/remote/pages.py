"""Lists of jobs and sessions, fetched page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from antiphon.client.remote.http import HttpSession
from antiphon.client.wire.facts import job_from_json, session_from_json
from antiphon.client.wire.times import to_iso
from antiphon.domain.jobs import Job
from antiphon.domain.sessions import Session
from antiphon.ports.job_store import JobQuery, SessionQuery

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
    return [job_from_json(each) for each in _items(http, "/v1/jobs", "jobs", params, query.limit)]


def find_sessions(http: HttpSession, query: SessionQuery) -> list[Session]:
    """Sessions that match, newest first."""
    if query.id_prefix is not None and not is_id(query.id_prefix):
        return []
    params = {"status": query.status, "target": query.target, "id_prefix": query.id_prefix}
    return [session_from_json(each) for each in _items(http, "/v1/sessions", "sessions", params, query.limit)]


def _items(http: HttpSession, path: str, name: str, params: Mapping[str, Any], limit: int) -> Iterator[Any]:
    return islice(_pages(http, path, name, {**params, "limit": max(1, min(limit, LARGEST_PAGE))}), max(0, limit))


def _pages(http: HttpSession, path: str, name: str, params: Mapping[str, Any]) -> Iterator[Any]:
    page = http.get(path, params).body
    yield from page[name]
    while page["next"] is not None:
        page = http.get(page["next"]).body
        yield from page[name]
