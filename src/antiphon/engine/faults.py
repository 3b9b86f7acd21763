"""Errors that nobody foresaw, as errors that name themselves."""

from __future__ import annotations

from antiphon.errors import AntiphonError, ExecutionError


def unexpected(error: BaseException) -> AntiphonError:
    """Code "engine-error": a fault of ours or of an SDK, which fails one job and leaves the engine as it was."""
    return ExecutionError(
        "The job could not be prepared for its target.",
        code="engine-error",
        cause=f"{type(error).__name__}: {error}",
        next_step="This is a fault of Antiphon or of the SDK that reads the program; please report it.",
    )
