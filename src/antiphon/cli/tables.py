"""How jobs, sessions, targets and counts look in a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.bar import Bar
from rich.cells import cell_len
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from antiphon.domain.queues import Priority
from antiphon.domain.shown import span

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.client.job import Job
    from antiphon.client.session import Session
    from antiphon.client.target import Target
    from antiphon.domain.badges import Badge
    from antiphon.domain.jobs import Job as JobFacts

STYLES = {
    "Succeeded": "green",
    "Failed": "red",
    "Failure(s)": "red",
    "TimedOut": "red",
    "Cancelled": "yellow",
    "CancellationRequested": "yellow",
    "Executing": "cyan",
    "Available": "green",
    "Degraded": "yellow",
    "Unavailable": "red",
}
KINDS = {"simulator": "simulators", "emulator": "emulated devices", "qpu": "quantum computers"}
LEAST = 8
"""Characters that a column keeps, however narrow the terminal: below that it says nothing."""
BAR = 40
TOP = 16


def status_text(status: str) -> Text:
    """A status in its colour."""
    return Text(status, style=STYLES.get(status, ""))


def jobs_table(jobs: Iterable[Job]) -> Table:
    """One line a job."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("id", no_wrap=True)
    table.add_column("name", overflow="ellipsis", no_wrap=True, max_width=28)
    for heading in ("target", "status", "age", "took"):
        table.add_column(heading, no_wrap=True)
    for job in jobs:
        facts = job.facts
        # Before the name, where a narrow terminal cuts nothing off, and no column for what few jobs have.
        high = "" if facts.priority is Priority.STANDARD else f"{facts.priority.value} "
        table.add_row(
            facts.id,
            Text.assemble((high, "yellow"), facts.name),
            facts.spec.target,
            status_text(facts.status.value),
            age(facts.created_at).removesuffix(" ago"),
            _took(facts),
        )
    return whole_but(table, "name")


def sessions_table(sessions: Iterable[Session]) -> Table:
    """One line a session."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("id", no_wrap=True)
    table.add_column("name", overflow="ellipsis", no_wrap=True, max_width=28)
    for heading in ("target", "status", "jobs", "age"):
        table.add_column(heading, no_wrap=True)
    for session in sessions:
        facts = session.facts
        table.add_row(
            facts.id,
            Text(facts.name),
            facts.target,
            status_text(facts.status.value),
            str(facts.jobs),
            age(facts.created_at).removesuffix(" ago"),
        )
    return whole_but(table, "name")


def targets_table(targets: Iterable[Target]) -> Table:
    """One line a target, under a heading for each kind of them where there are several."""
    targets = list(targets)
    several = len({target.kind for target in targets}) > 1
    under = None
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("target", no_wrap=True)
    table.add_column("qubits", justify="right")
    table.add_column("status", no_wrap=True)
    table.add_column("queue", justify="right")
    table.add_column("wait", no_wrap=True)
    table.add_column("kit", no_wrap=True)
    table.add_column("what it is", style="dim", no_wrap=True, overflow="ellipsis")
    for target in targets:
        if several and target.kind != under:
            under = target.kind
            table.add_row(Text(KINDS.get(under, under), style="dim"))
        table.add_row(
            target.name,
            f"{target.num_qubits:,}",
            status_text(target.status),
            str(target.queue_depth),
            "-" if target.expected_wait is None else span(target.expected_wait),
            badge_text(target.badge, target.info.version),
            Text(target.info.description),
        )
    return whole_but(table, "what it is")


def badge_text(badge: Badge | None, version: str) -> Text:
    """What a target's badge says, in its colour; a dash without one."""
    words = "-" if badge is None else badge.in_words(version)
    return Text(words, style={"passed": "green", "stale": "yellow", "-": "dim"}.get(words, "red"))


def facts_table(rows: Mapping[str, Any]) -> Table:
    """Names and values, one a line; what is None or empty is left out."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        if value is not None and value != "":
            table.add_row(name, value if isinstance(value, Text) else Text(str(value)))
    return table


def prose(text: str) -> RenderableType:
    """Lines for people, which wrap at words, each under its own beginning."""
    lines = [(len(line) - len(line.lstrip()), Text(line.lstrip())) for line in text.splitlines()]
    return Group(*(Padding(line, (0, 0, 0, indent), expand=False) for indent, line in lines))


def histogram(
    counts: Mapping[str, int], intervals: Mapping[str, tuple[float, float]] | None = None, top: int = TOP
) -> Table:
    """The most frequent outcomes as bars, the outcomes in their own order, with the ends of each one's interval."""
    total = sum(counts.values())
    kept = sorted(sorted(counts, key=lambda key: -counts[key])[:top])
    highest = max((counts[key] for key in kept), default=1)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column("bar", no_wrap=True, max_width=BAR)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True, style="dim")
    if intervals is not None:
        table.add_column(justify="right", no_wrap=True, style="dim")
    for key in kept:
        bar = Bar(highest, 0, counts[key], color="cyan")
        ends = [] if intervals is None else ["{:.1%} … {:.1%}".format(*intervals[key])]
        table.add_row(Text(key), bar, f"{counts[key]:,}", f"{counts[key] / total:.1%}", *ends)
    left = len(counts) - len(kept)
    if left:
        rest = total - sum(counts[key] for key in kept)
        table.add_row(Text(f"{left:,} more", style="dim"), "", f"{rest:,}", f"{rest / total:.1%}")
    return whole_but(table, "bar")


def age(at: float, now: float | None = None) -> str:
    """How long ago, in the largest unit that fits."""
    passed = max(0.0, (time.time() if now is None else now) - at)
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if passed >= seconds:
            return f"{passed / seconds:.0f} {unit} ago"
    return f"{passed:.0f} s ago"


def duration(seconds: float | None) -> str:
    """A time span in words; a dash for None."""
    return "-" if seconds is None else span(seconds)


def stages_text(stages: Mapping[str, float | None]) -> str:
    """The four stages in one line."""
    return " · ".join(f"{name} {duration(seconds)}" for name, seconds in stages.items())


def _took(facts: JobFacts) -> str:
    return "-" if facts.ended_at is None else duration(max(0.0, facts.ended_at - facts.created_at))


def whole_but(table: Table, flexible: str) -> Table:
    """Only the column of that heading gives way on a narrow terminal: half an id or an outcome is of no use."""
    for column in table.columns:
        cells = (column.header, *column.cells)
        width = max(cell_len(cell.plain if isinstance(cell, Text) else str(cell)) for cell in cells)
        column.min_width = min(width, LEAST) if column.header == flexible else width
        texts = [cell for cell in column.cells if isinstance(cell, Text)]
        if column.header == flexible and column.no_wrap and texts:
            # rich narrows no column that must not wrap: each cell keeps to its line by itself.
            column.no_wrap = False
            for text in texts:
                text.no_wrap, text.overflow = True, column.overflow
    return table
