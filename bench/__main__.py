"""Run the suite and print the table: python -m bench [--quick] [--only NAME] [--rounds N] [--json FILE]."""

from __future__ import annotations

from bench.threads import use_one_thread

use_one_thread()  # before the imports below load NumPy

import argparse  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402

from rich.console import Console  # noqa: E402

from bench.measure import Row  # noqa: E402
from bench.registry import GROUPS, Settings, load_cases  # noqa: E402
from bench.report import as_json, as_table, machine_facts, notes  # noqa: E402

WIDTH = 150


def main(arguments: list[str] | None = None) -> int:
    """Run the cases asked for; 0 when all ran, whether or not they met their aims, 1 when one broke."""
    cases = load_cases()
    parser = argparse.ArgumentParser(prog="bench", description="Antiphon beside its peers, as ratios of one run.")
    known = sorted({*cases, *GROUPS})
    parser.add_argument("--only", action="append", metavar="NAME", choices=known, help="a case or group; repeatable")
    parser.add_argument("--rounds", type=int, default=None, metavar="N", help="interleaved pairs (default 5; quick 2)")
    parser.add_argument("--quick", action="store_true", help="small and rough: does it run at all?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write rows and machine facts there")
    options = parser.parse_args(arguments)
    settings = Settings(rounds=max(1, options.rounds or (2 if options.quick else 5)), quick=options.quick)

    progress, out = Console(stderr=True), Console()
    if not out.is_terminal:
        out = Console(width=WIDTH)  # in a file or a log nothing is cut off
    facts = machine_facts()
    rows: list[Row] = []
    broken = 0
    asked = [name for item in options.only or cases for name in GROUPS.get(item, (item,))]
    for name in dict.fromkeys(asked):
        with progress.status(f"{name} …"):
            try:
                rows += cases[name](settings)
            except Exception:  # noqa: BLE001 - one broken case must not cost the others' figures
                broken += 1
                progress.print(f"[red]{name} broke[/]")
                progress.print_exception()
    out.print(as_table(rows))
    for line in notes(rows):
        out.print(line, style="dim", markup=False)
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items() if version)
    out.print(
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB, {facts['system']}, "
        f"Python {facts['python']}; one thread a side; load {facts['load_average'][0]} at the start; {packages}",
        style="dim",
        markup=False,
    )
    if options.json:
        options.json.write_text(json.dumps(as_json(rows, facts), indent=1) + "\n", encoding="utf-8")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
