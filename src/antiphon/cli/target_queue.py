"""`antiphon targets set` and `prices`, and how a queue looks to people."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.cli.shell import Shell
from antiphon.domain.queues import Access, Priority

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.engine.queues.overview import QueueOverview
    from antiphon.ports.queue_store import StoredPriceList

TargetName = Annotated[str, typer.Argument(metavar="TARGET", help="Its name, e.g. sim.auto.", show_default=False)]
STDIN = Path("-")


def _seconds(text: str | None, flag: str) -> float | None:
    from antiphon.cli.administration import seconds_of

    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return seconds_of(text)
    except typer.BadParameter:
        raise typer.BadParameter(
            f"{text!r} is no length of time; write seconds, or 30min, 12h, 28d.", param_hint=flag
        ) from None


def set_policy(
    shell: Shell,
    name: TargetName,
    slots: Annotated[
        str | None, typer.Option(metavar="N", help="So many jobs run at a time; none: as there are workers.")
    ] = None,
    access: Annotated[Access | None, typer.Option(help="What a session gets; others than shared need slots.")] = None,
    gap: Annotated[
        str | None, typer.Option(metavar="TIME", help="An exclusive hold ends when no job of it came for so long.")
    ] = None,
    quantum: Annotated[
        str | None, typer.Option(metavar="TIME", help="A batch gives way after so much running.")
    ] = None,
    patience: Annotated[str | None, typer.Option(metavar="TIME", help="A job that waited for so long is old.")] = None,
    aged_every: Annotated[
        int | None, typer.Option(metavar="N", help="Of every so many starts one is the oldest job, once it is old.")
    ] = None,
    window: Annotated[
        str | None, typer.Option(metavar="TIME", help="Use counts for fair shares over this time.")
    ] = None,
) -> None:
    """Decide how the queue of a target is run.

    It counts from the next start on; what is not given stays. On a server this is for operators of the service. A time
    is seconds, or like 30min, 12h, 28d.
    """
    given = {
        "slots": slots,
        "access": access,
        "gap_s": _seconds(gap, "--gap"),
        "quantum_s": _seconds(quantum, "--quantum"),
        "patience_s": _seconds(patience, "--patience"),
        "aged_every": aged_every,
        "window_s": _seconds(window, "--window"),
    }
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise typer.BadParameter("say what shall change, e.g. --slots 1 --access exclusive.")
    if slots is not None:
        changes["slots"] = _slots(slots)
    if access is not None:
        changes["access"] = access.value
    from antiphon.client.wire.queues import queue_to_json

    with shell.look() as workspace:
        view = workspace.target(name).set_queue(**changes)
        shell.data(queue_to_json(view), lambda: queue_page(view))


def _slots(text: str) -> int | None:
    if text.lower() == "none":
        return None
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number; write 1, 2, … or none.", param_hint="--slots") from None


def prices(
    shell: Shell,
    name: TargetName,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A price list in JSON, to set; a dash reads stdin.", show_default=False),
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Set what the vendor of the emulated machine has published.")
    ] = False,
) -> None:
    """Show what a target charges, or set it.

    A list counts for jobs submitted from then on; '{"currency": "EUR"}' makes the target free of charge. On a server
    setting is for operators of the service.
    """
    from antiphon.client.wire.queues import prices_to_json

    if published and file is not None:
        raise typer.BadParameter("give a file or --published, not both.", param_hint="FILE")
    given = _published(name) if published else None if file is None else _price_list(file)
    with shell.look() as workspace:
        target = workspace.target(name)
        stored = target.prices() if given is None else target.set_prices(given)
        shell.data(prices_to_json(name, stored), lambda: prices_page(shell, name, stored))


def _published(name: str) -> dict[str, Any]:
    from antiphon.composition import published_prices

    found = published_prices()
    if name not in found:
        raise typer.BadParameter(
            f"no price of {name} is published; there are those of {', '.join(found)}.", param_hint="--published"
        )
    return dict(found[name])


def _price_list(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(sys.stdin.read() if file == STDIN else file.read_text())
    except OSError as error:
        raise typer.BadParameter(f"{str(file)!r} cannot be read: {error.strerror}.", param_hint="FILE") from None
    except ValueError as error:
        raise typer.BadParameter(f"{str(file)!r} is no JSON: {error}.", param_hint="FILE") from None
    if not isinstance(found, dict):
        raise typer.BadParameter("a price list is a JSON object.", param_hint="FILE")
    return found


def prices_page(shell: Shell, name: str, stored: StoredPriceList | None) -> RenderableType:
    """A price list for people: what is not free."""
    from rich.console import Group
    from rich.text import Text

    from antiphon.cli.tables import facts_table

    if stored is None:
        return f"{name} has no prices. Set some: {shell.command(f'targets prices {name} FILE')}"
    head = f"version {stored.version}, in {stored.body['currency']}"
    return Group(Text(f"{name}: {head}", style="bold"), facts_table(price_rows(stored)))


def price_rows(stored: StoredPriceList) -> dict[str, str]:
    """What of a price list is not free, by name."""
    rows = {}
    for name, value in stored.body.items():
        if name in ("currency", "when_failed", "task_unit") or value in (None, "", 0, {}):
            continue
        text = ", ".join(f"{key} x {factor:g}" for key, factor in value.items()) if isinstance(value, dict) else value
        rows[name.replace("_", " ")] = f"{text:,.6g}" if isinstance(text, int | float) else str(text)
    return rows or {"prices": "free of charge"}


def queue_page(view: QueueOverview) -> RenderableType:
    """Where a queue stands, for people."""
    from antiphon.cli.tables import facts_table

    return facts_table({"target": view.policy.target, **queue_rows(view)})


def queue_rows(view: QueueOverview) -> dict[str, Any]:
    """Where a queue stands and how it is run, by name."""
    from antiphon.cli.tables import age
    from antiphon.client.wire.times import to_iso
    from antiphon.domain.policies.estimates import in_levels
    from antiphon.domain.queues import Reservation
    from antiphon.domain.shown import span
    from antiphon.engine.queues.overview import CLASSES, held_by

    policy = view.policy
    waiting = sum(each.jobs for each in view.waiting)
    by_class = ", ".join(f"{each.jobs:,} {CLASSES[each.rank]}" for each in view.waiting if each.jobs)
    access = policy.access.value
    if policy.access is Access.EXCLUSIVE:
        access += f", held while jobs come within {span(policy.gap_s)}"
    elif policy.access is Access.DEDICATED:
        access += ", held until the session is closed"

    def booked(window: Reservation | None) -> str | None:
        if window is None:
            return None
        whose = window.workspace or "another workspace"
        return f"{(to_iso(window.starts_at) or '')[:16]} to {(to_iso(window.ends_at) or '')[:16]} UTC for {whose}"

    def until(at: float | None) -> str:
        return "" if at is None else f", until {(to_iso(at) or '')[11:19]} UTC unless a job of it comes"

    hold = view.hold
    shares = [each for each in view.shares if not each.user]
    scores = {"wait": view.coverage.wait, "run": view.coverage.run, "cost": view.coverage.cost}
    return {
        "slots": "as many as there are workers" if policy.slots is None else policy.slots,
        "running": view.running,
        "waiting": f"{waiting:,} ({by_class})" if waiting else "none",
        "access": access,
        "held by": None if hold is None else f"{held_by(hold)}, since {age(hold.since or 0.0)}{until(hold.until)}",
        "booked now": booked(view.reservation),
        "booked next": booked(view.next_reservation),
        **{f"wait, {priority.value}": in_levels(view.waits[priority]) for priority in Priority},
        **{f"{name} bounds": held.in_words() for name, held in scores.items() if held.jobs or name == "wait"},
        "quantum": f"a batch gives way after {span(policy.quantum_s)}",
        "patience": f"after {span(policy.patience_s)} one of every {policy.aged_every} starts is the oldest job",
        "shares": ", ".join(f"{each.workspace} {each.fraction:.0%}" for each in shares[:8]) or None,
    }
