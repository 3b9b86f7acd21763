"""`antiphon keys`: API keys of a workspace."""

from __future__ import annotations

import time
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
    seconds_of,
)
from antiphon.cli.command import command
from antiphon.cli.shell import Shell
from antiphon.domain.identity import ApiKey, Role, Scope

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(help="API keys: who may use a server of this folder.")


@app.callback(invoke_without_command=True)
@command
def _bare(shell: Shell) -> None:
    """API keys: who may use a server of this folder. Alone, it lists."""
    _list(shell, "default", False)


@app.command("create")
@command
def create(
    shell: Shell,
    name: Annotated[str, typer.Argument(help="Whose key it is; jobs and the audit log name it.", show_default=False)],
    role: Annotated[Role, typer.Option(help="What it may do; each role may do what the ones before it may.")],
    workspace: WorkspaceName = "default",
    expires: Annotated[
        str | None, typer.Option(metavar="SPAN", help="Opens nothing after this time: 90d, 12h, 1y (default: never).")
    ] = None,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="Only this of what the role may do; may be repeated.")
    ] = None,
) -> None:
    """Make a key and show it, this once. Only its hash is stored."""
    from antiphon.client.wire.access import key_to_json
    from antiphon.engine.access.keys import create_key

    expires_in = None if expires is None else seconds_of(expires)
    with engine_here(shell) as ctx:
        make_workspace(shell, ctx, workspace)
        key, text = create_key(
            ctx, workspace=workspace, name=name, role=role, scopes=scope or None, expires_in=expires_in, by=me()
        )
    shell.note("Keep this key now: it is nowhere stored and cannot be shown again.")
    shell.data({"key": text, **key_to_json(key, time.time())}, lambda: text)


@app.command("list")
@command
def list_all(
    shell: Shell,
    workspace: WorkspaceName = "default",
    everything: Annotated[bool, typer.Option("--all", help="The expired and revoked ones too.")] = False,
) -> None:
    """List keys, newest first."""
    _list(shell, workspace, everything)


@app.command("revoke")
@command
def revoke(
    shell: Shell,
    key_id: Annotated[
        str, typer.Argument(metavar="ID", help="The key's id, or enough of its beginning.", show_default=False)
    ],
    workspace: WorkspaceName = "default",
    yes: Yes = False,
) -> None:
    """Revoke a key: it opens nothing any more."""
    from antiphon.client.wire.access import key_to_json
    from antiphon.engine.access.keys import list_keys, revoke_key

    with engine_here(shell) as ctx:
        found = only_one("key", key_id, (key.id for key in list_keys(ctx, workspace)))
        confirm(f"Revoke {found}?", yes=yes)
        key = revoke_key(ctx, workspace=workspace, key_id=found, by=me())
    shell.data(key_to_json(key, time.time()), lambda: f"The key {key.id} of {key.name} is revoked.")


def _list(shell: Shell, workspace: str, everything: bool) -> None:
    from antiphon.client.wire.access import key_to_json
    from antiphon.engine.access.keys import list_keys

    now = time.time()
    with engine_here(shell) as ctx:
        keys = [key for key in list_keys(ctx, workspace) if everything or key.is_live(now)]
    shell.data(
        [key_to_json(key, now) for key in keys],
        lambda: (
            _table(keys, now)
            if keys
            else f"No keys here yet. Make one: {shell.command('keys create NAME --role submitter')}"
        ),
    )


def _table(keys: list[ApiKey], now: float) -> RenderableType:
    from rich.text import Text

    from antiphon.cli.tables import age, whole_but

    table = plain_table(("id", "name", "role", "scopes", "made", "last used", "state"), "scopes")
    for key in keys:
        scopes = "all" if key.scopes == key.role.scopes else " ".join(sorted(scope.value for scope in key.scopes))
        used = "never" if key.last_used_at is None else age(key.last_used_at, now)
        table.add_row(key.id, Text(key.name), key.role.value, scopes, age(key.created_at, now), used, _state(key, now))
    return whole_but(table, "scopes")


def _state(key: ApiKey, now: float) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None:
        return "live"
    if now >= key.expires_at:
        return "expired"
    days = (key.expires_at - now) / 86_400
    return f"live, {days:.0f} d left" if days >= 2 else f"live, {days * 24:.0f} h left"
