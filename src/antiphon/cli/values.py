"""Expectation values for people: each with its standard error and its confidence interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from antiphon.cli.describe import LEVEL, interval_of
from antiphon.cli.tables import TOP, facts_table, whole_but

if TYPE_CHECKING:
    from antiphon.client.result import Result

HEADING = f"{LEVEL:.0%} interval"


def values_table(result: Result) -> Table:
    """One value as a list of facts, more as a table."""
    ends = interval_of(result)
    if isinstance(result.values, float):
        facts = {"value": f"{result.values:.10g}", "standard error": f"{result.stderr:.4g}"}
        return facts_table(facts | ({} if ends is None else {HEADING: span(*ends)}))
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("", no_wrap=True)
    for heading in ("value", "±", *(() if ends is None else (HEADING,))):
        table.add_column(heading, justify="right", no_wrap=True)
    rows = list(zip(flat(result.values), flat(result.stderr), strict=True))
    spans = [] if ends is None else [span(*pair) for pair in zip(flat(ends[0]), flat(ends[1]), strict=True)]
    for index, (value, stderr) in enumerate(rows[:TOP]):
        table.add_row(f"[{index}]", f"{value:.8g}", f"{stderr:.3g}", *spans[index : index + 1])
    if len(rows) > TOP:
        table.add_row(f"{len(rows) - TOP:,} more")
    return whole_but(table, "value")


def span(low: float, high: float) -> str:
    """Both ends, with as many digits as tell them apart."""
    digits = 6 if high - low < 0.001 else 4
    return f"{low:.{digits}f} … {high:.{digits}f}"


def flat(values: Any) -> list[float]:
    """In C order over programs, parameter sets and observables."""
    if isinstance(values, list):
        return [each for part in values for each in flat(part)]
    return [values] if isinstance(values, float) else [float(each) for each in values.ravel()]
