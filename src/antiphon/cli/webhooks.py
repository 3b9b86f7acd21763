"""`antiphon webhooks`: who is told of the ends of jobs, and how that went."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from antiphon.cli.administration import WorkspaceName, engine_here, me, only_one, plain_table
from antiphon.cli.command import command
from antiphon.cli.shell import Shell
from antiphon.domain.webhooks import Delivery, DeliveryStatus, Endpoint

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(help="Webhooks: who is told when jobs and sessions end. A server of this folder sends them.")


@app.callback(invoke_without_command=True)
@command
def _bare(shell: Shell) -> None:
    """Webhooks: who is told when jobs and sessions end. Alone, it lists."""
    _list(shell, "default")


@app.command("list")
@command
def list_all(shell: Shell, workspace: WorkspaceName = "default") -> None:
    """List the webhooks of a workspace, oldest first."""
    _list(shell, workspace)


@app.command("deliveries")
@command
def deliveries(
    shell: Shell,
    webhook: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One webhook's id, or its beginning.", show_default=False)
    ] = None,
    workspace: WorkspaceName = "default",
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only those that stand so.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many, the newest.")] = 50,
) -> None:
    """Show what was sent and what is to be sent, newest first."""
    from antiphon.client.wire.webhooks import delivery_to_json
    from antiphon.engine.webhooks import list_deliveries, list_endpoints
    from antiphon.ports.webhook_store import DeliveryQuery

    with engine_here(shell) as ctx:
        known = (each.id for each in list_endpoints(ctx, workspace))
        endpoint = None if webhook is None else only_one("webhook", webhook, known)
        found = list_deliveries(ctx, DeliveryQuery(workspace, endpoint, status, limit=limit))
    shell.data(
        [delivery_to_json(each) for each in found],
        lambda: _deliveries(found) if found else "No deliveries are like that.",
    )


@app.command("replay")
@command
def replay(
    shell: Shell,
    delivery: Annotated[str, typer.Argument(metavar="ID", help="The delivery's whole id.", show_default=False)],
    workspace: WorkspaceName = "default",
) -> None:
    """Let a delivery be sent again, with the same webhook-id, by a server of this folder."""
    from antiphon.client.wire.webhooks import delivery_to_json
    from antiphon.engine.webhooks import replay_delivery

    with engine_here(shell) as ctx:
        again = replay_delivery(ctx, workspace=workspace, delivery_id=delivery, by=me())
    shell.data(delivery_to_json(again), lambda: f"{again.id} is sent again as soon as a server runs on this folder.")


def _list(shell: Shell, workspace: str) -> None:
    from antiphon.client.wire.webhooks import endpoint_to_json
    from antiphon.engine.webhooks import list_endpoints

    with engine_here(shell) as ctx:
        found = list_endpoints(ctx, workspace)
    shell.data(
        [endpoint_to_json(each) for each in found],
        lambda: _endpoints(found) if found else "No webhooks here. Make one with POST /v1/webhooks of a server.",
    )


def _endpoints(found: list[Endpoint]) -> RenderableType:
    from rich.text import Text

    from antiphon.cli.tables import age, whole_but

    table = plain_table(("id", "host", "events", "made", "state"), "events")
    for each in found:
        state = "on" if each.disabled_at is None else f"off: {each.disabled_because}"
        host = Text(urlsplit(each.url).hostname or "")
        table.add_row(each.id, host, " ".join(each.events) or "all", age(each.created_at, time.time()), state)
    return whole_but(table, "events")


def _deliveries(found: list[Delivery]) -> RenderableType:
    from rich.text import Text

    from antiphon.cli.tables import age, whole_but

    table = plain_table(("id", "event", "of", "made", "tries", "state", "last answer"), "last answer", ("tries",))
    for each in found:
        last = each.last_error or (str(each.last_status) if each.last_status is not None else "")
        made = age(each.created_at, time.time())
        table.add_row(each.id, each.type, each.subject, made, str(each.attempts), each.status.value, Text(last))
    return whole_but(table, "last answer")
