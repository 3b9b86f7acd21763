"""`antiphon resources`: what a program takes on each target, and with error correction."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.shell import Shell
from antiphon.cli.submit import STDIN, check_there, numbers

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from antiphon.domain.resources import FaultTolerant, Refused, Resources


def resources(
    shell: Shell,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="The program, in any format that submit takes. A dash reads stdin.",
        ),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option("--target", "-t", help="Ask this target; repeatable. Default: every device."),
    ] = None,
    shots: Annotated[int, typer.Option("--shots", "-n", help="Repetitions.")] = 1000,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="A value for a free parameter; repeatable."),
    ] = None,
    qubit_model: Annotated[
        str, typer.Option(metavar="NAME", help="The physical qubits assumed for error correction.")
    ] = "qubit_gate_ns_e3",
    error_budget: Annotated[
        float, typer.Option(metavar="P", help="The largest probability that a corrected run may fail with.")
    ] = 0.001,
    no_fault_tolerant: Annotated[
        bool, typer.Option("--no-fault-tolerant", help="Leave out the estimate with error correction.")
    ] = False,
) -> None:
    """Say what the program in FILE takes, and submit nothing.

    For each target: width, depth and gates (after compilation on a device), time of the shots, fidelity and cost; and
    with error correction: physical qubits, code distance, run time and T factories, as the package qdk estimates them.
    """
    if file != STDIN:
        check_there(file)
    program = sys.stdin.buffer.read() if file == STDIN else file
    with shell.look() as workspace:
        found = workspace.estimate_resources(
            program,
            shots,
            targets=target or None,
            parameters=numbers("--param", param) or None,
            fault_tolerant=not no_fault_tolerant,
            qubit_model=qubit_model,
            error_budget=error_budget,
        )
        shell.data(found.to_json(), lambda: _page(found))


def _page(found: Resources) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from antiphon.domain.resources import FaultTolerant, Refused, TargetResources, in_words

    parts: list[RenderableType] = [
        Text.assemble((found.program or "program", "bold"), f"  {in_words(found.figures)}\n"),
        _targets(found),
    ]
    for each in found.targets:
        if isinstance(each, TargetResources):
            parts += [Text(f"{each.target}: {warning}", style="yellow") for warning in each.warnings]
        else:
            parts.append(Text(f"{each.what} refused: {each.message}", style="yellow"))
    match found.fault_tolerant:
        case FaultTolerant() as corrected:
            parts += _corrected(corrected)
        case Refused() as refused:
            parts.append(_refusal("\nwith error correction", refused))
    return Group(*parts)


def _targets(found: Resources) -> Table:
    from rich.table import Table
    from rich.text import Text

    from antiphon.cli.tables import whole_but
    from antiphon.domain.resources import Refused
    from antiphon.domain.shown import span

    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("target", no_wrap=True)
    for heading in ("qubits", "depth", "2-qubit", "shots take", "fidelity", "cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("gates", overflow="fold", style="dim")
    for each in found.targets:
        if isinstance(each, Refused):
            table.add_row(each.what, *"-" * 6, Text("refused", style="yellow"))
            continue
        figures, cost = each.figures, each.expected.cost
        table.add_row(
            each.target,
            "-" if figures is None else str(figures.width),
            "-" if figures is None else str(figures.depth),
            "-" if figures is None else str(figures.entangling),
            span(each.expected.run.p50 if each.device_s is None else each.device_s),
            "-" if each.fidelity is None else f"{each.fidelity:.3g}",
            "-" if cost is None else f"{cost.p50:,.4g} {each.expected.currency}",
            "" if figures is None else ", ".join(f"{name}:{count}" for name, count in figures.gates.items()),
        )
    return whole_but(table, "gates")


def _corrected(found: FaultTolerant) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    from antiphon.domain.shown import span

    logical = found.logical
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("physical qubits", "run", "code distance", "T factories", "error"):
        table.add_column(heading, justify="right", no_wrap=True)
    for way in found.ways:
        table.add_row(
            f"{way.qubits:,}",
            span(way.runtime_s),
            "-" if way.code_distance is None else str(way.code_distance),
            str(way.t_factories),
            f"{way.error:.2g}",
        )
    counts = f"{logical.qubits} logical qubits, {logical.t} T, {logical.rotations} rotations, {logical.toffoli} Toffoli"
    head = Text.assemble(
        ("\nwith error correction", "bold"),
        f"  {found.qubit_model}, error at most {found.error_budget:g} ({found.estimator})\n",
        (f"{found.assumptions}; {counts}", "dim"),
    )
    return [head, *([table] if found.ways else []), *(Text(note, style="yellow") for note in found.notes)]


def _refusal(what: str, refused: Refused) -> RenderableType:
    from rich.text import Text

    return Text.assemble((what, "bold"), f"  {refused.message} {refused.next_step}")
