"""`antiphon reservations`: windows of a target that are booked for a workspace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.command import anywhere
from antiphon.cli.shell import Shell

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.domain.queues import Reservation

app = typer.Typer(help="Windows of a target that are booked for a workspace.")


@app.callback(invoke_without_command=True)
@anywhere
def _bare(shell: Shell) -> None:
    """Windows of a target that are booked for a workspace. Alone, it lists."""
    _list(shell, None)


@app.command("list")
@anywhere
def list_all(
    shell: Shell, target: Annotated[str | None, typer.Option(help="Only those of this target.")] = None
) -> None:
    """List windows that are open or to come."""
    _list(shell, target)


@app.command("add")
@anywhere
def add(
    shell: Shell,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A target with slots.", show_default=False)],
    starts: Annotated[str, typer.Option("--from", metavar="TIME", help="ISO 8601, or 2h from now.")],
    ends: Annotated[str, typer.Option("--to", metavar="TIME", help="ISO 8601, or 2h after its start.")],
    workspace: Annotated[str | None, typer.Option("--workspace", metavar="NAME", help="For whom.")] = None,
    note: Annotated[str, typer.Option(help="What for.")] = "",
) -> None:
    """Book a window: meanwhile nobody else's jobs start there.

    Times are UTC unless they say otherwise. On a server this is for operators of the service.
    """
    from antiphon.client.wire.queues import reservation_to_json

    first = _time(starts, time.time(), "--from")
    last = _time(ends, first, "--to")
    with shell.look() as here:
        booked = here.reserve(target, first, last, workspace=workspace, note=note)
        shell.data(reservation_to_json(booked), lambda: _table([booked]))


@app.command("cancel")
@anywhere
def cancel(
    shell: Shell,
    reservation_id: Annotated[
        str, typer.Argument(metavar="ID", help="The reservation's id, or enough of its beginning.", show_default=False)
    ],
) -> None:
    """Give a window back, also while it is open."""
    from antiphon.cli.administration import only_one
    from antiphon.client.wire.queues import reservation_to_json
    from antiphon.errors import NotFoundError

    with shell.look() as here:
        ids = [each.id for each in here.reservations() if each.id]
        try:
            found = only_one("reservation", reservation_id, ids)
        except NotFoundError:
            found = reservation_id  # one that is over, or cancelled already
        gone = here.cancel_reservation(found)
        shell.data(reservation_to_json(gone), lambda: f"The reservation {gone.id} is cancelled.")


def _list(shell: Shell, target: str | None) -> None:
    from antiphon.client.wire.queues import reservation_to_json

    with shell.look() as here:
        found = here.reservations(target)
        none = f"Nothing is booked. Book a window: {shell.command('reservations add TARGET --from 1h --to 2h')}"
        shell.data([reservation_to_json(each) for each in found], lambda: _table(found) if found else none)


def _table(found: list[Reservation]) -> RenderableType:
    from rich.text import Text

    from antiphon.cli.administration import plain_table
    from antiphon.cli.tables import whole_but
    from antiphon.client.wire.times import to_iso

    table = plain_table(("id", "target", "for", "from (UTC)", "to (UTC)", "note"), "note")
    this_year = (to_iso(time.time()) or "")[:5]
    for each in found:
        starts, ends = (
            (to_iso(at) or "")[:16].replace("T", " ").removeprefix(this_year) for at in (each.starts_at, each.ends_at)
        )
        table.add_row(
            each.id or "-",
            each.target,
            each.workspace or "others",
            starts,
            ends.removeprefix(starts[:-5]),
            Text(each.note),
        )
    return whole_but(table, "note")


def _time(text: str, after: float, flag: str) -> float:
    from antiphon.cli.administration import seconds_of
    from antiphon.client.wire.times import from_iso

    try:
        return after + seconds_of(text)
    except typer.BadParameter:
        pass
    try:
        return from_iso(text) or 0.0
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time; write 2026-01-31T12:00Z, or a span such as 2h.", param_hint=flag
        ) from None
