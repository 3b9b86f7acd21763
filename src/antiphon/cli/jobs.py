"""`antiphon jobs`: what was submitted, where it stands, what came of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.cli import exit_codes
from antiphon.cli.command import anywhere
from antiphon.cli.jobs_queue import advise, explain, resolve
from antiphon.cli.shell import Shell
from antiphon.cli.waiting import wait_for
from antiphon.domain.jobs import JobStatus
from antiphon.domain.policies.estimates import in_levels
from antiphon.domain.shown import span

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from antiphon.client.connection import ReplayView
    from antiphon.client.job import Job
    from antiphon.domain.jobs import Job as JobFacts

app = typer.Typer(help="What was submitted, and what came of it.")

JobId = Annotated[
    str, typer.Argument(metavar="ID", help="The job's id, or enough of its beginning.", show_default=False)
]
Timeout = Annotated[
    float | None, typer.Option("--timeout", metavar="SECONDS", min=0.0, help="Wait so long at most, then exit 8.")
]


RAN = {"inline": "in the submitting process", "process": "in a worker process", "provider": "at its provider"}


@app.callback(invoke_without_command=True)
@anywhere
def _bare(shell: Shell) -> None:
    """What was submitted, and what came of it. Alone, it lists."""
    _list(shell)


@app.command("list")
@anywhere
def list_jobs(
    shell: Shell,
    status: Annotated[str | None, typer.Option(help="Only those with this status, e.g. failed.")] = None,
    target: Annotated[str | None, typer.Option(help="Only those on this target.")] = None,
    session: Annotated[str | None, typer.Option(metavar="ID", help="Only those of this session.")] = None,
    name: Annotated[str | None, typer.Option(help="Only those of this name.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 20,
) -> None:
    """List jobs, newest first."""
    _list(shell, status, target, session, name, limit)


@app.command("show")
@anywhere
def show(shell: Shell, job_id: JobId) -> None:
    """Show one job: where it stands, how it ran, its log."""
    from antiphon.cli.describe import describe_job

    with shell.look() as workspace:
        job = workspace.job(job_id)
        lines = _ledger(job)
        data = {**describe_job(job), "submissions": lines, "events": job.events}
        shell.data(data, lambda: _page(job, lines))


@app.command("watch")
@anywhere
def watch(shell: Shell, job_id: JobId, timeout: Timeout = None) -> int:
    """Watch a job until it ends.

    In a folder this process meanwhile runs what is queued. Ctrl-C stops watching and cancels nothing.
    With --json, one JSON document a line: each change, then the result.
    """
    from antiphon.cli.describe import describe_facts, describe_job, describe_result
    from antiphon.cli.showing import show_finished

    seen: list[int] = []

    def tell(facts: JobFacts) -> None:
        if facts.version not in seen and not facts.status.is_final:
            seen.append(facts.version)
            shell.line(describe_facts(facts))

    with shell.work() as workspace:
        job = workspace.job(job_id)
        left = wait_for(shell, job, timeout, tell if shell.as_json else None)
        if left is not None:
            return left
        if not shell.as_json:
            return show_finished(shell, job)
        succeeded = job.status is JobStatus.SUCCEEDED
        shell.line({**describe_job(job), **(describe_result(job.result()) if succeeded else {})})
        return exit_codes.OK if succeeded else exit_codes.JOB_UNSUCCESSFUL


@app.command("cancel")
@anywhere
def cancel(shell: Shell, job_id: JobId) -> None:
    """Ask for a job to be cancelled.

    What already runs is stopped; what has ended stays as it is.
    """
    from antiphon.cli.describe import describe_job

    with shell.look() as workspace:
        job = workspace.job(job_id).cancel()
        shell.data(describe_job(job), lambda: f"Job {job.id} is {job.status.value}.")


@app.command("result")
@anywhere
def result(
    shell: Shell,
    job_id: JobId,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for it if it is not finished.")] = False,
    timeout: Timeout = None,
    partial: Annotated[bool, typer.Option("--partial", help="Of a batch, also what there is of it.")] = False,
) -> int:
    """Print the counts or values of a finished job."""
    from antiphon.cli.showing import show_finished
    from antiphon.errors import WaitTimeoutError

    with shell.work() if wait else shell.look() as workspace:
        job = workspace.job(job_id)
        if wait:
            left = wait_for(shell, job, timeout)
            if left is not None:
                return left
        elif not job.status.is_final:
            raise WaitTimeoutError(
                f"Job {job.id} has no result yet; it is {job.status.value}.",
                next_step=f"Wait for it: {shell.command(f'jobs result {job.id} --wait')}",
            )
        return show_finished(shell, job, partial=partial)


@app.command("replay")
@anywhere
def replay(shell: Shell, job_id: JobId, timeout: Timeout = None) -> int:
    """Run a job again and compare.

    A new job from the old one's record. They agree to the bit with the same seed on the same simulator and version,
    otherwise by a stated statistical test. Exit 1 when the outcomes disagree.
    """
    from antiphon.cli.describe import describe_facts

    with shell.work() as workspace:
        view = workspace.job(job_id).replay(timeout)
        verdict = {
            "agrees": view.agreement.agrees,
            "test": view.agreement.test,
            "detail": view.agreement.detail,
            "figures": view.agreement.figures,
            "changed": list(view.changed),
            "original": view.original.id,
            "replay": describe_facts(view.job),
        }
        shell.data(verdict, lambda: _verdict(view))
        return exit_codes.OK if view.agreement.agrees else exit_codes.ERROR


@app.command("record")
@anywhere
def record(shell: Shell, job_id: JobId) -> None:
    """Print all that is needed to run a job again."""
    with shell.look() as workspace:
        found = workspace.job(job_id).record
        shell.as_json = True  # a record has no other form
        shell.data(found, lambda: None)


app.command("explain")(anywhere(explain))
app.command("advise")(anywhere(advise))
app.command("resolve")(anywhere(resolve))


def _list(
    shell: Shell,
    status: str | None = None,
    target: str | None = None,
    session: str | None = None,
    name: str | None = None,
    limit: int = 20,
) -> None:
    from antiphon.cli.describe import describe_job

    with shell.look() as workspace:
        within = workspace.session(session).id if session is not None else None
        jobs = workspace.jobs(status=status, target=target, session=within, name=name, limit=limit)
        narrowed = any(each is not None for each in (status, target, session, name))
        shell.data([describe_job(job) for job in jobs], lambda: _table(jobs) if jobs else _none(shell, narrowed))
        if len(jobs) == limit and not shell.as_json:
            shell.note(f"[dim]The newest {limit}; --limit shows more.[/dim]")


def _table(jobs: list[Job]) -> RenderableType:
    from antiphon.cli.tables import jobs_table

    return jobs_table(jobs)


def _none(shell: Shell, narrowed: bool) -> str:
    if narrowed:
        return f"No job is like that. All of them: {shell.command('jobs list')}"
    return f"No jobs here yet. Start with: {shell.command('demo')}, or {shell.command('submit FILE --wait')}"


def _device(job: Job) -> dict[str, str | None]:
    """Of a job on a device: how it was chosen, what it was compiled to, and the calibration that was in force."""
    told = job.facts.provenance
    plan = told.get("plan", {})
    calibration = told.get("calibration") or {}
    programs = plan.get("details", {}).get("programs", ())
    one = programs[0] if len(programs) == 1 and not plan.get("pending") else {}
    fidelity = one.get("expected_fidelity")
    return {
        "target because": None if job.choice is None else job.choice.why,
        "on qubits": ", ".join(map(str, one.get("layout", ()))),
        "compiled": _when_compiled(plan),
        "compiled to": ", ".join(f"{count} {name}" for name, count in one.get("gates", {}).items()),
        "expected fidelity": None if fidelity is None else f"{fidelity:.3g}",
        "calibration": _in_force(calibration) if calibration else None,
        "note": " ".join(job.warnings),
    }


def _when_compiled(plan: dict[str, Any]) -> str | None:
    """Of a batch that was queued before all of its programs were compiled."""
    pending, later = plan.get("pending"), plan.get("later")
    if pending:
        whole = pending + len(plan["engine"]) if later is None else len(plan["engine"])
        return f"{whole - pending} of {whole} programs; each other one is while those before it run"
    return f"{later['programs']} of {len(plan['engine'])} programs while others ran" if later else None


def _in_force(told: dict[str, Any]) -> str:
    date = dt.datetime.fromtimestamp(told["taken_at"], dt.UTC)
    digest = told["digest"].removeprefix("sha256:")[:8]
    return f"{date:%Y-%m-%d %H:%M}Z, {span(told['age_s'])} old when it ran, {digest}"


def _ledger(job: Job) -> list[dict[str, Any]]:
    """The lines of what was asked of a provider; only jobs that a provider runs have any."""
    return list(job.record["submissions"]) if job.executor == "provider" else []


def _page(job: Job, lines: list[dict[str, Any]]) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from antiphon.cli.tables import age, facts_table, stages_text, status_text

    facts = job.facts
    how = facts.provenance
    error = facts.error or {}
    doubt = f"an operator can say: antiphon jobs resolve {facts.id}"
    rows = {
        "job": Text(facts.id, style="bold"),
        "name": facts.name,
        "what": f"{facts.spec.kind.value} on {facts.spec.target}",
        "status": status_text(facts.status.value),
        "error": error.get("message"),
        "cause": error.get("cause"),
        "next step": error.get("next_step"),
        "submitted": f"{age(facts.created_at)} by {facts.created_by}",
        "session": facts.session_id,
        "priority": facts.priority.value,
        "shots": facts.spec.pubs[0].shots,
        "seed": facts.spec.seed,
        "ran": RAN.get(facts.executor, facts.executor) if facts.started_at is not None else None,
        "attempts": facts.attempts or None,
        "gave way": f"{facts.yields} times, to others who waited" if facts.yields else None,
        "in doubt": f"nobody knows whether its provider took it; {doubt}" if facts.in_doubt else None,
        "expected wait": _waits(job),
        "cost": _cost(job),
        "engine": how.get("engine_version") or how.get("engine"),
        "chosen because": how.get("why"),
        **_device(job),
        "stages": stages_text(facts.stages.to_json()),
        **{f"label {name}": value for name, value in facts.spec.metadata.items()},
    }
    log = Table(box=None, show_header=False, pad_edge=False)
    log.add_column(style="dim", no_wrap=True)
    log.add_column()
    log.add_column(style="dim", overflow="fold")
    for event in job.events:
        log.add_row(event["at"], event["event"], Text(event["why"]))
    parts: list[RenderableType] = [facts_table(rows)]
    if lines:
        parts += [Text("\nasked of the provider", style="dim"), _asked(lines)]
    return Group(*parts, Text("\nlog", style="dim"), log)


def _asked(lines: list[dict[str, Any]]) -> Table:
    """The job's lines of the ledger: a line that another names as its parent was tried again."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    for style in ("dim", "", "", "dim"):
        table.add_column(style=style, overflow="fold")
    for line in lines:
        error = line["error"] or {}
        again = "again, " if line["parent"] else ""
        at = line["sent_at"] or line["intended_at"]
        table.add_row(at, f"{again}{line['state']}", line["provider_id"] or "-", Text(error.get("message", "")))
    return table


