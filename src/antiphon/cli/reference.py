"""What the command line says about its exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.cli.exit_codes import MEANINGS
from antiphon.cli.shell import Shell

if TYPE_CHECKING:
    from rich.table import Table


def exit_codes(shell: Shell) -> None:
    """What the exit status of a command means."""
    shell.data([{"code": code, "meaning": meaning} for code, meaning in MEANINGS.items()], _table)


def _table() -> Table:
    from rich.table import Table

    table = Table("code", "meaning", box=None, header_style="dim")
    for code, meaning in MEANINGS.items():
        table.add_row(str(code), meaning)
    return table
