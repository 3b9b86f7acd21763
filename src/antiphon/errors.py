"""Every error Antiphon raises on purpose: one root, and for each a code, a cause and a next step.

AntiphonError
├── ProgramError             the program itself cannot be accepted
│   ├── UnsupportedProgramError   well formed, but the target cannot run it
│   ├── ParameterError            unbound, unknown, or not a finite number
│   └── ObservableError           not a Hermitian Pauli sum, or of another width
├── LimitError               more than the target or the machine allows
│   └── InvalidRequestError       what was sent to a server does not fit the route
├── NotFoundError            no such job, session, target
├── ConflictError            the store holds something else under that name or version
├── SessionEndedError        the session takes no more jobs
├── JobFailedError           the job ended as Failed
├── JobCancelledError        the job ended as Cancelled
├── WaitTimeoutError         the caller's time ran out; the job goes on
├── ExecutionError           an attempt ended without a result (crash, memory, time, engine)
├── AuthenticationError      the caller did not prove who it is
├── PermissionDeniedError    the caller may not do this
├── QuotaExceededError       the workspace has used up what it may, or holds it for jobs that have not ended
├── RateLimitedError         too many requests in too short a time
├── ConnectionFailedError    a server cannot be reached, or what answers is not one
├── StoreError               the store cannot be opened, read or written
├── SettingsError            a setting cannot be read, or cannot be what it says
├── SecretError              a place that secrets come from cannot be asked
└── MissingExtraError        an optional package is not installed
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class AntiphonError(Exception):
    """What went wrong in one sentence, with a stable `code`, the `cause` and the `next_step`.

    Args:
        message: One sentence in the user's words.
        cause: What was found, when the message alone does not say it.
        next_step: What the user can do now.
        code: A stable, kebab-case identifier; scripts may compare it. Each class has a default.
        details: Machine-readable facts (limits, names, positions); JSON values only.
    """

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        cause: str = "",
        next_step: str = "",
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.next_step = next_step
        self.code = code if code is not None else type(self).code
        self.details = dict(details or {})

    def __str__(self) -> str:
        lines = [self.message]
        if self.cause:
            lines.append(f"  cause: {self.cause}")
        if self.next_step:
            lines.append(f"  next step: {self.next_step}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        # Worker processes send errors home; keyword arguments do not survive the default reduction.
        return _rebuild, (type(self), self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """The error as JSON values, the shape stored on a failed job."""
        return {
            "code": self.code,
            "message": self.message,
            "cause": self.cause,
            "next_step": self.next_step,
            "details": self.details,
        }


def _rebuild(kind: type[AntiphonError], data: Mapping[str, Any]) -> AntiphonError:
    return kind(
        data["message"],
        cause=data["cause"],
        next_step=data["next_step"],
        code=data["code"],
        details=data["details"],
    )


class ProgramError(AntiphonError):
    """The program cannot be accepted: it does not parse, or says something no target can do."""

    code = "program-invalid"


class UnsupportedProgramError(ProgramError):
    """The program is well formed, but this target cannot run it; the message names the instruction."""

    code = "program-unsupported"


class ParameterError(ProgramError):
    """A parameter is unbound, unknown, or not a finite real number."""

    code = "parameter-invalid"


class ObservableError(ProgramError):
    """The observable is not a Hermitian sum of Pauli strings, or has another width than the program."""

    code = "observable-invalid"


class LimitError(AntiphonError):
    """More shots, qubits, operations, memory or time than the target or this machine allows."""

    code = "limit-exceeded"


class InvalidRequestError(LimitError):
    """What was sent to a server does not fit what its route takes; `details["errors"]` says where."""

    code = "request-invalid"


class NotFoundError(AntiphonError):
    """Nothing of that name or id is in this workspace."""

    code = "not-found"


class ConflictError(AntiphonError):
    """The store already holds something else under that key, name or version."""

    code = "conflict"


class SessionEndedError(AntiphonError):
    """The session takes no more jobs; the cause says why it ended."""

    code = "session-ended"


class JobFailedError(AntiphonError):
    """The job ended as Failed; code, cause and next step are those stored on the job."""

    code = "job-failed"


class JobCancelledError(AntiphonError):
    """The job ended as Cancelled, so it has no result."""

    code = "job-cancelled"


class WaitTimeoutError(AntiphonError, TimeoutError):
    """The caller's own time limit ran out. The job is untouched and goes on."""

    code = "wait-timeout"


class ExecutionError(AntiphonError):
    """One attempt ended without a result: the worker crashed, ran out of memory or time, or the engine refused."""

    code = "execution-failed"


class StoreError(AntiphonError):
    """The store cannot be opened, read or written: corrupt, newer, full, or not permitted."""

    code = "store-unusable"


class AuthenticationError(AntiphonError):
    """The caller did not prove who it is: no key or token, or one that opens nothing (any more)."""

    code = "not-authenticated"


class PermissionDeniedError(AntiphonError):
    """The caller is known, and its role or its key's scopes do not allow this."""

    code = "not-permitted"


class QuotaExceededError(LimitError):
    """A quota of the workspace would be exceeded; `details` say which, how much is left, and when it resets."""

    code = "quota-exceeded"


class RateLimitedError(LimitError):
    """Too many requests in too short a time; `details["retry_after_s"]` says when to come back."""

    code = "rate-limited"


class ConnectionFailedError(AntiphonError):
    """A server cannot be reached, did not answer in time, or what answered is no Antiphon server."""

    code = "server-unreachable"


class SettingsError(AntiphonError):
    """A setting cannot be read or cannot be what it says; names the setting and where the value came from."""

    code = "settings-invalid"


class SecretError(AntiphonError):
    """A place that secrets come from cannot be asked, or does not permit it; never holds a secret."""

    code = "secret-unavailable"


class MissingExtraError(AntiphonError, ImportError):
    """An optional package is needed; the next step names the extra that brings it."""

    code = "extra-missing"

    @classmethod
    def of(cls, package: str, extra: str, purpose: str) -> MissingExtraError:
        """The one way to say which extra is missing, so that every message reads the same."""
        return cls(
            f"{purpose} needs the package {package}, which is not installed.",
            cause=f"import {package} failed",
            next_step=f'pip install "antiphon[{extra}]"',
            details={"package": package, "extra": extra},
        )