def _cost(job: Job) -> str | None:
    """What it cost, or what it is expected to cost."""
    facts = job.facts
    if facts.cost:
        total = sum(float(line.get("amount", 0.0)) for line in facts.cost)
        return f"{total:,.6g} {facts.cost[0].get('currency', '')}".rstrip()
    expected = job.quote
    if expected is None or expected.cost is None or facts.status.is_final:
        return None
    return f"expected: {in_levels(expected.cost, lambda amount: f'{amount:,.6g} {expected.currency}')}"


def _waits(job: Job) -> str | None:
    """What was expected of its wait when it was submitted, and what is now, while it waits."""
    at_submit = job.quote
    if at_submit is None:
        return None
    if job.facts.status is not JobStatus.WAITING:
        return f"at submit: {in_levels(at_submit.wait)}"
    return in_levels(job.expected.wait)


def _verdict(view: ReplayView) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    agrees = view.agreement.agrees
    lines = [
        Text.assemble(
            ("agrees" if agrees else "disagrees", "green" if agrees else "bold red"),
            f"  by the test “{view.agreement.test}”: {view.agreement.detail}",
        ),
        Text(f"original {view.original.id}\nreplay   {view.job.id}", style="dim"),
    ]
    if view.changed:
        lines.append(Text(f"changed since: {'; '.join(view.changed)}", style="yellow"))
    return Group(*lines)
