"""`antiphon submit`: a program in a file becomes a job."""

from __future__ import annotations

import difflib
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.cli.shell import Shell
from antiphon.cli.waiting import let_go, wait_for
from antiphon.domain.queues import Priority

if TYPE_CHECKING:
    from antiphon.client.job import Job
    from antiphon.client.target import Target
    from antiphon.client.workspace import Workspace

STDIN = Path("-")


def submit(
    shell: Shell,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="The program: OpenQASM 2 or 3, QIR (.ll, .bc), Qiskit QPY, or Cirq JSON. A dash reads stdin.",
        ),
    ],
    target: Annotated[str, typer.Option("--target", "-t", help="Where to run it; best chooses.")] = "sim.auto",
    shots: Annotated[int, typer.Option("--shots", "-n", help="Repetitions.")] = 1000,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="A value for a free parameter; repeatable."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same counts. Default: drawn, and recorded.")] = None,
    name: Annotated[str, typer.Option(help="A name for people.")] = "",
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait for the result and print it.")] = False,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.0, help="With --wait: wait so long at most, then exit 8."),
    ] = None,
    session: Annotated[str | None, typer.Option(metavar="ID", help="Put it into this session.")] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency key: the same key again returns the first job.")] = None,
    noise: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=P",
            help="Noise: depolarizing_1q, depolarizing_2q, readout_p01 or readout_p10; repeatable.",
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="An option of the target (see targets show), as a word, number or JSON; repeatable.",
        ),
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A label for the record; repeatable.")
    ] = None,
    priority: Annotated[
        Priority, typer.Option(case_sensitive=False, help="Its class in the queue of its target.")
    ] = Priority.STANDARD,
    quote: Annotated[
        bool, typer.Option("--quote", help="Submit nothing: say what to expect of its wait, run time and cost.")
    ] = False,
    execution: Annotated[str, typer.Option(help="auto, inline (in this process) or process (in a worker).")] = "auto",
    max_seconds: Annotated[float | None, typer.Option(help="Stop it after so long.")] = None,
) -> int | None:
    """Submit the program in FILE as a job.

    The job is stored before anything runs, and will end in exactly one final state. In a folder a cheap one runs at
    once; another runs while a workspace is open on the folder, for instance with --wait or antiphon jobs watch ID.
    """
    from antiphon.domain.noise import NoiseModel
    from antiphon.errors import ParameterError

    options: dict[str, Any] = {key_: _literal(text) for key_, text in _pairs("--option", option).items()}
    if noise:
        options["noise"] = NoiseModel.from_json(numbers("--noise", noise))
    parameters = numbers("--param", param) or None
    if file != STDIN:
        check_there(file)
    program = sys.stdin.buffer.read() if file == STDIN else file
    with shell.work(workers=None if wait else 0) as workspace:
        chosen = _target(workspace, target, session)
        if quote:
            _quote(shell, chosen, program, shots, parameters, {"priority": priority, **options})
            return None
        job: Job | None = None
        try:
            job = chosen.submit(
                program,
                shots,
                name=name,
                seed=seed,
                parameters=parameters,
                key=key,
                priority=priority,
                execution=execution,
                max_seconds=max_seconds,
                metadata=_pairs("--label", label),
                **options,
            )
            if job.choice is not None:
                shell.note(f"[dim]{job.choice.why}[/dim]")
            _warn(shell, job)
            return _follow(shell, job, timeout) if wait else _tell(shell, job)
        except KeyboardInterrupt:
            return let_go(shell, job)
        except ParameterError as error:
            error.next_step = "Give each free parameter of the program, and no other, as --param NAME=VALUE."
            raise


def _warn(shell: Shell, job: Job) -> None:
    from rich.markup import escape

    for warning in job.warnings:
        shell.note(f"[yellow]{escape(warning)}[/yellow]")


def _quote(shell: Shell, target: Target, program: object, shots: int, parameters: Any, options: dict[str, Any]) -> None:
    from antiphon.cli.tables import prose

    found = target.quote(program, shots, parameters=parameters, **options)
    shell.data(found.to_json(), lambda: prose(str(found)))


def check_there(file: Path) -> None:
    """Refuse a file that is not there, naming one that is spelled alike.

    Raises:
        BadParameter: It is a folder, or there is none.
    """
    if file.is_dir():
        raise typer.BadParameter(f"{str(file)!r} is a folder. Name one file in it.", param_hint="FILE")
    if file.exists():
        return
    there = [each.name for each in file.parent.iterdir() if each.is_file()] if file.parent.is_dir() else []
    close = difflib.get_close_matches(file.name, there, n=1)
    hint = f" Did you mean {str(file.with_name(close[0]))!r}?" if close else ""
    raise typer.BadParameter(f"there is no file {str(file)!r}.{hint}", param_hint="FILE")


def _target(workspace: Workspace, name: str, session: str | None) -> Target:
    target = workspace.target(name)
    if session is not None:
        target.enter_session(workspace.session(session))
    return target


def _follow(shell: Shell, job: Job, timeout: float | None) -> int:
    from antiphon.cli.describe import describe_job
    from antiphon.cli.showing import show_finished
    from antiphon.errors import WaitTimeoutError

    try:
        left = wait_for(shell, job, timeout)
    except WaitTimeoutError:
        shell.data(describe_job(job), lambda: job.id)
        raise
    return show_finished(shell, job) if left is None else left


def _tell(shell: Shell, job: Job) -> int | None:
    from antiphon.cli.describe import describe_job, describe_result
    from antiphon.cli.showing import show_finished
    from antiphon.domain.jobs import JobStatus

    if job.status is JobStatus.SUCCEEDED:
        data = {**describe_job(job), **describe_result(job.result())}
        shell.data(data, lambda: job.id)
        shell.note(f"[dim]It was cheap enough to run at once: {shell.command(f'jobs result {job.id}')}[/dim]")
        return None
    if job.status.is_final:
        return show_finished(shell, job)
    shell.data(describe_job(job), lambda: job.id)
    watch = shell.command(f"jobs watch {job.id}")
    if shell.server is not None:
        shell.note(f"[dim]Queued. To watch it: {watch}[/dim]")
    else:
        shell.note(f"[dim]Queued. It runs while a workspace is open on this folder; to run and watch it: {watch}[/dim]")
    return None


def _pairs(flag: str, given: list[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given or []:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE.", param_hint=flag)
        if name in found:
            raise typer.BadParameter(f"{name!r} is given twice.", param_hint=flag)
        found[name] = value
    return found


def numbers(flag: str, given: list[str] | None) -> dict[str, float]:
    """What a flag was given as NAME=VALUE, with values that are numbers.

    Raises:
        BadParameter: It is not of that form.
    """
    values: dict[str, float] = {}
    for name, text in _pairs(flag, given).items():
        try:
            values[name] = float(text)
        except ValueError:
            raise typer.BadParameter(
                f"{name}={text!r} is not a number. Write it out, e.g. {math.pi / 2:.16g} for π/2.", param_hint=flag
            ) from None
    return values


def _literal(text: str) -> Any:
    if text.startswith(("{", "[")):
        try:
            return json.loads(text)
        except ValueError:
            return text
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)
