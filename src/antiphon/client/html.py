"""What a job, a result, a session and a target look like in a notebook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np

from antiphon.client.html_parts import Markup, bars, card, facts, mono, span, stage_bar, status, table, text
from antiphon.domain.jobs import Job
from antiphon.domain.queues import Priority
from antiphon.domain.sessions import Session
from antiphon.domain.targets import TargetInfo

LAST_JOBS = 10
MANY = 20
"""So many values, or histograms of a batch or sweep, are shown."""


def job_html(stored: Job) -> str:
    """One job: where it stands, how it ran, where the time went, what went wrong."""
    how = stored.provenance
    error = stored.error or {}
    rows: dict[str, object] = {
        "id": mono(stored.id),
        "status": status(stored.status.value),
        "error": error.get("message"),
        "cause": error.get("cause"),
        "next step": error.get("next_step"),
        "what": f"{stored.spec.kind.value} on {stored.spec.target}",
        "priority": stored.priority.value if stored.priority is not Priority.STANDARD else None,
        "in doubt": "nobody knows whether its provider took it" if stored.in_doubt else None,
        "shots": stored.spec.pubs[0].shots,
        "seed": stored.spec.seed,
        "session": mono(stored.session_id) if stored.session_id else None,
        "engine": how.get("engine_version") or how.get("engine"),
        "chosen because": how.get("why"),
        "submitted": f"{_moment(stored.created_at)} by {stored.created_by}",
    }
    return card(f"Job {stored.name}", facts(rows), stage_bar(stored.stages.to_json()))


def values_html(title: str, values: Any, errors: Any, ends: Any = None) -> str:
    """Expectation values and standard errors, as a result gives them, as a table.

    Args:
        ends: Of their 95 % intervals: a pair in the shape of `values`, or a list of them.
    """
    several = isinstance(values, list)
    rows: list[tuple[object, ...]] = []
    for number, (value, error) in enumerate(zip(values, errors, strict=True) if several else [(values, errors)]):
        for index, each in np.ndenumerate(np.asarray(value)):
            where = ", ".join(map(str, (number, *index) if several else index))
            own = (ends[number] if several else ends) if ends is not None else None
            span = () if own is None else (" … ".join(f"{np.asarray(end)[index]:.5g}" for end in own),)
            rows.append((mono(f"[{where}]") if where else "", f"{each:.10g}", f"{np.asarray(error)[index]:.3g}", *span))
    left = len(rows) - MANY
    heads = ("", "value", "standard error", *(() if ends is None else ("95 % interval",)))
    shown = table(heads, rows[:MANY])
    return card(title, shown if left <= 0 else Markup(f"{shown}<div>… and {left:,} more</div>"))


def counts_html(title: str, counts: Any, num_shots: int | None) -> str:
    """Counts, as a result gives them, as histograms."""
    shots = Markup(f'<div style="opacity:0.65">{text(f"{num_shots:,} shots" if num_shots else "")}</div>')
    if isinstance(counts, dict):
        return card(title, bars(counts), shots)
    parts = [_indexed(index, each) for index, each in enumerate(counts[:MANY])]
    if len(counts) > MANY:
        parts.append(Markup(f"<div>… and {len(counts) - MANY:,} more</div>"))
    return card(title, *parts, shots)


def session_html(stored: Session, latest: Sequence[Job]) -> str:
    """One session: its rules and its latest jobs."""
    rows: dict[str, object] = {
        "id": mono(stored.id),
        "status": status(stored.status.value),
        "takes jobs": "yes" if stored.accepting_jobs else f"no: {stored.end_reason}",
        "target": stored.target,
        "jobs": f"{stored.jobs:,}, {stored.pending:,} pending, {stored.failed:,} failed",
        "if a job fails": "the session ends" if stored.failure_policy.value == "abort" else "the session goes on",
        "limits": f"{stored.idle_limit_s:g} s idle, {stored.total_limit_s:g} s in all",
        "used": _used(stored),
        "holds the target": f"since {_moment(stored.holding_since)}" if stored.holding_since is not None else None,
        "opened": f"{_moment(stored.created_at)} by {stored.created_by}",
    }
    parts = [facts(rows)]
    if latest:
        heading = Markup('<div style="opacity:0.65;margin-top:6px">latest jobs</div>')
        parts += [heading, table(("name", "status", "took", "id"), [_job_row(job) for job in latest])]
    return card(f"Session {stored.name}", *parts)


def target_html(info: TargetInfo, queue_depth: int) -> str:
    """One target: what it is, what it takes."""
    rows: dict[str, object] = {
        "what it is": info.description,
        "status": status(info.status),
        "kind": f"{info.kind} of {info.provider}, version {info.version}",
        "qubits": f"up to {info.limits.max_qubits:,}",
        "shots": f"up to {info.limits.max_shots:,}",
        "profile": info.profile.value,
        "expectation values": "yes" if info.estimates else "no",
        "noise models": "yes" if info.takes_noise else "no",
        "queue": f"{queue_depth} waiting",
    }
    parts = [facts(rows)]
    if info.options:
        parts += [Markup('<div style="opacity:0.65;margin-top:6px">options</div>'), facts(dict(info.options))]
    return card(f"Target {info.name}", *parts)


def _indexed(index: int, counts: object) -> Markup:
    if counts is None:
        inner = status("Failed")
    elif isinstance(counts, dict):
        inner = bars(counts, top=8)
    else:
        inner = Markup(f"{len(counts) if isinstance(counts, list) else 0} parameter sets")
    return Markup(f'<div style="margin-top:4px">{mono(f"[{index}]")} {inner}</div>')


def _job_row(stored: Job) -> tuple[object, ...]:
    took = None if stored.ended_at is None else max(0.0, stored.ended_at - stored.created_at)
    return text(stored.name), status(stored.status.value), span(took), mono(stored.id)


def _used(stored: Session) -> str | None:
    """What it used of the limits that an operator or its user set; None where there are none."""
    limits = (
        ("jobs", stored.jobs, stored.max_jobs),
        ("s", stored.used_seconds, stored.max_seconds),
        ("cost", stored.used_cost, stored.max_cost),
    )
    return ", ".join(f"{used:,.6g} of {most:,.6g} {unit}" for unit, used, most in limits if most is not None) or None


def _moment(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
