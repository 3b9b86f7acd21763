"""What the command line says about itself: exit codes, and help by topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.exit_codes import MEANINGS, NOT_FOUND
from antiphon.cli.shell import Shell
from antiphon.errors import NotFoundError

if TYPE_CHECKING:
    from rich.table import Table


def exit_codes(shell: Shell) -> None:
    """What the exit status of a command means."""
    shell.data([{"code": code, "meaning": meaning} for code, meaning in MEANINGS.items()], _table)


def help_on(
    shell: Shell,
    topic: Annotated[list[str] | None, typer.Argument(help="A command, or exit-codes.", show_default=False)] = None,
) -> int | None:
    """Help on the program, on one of its commands, or on exit codes."""
    from antiphon.cli.main import app

    if shell.as_json or topic == ["exit-codes"]:
        exit_codes(shell)
        return None
    try:
        app([*(topic or []), "--help"], prog_name="antiphon", standalone_mode=False)
    except typer.TyperException:
        name = " ".join(topic or [])
        shell.fail(
            NotFoundError(
                f"There is no help on {name!r}.",
                next_step="See the commands with `antiphon --help`, the exit codes with `antiphon exit-codes`.",
            )
        )
        return NOT_FOUND
    return None


def _table() -> Table:
    from rich.table import Table

    table = Table("code", "meaning", box=None, header_style="dim")
    for code, meaning in MEANINGS.items():
        table.add_row(str(code), meaning)
    return table
