"""`antiphon doctor`: is everything there that a job needs, and if not, what to do."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from antiphon.cli import exit_codes
from antiphon.cli.shell import Shell

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.cli.doctor_checks import Check


def doctor(shell: Shell) -> int:
    """Check this installation, with the fixes.

    Python, extras, folder, disk, database, targets, and a job run here and in a worker.
    Each line is ok, warn or fail, with the fix. Exit 1 when something fails.
    """
    from antiphon.cli.doctor_checks import run_checks
    from antiphon.composition import default_home

    home = shell.home or default_home()
    checks: list[Check] = []
    with shell.err.status("looking …") if shell.err.is_terminal and not shell.quiet else _nothing():
        checks.extend(run_checks(home))
    worst = {check.level for check in checks}
    data = {"ok": "fail" not in worst, "checks": [check.to_json() for check in checks]}
    shell.data(data, lambda: _table(checks))
    return exit_codes.ERROR if "fail" in worst else exit_codes.OK


def _nothing() -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


def _table(checks: list[Check]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    style = {"ok": "green", "warn": "yellow", "fail": "bold red"}
    for check in checks:
        told = Text(check.found)
        if check.fix:
            told.append(f"\nfix: {check.fix}", style="green")
        table.add_row(Text(check.level, style=style[check.level]), check.name, told)
    return table
