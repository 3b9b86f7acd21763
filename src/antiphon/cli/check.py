"""`antiphon check`: what a program needs, and whether a target takes it, before anything is submitted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.exit_codes import ERROR
from antiphon.cli.shell import Shell
from antiphon.cli.submit import STDIN, check_there, numbers

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.domain.needs import ProgramCheck, Verdict


def check(
    shell: Shell,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="The program, in any format that submit takes. A dash reads stdin.",
        ),
    ],
    target: Annotated[list[str] | None, typer.Option("--target", "-t", help="Ask this target too; repeatable.")] = None,
    shots: Annotated[int, typer.Option("--shots", "-n", help="Repetitions.")] = 1000,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="A value for a free parameter; repeatable."),
    ] = None,
) -> int | None:
    """Say what the program in FILE needs, and submit nothing.

    The smallest profile that runs it, the first instruction that needs more than Base with its place in the source, and
    the way out; width, gates, registers and free parameters. With --target also whether that target takes it, and on a
    device what its calibration says, with the time that qubits wait for classical decisions. Exits 1 if a target that
    was asked refuses the program.
    """
    from antiphon.client.checking import check_of
    from antiphon.frontends.recognise import to_program

    if file != STDIN:
        check_there(file)
    program = to_program(sys.stdin.buffer.read() if file == STDIN else file)
    values = numbers("--param", param) or None
    if not target:
        return _show(shell, check_of(program))
    found = check_of(program)
    with shell.look() as workspace:
        for name in target:
            found = workspace.target(name).check(program, shots, parameters=values, onto=found)
    return _show(shell, found)


def _show(shell: Shell, found: ProgramCheck) -> int | None:
    shell.data(found.to_json(), lambda: _page(found))
    return None if found.runs else ERROR


def _page(found: ProgramCheck) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from antiphon.domain.resources import in_words

    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("program", f"{found.name or 'without a name'} ({found.format})")
    facts.add_row("profile", Text(found.profile.value, style="bold"))
    facts.add_row("qubits", str(found.num_qubits))
    facts.add_row("size", in_words(found.figures) if found.figures else f"no circuit: {found.opaque_because}")
    if found.figures is not None:
        facts.add_row("gates", ", ".join(f"{count} {name}" for name, count in found.figures.gates.items()) or "none")
    facts.add_row("result", ", ".join(f"{name}[{size}]" for name, size in found.registers) or "values")
    facts.add_row("parameters", ", ".join(found.parameters) or "none")
    parts: list[RenderableType] = [facts]
    for need in found.needs:
        place = f"\n  at {need.where}" if need.where else ""
        parts.append(
            Text.assemble(
                (f"\n{need.profile.value}", "bold"), f" is needed by {need.instruction}{place}\n", f"  {need.way_out}."
            )
        )
    return Group(*parts, *map(_verdict, found.verdicts))


def _verdict(verdict: Verdict) -> RenderableType:
    from rich.text import Text

    from antiphon.domain.shown import span

    problem, assessment = verdict.problem, verdict.assessment
    head = (f"\n{verdict.target}", "bold")
    if problem is not None:
        cause = f" ({problem.cause})" if problem.cause else ""
        return Text.assemble(head, " does not take it: ", (f"{problem.message}{cause} {problem.next_step}", "yellow"))
    if assessment is None:
        return Text.assemble(head, " takes it")
    told = (
        f" takes it: {assessment.depth} layers, {span(assessment.seconds)} a shot, fidelity {assessment.fidelity:.3g}, "
        f"{span(assessment.feedforward_s)} of waiting for decisions ({100 * assessment.feedforward_loss:.2g} % lost)"
    )
    return Text.assemble(head, told, *((f"\n  {warning}", "yellow") for warning in verdict.warnings))
