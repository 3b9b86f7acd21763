"""`antiphon targets life`: which devices live, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.cli.shell import Shell
from antiphon.errors import LimitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from antiphon.client.target import Target


def life(
    shell: Shell,
    name: Annotated[str | None, typer.Argument(metavar="TARGET", help="Its name, e.g. emu.heron.")] = None,
    profile: Annotated[
        str | None, typer.Argument(metavar="LIFE", help="quiet, busy, bad-day; or off, to stand still.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another history.")] = 0,
) -> None:
    """Say how emulated devices live, or give one a life: a queue with other tenants, drift, outages.

    The folder remembers a life, and a server takes it with its next start; antiphon serve --life does both at once.
    """
    if name is None or profile is None:
        _show(shell, name)
        return
    if shell.server is not None:
        raise LimitError(
            f"The devices of {shell.server} get their lives where it is started.",
            code="life-of-a-server",
            next_step=f"Start it with --life {name}={profile}:{seed}; or give --home DIR, to change a folder.",
        )
    from antiphon import emu
    from antiphon.client.workspace import Workspace

    device = emu.device(name, None if profile == "off" else profile, seed=seed)
    with Workspace(shell.home, dispatch=False, targets=[device]) as workspace:
        info = workspace.target(name).info
        shell.data({"name": info.name, "version": info.version, "life": profile}, lambda: info.description)


def _show(shell: Shell, name: str | None) -> None:
    with shell.look() as workspace:
        targets = [workspace.target(name)] if name is not None else workspace.targets()
        devices = [target for target in targets if target.kind == "emulator" or name is not None]
        shell.data([_described(target) for target in devices], lambda: _table(devices))


def _described(target: Target) -> dict[str, Any]:
    from antiphon.domain.policies.life import life_in

    lives = life_in(target.info.version)
    return {
        "name": target.name,
        "version": target.info.version,
        "life": "off" if lives is None else lives[0],
        "seed": None if lives is None else lives[1],
        "status": target.status,
        "status_reason": target.info.status_reason,
        "queue_depth": target.queue_depth,
        "expected_wait_s": target.expected_wait,
    }


def _table(devices: Sequence[Target]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    from antiphon.cli.tables import duration, status_text, whole_but

    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("target", "life", "seed", "status", "queue", "wait", "why"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for target in devices:
        told = _described(target)
        lives = told["seed"] is not None
        table.add_row(
            target.name,
            told["life"] if lives else Text("off", style="dim"),
            str(told["seed"]) if lives else "-",
            status_text(target.status),
            str(target.queue_depth),
            duration(target.expected_wait),
            Text(told["status_reason"]),
        )
    return whole_but(table, "why")
