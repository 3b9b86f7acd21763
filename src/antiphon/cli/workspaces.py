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


def _list(shell: Shell) -> None:
    from antiphon.client.wire.access import tenant_to_json
    from antiphon.engine.access.tenants import list_tenants

    with engine_here(shell) as ctx:
        tenants = list_tenants(ctx)
    shell.data([tenant_to_json(tenant) for tenant in tenants], lambda: _table(tenants))


def _table(tenants: list[Tenant]) -> RenderableType:
    from rich.text import Text

    from antiphon.cli.tables import age, whole_but

    table = plain_table(("workspace", "title", "made"), "title")
    for tenant in tenants:
        made = f"{age(tenant.created_at)} by {tenant.created_by}" if tenant.created_at else "always there"
        table.add_row(tenant.name, Text(tenant.title), Text(made))
    return whole_but(table, "title")
