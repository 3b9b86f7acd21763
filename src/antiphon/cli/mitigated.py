"""A mitigated result for people: raw and mitigated values side by side, and whether that helped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from antiphon.cli.describe import interval_of, intervals_of
from antiphon.cli.tables import TOP, whole_but
from antiphon.cli.values import HEADING, flat, span
from antiphon.domain.results import Estimated
from antiphon.domain.work import JobKind

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.client.result import Result

VERDICTS = {"helps": "green", "harms": "red", "no evidence": "yellow"}


def side_by_side(result: Result) -> list[RenderableType] | None:
    """The values or counts of each program as a table; None where there is nothing beside the raw ones."""
    told = result.mitigation if isinstance(result.mitigation, list) else [result.mitigation]
    if result.job.spec.kind is JobKind.ESTIMATE:
        if not any(told):
            return None
        found = interval_of(result)
        spans = [] if found is None else [span(*ends) for ends in zip(*map(flat, found), strict=True)]
        parts: list[RenderableType] = []
        for each, outcome in zip(told, result.outcomes, strict=True):
            own = spans[: len(outcome.values)] if isinstance(outcome, Estimated) else []
            spans = spans[len(own) :]
            if each:
                parts += (_values(each, own), *_said(each))
        return parts
    if len(told) != 1 or "probabilities" not in (told[0] or {}) or not isinstance(result.counts, dict):
        return None
    return [_counts(result.counts, result.probabilities, intervals_of(result)), *_said(told[0])]


def _values(told: dict[str, Any], spans: list[str]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("", no_wrap=True)
    for heading in ("raw", "±", "mitigated", "±", *([HEADING] if spans else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    rows = zip(
        told["raw"]["values"],
        told["raw"]["stderr"],
        told["mitigated"]["values"],
        told["mitigated"]["stderr"],
        told["verdicts"],
        strict=True,
    )
    for index, (raw, raw_stderr, value, stderr, verdict) in enumerate(rows):
        if index == TOP:
            table.add_row("…")
            break
        table.add_row(
            f"[{index}]",
            f"{raw:.5f}",
            f"{raw_stderr:.2g}",
            f"{value:.5f}",
            f"{stderr:.2g}",
            *spans[index : index + 1],
            Text(verdict["verdict"], style=VERDICTS[verdict["verdict"]]),
        )
    return whole_but(table, "verdict")


def _counts(counts: dict[str, int], corrected: dict[str, float], ends: dict[str, tuple[float, float]] | None) -> Table:
    total = sum(counts.values())
    kept = sorted(sorted(counts, key=lambda key: -counts[key])[:TOP])
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("outcome", no_wrap=True)
    for heading in ("counts", "raw", "corrected", *([] if ends is None else [HEADING])):
        table.add_column(heading, justify="right", no_wrap=True)
    for key in kept:
        own = [] if ends is None else ["{:.2%} … {:.2%}".format(*ends[key])]
        found = corrected.get(key, 0.0)
        table.add_row(Text(key), f"{counts[key]:,}", f"{counts[key] / total:.2%}", f"{found:.2%}", *own)
    if len(counts) > len(kept):
        rest = total - sum(counts[key] for key in kept)
        left = 1.0 - sum(corrected.get(key, 0.0) for key in kept)
        table.add_row(
            Text(f"{len(counts) - len(kept):,} more", style="dim"), f"{rest:,}", f"{rest / total:.2%}", f"{left:.2%}"
        )
    return whole_but(table, "outcome")


def _said(told: dict[str, Any]) -> list[RenderableType]:
    overhead = told["overhead"]
    lines = [
        Text.assemble((told["verdict"], VERDICTS[told["verdict"]]), f": {why}")
        for why in dict.fromkeys(each["why"] for each in told["verdicts"] if each["verdict"] == told["verdict"])
    ]
    spent = f"{overhead['shots']:,} shots in {overhead['circuits']:,} circuits, {overhead['program_shots']:,} of them"
    return [*lines, Text(f"{spent} of the program itself", style="dim")]
