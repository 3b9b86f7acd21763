"""`antiphon trace`: what a service's jobs asked and took, as a file that `antiphon simulate` plays."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.cli.administration import engine_here, time_of
from antiphon.cli.command import command
from antiphon.cli.exit_codes import ERROR
from antiphon.cli.shell import Shell

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.domain.traces import TraceJob

app = typer.Typer(help="Traces of jobs, for `antiphon simulate`.", no_args_is_help=True)

TraceFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="*.jsonl or *.csv, with .gz for gzip.", show_default=False)
]
MOST_PROBLEMS = 20


@app.command("export")
@command
def export(
    shell: Shell,
    file: TraceFile,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Jobs submitted since; 2026-01-31 or 7d.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Jobs submitted before.")] = None,
    workspace: Annotated[str | None, typer.Option(metavar="NAME", help="Only this workspace's.")] = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Put names of workspaces, users and sessions out of reach.")
    ] = False,
) -> None:
    """Write the jobs that have ended to a file."""
    from antiphon.engine.traces import trace_jobs
    from antiphon.simulation.trace_files import write_trace

    since_s = time_of(since) if since is not None else None
    until_s = time_of(until) if until is not None else None
    with engine_here(shell) as ctx:
        jobs = trace_jobs(ctx, workspace=workspace, since=since_s, until=until_s)
        count = write_trace(file, _without_names(jobs) if anonymous else jobs)
    shell.data(
        {"file": str(file), "jobs": count, "anonymous": anonymous},
        lambda: f"{count:,} jobs in {file}. Play them: {shell.command(f'simulate --trace {file}')}",
    )


@app.command("check")
@command
def check(shell: Shell, file: TraceFile) -> int:
    """Look through a trace, and say what is wrong with it."""
    from antiphon.simulation.trace_files import Problem, look_through

    problems: list[Problem] = []
    jobs: list[TraceJob] = []
    wrong = 0
    for read in look_through(file):
        if isinstance(read, Problem):
            wrong += 1
            if len(problems) < MOST_PROBLEMS:
                problems.append(read)
        else:
            jobs.append(read)
    data = _summary(jobs) | {
        "file": str(file),
        "wrong_lines": wrong,
        "problems": [{"line": each.line, "what": each.what} for each in problems],
    }
    shell.data(data, lambda: _page(data))
    return ERROR if wrong else 0


def _without_names(jobs: Iterator[TraceJob]) -> Iterator[TraceJob]:
    from antiphon.domain.traces import anonymous

    salt = secrets.token_bytes(32)  # kept nowhere: two exports cannot be laid side by side
    return (anonymous(job, salt) for job in jobs)


def _summary(jobs: list[TraceJob]) -> dict[str, Any]:
    times = [job.submitted_at for job in jobs]
    return {
        "jobs": len(jobs),
        "never_ran": sum(job.run_s is None for job in jobs),
        "workspaces": len({job.workspace for job in jobs}),
        "users": len({(job.workspace, job.user) for job in jobs}),
        "targets": sorted({job.target for job in jobs}),
        "sessions": len({(job.workspace, job.session) for job in jobs if job.session is not None}),
        "span_s": max(times) - min(times) if times else 0.0,
        "run_s": sum(job.run_s or 0.0 for job in jobs),
    }


def _page(data: dict[str, Any]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from antiphon.cli.simulate_tables import span
    from antiphon.cli.tables import facts_table

    rows = {
        "jobs": f"{data['jobs']:,}, {data['never_ran']:,} of them never ran",
        "users": f"{data['users']:,} in {data['workspaces']:,} workspaces",
        "targets": ", ".join(data["targets"][:10]) + (" …" if len(data["targets"]) > 10 else ""),
        "sessions": f"{data['sessions']:,}",
        "submitted in": span(data["span_s"]),
        "ran for": span(data["run_s"]),
        "wrong lines": Text(f"{data['wrong_lines']:,}", style="red" if data["wrong_lines"] else "green"),
    }
    lines = [Text(f"line {each['line']}: {each['what']}") for each in data["problems"]]
    return Group(facts_table(rows), *lines)
