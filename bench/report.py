"""The table for people, the JSON for machines, and the facts of the machine that both need."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
from rich import box
from rich.table import Table

from bench.measure import Row, Spread
from bench.threads import THREAD_VARIABLES

PACKAGES = (
    "antiphon",
    "qiskit",
    "qiskit-aer",
    "cirq-core",
    "qdk",
    "pennylane",
    "pennylane-lightning",
    "qsimcirq",
    "stim",
    "numpy",
    "sqlalchemy",
)


def machine_facts() -> dict[str, Any]:
    """What the figures depend on: processor, memory, versions, load, threads."""
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count(logical=True),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "threads": {name: os.environ.get(name) for name in THREAD_VARIABLES},
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def duration(seconds: float) -> str:
    """A time with the unit that suits it, three significant digits."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= factor:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def _range(spread: Spread) -> str:
    return f"{spread.median:.3g} ({spread.low:.2g}..{spread.high:.2g})"


def as_table(rows: Sequence[Row]) -> Table:
    """One line a row: times are medians a unit, ratios the median of pairs with minimum and maximum."""
    table = Table(box=box.SIMPLE_HEAD, title="Antiphon beside its peers", title_justify="left")
    for column, justify in (
        ("case", "left"),
        ("unit", "left"),
        ("Antiphon", "right"),
        ("peer", "left"),
        ("peer's time", "right"),
        ("ratio (min..max)", "right"),
        ("aim", "right"),
        ("met", "left"),
    ):
        table.add_column(column, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    last = ("", "")
    for row in rows:
        aim = "" if row.aim is None else (duration(row.aim) if row.ratio is None else f"{row.aim:g}")
        verdict = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[row.met]
        table.add_row(
            row.case if row.case != last[0] else "",
            row.unit if (row.case, row.unit) != last else "",
            duration(row.ours.median),
            row.peer,
            "refuses" if row.refusal else "" if row.theirs is None else duration(row.theirs.median),
            "" if row.ratio is None else _range(row.ratio),
            f"≤ {aim}" if aim else "",
            verdict,
        )
        last = (row.case, row.unit)
    return table


def notes(rows: Sequence[Row]) -> list[str]:
    """Each note once, with the cases it belongs to, or with the case and the peers where it is not true of all."""
    peers = defaultdict[str, set[str]](set)
    by_note = defaultdict[str, dict[str, set[str]]](lambda: defaultdict(set))
    for row in rows:
        peers[row.case].add(row.peer)
        for note in row.notes:
            by_note[note][row.case].add(row.peer)
    lines = []
    for note, cases in by_note.items():
        labels = [case if of == peers[case] else f"{case} ({', '.join(sorted(of))})" for case, of in cases.items()]
        lines.append(f"{', '.join(labels)}: {note}")
    return lines


def as_json(rows: Sequence[Row], facts: dict[str, Any]) -> dict[str, Any]:
    """The whole run as JSON values; seconds throughout."""
    return {"machine": facts, "rows": [{**asdict(row), "met": row.met} for row in rows]}
