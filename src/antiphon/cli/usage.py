"""`antiphon usage`: what a workspace's jobs used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.administration import WorkspaceName, engine_here, plain_table
from antiphon.cli.shell import Shell
from antiphon.domain.usage import DEFAULT_DAYS, MOST_DAYS, UsageBy

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.engine.access.usage import UsageSum, UsageSummary


def usage(
    shell: Shell,
    days: Annotated[
        int, typer.Option(min=1, max=MOST_DAYS, help="Of jobs submitted in so many days (UTC), today included.")
    ] = DEFAULT_DAYS,
    by: Annotated[UsageBy, typer.Option(help="What to sum up over.")] = UsageBy.TARGET,
    workspace: WorkspaceName = "default",
) -> None:
    """Sum up what a workspace's jobs used."""
    from antiphon.client.wire.access import usage_to_json
    from antiphon.engine.access.usage import last_days, summarise_usage

    with engine_here(shell) as ctx:
        since, until = last_days(ctx.clock.now(), days)
        summary = summarise_usage(ctx, workspace, since=since, until=until, by=by)
    shell.data(
        usage_to_json(summary),
        lambda: _table(summary) if summary.sums else f"No jobs in {workspace} in the last {days:,} days.",
    )


def _table(summary: UsageSummary) -> RenderableType:
    from antiphon.cli.tables import whole_but
    from antiphon.client.wire.times import to_iso

    figures = ("jobs", "succeeded", "failed", "cancelled", "shots", "time in target")
    table = plain_table((summary.by.value, *figures), summary.by.value, figures)
    for each in summary.sums:
        key = each.key if isinstance(each.key, str) else (to_iso(each.key) or "")[:10]
        table.add_row(key, *_cells(each))
    if len(summary.sums) > 1:
        table.add_row("all", *_cells(summary.total), style="bold")
    return whole_but(table, summary.by.value)


def _cells(each: UsageSum) -> list[str]:
    from antiphon.cli.tables import duration

    counts = (each.jobs, each.succeeded, each.failed, each.cancelled, each.shots)
    return [*(f"{count:,}" for count in counts), duration(each.seconds)]
