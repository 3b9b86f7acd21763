"""`antiphon targets calibrations, drift`: devices over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.shell import Shell
from antiphon.domain.shown import span

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from antiphon.domain.calibrations import Calibration
    from antiphon.domain.devices import DeviceShape
    from antiphon.domain.policies.changes import Change, DeviceDrift

BLOCKS = "▁▂▃▄▅▆▇█"
Name = Annotated[str, typer.Argument(metavar="TARGET", help="Its name, e.g. emu.heron.")]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="ISO 8601, e.g. 2026-01-31T12:00Z, or how long before now: 2h, 3d.")
]


def calibrations(
    shell: Shell,
    name: Name,
    since: Since = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="So many at most.")] = 10,
    picture: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Draw there how the figures went.")] = None,
) -> None:
    """List the calibrations of a device, newest first: the medians of its figures, and how they went."""
    from antiphon.client.calibration_history import calibration_history
    from antiphon.client.wire.devices import calibration_to_json

    with shell.look() as workspace:
        found = workspace.target(name).calibrations(since, limit)
        if picture is not None:
            shell.note(f"drawn: {calibration_history(name, found).save(picture)}")
        shell.data([calibration_to_json(each) for each in found], lambda: _calibrations(found))


def drift(
    shell: Shell,
    name: Name,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A program: say whether the change matters for it.")
    ] = None,
    since: Since = None,
) -> None:
    """Say what changed on a device since a time, or since the calibration before the newest, and whether it matters."""
    from antiphon.cli.submit import check_there
    from antiphon.client.wire.devices import drift_to_json

    if file is not None:
        check_there(file)
    with shell.look() as workspace:
        found = workspace.target(name).drift(file, since)
        shell.data(drift_to_json(found), lambda: _drift(found))


def machine_rows(shape: DeviceShape) -> dict[str, str]:
    """What a machine is and takes, each limit with its source."""
    coupled = len({frozenset(pair) for pair in shape.coupling})
    rows = {
        "family": shape.family,
        "native gates": ", ".join(shape.native_gates),
        "joined": f"{coupled:,} pairs" if coupled else "every pair",
    }
    for limit in shape.limits:
        source = limit.source if limit.published or limit.source.startswith("Assumed") else f"Assumed: {limit.source}"
        rows[limit.of.value.replace("-", " ")] = f"{limit.most_text} {limit.of.words}. {source}"
    if shape.shot_pause_source:
        rows["between shots"] = f"{span(shape.shot_pause_s)}. {shape.shot_pause_source}"
    if shape.dt_s is not None:
        rows["dt"] = f"{shape.dt_s * 1e9:.4g} ns, in which Qiskit gives delays"
    return rows


def _calibrations(found: Sequence[Calibration]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from antiphon.cli.describe import iso
    from antiphon.cli.tables import facts_table
    from antiphon.domain.policies.changes import figure_text, medians

    table = _table("published", *_HEADINGS.values(), "digest")
    for each in found:
        values = medians(each)
        table.add_row(
            (iso(each.taken_at) or "")[:16].replace("T", " "),
            *(figure_text(figure, values[figure]) if figure in values else "" for figure in _HEADINGS),
            each.digest[7:15],
        )
    parts: list[RenderableType] = [table]
    if len(found) > 2:
        rows = {}
        for figure in _HEADINGS:
            path = [medians(each).get(figure, 0.0) for each in reversed(found)]
            rows[figure] = f"{sparkline(path)}  {figure_text(figure, min(path))} to {figure_text(figure, max(path))}"
        parts += [Text("\nmedians, oldest first", style="dim"), facts_table(rows)]
    parts.append(Text(f"\n{found[0].source}", style="dim"))
    return Group(*parts)


def _drift(found: DeviceDrift) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from antiphon.cli.describe import iso

    table = _table("median", "then", "now", "", "worst")
    for change in found.changes:
        table.add_row(*_row(change))
    times = f"{(iso(found.since_at) or '')[:16]}Z to {(iso(found.until_at) or '')[:16]}Z".replace("T", " ")
    parts: list[RenderableType] = [Text(f"{found.target}, {times}", style="dim"), table]
    if found.verdict:
        style = "yellow" if found.matters else ""
        parts.append(Text(f"\n{found.verdict}", style=style))
    return Group(*parts)


def _table(*headings: str) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=heading != "worst", overflow="fold")
    return table


def _row(change: Change) -> tuple[str, ...]:
    from antiphon.domain.policies.changes import figure_text

    ratio = change.now / change.then if change.then > 0 else 1.0
    worst = ""
    if change.worst:
        was, became = figure_text(change.figure, change.worst_then), figure_text(change.figure, change.worst_now)
        worst = f"{change.worst}: {was} to {became}"
    then, now = figure_text(change.figure, change.then), figure_text(change.figure, change.now)
    return change.figure, then, now, f"{ratio - 1:+.0%}", worst


def sparkline(values: Sequence[float]) -> str:
    """A line of blocks, lowest for the least value."""
    low, high = min(values), max(values)
    if high <= low:
        return BLOCKS[0] * len(values)
    return "".join(BLOCKS[min(7, int(8 * (value - low) / (high - low)))] for value in values)


_HEADINGS = {
    "T1": "T1",
    "T2": "T2",
    "readout error": "readout",
    "1-qubit gate error": "1q",
    "2-qubit gate error": "2q",
}
