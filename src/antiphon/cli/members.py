"""`antiphon members`: people and services that an OpenID token may act as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.administration import WorkspaceName, Yes, confirm, engine_here, make_workspace, me, plain_table
from antiphon.cli.command import command
from antiphon.cli.shell import Shell
from antiphon.domain.identity import Member, Role

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(help="Members of a workspace, who sign in with an OpenID provider.")

Subject = Annotated[
    str, typer.Argument(help='"<issuer>#<sub>" of its tokens, or its verified e-mail address.', show_default=False)
]


@app.callback(invoke_without_command=True)
@command
def _bare(shell: Shell) -> None:
    """Members of a workspace, who sign in with an OpenID provider. Alone, it lists."""
    _list(shell, "default")


@app.command("list")
@command
def list_all(shell: Shell, workspace: WorkspaceName = "default") -> None:
    """List members by name."""
    _list(shell, workspace)


@app.command("add")
@command
def add(
    shell: Shell,
    subject: Subject,
    role: Annotated[Role, typer.Option(help="What it may do; each role may do what the ones before it may.")],
    name: Annotated[str | None, typer.Option(help="What to show; the subject unless given.")] = None,
    workspace: WorkspaceName = "default",
) -> None:
    """Add a member, or change its role."""
    from antiphon.client.wire.access import member_to_json
    from antiphon.engine.access.members import save_member

    with engine_here(shell) as ctx:
        make_workspace(shell, ctx, workspace)
        member, _ = save_member(ctx, workspace=workspace, subject=subject, role=role, name=name, by=me())
    shell.data(member_to_json(member), lambda: f"{member.name} is {member.role.value} in {workspace}.")


@app.command("remove")
@command
def remove(shell: Shell, subject: Subject, workspace: WorkspaceName = "default", yes: Yes = False) -> None:
    """Take a member out of the workspace; its jobs stay."""
    from antiphon.client.wire.access import member_to_json
    from antiphon.engine.access.members import get_member, remove_member

    with engine_here(shell) as ctx:
        member = get_member(ctx, workspace, subject)
        confirm(f"Take {member.name} out of {workspace}?", yes=yes)
        remove_member(ctx, workspace=workspace, subject=subject, by=me())
    shell.data(member_to_json(member), lambda: f"{member.name} is no member of {workspace} any more.")


def _list(shell: Shell, workspace: str) -> None:
    from antiphon.client.wire.access import member_to_json
    from antiphon.engine.access.members import list_members

    with engine_here(shell) as ctx:
        members = list_members(ctx, workspace)
    shell.data(
        [member_to_json(member) for member in members],
        lambda: (
            _table(members)
            if members
            else f"No members here yet. Add one: {shell.command('members add SUBJECT --role submitter')}"
        ),
    )


def _table(members: list[Member]) -> RenderableType:
    from rich.text import Text

    from antiphon.cli.tables import age, whole_but

    table = plain_table(("name", "role", "subject", "added"), "subject")
    for member in members:
        added = f"{age(member.added_at)} by {member.added_by}"
        table.add_row(Text(member.name), member.role.value, Text(member.subject), Text(added))
    return whole_but(table, "subject")
