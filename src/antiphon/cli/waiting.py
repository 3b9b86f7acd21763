"""Waiting at the command line: progress on stderr, and a Ctrl-C that lets go without cancelling."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from antiphon.cli import exit_codes
from antiphon.cli.shell import Shell

if TYPE_CHECKING:
    from antiphon.client.job import Job
    from antiphon.domain.jobs import Job as JobFacts


def wait_for(
    shell: Shell, job: Job, timeout: float | None, watch: Callable[[JobFacts], None] | None = None
) -> int | None:
    """Wait until the job is final. Returns None when it is, or the exit status with which to stop looking.

    Ctrl-C detaches: the job stays as it is, and stderr says how to go on.

    Raises:
        WaitTimeoutError: The time ran out; the job goes on.
    """
    from antiphon.errors import WaitTimeoutError

    try:
        job.wait(timeout, progress=not shell.quiet and not shell.as_json, watch=watch)
    except KeyboardInterrupt:
        return let_go(shell, job)
    except WaitTimeoutError as error:
        error.next_step = f"It goes on. To wait again: {_watch(shell, job)}"
        raise
    return None


def let_go(shell: Shell, job: Job | None) -> int:
    """After Ctrl-C: nothing is cancelled; say how to go on. Without a job, it came while the job was being stored."""
    if job is None:
        shell.note(f"\nInterrupted. If the job was stored it goes on; see [bold]{shell.command('jobs list')}[/bold]")
    else:
        shell.note(f"\nStopped waiting; job {job.id} is not cancelled. To go on: [bold]{_watch(shell, job)}[/bold]")
    return exit_codes.INTERRUPTED


def _watch(shell: Shell, job: Job) -> str:
    return shell.command(f"jobs watch {job.id}")
