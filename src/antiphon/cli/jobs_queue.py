"""`antiphon jobs explain`, `advise` and `resolve`: why a job waits, how a loop is submitted, what is in doubt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.shell import Shell

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.domain.policies.advice import Advice

JobId = Annotated[
    str, typer.Argument(metavar="ID", help="The job's id, or enough of its beginning.", show_default=False)
]
STDIN = Path("-")


def explain(shell: Shell, job_id: JobId) -> None:
    """Explain why a job is where it is.

    Who is before it (as a class, not by name), by which rule, and what would change it.
    """
    from antiphon.cli.tables import prose
    from antiphon.client.wire.explanations import explanation_to_json

    with shell.look() as workspace:
        found = workspace.job(job_id).explain()
        shell.data(explanation_to_json(found), lambda: prose(str(found)))


def advise(
    shell: Shell,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The program of one job.", show_default=False)],
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", min=1, help="How many jobs the loop has.")],
    target: Annotated[str, typer.Option("--target", "-t", help="Where to run it.")] = "sim.auto",
    shots: Annotated[int, typer.Option("--shots", "-n", help="Repetitions of each job.")] = 1000,
    classical: Annotated[float, typer.Option(metavar="SECONDS", min=0.0, help="Your own work between two jobs.")] = 0.0,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="A value for a free parameter; repeatable."),
    ] = None,
) -> None:
    """Say how a loop of jobs costs least.

    The same work as single jobs, as one batch and as a session: what each costs and how long it takes, and why.
    """
    from antiphon.cli.submit import check_there, numbers

    if file != STDIN:
        check_there(file)
    program = sys.stdin.buffer.read() if file == STDIN else file
    with shell.look() as workspace:
        found = workspace.target(target).advise(
            program, shots, jobs=jobs, classical=classical, parameters=numbers("--param", param) or None
        )
        shell.data(found.to_json(), lambda: _page(found))


def _page(found: Advice) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from antiphon.cli.administration import plain_table
    from antiphon.cli.tables import whole_but
    from antiphon.domain.shown import span

    table = plain_table(("way", "cost", "takes", "needs"), "needs", ("cost",))
    for option in found.options:
        cost = "-" if option.bill is None else f"{option.bill.total:,.6g} {option.bill.currency}"
        table.add_row(option.way.value, cost, span(option.wall_s), Text(option.needs))
    return Group(Text(found.why), Text(""), whole_but(table, "needs"))


def resolve(
    shell: Shell,
    job_id: JobId,
    arrived: Annotated[
        bool | None,
        typer.Option("--arrived/--never-arrived", help="Whether its provider has it.", show_default=False),
    ] = None,
    provider_id: Annotated[
        str | None, typer.Option("--provider-id", metavar="ID", help="The provider's name for it, if it arrived.")
    ] = None,
) -> None:
    """Say what became of a job that is in doubt.

    A job is in doubt when the answer to its sending was lost and its provider cannot be asked. One that arrived is
    followed under the provider's name for it; one that never did is sent again, unless it was cancelled.
    """
    from antiphon.cli.describe import describe_job

    if arrived is None:
        raise typer.BadParameter("say --arrived or --never-arrived: a guess may pay twice, or lose the job.")
    with shell.look() as workspace:
        job = workspace.job(job_id).resolve(arrived=arrived, provider_id=provider_id)
        told = "it is followed from there" if arrived else "it is sent again, unless it was cancelled"
        shell.data(describe_job(job), lambda: f"Job {job.id} is no longer in doubt: {told}.")
