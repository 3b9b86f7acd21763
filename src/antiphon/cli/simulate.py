"""`antiphon simulate`: policies of the queues side by side, on a virtual clock, before one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.cli.administration import seconds_of
from antiphon.cli.shell import Shell
from antiphon.domain.queues import Access

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.simulation.lineup import Entry
    from antiphon.simulation.measure import Report
    from antiphon.simulation.played import Played
    from antiphon.simulation.targets import SimTarget
    from antiphon.simulation.workload import Workload

_ARRIVALS = "Arrivals"
_PARAMETERS = "Parameters of our own policy"


def simulate(
    shell: Shell,
    jobs: Annotated[
        str, typer.Option(metavar="N", help="How many jobs; 1e6 is a million.", rich_help_panel=_ARRIVALS)
    ] = "1e5",
    users: Annotated[
        int, typer.Option(min=1, help="How many users, a few of whom ask for most.", rich_help_panel=_ARRIVALS)
    ] = 1_000,
    targets: Annotated[
        int, typer.Option(min=1, help="How many targets, with outages and calibrations.", rich_help_panel=_ARRIVALS)
    ] = 20,
    slots: Annotated[
        int, typer.Option(min=1, help="Jobs that a target runs at a time.", rich_help_panel=_ARRIVALS)
    ] = 1,
    load: Annotated[
        float,
        typer.Option(
            min=0.01, max=10.0, help="Work asked for, as a part of what all targets can do.", rich_help_panel=_ARRIVALS
        ),
    ] = 0.85,
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Play a recorded trace instead (see `trace export`).", rich_help_panel=_ARRIVALS
        ),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(
            min=0.01, max=1_000.0, help="A trace's jobs come so many times as fast.", rich_help_panel=_ARRIVALS
        ),
    ] = 1.0,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:KEY=VALUE,…]",
            help="antiphon, fifo, priority, round-robin or random-user; repeatable. Keys are the parameters below.",
        ),
    ] = None,
    access: Annotated[
        Access, typer.Option(help="What sessions get of a target.", rich_help_panel=_PARAMETERS)
    ] = Access.SHARED,
    gap: Annotated[
        str,
        typer.Option(
            metavar="SPAN", help="An exclusive hold ends without a job for so long.", rich_help_panel=_PARAMETERS
        ),
    ] = "60s",
    patience: Annotated[
        str, typer.Option(metavar="SPAN", help="A job is old after so long.", rich_help_panel=_PARAMETERS)
    ] = "1h",
    aged_every: Annotated[
        int, typer.Option(min=1, help="Of so many starts one is the oldest old job.", rich_help_panel=_PARAMETERS)
    ] = 4,
    window: Annotated[
        str, typer.Option(metavar="SPAN", help="Use counts for fair shares about so long.", rich_help_panel=_PARAMETERS)
    ] = "28d",
    quantum: Annotated[
        str, typer.Option(metavar="SPAN", help="A batch gives way after so long.", rich_help_panel=_PARAMETERS)
    ] = "30s",
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.")] = 0,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the waits there (.svg or .png).")] = None,
) -> None:
    """Compare policies of the queues on a virtual clock."""
    from antiphon.simulation.lineup import line_up

    given = {
        "access": access.value,
        "gap": gap,
        "patience": patience,
        "aged-every": str(aged_every),
        "window": window,
        "quantum": quantum,
    }
    entries = line_up(policy or ["antiphon", "fifo", "priority"], given, span_of)
    if plot is not None:
        from antiphon.cli.simulate_plot import check_plot

        check_plot(plot)
    workload, sims = _arrivals(trace, speed, seed, slots, jobs=_count_of(jobs), users=users, targets=targets, load=load)
    played, reports = _play(shell, workload, sims, entries, seed)
    drawn = None
    if plot is not None:
        from antiphon.cli.simulate_plot import draw_waits

        drawn = draw_waits(played, plot)
    about = _about(workload, sims, trace, seed)
    shell.data(
        {
            **about,
            "plot": str(drawn) if drawn else None,
            "policies": [_to_json(*pair) for pair in zip(entries, reports, strict=True)],
        },
        lambda: _tables(about, reports, drawn),
    )


def span_of(text: str) -> float:
    """Seconds, as a number or as a span such as "90min".

    Raises:
        BadParameter: It is neither.
    """
    try:
        return float(text)
    except ValueError:
        return seconds_of(text)


def _count_of(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 1 <= number <= 1e8 or number != int(number):
        raise typer.BadParameter(f"{text!r} is no number of jobs from 1 to 1e8.", param_hint="--jobs")
    return int(number)


def _arrivals(
    trace: Path | None, speed: float, seed: int, slots: int, **mixture: Any
) -> tuple[Workload, Sequence[SimTarget]]:
    from antiphon.simulation.arrivals import Mixture, synthesise
    from antiphon.simulation.targets import SimTarget
    from antiphon.simulation.trace_files import read_trace
    from antiphon.simulation.workload import sped_up, workload_of

    if trace is None:
        return synthesise(Mixture(slots=slots, **mixture), seed)
    workload = sped_up(workload_of(read_trace(trace)), speed)
    if not len(workload):
        raise typer.BadParameter(f"no job in {trace} ever ran.", param_hint="--trace")
    return workload, [SimTarget(slots=slots) for _ in workload.targets]


def _play(
    shell: Shell, workload: Workload, sims: Sequence[SimTarget], entries: Sequence[Entry], seed: int
) -> tuple[list[Played], list[Report]]:
    from antiphon.simulation.measure import measure
    from antiphon.simulation.run import play

    played, reports = [], []
    for entry in entries:
        with _progress(shell, entry.name, len(workload)) as progress:
            one = play(workload, sims, entry.contender, entry.policy, name=entry.name, seed=seed, progress=progress)
        played.append(one)
        reports.append(measure(one, sims))
    return played, reports


@contextmanager
def _progress(shell: Shell, name: str, total: int) -> Iterator[Callable[[int], None]]:
    if shell.quiet or not shell.err.is_terminal:
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=shell.err, transient=True) as bar:
        task = bar.add_task(name, total=total)
        yield lambda done: bar.advance(task, done)


def _about(workload: Workload, sims: Sequence[SimTarget], trace: Path | None, seed: int) -> dict[str, Any]:
    begin, end = workload.span
    return {
        "jobs": len(workload),
        "users": len(workload.users),
        "workspaces": len(workload.workspaces),
        "targets": len(workload.targets),
        "sessions": len(workload.session_closes),
        "outages": sum(closure.is_outage and closure.starts_at < end for sim in sims for closure in sim.closures),
        "arrivals_s": end - begin,
        "trace": str(trace) if trace is not None else None,
        "left_out": workload.left_out,
        "seed": seed,
    }


def _to_json(entry: Entry, report: Report) -> dict[str, Any]:
    parameters = asdict(entry.policy)
    kept = ("access", "gap_s", "window_s", "patience_s", "aged_every", "quantum_s")
    return {**report.to_json(), "parameters": {name: parameters[name] for name in kept}}


def _tables(about: dict[str, Any], reports: Sequence[Report], drawn: Path | None) -> Any:
    from antiphon.cli.simulate_tables import report_page

    return report_page(about, reports, drawn)
