"""`antiphon targets verify`: a target is put through the contract kit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli import exit_codes
from antiphon.cli.shell import Shell
from antiphon.cli.target_queue import TargetName

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from antiphon.client.kit.report import CheckResult, KitReport
    from antiphon.domain.badges import Badge

STYLES = {"passed": "green", "failed": "red", "not applicable": "dim"}


def verify(
    shell: Shell,
    name: TargetName,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="CHECK", help="Run this check alone, and give no badge; repeatable."),
    ] = None,
    patience: Annotated[
        float, typer.Option(metavar="SECONDS", min=1.0, help="How long each job of the kit may wait and run.")
    ] = 120.0,
) -> int:
    """Put a target through the contract kit, and keep the badge.

    Bit order, angles, delays, conditions, batches, seeds, cancel, double submit and the rest, by the calls that every
    user has. The exit status is 1 if a check failed. On a server the badge is for operators of the service to give.
    """
    with shell.work() as workspace:
        target = workspace.target(name)
        report = target.verify(only=only, patience=patience, watch=lambda result: _tell(shell, result))
        shell.data(report.to_json(), lambda: _table(report))
        if report.badge is None:
            shell.note(f"[dim]No badge was stored: {report.not_stored}[/dim]")
    return exit_codes.ERROR if report.failed else exit_codes.OK


def badge_line(badge: Badge | None, version: str) -> Text | None:
    """A badge with its date, its checks and its kit; None without one."""
    import time

    from rich.text import Text

    from antiphon.cli.tables import badge_text

    if badge is None:
        return None
    day = time.strftime("%Y-%m-%d", time.gmtime(badge.at))
    told = f", {day}: {badge.passed} of {badge.checks} checks passed, {badge.not_applicable} not applicable"
    kit = f" (antiphon {badge.antiphon}, target {badge.version})"
    failed = f"; failed: {', '.join(badge.failed)}" if badge.failed else ""
    return Text.assemble(badge_text(badge, version), told, failed, kit)


def _tell(shell: Shell, result: CheckResult) -> None:
    if not shell.as_json:
        shell.note(f"[dim]{result.name}: {result.outcome.value}, {result.seconds:.1f} s[/dim]")


def _table(report: KitReport) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from antiphon.cli.tables import whole_but

    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("check", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    table.add_column("what it promises, or what came", overflow="fold")
    for each in report.results:
        outcome = each.outcome.value
        table.add_row(each.name, Text(outcome, style=STYLES[outcome]), Text(each.reason or each.promise))
    return Group(
        whole_but(table, "what it promises, or what came"),
        Text(f"\n{report.target}, version {report.version}: {report.in_words}", style="bold"),
    )
