"""The audit log: who did what, when, from where. Lines are only ever added."""

from __future__ import annotations

from collections.abc import Mapping

from antiphon.domain.identity import AuditEntry, Principal
from antiphon.engine.access.principals import LOCAL
from antiphon.engine.context import EngineContext
from antiphon.engine.requests import Origin
from antiphon.errors import LimitError
from antiphon.ports.access_store import AccessTransaction, AuditQuery

OK = "ok"
LONGEST_TEXT = 1_000
MOST_LINES = 1_000
NOBODY = "anonymous"
"""Who a refused caller is, as far as anybody knows."""


def note(
    ctx: EngineContext,
    tx: AccessTransaction,
    by: Principal,
    action: str,
    subject: str,
    *,
    where: str = LOCAL,
    details: Mapping[str, str] | None = None,
) -> None:
    """Add a line about a change, in the change's own transaction: there is never one without the other."""
    tx.add_audit([_entry(ctx, by.workspace, by.name, by.via, action, subject, where, OK, details)])


def note_work(
    ctx: EngineContext,
    tx: AccessTransaction,
    origin: Origin | None,
    action: str,
    subject: str,
    *,
    workspace: str,
    who: str,
    outcome: str = OK,
    details: Mapping[str, str] | None = None,
) -> None:
    """Add a line about a job or session in the transaction that changes it; none about what this process asked itself.

    What somebody does with the engine in their own process is in the job's log, as everything is.
    """
    if origin is not None:
        entry = _entry(ctx, workspace, who, origin.via, action, subject, origin.where, outcome, details)
        tx.add_audit([entry])


def note_alone(
    ctx: EngineContext,
    *,
    workspace: str,
    who: str,
    via: str,
    action: str,
    subject: str,
    where: str,
    outcome: str = OK,
    details: Mapping[str, str] | None = None,
) -> None:
    """Add a line about something that changed nothing here, such as "auth.refused", in a transaction of its own."""
    entry = _entry(ctx, workspace, who, via, action, subject, where, outcome, details)
    with ctx.store.write() as tx:
        tx.add_audit([entry])


def read_audit(ctx: EngineContext, query: AuditQuery) -> list[AuditEntry]:
    """Lines that match, newest first.

    Raises:
        LimitError: More than 1,000 lines at a time, or none (code "limit-out-of-range").
    """
    if not 1 <= query.limit <= MOST_LINES:
        raise LimitError(
            f"{query.limit} lines of the audit log cannot be read at a time.",
            code="limit-out-of-range",
            next_step=f"Ask for 1 to {MOST_LINES}, and go on from the last line's number.",
        )
    with ctx.store.read() as tx:
        return tx.audit(query)


def _entry(
    ctx: EngineContext,
    workspace: str,
    who: str,
    via: str,
    action: str,
    subject: str,
    where: str,
    outcome: str,
    details: Mapping[str, str] | None,
) -> AuditEntry:
    return AuditEntry(
        at=ctx.clock.now(),
        workspace=_plain(workspace),
        who=_plain(who),
        via=_plain(via),
        action=action,
        subject=_plain(subject),
        where=_plain(where),
        outcome=outcome,
        details={name: _plain(value) for name, value in (details or {}).items()},
    )


def _plain(text: str) -> str:
    # What a stranger sent may not fit a database's text: it is cut and shown as far as it can be.
    return text[:LONGEST_TEXT].encode(errors="replace").decode().replace("\0", "")
