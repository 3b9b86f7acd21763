"""`antiphon archive`: ended jobs leave the tables for files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.cli.administration import engine_here, seconds_of
from antiphon.cli.shell import Shell

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.engine.archive import ArchiveReport


def archive(
    shell: Shell,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="SPAN", help="What ended longer ago, e.g. 90d.", show_default=False),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="Folder of the files (default: archive in the data folder)."),
    ] = None,
    workspace: Annotated[str | None, typer.Option(metavar="NAME", help="Only this workspace's.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    show: Annotated[
        str | None, typer.Option("--show", metavar="ID", help="Print the record of an archived job or session.")
    ] = None,
) -> None:
    """Move jobs and sessions that ended long ago from the tables to files."""
    from antiphon.composition import default_home
    from antiphon.engine.access.tenants import DEFAULT
    from antiphon.engine.archive import ARCHIVE
    from antiphon.engine.archive import archive as move
    from antiphon.engine.archived import archived_record

    if (older_than is None) == (show is None):
        raise typer.BadParameter("give --older-than SPAN, such as 90d, or --show ID.", param_hint="--older-than")
    with engine_here(shell) as ctx:
        if show is not None:
            record = archived_record(ctx, workspace or DEFAULT, show)
            shell.data(record, lambda: _as_text(record))
            return
        assert older_than is not None
        report = move(
            ctx,
            older_than_s=seconds_of(older_than),
            folder=to or (shell.home or default_home()) / ARCHIVE,
            workspace=workspace,
            dry_run=dry_run,
        )
    shell.data(asdict(report), lambda: _page(report))


def _as_text(record: dict[str, Any]) -> str:
    import json

    return json.dumps(record, indent=2)


def _page(report: ArchiveReport) -> RenderableType:
    from antiphon.cli.tables import facts_table

    rows: dict[str, Any] = {
        "jobs": f"{report.jobs:,}"
        + (f", and {report.left:,} stayed: what they name cannot be read" * bool(report.left)),
        "sessions": f"{report.sessions:,}",
    }
    if report.dry_run:
        rows["moved"] = "nothing: --dry-run only counts"
        return facts_table(rows)
    rows |= {
        "values nobody names": f"{report.artefacts:,}, and {report.blobs:,} blobs",
        "old deliveries": f"{report.deliveries:,}",
        "old outcomes": f"{report.outcomes:,}",
        "files": "\n".join(report.files) or "none",
    }
    return facts_table(rows)
