"""`antiphon workspaces`: the tenants of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.administration import engine_here, me, plain_table
from antiphon.cli.command import command
from antiphon.cli.shell import Shell
from antiphon.domain.identity import Tenant

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(help="Workspaces: teams that share this folder and see only their own.")


@app.callback(invoke_without_command=True)
@command
def _bare(shell: Shell) -> None:
    """Workspaces: teams that share this folder and see only their own. Alone, it lists."""
    _list(shell)


@app.command("list")
@command
def list_all(shell: Shell) -> None:
    """List workspaces by name."""
    _list(shell)


@app.command("create")
@command
def create(
    shell: Shell,
    name: Annotated[str, typer.Argument(help="1 to 63 of a-z, 0-9 and the hyphen.", show_default=False)],
    title: Annotated[str, typer.Option(help="What to show beside the name.")] = "",
) -> None:
    """Make a workspace."""
    from antiphon.client.wire.access import tenant_to_json
    from antiphon.engine.access.tenants import create_tenant

    with engine_here(shell) as ctx:
        tenant = create_tenant(ctx, name, title=title, by=me())
    shell.data(tenant_to_json(tenant), lambda: f"The workspace {tenant.name} is new.")


@app.command("allot")
@command
def allot(
    shell: Shell,
    name: Annotated[str, typer.Argument(help="The workspace.", show_default=False)],
    weight: Annotated[
        str, typer.Argument(metavar="WEIGHT", help="A number; usual gives back the weight of 1.", show_default=False)
    ],
) -> None:
    """Give a workspace a part of the targets.

    Who has twice the weight may use twice as much before others go first; with 0 its jobs go behind all others of
    their class.
    """
    from antiphon.engine.queues.allotments import set_allotment

    try:
        given = None if weight == "usual" else float(weight)
    except ValueError:
        raise typer.BadParameter(f"{weight!r} is no number; write e.g. 2, or usual.", param_hint="WEIGHT") from None
    with engine_here(shell) as ctx:
        set_allotment(ctx, workspace=name, weight=given, by=me())
    shell.data(
        {"workspace": name, "weight": given},
        lambda: f"The weight of {name} is {'the usual 1' if given is None else f'{given:g}'}.",
    )


def _list(shell: Shell) -> None:
    from antiphon.client.wire.access import tenant_to_json
    from antiphon.engine.access.tenants import list_tenants
    from antiphon.engine.queues.allotments import list_allotments

    with engine_here(shell) as ctx:
        tenants, weights = list_tenants(ctx), list_allotments(ctx)
    data = [{**tenant_to_json(tenant), "weight": weights.get(tenant.name)} for tenant in tenants]
    shell.data(data, lambda: _table(tenants, weights))


def _table(tenants: list[Tenant], weights: dict[str, float]) -> RenderableType:
    from rich.text import Text

    from antiphon.cli.tables import age, whole_but

    table = plain_table(("workspace", "title", "weight", "made"), "title", ("weight",))
    for tenant in tenants:
        made = f"{age(tenant.created_at)} by {tenant.created_by}" if tenant.created_at else "always there"
        table.add_row(tenant.name, Text(tenant.title), f"{weights.get(tenant.name, 1):g}", Text(made))
    return whole_but(table, "title")
