"""`antiphon doctor`: is everything there that a job needs, and if not, what to do."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli import exit_codes
from antiphon.cli.shell import Shell

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.cli.doctor_checks import Check
    from antiphon.cli.doctor_settings import SettingLine


def doctor(
    shell: Shell,
    *,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings, as of `antiphon serve` [antiphon.toml in the folder]."),
    ] = None,
) -> int:
    """Check this installation, with the fixes.

    Python, extras, folder, disk, database, targets, a job run here and in a worker, and the server's settings.
    Each line is ok, warn or fail, with the fix. Exit 1 when something fails.
    Below stands each setting of `antiphon serve` that is not at its default, and where its value came from;
    --json has all of them.
    """
    from antiphon.cli.doctor_checks import run_checks
    from antiphon.cli.doctor_settings import explain_settings
    from antiphon.composition import default_home

    home = shell.home or default_home()
    checks: list[Check] = []
    with shell.err.status("looking …") if shell.err.is_terminal and not shell.quiet else _nothing():
        checks.extend(run_checks(home))
    settings_check, settings = explain_settings(shell.home, config)
    checks.append(settings_check)
    worst = {check.level for check in checks}
    data: dict[str, object] = {"ok": "fail" not in worst, "checks": [check.to_json() for check in checks]}
    data["settings"] = [line.to_json() for line in settings]
    shell.data(data, lambda: _page(checks, settings))
    return exit_codes.ERROR if "fail" in worst else exit_codes.OK


def _nothing() -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


def _page(checks: list[Check], settings: list[SettingLine]) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    shown = [line for line in settings if line.origin != "default"]
    if not shown:
        return _table(checks)
    table = Table(box=None, pad_edge=False, title="Settings of the server", title_justify="left")
    for name in ("setting", "value", "from"):
        table.add_column(name, overflow="fold")
    for line in shown:
        table.add_row(line.name, Text(line.value), Text(line.origin))
    return Group(_table(checks), "", table)


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
