"""How the figures of a simulation look in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from antiphon.cli.administration import plain_table
from antiphon.cli.tables import whole_but

if TYPE_CHECKING:
    from rich.table import Table

    from antiphon.simulation.measure import Report, Spread


def report_page(about: dict[str, Any], reports: Sequence[Report], drawn: Path | None) -> RenderableType:
    """All figures: what was asked, the waits, and what the policies made of the targets."""
    parts: list[RenderableType] = [
        Text(
            f"{about['jobs']:,} jobs in {about['sessions']:,} sessions and outside, {about['users']:,} users in "
            f"{about['workspaces']:,} workspaces, {about['targets']:,} targets with {about['outages']:,} outages; "
            f"they come in {span(about['arrivals_s'])}."
        ),
        Text("\nwaits, from submit to start", style="dim"),
        waits_table(reports),
        Text("\nfairness, use and starvation", style="dim"),
        figures_table(reports),
        Text("\nsessions", style="dim"),
        sessions_table(reports),
        Text(
            "\nfair: Jain's index over what workspaces, and users of each, got of what was due to them, by days. "
            "kept: free for a session though others waited. old: waited past the patience. late: more was started "
            "before them than the bound allows. stretch: turn-around by what the session would take alone. cut: jobs "
            "of sessions that reached their total limit.",
            style="dim",
        ),
    ]
    if about["left_out"]:
        parts.append(Text(f"Left out: {about['left_out']:,} jobs of the trace that never ran."))
    if drawn is not None:
        parts.append(Text(f"Plot: {drawn}", no_wrap=True, overflow="ignore"))
    return Group(*parts)


def waits_table(reports: Sequence[Report]) -> Table:
    """Waits by policy and class."""
    table = plain_table(
        ("policy", "class", "jobs", "median", "95 %", "longest"), "policy", ("jobs", "median", "95 %", "longest")
    )
    for report in reports:
        for number, (name, waits) in enumerate(report.waits.items()):
            table.add_row("" if number else report.policy, name, f"{waits.count:,}", *_three(waits))
    return whole_but(table, "policy")


def figures_table(reports: Sequence[Report]) -> Table:
    """Fairness, use and starvation by policy."""
    headings = ("policy", "fair ws", "fair users", "used", "kept", "old", "late", "CPU")
    table = plain_table(headings, "policy", headings[1:])
    for report in reports:
        fairness = report.fairness
        table.add_row(
            report.policy,
            _index(fairness.workspaces),
            _index(fairness.users),
            f"{report.utilisation:.1%}",
            f"{report.kept_idle:.1%}",
            f"{report.past_patience:,}",
            f"{report.past_bound:,}",
            span(report.cpu_s),
        )
    return whole_but(table, "policy")


def sessions_table(reports: Sequence[Report]) -> Table:
    """How long sessions took, by policy."""
    headings = ("policy", "whole", "turn-around", "95 %", "stretch", "95 % ", "lost holds", "cut")
    table = plain_table(headings, "policy", headings[1:])
    for report in reports:
        turnaround, stretch = report.turnaround, report.stretch
        table.add_row(
            report.policy,
            f"{turnaround.count:,}",
            span(turnaround.median),
            span(turnaround.p95),
            "-" if stretch.median is None else f"{stretch.median:.3g}",
            "-" if stretch.p95 is None else f"{stretch.p95:.3g}",
            f"{report.holds_lost:,} of {report.holds:,}" if report.holds else "-",
            f"{report.cut:,}",
        )
    return whole_but(table, "policy")


def span(seconds: float | None) -> str:
    """A time span with three figures, up to days; a dash for None."""
    if seconds is None:
        return "-"
    for unit, factor in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 1.5 * factor:
            return f"{seconds / factor:.3g} {unit}" if seconds < 999.5 * factor else f"{seconds / factor:,.0f} {unit}"
    return f"{seconds:.3g} s" if seconds >= 0.01 else "0 s"


def _three(waits: Spread) -> tuple[str, str, str]:
    return span(waits.median), span(waits.p95), span(waits.longest)


def _index(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
