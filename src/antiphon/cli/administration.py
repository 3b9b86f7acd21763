"""What the commands of administration share: the folder's engine, who acts, and how times and names are given.

They work on the folder itself: whoever can write it may do everything in it, and the audit log says so.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.shell import HOME_VARIABLE, URL_VARIABLE
from antiphon.domain.spans import seconds_in
from antiphon.errors import LimitError, NotFoundError

if TYPE_CHECKING:
    from rich.table import Table

    from antiphon.cli.shell import Shell
    from antiphon.engine.context import EngineContext

WorkspaceName = Annotated[str, typer.Option("--workspace", metavar="NAME", help="The workspace.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


@contextmanager
def engine_here(shell: Shell) -> Iterator[EngineContext]:
    """The engine of the folder, which runs nothing."""
    from antiphon.composition import build_engine

    running = build_engine(shell.home, workers=0, dispatch=False)
    try:
        if shell.home is None and os.environ.get(URL_VARIABLE) and not os.environ.get(HOME_VARIABLE):
            shell.note(f"About the folder {running.home}; this command does not ask the server of {URL_VARIABLE}.")
        yield running.ctx
    finally:
        running.close()


def me() -> str:
    """The machine's user."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def make_workspace(shell: Shell, ctx: EngineContext, name: str) -> None:
    """Make the workspace that something is to be added to, unless it exists; say so when it is new."""
    from antiphon.engine.access.tenants import DEFAULT, ensure_tenant

    if ensure_tenant(ctx, name, by=me()) and name != DEFAULT:
        shell.note(f"The workspace {name} is new.")


def seconds_of(text: str) -> float:
    """A span of time such as "90d", "12h", "30min" or "1y", in seconds.

    Raises:
        BadParameter: It is none.
    """
    found = seconds_in(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no span of time; write 90d, 12h, 30min or 1y.")
    return found


def time_of(text: str) -> float:
    """A time, ISO 8601 (UTC unless it says otherwise), or a span that lies so far back, such as "7d".

    Raises:
        BadParameter: It is neither.
    """
    import time

    from antiphon.client.wire.times import from_iso

    back = seconds_in(text)
    if back is not None:
        return time.time() - back
    try:
        return from_iso(text) or 0.0
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write 2026-01-31, 2026-01-31T12:00Z or 7d.") from None


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is taken away; without a terminal only --yes will do.

    Raises:
        BadParameter: There is nobody to ask.
        Abort: The answer was no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("this cannot be undone: say --yes to do it.", param_hint="--yes")
    typer.confirm(question, abort=True, err=True)


def only_one(what: str, prefix: str, ids: Iterable[str]) -> str:
    """The one id that begins so.

    Raises:
        NotFoundError: None does.
        LimitError: Several do (code "id-ambiguous").
    """
    found = [each for each in ids if each.startswith(prefix)] if prefix else []
    if prefix in found:
        return prefix
    if not found:
        raise NotFoundError(
            f"There is no {what} {prefix!r} in this workspace.", next_step=f"See them with `antiphon {what}s list`."
        )
    if len(found) > 1:
        raise LimitError(
            f"Several {what}s begin with {prefix!r}.", code="id-ambiguous", next_step="Give more of the id."
        )
    return found[0]


def plain_table(headings: Iterable[str], flexible: str, right: Iterable[str] = ()) -> Table:
    """An empty table in the look of all tables; the column `flexible` gives way on a narrow terminal."""
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in headings:
        if heading == flexible:
            table.add_column(heading, overflow="fold")
        else:
            table.add_column(heading, no_wrap=True, justify="right" if heading in right else "left")
    return table
