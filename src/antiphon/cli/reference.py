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
    topic: Annotated[str, typer.Argument(help="exit-codes; for a command, use antiphon COMMAND --help.")] = "",
) -> int | None:
    """Help on a topic."""
    if topic in {"", "exit-codes"}:
        exit_codes(shell)
        return None
    shell.fail(
        NotFoundError(
            f"There is no help topic {topic!r}.",
            next_step=f"For a command: antiphon {topic} --help. Topics: exit-codes.",
        )
    )
    return NOT_FOUND


def _table() -> Table:
    from rich.table import Table

    table = Table("code", "meaning", box=None, header_style="dim")
    for code, meaning in MEANINGS.items():
        table.add_row(str(code), meaning)
    return table
