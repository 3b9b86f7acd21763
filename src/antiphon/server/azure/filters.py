"""The filters and orders of lists, as Azure's clients write them.

    startswith(Name, 'vqe') and (State eq 'Failed' or State eq 'JobStatus.CANCELLED') and CreationTime ge 2026-01-31

The clients escape nothing, so the prefix, which is free text, ends only where the grammar goes on after its quote; the
other values are words without quotes.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import replace

from antiphon.ports.azure_store import AzureQuery
from antiphon.server.azure.refusals import AzureRefusal

LONGEST_FILTER = 8_192
_DAY_S = 86_400.0

_EQUALS = r"\w+\s+eq\s+'[^']*'"
_TERM = re.compile(
    rf"""startswith\(\s*(?P<prefix_of>\w+)\s*,\s*'(?P<prefix>.*?)'\s*\)(?=\s+and\s|\s*$)
      | \(\s*(?P<alternatives>{_EQUALS}(?:\s+or\s+{_EQUALS})*)\s*\)
      | (?P<one>{_EQUALS})
      | (?P<time>\w+)\s+(?P<bound>ge|gt|le|lt)\s+'?(?P<at>[0-9][0-9T:.Z+-]{{7,39}})'?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_ALTERNATIVE = re.compile(r"(\w+)\s+eq\s+'([^']*)'", re.IGNORECASE)
_ORDER = re.compile(r"(\w+)(?:\s+(asc|desc))?", re.IGNORECASE)

_ORDERS: Mapping[str, str] = {
    "name": "name",
    "itemtype": "kind",
    "providerid": "provider",
    "target": "target",
    "state": "status",
    "creationtime": "created_at",
}
JOB_TYPE = "QuantumComputing"
"""The type of every job here."""
_JOB_TYPES = {"UNKNOWN": "Unknown", "QUANTUM_COMPUTING": JOB_TYPE, "OPTIMIZATION": "Optimization"}
_ITEM_TYPES = {"JOB": "Job", "SESSION": "Session"}
_STATES = {
    "QUEUED": "Queued",
    "WAITING": "Waiting",
    "EXECUTING": "Executing",
    "CANCELLATION_REQUESTED": "CancellationRequested",
    "CANCELLING": "Cancelling",
    "FINISHING": "Finishing",
    "COMPLETED": "Completed",
    "SUCCEEDED": "Succeeded",
    "FAILED": "Failed",
    "CANCELLED": "Cancelled",
    "FAILURE_S_": "Failure(s)",
    "TIMED_OUT": "TimedOut",
}


def apply_filter(query: AzureQuery, text: str) -> AzureQuery | None:
    """The query narrowed by a filter; None when nothing can match it.

    Raises:
        AzureRefusal: 400, with the place at which the filter cannot be read.
    """
    if len(text) > LONGEST_FILTER:
        raise AzureRefusal(400, "InvalidFilter", f"A filter has at most {LONGEST_FILTER} characters.")
    narrowed: AzureQuery | None = query
    at, end = 0, len(text.rstrip())
    at += len(text) - len(text.lstrip())
    while at < end:
        term = _TERM.match(text, at)
        if term is None:
            raise AzureRefusal(400, "InvalidFilter", f"The filter cannot be read from {text[at : at + 40]!r} on.")
        narrowed = narrowed and _narrowed(narrowed, term)
        at = term.end()
        if at < end:
            joint = _AND.match(text, at)
            if joint is None or joint.end() >= end:
                raise AzureRefusal(400, "InvalidFilter", f"The filter cannot be read from {text[at : at + 40]!r} on.")
            at = joint.end()
    return narrowed


