"""The ledger of submissions to providers, in the same transactions as the jobs."""

from __future__ import annotations

from typing import Protocol

from antiphon.domain.submissions import Submission


class LedgerTransaction(Protocol):
    """Lines are added and advanced, never taken away while their job is kept."""

    def add_submission(self, line: Submission) -> None:
        """Insert a line."""
        ...

    def save_submission(self, before: Submission, after: Submission) -> None:
        """Store `after` if the stored version is `before.version`.

        Raises:
            VersionConflictError: It is another one.
        """
        ...

    def submissions(self, job_id: str) -> list[Submission]:
        """The lines of a job, by position and age."""
        ...

    def open_submissions(self, target: str | None = None) -> list[Submission]:
        """Lines that are not final, oldest first; of one target or of all."""
        ...

    def left_at_provider(self, target: str) -> list[str]:
        """Waiting jobs that the target's provider has, or may have: their engine left them. The oldest first."""
        ...
