"""The errors of an execution that ended without a result: one function for each way to end, one code each."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path

from antiphon.domain.work import Plan
from antiphon.errors import ConflictError, ExecutionError, NotFoundError

_ALLOCATION_FAILED = (
    b"bad_alloc",
    b"memory allocation of",
    b"MemoryError",
    b"out of memory",
    b"Cannot allocate memory",
)
_LONGEST_TEXT = 2_000


def engine_failed(target: str, plan: Plan, error: BaseException) -> ExecutionError:
    """Code "engine-error": the engine raised something that is not ours; `details` holds the last five frames."""
    engines = ", ".join(dict.fromkeys(plan.engine)) or "of the target"
    kind = type(error).__name__
    text = str(error).strip()[:_LONGEST_TEXT]
    return ExecutionError(
        f"The engine {engines} of {target} failed with {kind}.",
        code="engine-error",
        cause=text.partition("\n")[0] or kind,
        next_step="Change the instruction or option that the cause names, or run the program on another target.",
        details={"exception": kind, "text": text, "frames": _last_frames(error)},
    )


def memory_exhausted(limit: int | None, found: str) -> ExecutionError:
    """Code "worker-memory": an allocation failed, in a worker under a limit of `limit` bytes, or anywhere if None."""
    allowed = "the memory of this machine" if limit is None else f"its limit of {limit / 2**20:,.0f} MiB"
    return ExecutionError(
        f"The program needed more memory than {allowed}.",
        code="worker-memory",
        cause=found,
        next_step="Use fewer qubits, single precision or a smaller bond dimension, or give each worker more memory "
        "(memory_bytes) by having fewer of them (max_workers).",
        details={} if limit is None else {"limit_bytes": limit},
    )


def time_exhausted(limit: float) -> ExecutionError:
    """Code "worker-timeout": still running after `limit` seconds, so its worker was killed."""
    return ExecutionError(
        f"The program ran longer than its limit of {limit:g} s and was stopped.",
        code="worker-timeout",
        cause="The worker process was killed; engines cannot be interrupted in any other way.",
        next_step="Ask for fewer shots or a smaller program, look for a loop that never ends, or raise the time limit.",
        details={"limit_seconds": limit},
    )


def worker_died(status: int, printed: bytes, memory_limit: int | None) -> ExecutionError:
    """Code "worker-crashed", or "worker-memory" if what it printed last says that an allocation failed.

    Args:
        status: Exit code; negative for the signal that ended it.
        printed: The end of what the worker wrote on its standard error.
        memory_limit: Bytes the worker was allowed.
    """
    how = _ending(status)
    # Exit code 1 is Python's own, for a MemoryError that nothing caught.
    if status in (-signal.SIGABRT, -signal.SIGSEGV, 1) and any(text in printed for text in _ALLOCATION_FAILED):
        return memory_exhausted(memory_limit, f"An allocation failed and the engine ended the worker: {how}.")
    if status == -getattr(signal, "SIGKILL", 9):
        next_step = (
            "Something outside killed it; on Linux this is most often the kernel, out of memory: "
            "look in the system log, use fewer qubits or fewer workers (max_workers)."
        )
    else:
        next_step = "Run the program on another target; if it crashes there too, reduce it until it does not."
    return ExecutionError(
        f"The worker process that ran the program ended with {how}.",
        code="worker-crashed",
        cause="The engine crashed; no other program was affected.",
        next_step=next_step,
        details={"exit": how, "exit_status": status, "stderr": printed.decode(errors="replace")[-_LONGEST_TEXT:]},
    )


def worker_not_started(cause: str, details: Mapping[str, object] | None = None) -> ExecutionError:
    """Code "worker-not-started": no worker process could be made ready to run tasks."""
    return ExecutionError(
        "No worker process could be started.",
        code="worker-not-started",
        cause=cause,
        next_step="Check that the targets of this workspace can be loaded in a fresh Python process.",
        details=details,
    )


def task_cancelled() -> ExecutionError:
    """Code "task-cancelled"."""
    return ExecutionError("The execution was cancelled.", code="task-cancelled", next_step="Submit it again to run it.")


def task_not_started() -> ExecutionError:
    """Code "task-not-started": what it was to follow took the worker with it."""
    return ExecutionError(
        "The execution was not started.",
        code="task-not-started",
        cause="The one before it ended its worker process.",
        next_step="Start it again.",
    )


def task_interrupted(error: BaseException) -> ExecutionError:
    """Code "task-interrupted": the process that ran it was asked to stop; nothing is known about the program."""
    return ExecutionError(
        "The execution was interrupted before it ended.",
        code="task-interrupted",
        cause=f"{type(error).__name__} reached the process that ran it.",
        next_step="Run it again; the program is not at fault.",
    )


def executor_closed(name: str) -> ExecutionError:
    """Code "executor-closed": a task was started after `close`."""
    return ExecutionError(
        f"The executor {name} is closed and starts nothing.",
        code="executor-closed",
        next_step="Open the workspace again.",
    )


def task_already_started(task_id: str) -> ConflictError:
    """A task of that id is waiting or running."""
    return ConflictError(
        f"A task {task_id} is running already.",
        next_step="Wait for it or cancel it before starting it again.",
        details={"task": task_id},
    )


def target_unknown(name: str, known: Iterable[str]) -> NotFoundError:
    """The executor has no driver for the target."""
    names = sorted(known)
    return NotFoundError(
        f"There is no target {name} here.",
        cause=f"The targets are {', '.join(names) or 'none'}.",
        next_step="Choose one of these targets.",
        details={"target": name, "known": names},
    )


def _ending(status: int) -> str:
    if status >= 0:
        return f"exit code {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"


def _last_frames(error: BaseException) -> list[str]:
    # Names of files without their folders: the error is stored with the job and shown to others than the host's owner.
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    return [f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames]
