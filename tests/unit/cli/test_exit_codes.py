from __future__ import annotations

import pytest

from antiphon.cli.exit_codes import MEANINGS, exit_code_of
from antiphon.errors import (
    AntiphonError,
    JobCancelledError,
    JobFailedError,
    NotFoundError,
    ProgramError,
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
        (JobFailedError("x"), 3),
        (JobCancelledError("x"), 3),
        (NotFoundError("x"), 5),
        (WaitTimeoutError("x"), 8),
    ],
)
def test_each_error_has_the_status_that_is_published(error: AntiphonError, code: int) -> None:
    assert exit_code_of(error) == code
    assert code in MEANINGS
