"""How the demo looks: a live picture on a terminal, a short log elsewhere, and the summary."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from antiphon.cli.tables import duration

if TYPE_CHECKING:
    from antiphon.cli.demo_loop import Progress
    from antiphon.cli.shell import Shell
    from antiphon.molecules import Molecule

CHEMICAL_ACCURACY = 1.6e-3
"""Hartree: the error that chemistry can live with, 1 kcal/mol."""
ROWS, COLUMNS = 12, 60
READABLE = 108
"""Columns of running text."""
BESIDE = 42
"""Columns that the numbers beside the chart take, with the frame."""
EVERY = 20
"""Without a terminal, one line for so many evaluations."""


@contextmanager
def showing(shell: Shell, molecule: Molecule) -> Iterator[Callable[[Progress], None]]:
    """Show the loop on stderr while the block runs: call what is given after each evaluation."""
    if shell.quiet or shell.as_json:
        yield lambda _: None
    elif shell.err.is_terminal:
        from rich.live import Live

        # Loading the simulator takes a moment, the first time several seconds.
        with Live(Text("loading the simulator …", style="dim"), console=shell.err, refresh_per_second=20) as live:
            yield lambda progress: live.update(picture(progress, molecule, shell.err.width))
    else:
        yield lambda progress: _line(shell, progress, molecule)


def picture(progress: Progress, molecule: Molecule, width: int) -> RenderableType:
    """The energies so far as a chart, and the numbers beside it, in so many columns."""
    energy, best = progress.energies[-1], progress.best
    numbers = Table(box=None, show_header=False, pad_edge=False)
    numbers.add_column(style="dim", no_wrap=True)
    numbers.add_column(justify="right", no_wrap=True)
    numbers.add_row("evaluation", str(len(progress.energies)))
    numbers.add_row("energy", f"{energy:+.6f} Ha")
    numbers.add_row("best", f"{best:+.6f} Ha")
    numbers.add_row("exact", f"{molecule.exact_energy:+.6f} Ha")
    numbers.add_row("error", _error(best, molecule))
    if progress.replayed:
        numbers.add_row("from record", str(progress.replayed))
    numbers.add_row("", "")
    for name, seconds in progress.stages.items():
        numbers.add_row(name, f"{duration(seconds / len(progress.energies))}/job")
    side_by_side = Table.grid(padding=(0, 3))
    side_by_side.add_row(chart(progress.energies, molecule, max(16, min(COLUMNS, width - BESIDE))), numbers)
    return Panel(
        side_by_side,
        title=f"[bold]H₂[/bold] · {molecule.observable.num_qubits} qubits · energy in hartree against evaluation",
        title_align="left",
        border_style="dim",
        expand=False,
    )


def chart(energies: list[float], molecule: Molecule, columns: int = COLUMNS) -> Text:
    """Energies against evaluations in characters; the dashes are the exact energy."""
    low = molecule.exact_energy
    high = max(low + 0.2, *energies)
    # One column for each evaluation until the width is used up; from then on the whole run is squeezed into it.
    last = max(columns, len(energies))
    cells: dict[tuple[int, int], str] = {}
    for number, energy in enumerate(energies):
        row = round((high - energy) / (high - low) * (ROWS - 2))
        cells[min(ROWS - 1, max(0, row)), number * columns // last] = "●"
    text = Text()
    for row in range(ROWS):
        level = high - (high - low) * row / (ROWS - 2)
        labelled = row % 2 == 0
        text.append(f"{level:+.2f} " if labelled and row < ROWS - 1 else "      ", style="dim")
        empty = "╌" if row == ROWS - 2 else " "
        marks = [(cells.get((row, column), empty)) for column in range(columns)]
        for mark, run in groupby(marks):
            text.append("".join(run), style="cyan" if mark == "●" else "green")
        text.append("\n")
    text.append(f"      1{'evaluation':^{columns - 4}}{last}", style="dim")
    return text


def introduction(molecule: Molecule, target: str, start_again: int) -> Text:
    """What is about to happen, for somebody who has never seen it."""
    distance = molecule.geometry[1][1][2] - molecule.geometry[0][1][2]
    text = Text.assemble(
        ("Ground state of the hydrogen molecule", "bold"),
        f", H₂ at {distance:g} Å in {molecule.basis}, on {target}.\n",
        "A classical optimiser (COBYLA) turns three angles of a coupled-cluster circuit; each energy it asks for is "
        "one job in a session, stored with everything that is needed to run it again.",
    )
    if start_again:
        text.append(f"\nGoing on: {start_again} evaluations are already on record and are not run again.", style="cyan")
    return text


def summary(shell: Shell, data: dict[str, Any]) -> RenderableType:
    """The end of a run: the energy, the picture, the record, and what to type next."""
    reached = data["within_chemical_accuracy"]
    verdict = "within" if reached else "outside"
    error = abs(data["error_mhartree"])
    shown = f"{error:.3f}" if error >= 1e-3 else "below 0.001"
    rows = Table(box=None, show_header=False, pad_edge=False)
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    rows.add_row("energy", f"{data['energy']:.6f} hartree")
    rows.add_row("exact", f"{data['exact_energy']:.6f} hartree, by diagonalisation")
    rows.add_row(
        "error",
        Text(f"{shown} mHa, {verdict} chemical accuracy (1.6 mHa)", style="green" if reached else "red"),
    )
    rows.add_row("evaluations", f"{data['evaluations']}, each a job" + _replayed(data["replayed"]))
    rows.add_row("stages", _stages(data["stages"]))
    session = data["session_id"]
    steps = [
        (f"jobs list --session {session}", "every evaluation"),
        (f"jobs replay {data['best_job_id']}", "run the best one again and compare"),
        (f"jobs record {data['best_job_id']}", "all that is known about it"),
        ("targets", "what else there is to run on"),
    ]
    # What is copied is never broken, however narrow the terminal.
    places = Text(no_wrap=True, overflow="ignore")
    for label, place in (
        ("picture", _near(data["plot"]) if data["plot"] else f"none: {data['plot_missing']}"),
        ("record", _near(data["home"])),
    ):
        places.append(f"{label:<13}", style="dim").append(f"{place}\n")
    places.rstrip()
    try_next = Text("\nnext\n", no_wrap=True, overflow="ignore")
    for command, why in steps:
        try_next.append(f"  {shell.command(command)}", style="bold").append(f"   {why}\n", style="dim")
    try_next.rstrip()
    return Group(rows, places, try_next)


def _line(shell: Shell, progress: Progress, molecule: Molecule) -> None:
    number = len(progress.energies)
    if number == 1 or number % EVERY == 0:
        best = progress.best
        shell.note(f"evaluation {number:>3}   best {best:+.6f} Ha   error {_error(best, molecule).plain}")


def _error(best: float, molecule: Molecule) -> Text:
    error = best - molecule.exact_energy
    shown = f"{error * 1e3:.3f} mHa" if abs(error) >= 1e-6 else "< 0.001 mHa"
    return Text(shown, style="green" if abs(error) <= CHEMICAL_ACCURACY else "yellow")


def _replayed(replayed: int) -> str:
    return f"; {replayed} of them read back from the record" if replayed else ""


def _stages(stages: dict[str, float]) -> str:
    return " · ".join(f"{name} {duration(seconds)}" for name, seconds in stages.items()) + " in all"


def _near(path: str) -> str:
    """A path as one would type it: from here when it lies below, else whole."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative
