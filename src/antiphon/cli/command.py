"""How a command is declared: its own parameters, with the options that every command has, and one way to fail."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from antiphon.cli import exit_codes
from antiphon.cli.shell import Shell
from antiphon.errors import AntiphonError

_PANEL = "Everywhere"

_COMMON: dict[str, tuple[Any, Any]] = {
    "home": (
        Annotated[
            Path | None,
            typer.Option(
                "--home",
                metavar="DIR",
                help="Folder with the data (default: $ANTIPHON_HOME, or your data folder).",
                rich_help_panel=_PANEL,
            ),
        ],
        None,
    ),
    "as_json": (
        Annotated[bool, typer.Option("--json", help="One JSON document on stdout.", rich_help_panel=_PANEL)],
        False,
    ),
    "quiet": (
        Annotated[bool, typer.Option("--quiet", "-q", help="Only data and errors.", rich_help_panel=_PANEL)],
        False,
    ),
    "no_color": (
        Annotated[bool, typer.Option("--no-color", help="No colours (or set NO_COLOR).", rich_help_panel=_PANEL)],
        False,
    ),
    "debug": (
        Annotated[bool, typer.Option("--debug", help="Show tracebacks.", rich_help_panel=_PANEL)],
        False,
    ),
}

_SERVER: dict[str, tuple[Any, Any]] = {
    "url": (
        Annotated[
            str | None,
            typer.Option(
                "--url",
                metavar="URL",
                help="Use this server instead of a folder (default: $ANTIPHON_URL).",
                rich_help_panel=_PANEL,
            ),
        ],
        None,
    ),
    "api_key": (
        Annotated[
            str | None,
            typer.Option(
                "--api-key",
                metavar="KEY",
                help="The server's key. Others see it in the list of processes: rather set $ANTIPHON_API_KEY.",
                rich_help_panel=_PANEL,
            ),
        ],
        None,
    ),
}


def anywhere(function: Callable[..., int | None]) -> Callable[..., None]:
    """A `command` that works on a server as well as on a folder: it also gets --url and --api-key."""
    return command(function, on_servers=True)


def command(function: Callable[..., int | None], *, on_servers: bool = False) -> Callable[..., None]:
    """A Typer command made of `function(shell, …)`, which may return an exit status.

    It gets --home, --json, --quiet, --no-color and --debug, which count wherever they stand on the line; an
    AntiphonError becomes a message and an exit status of `exit_codes`, Ctrl-C becomes 130, a closed pipe ends quietly.
    """
    given = {**_COMMON, **_SERVER} if on_servers else _COMMON

    @functools.wraps(function)
    def run(ctx: typer.Context, **arguments: Any) -> None:
        shell = _shell(ctx).with_options(**{name: arguments.pop(name) for name in given})
        shell.anywhere = on_servers
        ctx.obj = shell
        if ctx.invoked_subcommand is not None:
            return
        _check_where(shell)
        status = _guarded(shell, functools.partial(function, shell, **arguments))
        if status:
            raise typer.Exit(status)

    hints = get_type_hints(function, include_extras=True)
    own = [
        parameter.replace(annotation=hints[name])
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "shell"
    ]
    common = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in given.items()
    ]
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    signature = inspect.Signature([context, *own, *common])
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    # Typer would otherwise read the hints of the wrapped function.
    del run.__wrapped__
    return run


def _shell(ctx: typer.Context) -> Shell:
    return ctx.obj if isinstance(ctx.obj, Shell) else Shell()


def _check_where(shell: Shell) -> None:
    if shell.url is not None and not shell.anywhere:
        raise typer.BadParameter("this command works on a folder, not on a server.", param_hint="--url")
    if shell.url is not None and shell.home is not None:
        raise typer.BadParameter("give either a folder or a server.", param_hint="--home and --url")


def _guarded(shell: Shell, action: Callable[[], int | None]) -> int:
    try:
        return action() or exit_codes.OK
    except AntiphonError as error:
        if shell.debug:
            shell.err.print_exception()
        shell.fail(error)
        return exit_codes.exit_code_of(error)
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has read enough; stdout must not complain once more when Python flushes it at exit.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.OK
    except (typer.Exit, typer.Abort, typer.TyperException):
        raise
    except Exception as error:  # a fault of ours still ends with words
        if shell.debug:
            raise
        shell.fail(
            AntiphonError(
                "Something went wrong that Antiphon did not expect.",
                code="internal-error",
                cause=f"{type(error).__name__}: {error}",
                next_step="Run it again with --debug for the traceback, and please report it.",
            )
        )
        return exit_codes.ERROR
