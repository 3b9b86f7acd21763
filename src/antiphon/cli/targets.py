"""`antiphon targets`: what jobs can run on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.command import anywhere
from antiphon.cli.shell import Shell
from antiphon.cli.target_device import calibrations, drift, machine_rows
from antiphon.cli.target_life import life
from antiphon.cli.target_queue import prices, set_policy
from antiphon.cli.target_verify import badge_line, verify

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.client.target import Target
    from antiphon.engine.queues.overview import QueueOverview
    from antiphon.ports.queue_store import StoredPriceList

app = typer.Typer(help="What jobs can run on.", invoke_without_command=True)


@app.callback(invoke_without_command=True)
@anywhere
def _bare(shell: Shell) -> None:
    """What jobs can run on. Alone, it lists."""
    _list(shell)


@app.command("list")
@anywhere
def list_targets(shell: Shell) -> None:
    """List every target with its width, status and queue."""
    _list(shell)


@app.command("show")
@anywhere
def show(
    shell: Shell,
    name: Annotated[str, typer.Argument(metavar="TARGET", help="Its name, e.g. sim.auto.")],
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw the device there: qubits and pairs by their errors.")
    ] = None,
) -> None:
    """Show one target: limits, profile, options, its queue and prices."""
    from antiphon.cli.describe import describe_target
    from antiphon.client.wire.queues import prices_to_json, queue_to_json
    from antiphon.engine.best import BEST

    with shell.look() as workspace:
        target = workspace.target(name)
        if name == BEST:
            shell.data(target.info.to_json(), lambda: _choice(target))
            return
        if picture is not None:
            shell.note(f"drawn: {target.draw().save(picture)}")
        view, stored = target.queue(), target.prices()
        data = {**describe_target(target), "queue": queue_to_json(view), "prices": prices_to_json(name, stored)}
        shell.data(data, lambda: _page(target, view, stored))


app.command("set")(anywhere(set_policy))
app.command("prices")(anywhere(prices))
app.command("calibrations")(anywhere(calibrations))
app.command("drift")(anywhere(drift))
app.command("life")(anywhere(life))
app.command("verify")(anywhere(verify))


def _list(shell: Shell) -> None:
    from antiphon.cli.describe import describe_target

    with shell.look() as workspace:
        targets = workspace.targets()
        shell.data([describe_target(target) for target in targets], lambda: _table(targets))


def _table(targets: list[Target]) -> RenderableType:
    from antiphon.cli.tables import targets_table

    return targets_table(targets)


def _page(target: Target, view: QueueOverview, stored: StoredPriceList | None) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from antiphon.cli.tables import facts_table, status_text
    from antiphon.cli.target_queue import price_rows, queue_rows

    info = target.info
    rows = {
        "target": Text(info.name, style="bold"),
        "what it is": info.description,
        "status": status_text(info.status).append(f": {info.status_reason}" if info.status_reason else ""),
        "kind": f"{info.kind} of {info.provider}, version {info.version}",
        "profile": f"{info.profile.value}: the most classical control a program may use",
        "qubits": f"up to {info.limits.max_qubits:,}",
        "shots": f"up to {info.limits.max_shots:,}",
        "expectation values": "yes" if info.estimates else "no",
        "noise models": "yes" if info.takes_noise else "no",
        "contract kit": badge_line(target.badge, info.version) or f"never run: targets verify {info.name}",
    }
    parts: list[RenderableType] = [facts_table(rows)]
    if info.device is not None:
        parts += [Text("\nthe machine", style="dim"), facts_table(machine_rows(info.device))]
    parts += [Text("\nqueue", style="dim"), facts_table(queue_rows(view))]
    if stored is not None:
        head = f"\nprices in {stored.body['currency']}, version {stored.version}"
        parts += [Text(head, style="dim"), facts_table(price_rows(stored))]
    return Group(*parts, *_options(target))


def _choice(target: Target) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from antiphon.cli.tables import facts_table

    rows = {"target": Text(target.name, style="bold"), "what it is": target.info.description}
    return Group(facts_table(rows), *_options(target))


def _options(target: Target) -> list[RenderableType]:
    from rich.text import Text

    from antiphon.cli.tables import facts_table
    from antiphon.engine.calibrations import options_of_jobs

    return [Text("\noptions (submit … --option name=value)", style="dim"), facts_table(options_of_jobs(target.info))]
