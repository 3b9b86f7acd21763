"""Showing a finished job: its counts or values on stdout, its exit status to the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from antiphon.cli import exit_codes
from antiphon.cli.describe import describe_job, describe_result, intervals_of
from antiphon.cli.shell import Shell
from antiphon.domain.jobs import JobStatus
from antiphon.domain.work import JobKind

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.client.job import Job
    from antiphon.client.result import Result

MANY = 4
"""So many histograms of a batch or sweep are drawn; of longer ones the rest is counted."""


def show_finished(shell: Shell, job: Job, *, partial: bool = False) -> int:
    """Print a final job with its result; returns 3 when it has none."""
    from antiphon.errors import JobCancelledError, JobFailedError

    try:
        result = job.result(partial=partial)
    except (JobFailedError, JobCancelledError) as error:
        if shell.as_json:
            shell.data(describe_job(job), lambda: None)
        shell.fail(error)
        return exit_codes.JOB_UNSUCCESSFUL
    shell.data({**describe_job(job), **describe_result(result)}, lambda: _for_people(job, result))
    return exit_codes.OK if job.status is JobStatus.SUCCEEDED else exit_codes.JOB_UNSUCCESSFUL


def _for_people(job: Job, result: Result) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from antiphon.cli.tables import STYLES, stages_text

    facts = job.facts
    head = Text.assemble(
        (facts.status.value, STYLES.get(facts.status.value, "")),
        f"  {facts.id}  ",
        (facts.name, "bold"),
        (f"  on {facts.spec.target}", "dim"),
    )
    how = facts.provenance
    lines: list[RenderableType] = [head, Text(stages_text(facts.stages.to_json()), style="dim")]
    if how.get("engine"):
        lines.append(Text(f"ran on {how['engine']}: {how.get('why', '')}".rstrip(": "), style="dim"))
    return Group(*lines, Text(""), *_outcome(job, result))


def _outcome(job: Job, result: Result) -> list[RenderableType]:
    from rich.text import Text

    from antiphon.cli.mitigated import side_by_side
    from antiphon.cli.tables import histogram
    from antiphon.cli.values import values_table

    mitigated = side_by_side(result)
    if mitigated is not None:
        return mitigated
    if job.kind is JobKind.ESTIMATE:
        return [values_table(result)]
    counts, ends = result.counts, intervals_of(result)
    if isinstance(counts, dict):
        return [histogram(counts, ends)]
    shown: list[RenderableType] = []
    for index, each in enumerate(counts[:MANY]):
        shown.append(Text(f"[{index}]", style="bold"))
        own = None if ends is None else ends[index]
        shown.append(Text("no result", style="red") if each is None else _histogram_of(each, own))
    if len(counts) > MANY:
        shown.append(Text(f"… and {len(counts) - MANY:,} more; --json has them all.", style="dim"))
    return shown


def _histogram_of(counts: Any, ends: Any) -> RenderableType:
    from rich.console import Group

    from antiphon.cli.tables import histogram

    if isinstance(counts, dict):
        return histogram(counts, ends)
    return Group(*(histogram(each, None if ends is None else ends[row]) for row, each in enumerate(counts)))
