"""The program `antiphon`. One file a command group; nothing heavy is imported before a command needs it."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from antiphon.cli import (
    archive,
    audit,
    check,
    demo,
    doctor,
    env,
    jobs,
    keys,
    members,
    providers,
    quotas,
    reference,
    reservations,
    resources,
    serve,
    sessions,
    simulate,
    submit,
    targets,
    trace,
    usage,
    webhooks,
    worker,
    workspaces,
)
from antiphon.cli.command import anywhere, command
from antiphon.cli.exit_codes import NOT_FOUND
from antiphon.cli.shell import Shell
from antiphon.errors import NotFoundError

app = typer.Typer(
    name="antiphon",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich help would triple the time of --help
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A hybrid quantum-classical workspace that you host yourself: your program calls, a quantum target responds.",
    epilog="Start with antiphon demo. Every command takes --json; exit codes: antiphon exit-codes.",
)


def _version(asked: bool) -> None:
    if asked:
        from antiphon import __version__

        typer.echo(f"antiphon {__version__}")
        raise typer.Exit


@app.callback()
@anywhere
def _everywhere(
    shell: Shell,  # noqa: ARG001 - the options are kept by `command`
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    del version


app.command("demo")(command(demo.demo))
app.command("submit")(anywhere(submit.submit))
app.command("check")(anywhere(check.check))
app.command("resources")(anywhere(resources.resources))
app.add_typer(targets.app, name="targets")
app.add_typer(providers.app, name="providers")
app.add_typer(jobs.app, name="jobs")
app.add_typer(sessions.app, name="sessions")
app.add_typer(reservations.app, name="reservations")
app.command("serve")(command(serve.serve))
app.command("worker")(command(worker.worker))
app.add_typer(keys.app, name="keys")
app.add_typer(members.app, name="members")
app.add_typer(workspaces.app, name="workspaces")
app.add_typer(quotas.app, name="quotas")
app.command("usage")(command(usage.usage))
app.command("audit")(command(audit.audit))
app.command("archive")(command(archive.archive))
app.add_typer(webhooks.app, name="webhooks")
app.command("simulate")(command(simulate.simulate))
app.add_typer(trace.app, name="trace")
app.add_typer(env.app, name="env")
app.command("doctor")(command(doctor.doctor))
app.command("exit-codes")(command(reference.exit_codes))


@app.command("help", hidden=True)
@command
def _help(
    shell: Shell,
    topic: Annotated[list[str] | None, typer.Argument(help="A command, or exit-codes.", show_default=False)] = None,
) -> int | None:
    """Help on the program, on one of its commands, or on exit codes."""
    if shell.as_json or topic == ["exit-codes"]:
        reference.exit_codes(shell)
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


def main() -> None:
    """The console script."""
    # The Q# package reports usage to its vendor unless told not to; nothing leaves the machine unasked.
    os.environ.setdefault("QDK_PYTHON_TELEMETRY", "none")
    app()
