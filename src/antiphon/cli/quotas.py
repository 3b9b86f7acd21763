"""`antiphon quotas`: how much a workspace may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.administration import (
    WorkspaceName,
    Yes,
    confirm,
    engine_here,
    make_workspace,
    me,
    only_one,
    plain_table,
)
from antiphon.cli.command import command
from antiphon.cli.shell import Shell
from antiphon.domain.quotas import Dimension, Period

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.engine.access.quotas import Standing

app = typer.Typer(help="Quotas: how much a workspace may use.")

_PER = {Period.NONE: "", Period.DAY: " a day", Period.MONTH: " a month"}


@app.callback(invoke_without_command=True)
@command
def _bare(shell: Shell) -> None:
    """Quotas: how much a workspace may use. Alone, it lists."""
    _list(shell, "default")


@app.command("list")
@command
def list_all(shell: Shell, workspace: WorkspaceName = "default") -> None:
    """List quotas: used, held by jobs that have not ended, and left."""
    _list(shell, workspace)


@app.command("set")
@command
def set_one(
    shell: Shell,
    dimension: Annotated[Dimension, typer.Argument(help="What is counted.", show_default=False)],
    limit: Annotated[float, typer.Argument(min=0, help="How much of it.", show_default=False)],
    period: Annotated[Period, typer.Option(help="When it begins at zero again (UTC).")] = Period.NONE,
    target: Annotated[str | None, typer.Option(help="Only on this target; all together unless given.")] = None,
    workspace: WorkspaceName = "default",
) -> None:
    """Limit a workspace; what is under way already does not count."""
    from antiphon.client.wire.access import standing_to_json
    from antiphon.engine.access.limits import set_quota

    with engine_here(shell) as ctx:
        make_workspace(shell, ctx, workspace)
        standing, _ = set_quota(
            ctx, workspace=workspace, dimension=dimension, limit=limit, period=period, target=target, by=me()
        )
    shell.data(standing_to_json(standing), lambda: _table([standing]))


@app.command("remove")
@command
def remove(
    shell: Shell,
    quota_id: Annotated[
        str, typer.Argument(metavar="ID", help="The quota's id, or enough of its beginning.", show_default=False)
    ],
    workspace: WorkspaceName = "default",
    yes: Yes = False,
) -> None:
    """Remove a limit, and forget what was used of it."""
    from antiphon.client.wire.access import standing_to_json
    from antiphon.engine.access.limits import list_quotas, remove_quota

    with engine_here(shell) as ctx:
        standings = {each.quota.id: each for each in list_quotas(ctx, workspace)}
        found = only_one("quota", quota_id, standings)
        confirm(f"Remove {found}?", yes=yes)
        remove_quota(ctx, workspace=workspace, quota_id=found, by=me())
    shell.data(standing_to_json(standings[found]), lambda: f"The quota {found} is removed.")


def _list(shell: Shell, workspace: str) -> None:
    from antiphon.client.wire.access import standing_to_json
    from antiphon.engine.access.limits import list_quotas

    with engine_here(shell) as ctx:
        standings = list_quotas(ctx, workspace)
    shell.data(
        [standing_to_json(each) for each in standings],
        lambda: (
            _table(standings)
            if standings
            else f"No limits here. Set one: {shell.command('quotas set jobs-in-flight 100')}"
        ),
    )


def _table(standings: list[Standing]) -> RenderableType:
    from antiphon.cli.tables import whole_but
    from antiphon.client.wire.times import to_iso

    figures = ("limit", "used", "held", "left")
    table = plain_table(("id", "what", "target", *figures, "resets"), "target", figures)
    for each in standings:
        quota = each.quota
        amounts = (quota.limit, each.use.used, each.use.held, each.remaining)
        resets = "-" if each.resets_at is None else (to_iso(each.resets_at) or "")[:10]
        table.add_row(
            quota.id,
            f"{quota.dimension.value}{_PER[quota.period]}",
            quota.target or "all",
            *(f"{value:,.12g}" for value in amounts),
            resets,
        )
    return whole_but(table, "target")
