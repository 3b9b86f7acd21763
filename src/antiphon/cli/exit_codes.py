"""What the exit status of every command means, and which error leads to which."""

from __future__ import annotations

from antiphon.errors import (
    AntiphonError,
    AuthenticationError,
    ConnectionFailedError,
    JobCancelledError,
    JobFailedError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitedError,
    SettingsError,
    WaitTimeoutError,
)

OK = 0
ERROR = 1
USAGE = 2
JOB_UNSUCCESSFUL = 3
NOT_AUTHENTICATED = 4
NOT_FOUND = 5
QUOTA = 6
UNREACHABLE = 7
STILL_PENDING = 8
INTERRUPTED = 130

MEANINGS = {
    OK: "the command did what was asked",
    ERROR: "it could not: the message on stderr has the cause and the next step",
    USAGE: "it was called in a way it does not know, or a setting cannot be what it says: see --help",
    JOB_UNSUCCESSFUL: "the job it waited for, or asked the result of, failed or was cancelled",
    NOT_AUTHENTICATED: "the server wants a key, or the key may not do this",
    NOT_FOUND: "there is no such job, session or target",
    QUOTA: "a quota is used up, or requests came too fast: the message says when to come back",
    UNREACHABLE: "the server cannot be reached, or what answers is none",
    STILL_PENDING: "the job was not finished when the time ran out; it goes on",
    INTERRUPTED: "Ctrl-C: the command stopped looking; the job goes on",
}


def exit_code_of(error: AntiphonError) -> int:
    """The exit status for an error."""
    match error:
        # A status that does not exist was mistyped; nothing was looked for.
        case NotFoundError(code="status-unknown"):
            return USAGE
        case SettingsError(code=SettingsError.code):
            return USAGE
        case NotFoundError():
            return NOT_FOUND
        case JobFailedError() | JobCancelledError():
            return JOB_UNSUCCESSFUL
        case WaitTimeoutError():
            return STILL_PENDING
        case AuthenticationError() | PermissionDeniedError():
            return NOT_AUTHENTICATED
        case QuotaExceededError() | RateLimitedError():
            return QUOTA
        case ConnectionFailedError():
            return UNREACHABLE
    return ERROR
