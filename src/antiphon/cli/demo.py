"""`antiphon demo`: a real hybrid loop, from the first evaluation to the picture."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.cli import exit_codes
from antiphon.cli.shell import Shell

if TYPE_CHECKING:
    from antiphon.cli.demo_loop import Evaluations
    from antiphon.cli.demo_run import DemoRun
    from antiphon.client.workspace import Workspace
    from antiphon.molecules import Molecule

TERMINAL_PACE = 0.04
"""Seconds an evaluation is made to last on a terminal: at full speed nobody would see the loop work."""


def demo(
    shell: Shell,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last run, however it was stopped; nothing is run twice.")
    ] = False,
    target: Annotated[str, typer.Option("--target", "-t", help="Where to run it.")] = "sim.auto",
    seed: Annotated[int, typer.Option(min=0, help="Draws the first angles.")] = 0,
    pace: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0.0,
            help="Let each evaluation last at least so long. Default: 0.04 on a terminal, to be watched; else 0.",
        ),
    ] = None,
) -> int:
    """Watch a real hybrid loop converge.

    The ground state of the hydrogen molecule by VQE, in a session on a local simulator; every evaluation is a job.

    Stop it with Ctrl-C or kill -9 whenever you like: antiphon demo --resume goes on where it was.
    """
    from antiphon.cli.demo_run import latest_run
    from antiphon.composition import default_home

    home = shell.home or default_home()
    run = latest_run(home) if resume else None
    if resume and run is None:
        shell.note("No run to go on with in this folder; starting one.")
    if run is not None and run.result is not None:
        shell.note(f"[dim]This run is finished; here is its result once more. A new one: {shell.command('demo')}[/dim]")
        return _show(shell, run.result)
    if pace is None:
        pace = TERMINAL_PACE if shell.err.is_terminal and not (shell.quiet or shell.as_json) else 0.0
    with shell.work() as workspace:
        return _run(shell, home, workspace, run, target, seed, pace)


def _run(
    shell: Shell, home: Path, workspace: Workspace, run: DemoRun | None, target: str, seed: int, pace: float
) -> int:
    from antiphon.cli.demo_circuit import EXCITATIONS, coupled_cluster
    from antiphon.cli.demo_loop import Evaluations, minimise
    from antiphon.cli.demo_run import new_run, save_run
    from antiphon.cli.demo_screen import READABLE, introduction, showing
    from antiphon.molecules import hydrogen

    molecule = hydrogen()
    circuit = coupled_cluster(molecule.hartree_fock)
    if run is None:
        workspace.target(target)
        run = new_run(seed, len(EXCITATIONS), target, time.time())
        # Before the first job: whatever is stored from now on is found again.
        save_run(home, run)
    evaluations = Evaluations(workspace, run, circuit, molecule.observable)
    if not (shell.quiet or shell.as_json):
        width = min(shell.err.width, READABLE)
        shell.err.print(introduction(molecule, run.target, evaluations.num_recorded), width=width)
    try:
        with showing(shell, molecule) as tell:
            minimise(evaluations, run, pace, tell)
        return _finish(shell, home, run, evaluations, molecule)
    except KeyboardInterrupt:
        done = len(evaluations.progress.energies)
        where = f"after {done} evaluations; all of them are on record" if done else "before the first evaluation"
        shell.note(f"\nStopped {where}. To go on: [bold]{shell.command('demo --resume')}[/bold]")
        return exit_codes.INTERRUPTED


def _finish(shell: Shell, home: Path, run: DemoRun, evaluations: Evaluations, molecule: Molecule) -> int:
    from dataclasses import replace

    from antiphon.cli.demo_run import save_run

    if evaluations.reopened:
        shell.note("[dim]The session of the first run had ended meanwhile; this one went on in a new session.[/dim]")
    evaluations.finish()
    data = _result(home, run, evaluations, molecule)
    data |= _pictures(run.folder(home), evaluations, molecule)
    save_run(home, replace(run, result=data))
    return _show(shell, data)


def _result(home: Path, run: DemoRun, evaluations: Evaluations, molecule: Molecule) -> dict[str, Any]:
    from antiphon.cli.demo_screen import CHEMICAL_ACCURACY

    progress = evaluations.progress
    error = progress.best - molecule.exact_energy
    return {
        "energy": progress.best,
        "exact_energy": molecule.exact_energy,
        "error_mhartree": error * 1e3,
        "within_chemical_accuracy": abs(error) <= CHEMICAL_ACCURACY,
        "evaluations": evaluations.num_jobs,
        "replayed": progress.replayed,
        "energies": list(progress.energies),
        "session_id": evaluations.session_id,
        "best_job_id": evaluations.best_job_id,
        "run_id": run.id,
        "seed": run.seed,
        "target": run.target,
        "stages": dict(progress.stages),
        "home": str(home.absolute()),
    }


def _pictures(folder: Path, evaluations: Evaluations, molecule: Molecule) -> dict[str, Any]:
    from antiphon.cli.demo_screen import CHEMICAL_ACCURACY
    from antiphon.client.plots import convergence, save
    from antiphon.errors import MissingExtraError

    energies = evaluations.progress.energies
    try:
        axes = convergence(
            energies,
            [0.0] * len(energies),
            reference=molecule.exact_energy,
            tolerance=CHEMICAL_ACCURACY,
            label="energy / hartree",
            title="H₂ by VQE: energy against evaluation",
        )
    except MissingExtraError as error:
        return {"plot": None, "plot_svg": None, "plot_missing": error.next_step}
    png, svg = save(axes, folder.absolute() / "convergence")
    return {"plot": str(png), "plot_svg": str(svg)}


def _show(shell: Shell, data: dict[str, Any]) -> int:
    from antiphon.cli.demo_screen import summary

    shell.data(data, lambda: summary(shell, data))
    return exit_codes.OK if data["within_chemical_accuracy"] else exit_codes.ERROR
