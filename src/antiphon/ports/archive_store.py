"""What takes old jobs and sessions out of the tables, once they are written elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from antiphon.domain.jobs import Job
from antiphon.domain.sessions import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """What is left of a job or session in the tables: where it went."""

    id: str
    workspace: str
    kind: str
    archived_at: float
    file: str


class ArchiveTransaction(Protocol):
    """Leaving the tables: one atomic unit with everything that belongs to a job."""

    def workspaces_with_jobs(self) -> list[str]:
        """The names of workspaces that have, or had, jobs."""
        ...

    def workspaces_with_sessions(self) -> list[str]:
        """The names of workspaces that have sessions."""
        ...

    def jobs_ended_before(
        self, workspace: str, before: float, after: tuple[float, str] | None, limit: int
    ) -> list[Job]:
        """Jobs of a workspace submitted and ended before a time, by age; after (created_at, id) of the last seen.

        Not those with an open line in the ledger of submissions.
        """
        ...

    def sessions_ended_before(
        self, workspace: str, before: float, after: tuple[float, str] | None, limit: int
    ) -> list[Session]:
        """Sessions of a workspace that ended before a time and have no job left, as `jobs_ended_before`."""
        ...

    def forget_job(self, job: Job, archived: Archived) -> bool:
        """Delete an ended job with all its rows, and keep where it went; False if it changed or is gone."""
        ...

    def forget_session(self, session: Session, archived: Archived) -> bool:
        """Delete an ended session without jobs, and keep where it went; False if it changed or is gone."""
        ...

    def archived(self, subject: str, *, workspace: str) -> Archived | None:
        """Where a job or session of a workspace went, or None."""
        ...

    def forget_deliveries(self, before: float, limit: int) -> int:
        """Delete webhook deliveries that are over and were made before a time; returns how many went."""
        ...

    def last_seq(self) -> int:
        """`seq` of the newest line of all logs; 0 when there is none."""
        ...

    def artefacts_named(self, after: str, limit: int) -> tuple[set[str], str | None]:
        """The digests that a page of jobs names, by id, and the page's last id; None: there is no job after `after`.

        Of a batch that has not ended its programs name some, too.
        """
        ...

    def artefacts_named_since(self, seq: int) -> set[str]:
        """The digests named by jobs whose log has a line with a larger `seq`, and by batches that run."""
        ...

    def stored_artefacts(self, after: str, limit: int) -> list[tuple[str, str | None]]:
        """(digest, digest of what it was compiled to) of a page of artefacts, by digest."""
        ...

    def lock_artefacts(self) -> None:
        """Nobody adds an artefact until the end of this transaction."""
        ...

    def forget_artefacts(self, digests: Sequence[str]) -> list[str]:
        """Delete artefacts; returns the digests of their blobs that no artefact names any more."""
        ...
