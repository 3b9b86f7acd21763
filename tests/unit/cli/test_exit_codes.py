from __future__ import annotations

import pytest

from antiphon.cli.exit_codes import MEANINGS, exit_code_of
from antiphon.errors import (
    AntiphonError,
    AuthenticationError,
    ConnectionFailedError,
    JobCancelledError,
    JobFailedError,
    NotFoundError,
    PermissionDeniedError,
    ProgramError,
    QuotaExceededError,
    RateLimitedError,
    SettingsError,
    StoreError,
    WaitTimeoutError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AntiphonError("x"), 1),
        (ProgramError("x"), 1),
        (StoreError("x"), 1),
        (NotFoundError("x", code="status-unknown"), 2),
        (SettingsError("x"), 2),
        (SettingsError("x", code="certificate-unusable"), 1),
        (JobFailedError("x"), 3),
        (JobCancelledError("x"), 3),
        (AuthenticationError("x"), 4),
        (PermissionDeniedError("x"), 4),
        (NotFoundError("x"), 5),
        (QuotaExceededError("x"), 6),
        (RateLimitedError("x"), 6),
        (ConnectionFailedError("x"), 7),
        (WaitTimeoutError("x"), 8),
    ],
)
def test_each_error_has_the_status_that_is_published(error: AntiphonError, code: int) -> None:
    assert exit_code_of(error) == code
    assert code in MEANINGS
