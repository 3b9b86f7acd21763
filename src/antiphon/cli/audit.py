"""`antiphon audit`: who did what, when, from where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.administration import WorkspaceName, engine_here, plain_table, time_of
from antiphon.cli.shell import Shell
from antiphon.domain.identity import AuditEntry

if TYPE_CHECKING:
    from rich.console import RenderableType


def audit(
    shell: Shell,
    workspace: WorkspaceName = "default",
    who: Annotated[str | None, typer.Option(help="Only what this one did.")] = None,
    action: Annotated[
        str | None, typer.Option(help='Only this action: "key.create"; or, with a dot at its end, all of them: "key."')
    ] = None,
    subject: Annotated[str | None, typer.Option(help="Only what was done to this id or name.")] = None,
    after: Annotated[str | None, typer.Option(metavar="TIME", help="Only after: 2026-01-31, or 7d ago.")] = None,
    before: Annotated[str | None, typer.Option(metavar="TIME", help="Only before.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many lines, the newest.")] = 50,
) -> None:
    """Show the audit log of a workspace, newest first."""
    from antiphon.client.wire.access import audit_to_json
    from antiphon.engine.access.audit import read_audit
    from antiphon.ports.access_store import AuditQuery

    query = AuditQuery(
        workspace=workspace,
        who=who,
        action=action,
        subject=subject,
        after=None if after is None else time_of(after),
        before=None if before is None else time_of(before),
        limit=limit,
    )
    with engine_here(shell) as ctx:
        entries = read_audit(ctx, query)
    shell.data(
        [audit_to_json(entry) for entry in entries],
        lambda: _table(entries) if entries else "Nothing in the audit log is like that.",
    )


def _table(entries: list[AuditEntry]) -> RenderableType:
    from rich.text import Text

    from antiphon.cli.tables import whole_but
    from antiphon.client.wire.times import to_iso

    table = plain_table(("at", "who", "did", "to", "from", "outcome"), "to")
    for entry in entries:
        at = (to_iso(entry.at) or "")[:19] + "Z"
        table.add_row(at, Text(entry.who), entry.action, Text(entry.subject), Text(entry.where), Text(entry.outcome))
    return whole_but(table, "to")