def apply_order(query: AzureQuery, text: str) -> AzureQuery:
    """The query in the order asked for; oldest first where none is.

    Raises:
        AzureRefusal: 400 for a field that cannot be ordered by.
    """
    if not text.strip():
        return query
    found = _ORDER.fullmatch(text.strip())
    name = found[1].lower() if found else ""
    if found is None or name not in {*_ORDERS, "jobtype"}:
        raise AzureRefusal(400, "InvalidOrderBy", f"Lists cannot be ordered by {text[:60]!r}.")
    if name == "jobtype":
        return query  # all are of one type, and ties go by age
    return replace(query, order_by=_ORDERS[name], descending=(found[2] or "").lower() == "desc")


def _narrowed(query: AzureQuery, term: re.Match[str]) -> AzureQuery | None:
    if term["prefix_of"]:
        _expect(term["prefix_of"], "name")
        prefix, before = term["prefix"], query.name_prefix or ""
        if not (prefix.startswith(before) or before.startswith(prefix)):
            return None
        return replace(query, name_prefix=max(prefix, before, key=len))
    if term["time"]:
        _expect(term["time"], "creationtime")
        return _bounded(query, term["bound"].lower(), term["at"])
    pairs = _ALTERNATIVE.findall(term["alternatives"] or term["one"])
    fields = {name.lower() for name, _ in pairs}
    if len(fields) != 1:
        raise AzureRefusal(400, "InvalidFilter", "Alternatives in brackets must be of one field.")
    return _one_of(query, fields.pop(), [value for _, value in pairs])


def _one_of(query: AzureQuery, name: str, values: list[str]) -> AzureQuery | None:
    match name:
        case "itemtype":
            kinds = _common(query.kinds, [_spelled(value, "ItemType", _ITEM_TYPES) for value in values])
            return replace(query, kinds=kinds) if kinds else None
        case "jobtype":
            # Sessions have no type of job.
            kinds = _common(query.kinds, ["Job"])
            asked = {_spelled(value, "JobType", _JOB_TYPES) for value in values}
            return replace(query, kinds=kinds) if kinds and JOB_TYPE in asked else None
        case "providerid":
            providers = _common(query.providers, [value.lower() for value in values])
            return replace(query, providers=providers) if providers else None
        case "target":
            # Names are spelled in lower case, and the clients find them by any.
            targets = _common(query.targets, [spelling for value in values for spelling in (value, value.lower())])
            return replace(query, targets=targets) if targets else None
        case "state":
            statuses = _common(query.statuses, [_spelled(value, "State", _STATES) for value in values])
            return replace(query, statuses=statuses) if statuses else None
    raise AzureRefusal(400, "InvalidFilter", f"Lists cannot be filtered by {name[:60]!r}.")


def _common(before: tuple[str, ...], values: list[str]) -> tuple[str, ...]:
    found = dict.fromkeys(values)
    return tuple(value for value in found if not before or value in before)


def _spelled(value: str, name: str, members: Mapping[str, str]) -> str:
    """A value of an enumeration, from itself or from its member's name, which Python 3.11 and later write."""
    member = value.rpartition(".")[2]
    if member in members:
        return members[member]
    found = {each.lower(): each for each in members.values()}.get(value.lower())
    if found is None:
        raise AzureRefusal(400, "InvalidFilter", f"{value[:60]!r} is no value of {name}.")
    return found


def _bounded(query: AzureQuery, bound: str, text: str) -> AzureQuery:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise AzureRefusal(400, "InvalidFilter", f"{text!r} is no date or time.") from None
    moment = (at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)).timestamp()
    # The clients drop the time of day: a bare date means the whole of that day.
    after = moment + _DAY_S if len(text) == len("2026-01-31") else math.nextafter(moment, math.inf)
    if bound in {"ge", "gt"}:
        start = moment if bound == "ge" else after
        return replace(query, created_from=max(start, query.created_from or start))
    stop = after if bound == "le" else moment
    return replace(query, created_before=min(stop, query.created_before or stop))


def _expect(name: str, expected: str) -> None:
    if name.lower() != expected:
        raise AzureRefusal(400, "InvalidFilter", f"{name[:60]!r} cannot be compared in this way.")
