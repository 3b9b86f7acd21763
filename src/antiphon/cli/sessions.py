"""`antiphon sessions`: jobs grouped on one target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.command import anywhere
from antiphon.cli.shell import Shell
from antiphon.domain.queues import Access
from antiphon.domain.shown import span

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.client.job import Job
    from antiphon.client.session import Session
    from antiphon.domain.sessions import Session as SessionFacts

app = typer.Typer(help="Jobs grouped on one target.")

ACCESS = {
    Access.SHARED: "shared: its jobs go first",
    Access.EXCLUSIVE: "exclusive: the target is held for it while new jobs keep coming",
    Access.DEDICATED: "dedicated: the target is held for it until it is closed",
}
SessionId = Annotated[
    str, typer.Argument(metavar="ID", help="The session's id, or enough of its beginning.", show_default=False)
]


@app.callback(invoke_without_command=True)
@anywhere
def _bare(shell: Shell) -> None:
    """Jobs grouped on one target. Alone, it lists."""
    _list(shell, None, None, 20)


@app.command("list")
@anywhere
def list_sessions(
    shell: Shell,
    status: Annotated[str | None, typer.Option(help="Only those with this status.")] = None,
    target: Annotated[str | None, typer.Option(help="Only those on this target.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 20,
) -> None:
    """List sessions, newest first."""
    _list(shell, status, target, limit)


@app.command("show")
@anywhere
def show(shell: Shell, session_id: SessionId) -> None:
    """Show one session: its rules, its jobs, its log."""
    from antiphon.cli.describe import describe_session

    with shell.look() as workspace:
        session = workspace.session(session_id)
        access = session.access
        data = {**describe_session(session), "access": access.value, "events": session.events}
        latest = workspace.jobs(session=session.id, limit=10)
        shell.data(data, lambda: _page(session, access, latest))


@app.command("close")
@anywhere
def close(
    shell: Shell,
    session_id: SessionId,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel the jobs that are still queued.")] = False,
) -> None:
    """Close a session: no new jobs; the queued finish."""
    from antiphon.cli.describe import describe_session

    with shell.look() as workspace:
        session = workspace.session(session_id)
        session = session.cancel() if cancel else session.close()
        shell.data(describe_session(session), lambda: _closed(session))


def _list(shell: Shell, status: str | None, target: str | None, limit: int) -> None:
    from antiphon.cli.describe import describe_session

    with shell.look() as workspace:
        sessions = workspace.sessions(status=status, target=target, limit=limit)
        narrowed = status is not None or target is not None
        shell.data(
            [describe_session(session) for session in sessions],
            lambda: _table(sessions) if sessions else _none(shell, narrowed),
        )


def _table(sessions: list[Session]) -> RenderableType:
    from antiphon.cli.tables import sessions_table

    return sessions_table(sessions)


def _none(shell: Shell, narrowed: bool) -> str:
    if narrowed:
        return f"No session is like that. All of them: {shell.command('sessions list')}"
    return f"No sessions here yet. The demo opens one: {shell.command('demo')}"


def _page(session: Session, access: Access, latest: list[Job]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from antiphon.cli.tables import age, facts_table, jobs_table, status_text

    facts = session.facts
    rows = {
        "session": Text(facts.id, style="bold"),
        "name": facts.name,
        "target": facts.target,
        "status": status_text(facts.status.value),
        "takes jobs": "yes" if facts.accepting_jobs else f"no: {facts.end_reason}",
        "jobs": f"{facts.jobs:,}, {facts.pending:,} pending, {facts.failed:,} failed",
        "if a job fails": "the session ends" if facts.failure_policy.value == "abort" else "the session goes on",
        "limits": f"{span(facts.idle_limit_s)} idle, {span(facts.total_limit_s)} in all",
        "used": _used(facts),
        "access": ACCESS[access],
        "holds it": f"since {age(facts.holding_since)}" if facts.holding_since is not None else None,
        "opened": f"{age(facts.created_at)} by {facts.created_by}",
    }
    parts: list[RenderableType] = [facts_table(rows)]
    if latest:
        parts += [Text("\nlatest jobs", style="dim"), jobs_table(latest)]
    return Group(*parts)


def _used(facts: SessionFacts) -> str:
    """What it used of the limits that it has; seconds and cost also without a limit, once there are any."""
    from antiphon.cli.tables import duration

    of_jobs = f" of {facts.max_jobs:,}" if facts.max_jobs is not None else ""
    parts = [f"{facts.jobs:,}{of_jobs} jobs", duration(facts.used_seconds)]
    if facts.max_seconds is not None:
        parts[-1] += f" of {duration(facts.max_seconds)}"
    if facts.max_cost is not None or facts.used_cost:
        most = f" of {facts.max_cost:,.6g}" if facts.max_cost is not None else ""
        parts.append(f"cost {facts.used_cost:,.6g}{most}")
    return ", ".join(parts)


def _closed(session: Session) -> str:
    facts = session.facts
    waiting = f"; {facts.pending:,} jobs still finish" if facts.pending else ""
    return f"Session {facts.id} takes no more jobs{waiting}. Status: {facts.status.value}."
